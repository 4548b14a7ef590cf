//! Errors of the egress proxy.

use std::time::Duration;

/// Why a request of the component has no response.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The request breaks the egress policy. A fault of the component's, so the reason is for the log.
    #[error("refused by policy: {0}")]
    PolicyDenied(&'static str),
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// The body, or all bodies of the call, exceed this many bytes.
    #[error("the answer is larger than {} MB", .0 / 1_000_000)]
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
