//! Errors of the HTTP client. None quotes a URL, since that holds filters with customers' words.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientError {
    #[error("its name does not resolve")]
    NameNotResolved,
    #[error("it refuses connections")]
    ConnectionRefused,
    #[error("the connection broke")]
    ConnectionBroken,
    /// No connection within this time.
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    /// The body exceeds this many bytes.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// Only the user or the operator can mend it: a whole sentence that says how.
    #[error("{0}")]
    UserActionable(String),
}
