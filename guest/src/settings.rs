//! The guest's settings. One is a secret: the key of pseudonyms, which never leaves the component.

use daktela_protocol::REQUEST_STRUCTURED_OUTPUT;

/// What the variables that `wit/world.wit` names say.
#[derive(Clone)]
pub struct Settings {
    /// `https://acme.daktela.com`, without a trailing slash; empty where `DAKTELA_URL` is not set, as lists need none.
    pub origin: String,
    /// The most that a caller may ask for with `max_bytes`.
    pub max_answer_bytes: usize,
    /// What one call reads at most where it computes over all records that match.
    pub scan: ScanLimits,
    /// Which tools the operator serves.
    pub served: ToolFilter,
    /// Which of those the request wants. It can narrow what the operator serves, and nothing else.
    pub wanted: ToolFilter,
    /// What happens to tools that the account may not use.
    pub rights: Rights,
    /// The account behind the credential, as `tools::account` tells it, where the host keeps it.
    pub account: Option<String>,
    /// Whether answers have structured content beside their text, and tools an output schema; `None` where nobody said so, which
    /// is no.
    pub structured_output: Option<bool>,
    pub privacy: Privacy,
}

/// What answers show of people.
#[derive(Clone, Default)]
pub struct Privacy {
    pub level: PrivacyLevel,
    /// Agents are covered as customers are.
    pub agents: bool,
    /// The secret that pseudonyms are made with; at least [`PRIVACY_KEY_MIN`] bytes.
    pub key: Option<String>,
}

/// 128 bits where each byte is random.
pub const PRIVACY_KEY_MIN: usize = 16;

/// How identities show, from the least to the most that is hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrivacyLevel {
    /// As Daktela has them.
    #[default]
    Off,
    /// As keyed pseudonyms, which tell people apart: `Person-7F3A2C9K`.
    Pseudonym,
    /// As a word for their kind: `[name]`.
    Mask,
}

impl PrivacyLevel {
    /// The level of a name, of several with commas the one that hides most; the error says what was expected.
    pub fn parse(names: &str) -> Result<Self, String> {
        let level = |name: &str| match name.trim().to_ascii_lowercase().as_str() {
            "off" => Ok(PrivacyLevel::Off),
            "pseudonym" => Ok(PrivacyLevel::Pseudonym),
            "mask" => Ok(PrivacyLevel::Mask),
            _ => Err("expected off, pseudonym or mask".to_owned()),
        };
        names
            .split(',')
            .try_fold(PrivacyLevel::Off, |most, name| Ok(most.max(level(name)?)))
    }
}

impl Privacy {
    fn from_variables(var: &impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let level = |name: &str| match var(name).filter(|level| !level.trim().is_empty()) {
            Some(level) => PrivacyLevel::parse(&level).map_err(|expected| format!("{name} is {level:?}; {expected}")),
            None => Ok(PrivacyLevel::Off),
        };
        let privacy = Privacy {
            level: level("DAKTELA_PRIVACY")?.max(level("DAKTELA_REQUEST_PRIVACY")?),
            agents: match var("DAKTELA_PRIVACY_AGENTS").as_deref().map(str::trim) {
                None | Some("" | "0" | "false" | "no") => false,
                Some("1" | "true" | "yes") => true,
                Some(other) => {
                    return Err(format!("DAKTELA_PRIVACY_AGENTS is {other:?}; expected true or false"));
                }
            },
            key: var("DAKTELA_PRIVACY_KEY").filter(|key| !key.is_empty()),
        };
        if privacy.key.as_ref().is_some_and(|key| key.len() < PRIVACY_KEY_MIN) {
            return Err(format!(
                "DAKTELA_PRIVACY_KEY is too short; expected a random secret of at least {PRIVACY_KEY_MIN} characters"
            ));
        }
        Ok(privacy)
    }
}

/// What happens to tools whose records the account's role may not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rights {
    /// Rights are not looked at.
    #[default]
    Off,
    /// Their description begins with a word that says so.
    Mark,
    /// They are not served.
    Hide,
}

/// Lists that say which tools are served, with names as they were written; [`crate::catalog::selection`] checks them. Empty
/// lists leave all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolFilter {
    /// Ids of toolsets whose tools are served.
    pub toolsets: Vec<String>,
    /// Names of tools that are served beside those of the toolsets, or alone where no toolset is named.
    pub tools: Vec<String>,
    /// Names of tools that are not served, whatever the other lists say.
    pub exclude_tools: Vec<String>,
    /// Whether three tools stand for all: search, describe, call.
    pub is_single: bool,
}

impl ToolFilter {
    /// Reads the lists, which commas separate, from the variables that begin with `prefix`. Names nothing but texts, so it
    /// cannot fail: what is malformed elsewhere must not widen what is served.
    fn from_variables(prefix: &str, var: &impl Fn(&str) -> Option<String>) -> Self {
        let list = |name: &str| {
            let given = var(&format!("{prefix}{name}")).unwrap_or_default();
            let names = given.split(',').map(|name| name.trim().to_ascii_lowercase());
            names.filter(|name| !name.is_empty()).collect()
        };
        let single = var(&format!("{prefix}SINGLE_TOOL")).unwrap_or_default();
        ToolFilter {
            toolsets: list("TOOLSETS"),
            tools: list("TOOLS"),
            exclude_tools: list("EXCLUDE_TOOLS"),
            is_single: !matches!(
                single.trim().to_ascii_lowercase().as_str(),
                "" | "0" | "false" | "no" | "off"
            ),
        }
    }
}

/// How far a scan goes that computes over all records that match. What lies beyond is said in the answer.
#[derive(Clone, Copy, Debug)]
pub struct ScanLimits {
    pub rows: u64,
    pub requests: u64,
    pub bytes: u64,
    pub seconds: u64,
}

impl Default for ScanLimits {
    fn default() -> Self {
        ScanLimits {
            // Ten busy months of calls.
            rows: 100_000,
            // That many rows in pages of a thousand, and as much again for what a comparison reads.
            requests: 200,
            // A projected row has some 200 bytes. Below what our host lets through for one call, which is 64 MB.
            bytes: 48_000_000,
            // Below the 30 seconds that our host gives to a call, so that the answer says what it covers.
            seconds: 20,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            origin: String::new(),
            max_answer_bytes: 1_000_000,
            scan: ScanLimits::default(),
            served: ToolFilter::default(),
            wanted: ToolFilter::default(),
            rights: Rights::Off,
            account: None,
            structured_output: None,
            privacy: Privacy::default(),
        }
    }
}

impl Settings {
    /// Reads the settings. Fails where one is malformed, and says what was expected.
    pub fn from_env(var: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let mut settings = Settings::of_tools(&var);
        if let Some(origin) = var("DAKTELA_URL") {
            settings.origin = origin.trim_end_matches('/').to_owned();
        }
        let number = |name: &str, default: u64, unit: &str| match var(name) {
            Some(given) => given
                .parse::<u64>()
                .map_err(|_| format!("{name} is {given:?}; expected a number of {unit}")),
            None => Ok(default),
        };
        let bytes = number("DAKTELA_MAX_ANSWER_BYTES", settings.max_answer_bytes as u64, "bytes")?;
        settings.max_answer_bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        let default = settings.scan;
        settings.scan = ScanLimits {
            rows: number("DAKTELA_MAX_SCAN_ROWS", default.rows, "records")?,
            requests: number("DAKTELA_MAX_SCAN_REQUESTS", default.requests, "requests")?,
            bytes: number("DAKTELA_MAX_SCAN_BYTES", default.bytes, "bytes")?,
            seconds: number("DAKTELA_MAX_SCAN_SECONDS", default.seconds, "seconds")?,
        };
        settings.structured_output = structured_output(&var)?;
        settings.privacy = Privacy::from_variables(&var)?;
        Ok(settings)
    }

    /// Which tools are served and in what form, and defaults for all else: what lists need, also where another setting is malformed.
    pub fn of_tools(var: impl Fn(&str) -> Option<String>) -> Self {
        Settings {
            served: ToolFilter::from_variables("DAKTELA_", &var),
            wanted: ToolFilter::from_variables("DAKTELA_REQUEST_", &var),
            // What cannot be read must not show more.
            privacy: Privacy::from_variables(&var).unwrap_or(Privacy {
                level: PrivacyLevel::Mask,
                agents: true,
                key: None,
            }),
            rights: match var("DAKTELA_RIGHTS").unwrap_or_default().as_str() {
                "hide" => Rights::Hide,
                "mark" => Rights::Mark,
                _ => Rights::Off,
            },
            account: var("DAKTELA_ACCOUNT"),
            structured_output: structured_output(&var).unwrap_or_default(),
            ..Settings::default()
        }
    }

    /// Whether answers have structured content, and tools output schemas.
    pub fn is_structured(&self) -> bool {
        self.structured_output.unwrap_or_default()
    }

    /// The origin of the instance, which calls need, or what to set.
    pub fn instance(&self) -> Result<&str, String> {
        let authority = self.origin.split_once("://").map_or("", |(_, authority)| authority);
        if authority.contains('/') {
            Err(format!(
                "DAKTELA_URL is {:?}; expected the origin alone, e.g. https://acme.daktela.com. An instance below a path is not supported.",
                self.origin
            ))
        } else if self.origin.is_empty() {
            Err("DAKTELA_URL is not set: give the origin of your Daktela, e.g. https://acme.daktela.com".to_owned())
        } else {
            Ok(&self.origin)
        }
    }
}

/// Whether structured content is wanted: the operator says so either way, or else the request does.
fn structured_output(var: &impl Fn(&str) -> Option<String>) -> Result<Option<bool>, String> {
    for (variable, name) in [
        ("DAKTELA_STRUCTURED_OUTPUT", "DAKTELA_STRUCTURED_OUTPUT"),
        (REQUEST_STRUCTURED_OUTPUT, "The header X-MCP-Structured-Output"),
    ] {
        let given = var(variable).unwrap_or_default();
        match given.trim().to_ascii_lowercase().as_str() {
            "" => {}
            "true" | "1" | "yes" | "on" => return Ok(Some(true)),
            "false" | "0" | "no" | "off" => return Ok(Some(false)),
            _ => return Err(format!("{name} is {given:?}; expected true or false")),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_content_is_what_the_operator_says_or_else_the_request() {
        let wanted = |request: Option<&str>, operator: Option<&str>| {
            Settings::from_env(|name| match name {
                "DAKTELA_REQUEST_STRUCTURED_OUTPUT" => request.map(str::to_owned),
                "DAKTELA_STRUCTURED_OUTPUT" => operator.map(str::to_owned),
                _ => None,
            })
            .map(|settings| settings.structured_output)
        };
        for (request, operator, is_wanted) in [
            (None, None, None),
            (None, Some("true"), Some(true)),
            (None, Some("false"), Some(false)),
            (Some("TRUE"), None, Some(true)),
            (Some("1"), Some("false"), Some(false)),
            (Some("false"), Some("true"), Some(true)),
            (Some("false"), None, Some(false)),
            (Some(" "), Some("true"), Some(true)),
        ] {
            assert_eq!(wanted(request, operator), Ok(is_wanted), "{request:?} {operator:?}");
        }
        assert_eq!(
            wanted(Some("json"), None),
            Err("The header X-MCP-Structured-Output is \"json\"; expected true or false".to_owned())
        );
    }
}
