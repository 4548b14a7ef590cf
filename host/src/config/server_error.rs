//! Errors in the flags of the HTTP server and of OAuth, and lists in flags.

use std::path::PathBuf;

use super::ConfigError;
use crate::{
    auth::{InvalidDomain, WeakSecret},
    oauth::JournalError,
};

/// The parts of a list with commas.
pub(super) fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Says which setting is wrong, and what was expected.
#[derive(Debug, thiserror::Error)]
pub enum ServerOptionsError {
    #[error("ALLOWED_DAKTELA_DOMAINS: {0}")]
    Domains(#[from] InvalidDomain),
    #[error(
        "PUBLIC_URL: {0:?} is no address that clients could reach; expected e.g. https://mcp.example.com, or \
         https://example.com/daktela"
    )]
    PublicUrl(String),
    #[error("ALLOWED_HOSTS: {0:?} is no host name, with or without a port; expected e.g. mcp.example.com")]
    Host(String),
    #[error("ALLOWED_ORIGINS: {0:?} is no origin; expected e.g. https://app.example.com, or tauri://localhost")]
    Origin(String),
    #[error(transparent)]
    SecretFile(#[from] ConfigError),
    #[error("OAUTH_SECRET: {0}")]
    Secret(#[from] WeakSecret),
    #[error(
        "REDIS_URL: that is no address of a Redis; expected e.g. redis://:password@redis.example.com:6379/0, or rediss:// for TLS"
    )]
    Redis,
    #[error("OAuth needs to know where clients find the server: set PUBLIC_URL, e.g. https://mcp.example.com")]
    NoPublicUrl,
    #[error("{0}: {1:?} is no host name")]
    ClientHost(&'static str, String),
    #[error("OAUTH_ONLY needs OAuth, which is off: set OAUTH_SECRET, or leave OAUTH_ONLY out")]
    OnlyWithoutSecret,
    #[error("both REDIS_URL and OAUTH_STATE_FILE are given; keep REDIS_URL where replicas share it, else the file")]
    TwoStores,
    #[error("OAUTH_STATE_FILE: {}: {error}", .file.display())]
    StateFile { file: PathBuf, error: JournalError },
}
