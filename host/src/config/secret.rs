//! Secrets from an environment variable or a file, and the certificates that connections trust.

use std::{ffi::OsString, fs, io, path::PathBuf};

use secrecy::{ExposeSecret, SecretString};

use super::ConfigError;

pub(super) const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// This file replaces the system's authorities; where it holds none, nothing could be trusted.
pub fn check_authorities(file: Option<OsString>) -> Result<(), ConfigError> {
    let Some(file) = file.filter(|file| !file.is_empty()).map(PathBuf::from) else {
        return Ok(());
    };
    let why = match fs::read(&file) {
        Ok(bytes) if String::from_utf8_lossy(&bytes).contains(BEGIN) => return Ok(()),
        Ok(_) => "it holds none".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(ConfigError::Authorities { file, why })
}

/// A secret that is given either as the value of `variable` or in `file`.
///
/// Returns `None` where neither is set, and [`ConfigError::SecretTwice`] where both are.
pub(crate) fn read_secret_setting(
    variable: &'static str,
    value: Option<String>,
    file: &Option<PathBuf>,
) -> Result<Option<SecretString>, ConfigError> {
    let file = file.clone().filter(|file| !file.as_os_str().is_empty());
    match (value, file) {
        (Some(_), Some(file)) => Err(ConfigError::SecretTwice { variable, file }),
        (Some(value), None) => Ok(Some(SecretString::from(value))),
        (None, Some(file)) => read_secret(file).map(Some),
        (None, None) => Ok(None),
    }
}

/// The first line; editors like to add another, and a mark at the beginning.
fn read_secret(file: PathBuf) -> Result<SecretString, ConfigError> {
    let text = match fs::read_to_string(&file) {
        Ok(text) => SecretString::from(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(ConfigError::NotUtf8(file)),
        Err(error) => return Err(ConfigError::SecretFile { file, error }),
    };
    let line = text
        .expose_secret()
        .trim_start_matches('\u{feff}')
        .lines()
        .next()
        .unwrap_or_default()
        .trim();
    if line.is_empty() {
        Err(ConfigError::EmptySecretFile(file))
    } else {
        Ok(line.to_owned().into())
    }
}
