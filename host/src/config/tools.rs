//! Which tools are served: flags whose values go to the component as its settings, since it alone knows the names.

use clap::{Args, ValueEnum};

/// The flags are lists with commas; the component refuses a name that it does not have.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Tools")]
pub struct ToolOptions {
    /// Toolsets to serve, with commas, e.g. tickets,contacts; without them all are. docs/configuration.md lists them
    #[arg(long, global = true, env = "DAKTELA_TOOLSETS", value_name = "NAMES")]
    pub toolsets: Option<String>,

    /// Tools to serve beside those of --toolsets, or alone where that is not given; before a command only
    #[arg(long = "tools", env = "DAKTELA_TOOLS", value_name = "NAMES")]
    pub single_tools: Option<String>,

    /// Tools not to serve, whatever the other lists say
    #[arg(long, global = true, env = "DAKTELA_EXCLUDE_TOOLS", value_name = "NAMES")]
    pub exclude_tools: Option<String>,

    /// Serve three tools that stand for all (search, describe, call), for clients with small windows
    #[arg(long, global = true, env = "DAKTELA_SINGLE_TOOL")]
    pub single_tool: bool,

    /// What happens to tools whose records the account's role may not read: nothing, a word in their description, or not served
    #[arg(long, global = true, env = "DAKTELA_RIGHTS", value_name = "HOW", value_enum, default_value_t = Rights::Off)]
    pub rights: Rights,

    /// Answers as data beside their text, and output schemas of tools: where a request or its client asks for them (asked), always, or never
    #[arg(long, global = true, env = "DAKTELA_STRUCTURED_OUTPUT", value_name = "WHEN", value_enum, default_value_t = StructuredOutput::Asked)]
    pub structured_output: StructuredOutput,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum StructuredOutput {
    /// Where a request has the header X-MCP-Structured-Output, or its client shows MCP Apps
    #[default]
    Asked,
    /// For everybody
    #[value(alias = "true")]
    Always,
    /// For nobody
    #[value(alias = "false")]
    Never,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Rights {
    /// Rights are not looked at
    #[default]
    Off,
    /// The description says "Forbidden."
    Mark,
    /// The tool is not served to this account
    Hide,
}

impl Rights {
    fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Mark => "mark",
            Self::Hide => "hide",
        }
    }
}

impl ToolOptions {
    /// Whether the tools of a caller depend on the rights of the account.
    pub fn looks_at_rights(&self) -> bool {
        self.rights != Rights::Off
    }

    /// The component's settings, by their names.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let single = self.single_tool.then(|| "true".to_owned());
        [
            ("DAKTELA_TOOLSETS", self.toolsets.clone()),
            ("DAKTELA_TOOLS", self.single_tools.clone()),
            ("DAKTELA_EXCLUDE_TOOLS", self.exclude_tools.clone()),
            ("DAKTELA_SINGLE_TOOL", single),
            (
                "DAKTELA_RIGHTS",
                self.looks_at_rights().then(|| self.rights.as_str().to_owned()),
            ),
            (
                "DAKTELA_STRUCTURED_OUTPUT",
                match self.structured_output {
                    StructuredOutput::Asked => None,
                    StructuredOutput::Always => Some("true".to_owned()),
                    StructuredOutput::Never => Some("false".to_owned()),
                },
            ),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}
