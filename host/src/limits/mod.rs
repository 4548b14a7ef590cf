//! Limits on callers: request rate, login attempts, concurrency.

pub(crate) mod concurrency;
pub(crate) mod login_attempts;
pub(crate) mod rate_limit;
pub(crate) mod unverified;

use std::time::Duration;

/// Refused by a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RateLimited {
    /// The limit is used up, and has room again after this long.
    After(Duration),
    /// Too many are under way just now.
    Concurrent,
}

impl RateLimited {
    pub(crate) fn retry_after(self) -> Duration {
        match self {
            Self::After(wait) => wait,
            Self::Concurrent => Duration::from_secs(1),
        }
    }
}
