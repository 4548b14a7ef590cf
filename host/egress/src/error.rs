//! Errors of the egress proxy.

use std::time::Duration;

use daktela_http_client::ClientError;

/// Why a request of the component has no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The request breaks the egress policy. A fault of the component's, so the reason is for the log.
    #[error("refused by policy: {0}")]
    PolicyDenied(&'static str),
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// The body, or all bodies of the call, exceed this many bytes.
    #[error("the answer is larger than {}", size(*.0))]
    TooLarge(usize),
    #[error("its name does not resolve")]
    NameNotResolved,
    #[error("it refuses connections")]
    ConnectionRefused,
    #[error("the connection broke")]
    ConnectionBroken,
    /// Only the user or the operator can mend it: a whole sentence that says how.
    #[error("{0}")]
    UserActionable(String),
}

impl From<ClientError> for EgressError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::NameNotResolved => Self::NameNotResolved,
            ClientError::ConnectionRefused => Self::ConnectionRefused,
            ClientError::ConnectionBroken => Self::ConnectionBroken,
            ClientError::Timeout(after) => Self::Timeout(after),
            ClientError::TooLarge(bytes) => Self::TooLarge(bytes),
            ClientError::UserActionable(text) => Self::UserActionable(text),
        }
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes / 1000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
