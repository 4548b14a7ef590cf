//! Folders of the user: where programs of this system keep their settings. Read from the environment alone.

use std::{env, path::PathBuf};

/// The user's own folder; `None` where the environment names none.
pub(crate) fn home() -> Option<PathBuf> {
    folder(if cfg!(windows) { "USERPROFILE" } else { "HOME" })
}

/// Where programs keep their settings: `%APPDATA%` on Windows, `~/Library/Application Support` on a Mac, else
/// `$XDG_CONFIG_HOME` or `~/.config`.
pub(crate) fn settings() -> Option<PathBuf> {
    if cfg!(windows) {
        folder("APPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Application Support"))
    } else {
        folder("XDG_CONFIG_HOME").or_else(|| home().map(|home| home.join(".config")))
    }
}

/// An absolute path in a variable, as the XDG specification asks.
pub(crate) fn folder(variable: &str) -> Option<PathBuf> {
    env::var_os(variable)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
