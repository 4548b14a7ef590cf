//! MCP clients: where each keeps its servers, and in which form.

use std::{fs, path::PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::config::folders;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Client {
    ClaudeDesktop,
    ClaudeCode,
    #[value(name = "vscode")]
    VsCode,
    Cursor,
    Gemini,
}

impl Client {
    pub(super) const ALL: [Self; 5] = [
        Self::ClaudeDesktop,
        Self::ClaudeCode,
        Self::VsCode,
        Self::Cursor,
        Self::Gemini,
    ];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::ClaudeDesktop => "Claude Desktop",
            Self::ClaudeCode => "Claude Code",
            Self::VsCode => "VS Code",
            Self::Cursor => "Cursor",
            Self::Gemini => "Gemini CLI",
        }
    }

    /// The file of the user's servers, whether it is there or not. `None` where the environment names no folder.
    pub(super) fn file(self) -> Option<PathBuf> {
        let home = |path: &str| folders::home().map(|home| home.join(path));
        let settings = |path: &str| folders::settings().map(|settings| settings.join(path));
        match self {
            Self::ClaudeDesktop => store_app()
                .or_else(|| settings("Claude"))
                .map(|folder| folder.join("claude_desktop_config.json")),
            Self::ClaudeCode => home(".claude.json"),
            Self::VsCode => settings("Code/User/mcp.json"),
            Self::Cursor => home(".cursor/mcp.json"),
            Self::Gemini => home(".gemini/settings.json"),
        }
    }

    /// Whether the client was used here: it keeps its settings in a folder that it makes itself.
    pub(super) fn is_found(self) -> bool {
        let Some(file) = self.file() else { return false };
        match self {
            // Its folder is the user's own.
            Self::ClaudeCode => file.exists() || file.with_extension("").exists(),
            _ => file.parent().is_some_and(|folder| folder.exists()),
        }
    }

    /// Under which key of the file the servers are.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::VsCode => "servers",
            _ => "mcpServers",
        }
    }

    /// The entry in the client's form.
    pub(super) fn entry(self, entry: &Value) -> Value {
        match self {
            Self::VsCode | Self::ClaudeCode => {
                let mut typed = json!({"type": "stdio"});
                if let (Some(typed), Some(entry)) = (typed.as_object_mut(), entry.as_object()) {
                    typed.extend(entry.clone());
                }
                typed
            }
            _ => entry.clone(),
        }
    }

    /// What has to be done for the client to read its file again.
    pub(super) fn afterwards(self) -> &'static str {
        match self {
            Self::ClaudeDesktop if cfg!(windows) => {
                "Quit Claude Desktop (right click on its icon beside the clock, Quit) and start it again."
            }
            Self::ClaudeDesktop => "Quit Claude Desktop and start it again.",
            Self::ClaudeCode => "It is there in the next session that you start.",
            Self::VsCode => "Run \"MCP: List Servers\" there and start the server.",
            Self::Cursor => "Close Cursor and start it again.",
            Self::Gemini => "It is there in the next session that you start.",
        }
    }
}

/// Claude Desktop from the Microsoft Store sees a folder of settings of its own.
fn store_app() -> Option<PathBuf> {
    let packages = folders::folder("LOCALAPPDATA")
        .filter(|_| cfg!(windows))?
        .join("Packages");
    let mut packages = fs::read_dir(packages).ok()?.flatten();
    let package = packages.find(|package| package.file_name().to_string_lossy().starts_with("Claude_"))?;
    let folder = package.path().join("LocalCache/Roaming/Claude");
    folder.exists().then_some(folder)
}
