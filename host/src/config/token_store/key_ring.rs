//! The system's key ring: Credential Manager and Keychain through their interfaces, the Secret Service through `secret-tool`.
//!
//! An error's text says why the key ring cannot be used. Where there is none, nothing is found in it and writing fails.

pub(super) use system::{NAME, read, remove, write};

/// The name under which tokens are kept; the account is the instance.
const SERVICE: &str = "mcp-daktela";

#[cfg(any(windows, target_os = "macos"))]
mod system {
    use keyring_core::{Entry, Error};

    use super::SERVICE;

    #[cfg(windows)]
    use windows_native_keyring_store::Store;

    #[cfg(target_os = "macos")]
    use apple_native_keyring_store::keychain::Store;

    pub(in super::super) const NAME: &str = if cfg!(windows) {
        "Windows' Credential Manager"
    } else {
        "the Mac's Keychain"
    };

    pub(in super::super) fn read(account: &str) -> Result<Option<String>, String> {
        match entry(account)?.get_password() {
            Ok(token) => Ok(Some(token)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    pub(in super::super) fn write(account: &str, token: &str) -> Result<(), String> {
        entry(account)?.set_password(token).map_err(|error| error.to_string())
    }

    pub(in super::super) fn remove(account: &str) -> Result<bool, String> {
        match entry(account)?.delete_credential() {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }

    fn entry(account: &str) -> Result<Entry, String> {
        let store = Store::new().map_err(|error| error.to_string())?;
        let entry = keyring_core::api::CredentialStoreApi::build(&*store, SERVICE, account, None);
        entry.map_err(|error| error.to_string())
    }
}

#[cfg(not(any(windows, target_os = "macos")))]
mod system {
    use std::{
        env,
        io::Write,
        process::{Command, Output, Stdio},
    };

    use super::SERVICE;

    pub(in super::super) const NAME: &str = "the key ring (Secret Service)";

    /// Of libsecret, for the key rings of GNOME and KDE. A D-Bus client within the program would be a hundred crates.
    const TOOL: &str = "secret-tool";

    pub(in super::super) fn read(account: &str) -> Result<Option<String>, String> {
        match tool("lookup", account, None)? {
            Some(output) if output.status.success() => {
                let token = String::from_utf8(output.stdout).map_err(|_| "the token in it is no text".to_owned())?;
                Ok(Some(token.trim_end_matches('\n').to_owned()).filter(|token| !token.is_empty()))
            }
            Some(output) => nothing_found(&output).map(|()| None),
            None => Ok(None),
        }
    }

    pub(in super::super) fn write(account: &str, token: &str) -> Result<(), String> {
        match tool("store", account, Some(token))? {
            Some(output) if output.status.success() => Ok(()),
            Some(output) => Err(said(&output)),
            None => Err(format!("there is none that {TOOL} could reach")),
        }
    }

    pub(in super::super) fn remove(account: &str) -> Result<bool, String> {
        match tool("clear", account, None)? {
            Some(output) if output.status.success() => Ok(true),
            Some(output) => nothing_found(&output).map(|()| false),
            None => Ok(false),
        }
    }

    /// It ends with an error and no word where there is nothing of that name.
    fn nothing_found(output: &Output) -> Result<(), String> {
        let said = said(output);
        if said.is_empty() { Ok(()) } else { Err(said) }
    }

    fn said(output: &Output) -> String {
        String::from_utf8_lossy(&output.stderr).trim().to_owned()
    }

    /// `None` without a session bus or without the tool. The token goes through a pipe: arguments show in process lists.
    fn tool(verb: &str, account: &str, token: Option<&str>) -> Result<Option<Output>, String> {
        if ["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"]
            .iter()
            .all(|name| env::var_os(name).is_none())
        {
            return Ok(None);
        }
        let mut command = Command::new(TOOL);
        command.arg(verb);
        if token.is_some() {
            command.arg(format!("--label={SERVICE}: {account}"));
        }
        command.args(["service", SERVICE, "account", account]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let Ok(mut child) = command.spawn() else {
            return Ok(None);
        };
        if let Some(mut stdin) = child.stdin.take() {
            // It may end without reading; its exit code says why.
            let _ = stdin.write_all(token.unwrap_or_default().as_bytes());
        }
        child.wait_with_output().map(Some).map_err(|error| error.to_string())
    }
}
