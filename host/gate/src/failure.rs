//! Why the gate has no answer.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A fault of the guest's, so the reason is for the log.
    #[error("refused by policy: {0}")]
    Denied(&'static str),
    #[error("no answer within {} seconds", .0.as_secs())]
    Timeout(Duration),
    #[error("the answer is larger than {} MB", .0 / 1_000_000)]
    TooLarge(usize),
    #[error("its name does not resolve")]
    Name,
    #[error("it refuses connections")]
    Refused,
    #[error("the connection broke")]
    Broken,
    /// For the user, who alone can mend it: a whole sentence that says how.
    #[error("{0}")]
    ForTheUser(String),
}
