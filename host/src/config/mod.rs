//! Configuration: flags and environment variables become settings. Nothing is started here.

mod daktela;
mod limits;
pub mod oauth;
mod placeholder;
mod secret;
pub mod server;
mod server_error;
mod telemetry;

use std::{io, path::PathBuf};

use clap::Args;

use crate::egress::{Network, OriginError};

pub use daktela::{CacheOptions, DaktelaOptions};
pub use limits::LimitOptions;
pub use placeholder::Mistake;
pub use secret::check_authorities;
pub(crate) use secret::read_secret_setting;
pub use server_error::ServerOptionsError;
pub use telemetry::TelemetryOptions;

/// What any command of the program takes.
#[derive(Debug, Clone, Args)]
pub struct Options {
    #[command(flatten)]
    pub daktela: DaktelaOptions,

    #[command(flatten)]
    pub limits: LimitOptions,

    #[command(flatten)]
    pub cache: CacheOptions,

    /// File with a component to run instead of the built-in one: compiled for this program, or plain WebAssembly where the
    /// program was built with the feature `compiler`
    #[arg(
        long,
        global = true,
        env = "DAKTELA_COMPONENT",
        value_name = "FILE",
        help_heading = "Program"
    )]
    pub component: Option<PathBuf>,

    #[command(flatten)]
    pub telemetry: TelemetryOptions,
}

/// Says what was expected and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "no Daktela is named. Set DAKTELA_URL (or --url) to the address of yours, e.g. https://acme.daktela.com, or try \
         the sample company with --demo"
    )]
    NoUrl,
    #[error("DAKTELA_URL: {0}")]
    Url(#[from] OriginError),
    #[error(
        "no credential is given. Set DAKTELA_ACCESS_TOKEN to a user's API token, or DAKTELA_USERNAME \
         and DAKTELA_PASSWORD"
    )]
    NoCredential,
    #[error(
        "both a token (DAKTELA_ACCESS_TOKEN or --access-token-file) and a user name or password are given; keep one"
    )]
    TwoCredentials,
    #[error("DAKTELA_USERNAME is set, but no password: set DAKTELA_PASSWORD, or name a file with --password-file")]
    NoPassword,
    #[error("a password is given, but not whose: set DAKTELA_USERNAME or --username")]
    NoUsername,
    #[error("{0}: {1}")]
    Mistaken(&'static str, Mistake),
    #[error("DAKTELA_PASSWORD: {0}. A password that is really so is taken from a file that --password-file names")]
    MistakenPassword(Mistake),
    #[error("{variable} and the file {} both hold the secret; keep one", .file.display())]
    SecretTwice { variable: &'static str, file: PathBuf },
    #[error("{}: {error}", .file.display())]
    SecretFile { file: PathBuf, error: io::Error },
    #[error("{} is empty; expected the secret on its first line", .0.display())]
    EmptySecretFile(PathBuf),
    #[error("{} is no text in UTF-8; Windows PowerShell writes such files with `-Encoding ascii`", .0.display())]
    NotUtf8(PathBuf),
    #[error("SSL_CERT_FILE: {}: {why}; expected certificates in PEM, each behind {}", .file.display(), secret::BEGIN)]
    Authorities { file: PathBuf, why: String },
    #[error("{0}: {1:?} is no address of a collector; expected e.g. http://localhost:4318")]
    OtlpEndpoint(&'static str, String),
    #[error("OTEL_EXPORTER_OTLP_PROTOCOL: {0:?} is not spoken here, only http/protobuf, usually on port 4318")]
    OtlpProtocol(String),
}

impl Options {
    pub fn network(&self) -> Network {
        Network {
            max_concurrent_requests: size(self.limits.upstream_concurrency),
            proxy: self.daktela.proxy.clone(),
        }
    }
}

/// The ranges of the flags are far below what a size of this machine holds.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}
