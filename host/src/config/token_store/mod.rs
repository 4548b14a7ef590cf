//! Token store: a user's API token for an instance, in the system's key ring, or in a file that only its owner may read.
//!
//! `mcp-daktela setup` writes it. It is read where the settings name an instance and no credential.

mod file;
mod key_ring;

use std::{fmt, io, path::PathBuf};

use clap::ValueEnum;
use secrecy::{ExposeSecret, SecretString};

use crate::egress::Origin;

/// Where a token is to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Place {
    /// The key ring, or the file where there is none
    Auto,
    /// The system's key ring: Credential Manager on Windows, Keychain on a Mac, Secret Service on Linux
    Keyring,
    /// A file in the user's folder of settings, readable for its owner alone
    File,
}

/// Where a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kept {
    KeyRing,
    File(PathBuf),
}

impl fmt::Display for Kept {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyRing => formatter.write_str(key_ring::NAME),
            Self::File(path) => write!(formatter, "{}, which only you may read", path.display()),
        }
    }
}

/// Says what to do.
#[derive(Debug, thiserror::Error)]
pub enum TokenStoreError {
    #[error("{name}: {0}. Unlock it and try again, or keep the token in a file: mcp-daktela setup --store file", name = key_ring::NAME)]
    KeyRing(String),
    #[error("{}: {error}", .path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{} holds no tokens as setup writes them; delete it and run `mcp-daktela setup` again", .0.display())]
    Broken(PathBuf),
    #[error("{file} holds API tokens, and others on this machine may read it; run: chmod 600 '{file}'", file = .0.display())]
    Readable(PathBuf),
    #[error("the environment names no folder for settings (HOME, on Windows APPDATA)")]
    NoFolder,
}

/// The token for an instance, if one is kept. The key ring comes first.
pub fn read(origin: &Origin) -> Result<Option<SecretString>, TokenStoreError> {
    let ring = key_ring::read(origin.as_str());
    if let Ok(Some(token)) = ring {
        return Ok(Some(token.into()));
    }
    match (file::read(origin.as_str())?, ring) {
        (None, Err(reason)) => Err(TokenStoreError::KeyRing(reason)),
        (token, _) => Ok(token.map(SecretString::from)),
    }
}

/// Keeps the token for an instance, in place of a former one.
pub fn write(origin: &Origin, token: &SecretString, place: Place) -> Result<Kept, TokenStoreError> {
    let (account, token) = (origin.as_str(), token.expose_secret());
    let in_ring = match place {
        Place::File => None,
        Place::Keyring => Some(key_ring::write(account, token).map_err(TokenStoreError::KeyRing)?),
        Place::Auto => key_ring::write(account, token).ok(),
    };
    match in_ring {
        Some(()) => {
            file::remove(account)?;
            Ok(Kept::KeyRing)
        }
        None => {
            let path = file::write(account, token)?;
            // A former one in the key ring would win over the file.
            if place == Place::File {
                key_ring::remove(account).map_err(TokenStoreError::KeyRing)?;
            }
            Ok(Kept::File(path))
        }
    }
}

/// Removes the token for an instance from wherever it is kept. Says whether there was one.
pub fn remove(origin: &Origin) -> Result<bool, TokenStoreError> {
    let was_in_file = file::remove(origin.as_str())?;
    let was_in_ring = key_ring::remove(origin.as_str()).map_err(TokenStoreError::KeyRing)?;
    Ok(was_in_file || was_in_ring)
}
