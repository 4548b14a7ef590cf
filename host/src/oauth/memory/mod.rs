//! What must not happen twice: codes, refresh tokens, and the use of what was revoked. Remembered by each replica for
//! itself, or by all of them in one Redis.

mod own;
mod redis;

pub use redis::Redis;

use super::{seal::Sealer, token::Refused};
use std::{future::Future, time::Duration};

/// As long as the documents that it is about.
pub(super) const REFRESH_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// Longer than a code is good for.
const CODE_KEPT: Duration = super::authorize::CODE_LIFETIME.saturating_mul(2);

pub(super) enum Memory {
    Own(Box<own::Memory>),
    Shared(redis::Memory),
}

/// It cannot be told what was used. Whoever does not know refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Away;

impl Memory {
    /// `grace`: how long the answer to a refresh token is given again.
    pub(super) fn new(redis: Option<Redis>, grace: Duration) -> Self {
        match redis {
            None => Self::Own(Box::new(own::Memory::new(grace))),
            Some(redis) => Self::Shared(redis::Memory::new(redis, grace)),
        }
    }

    /// Whether this is the code's first use.
    pub(super) async fn use_code(&self, id: &str) -> Result<bool, Away> {
        match self {
            Self::Own(memory) => Ok(memory.use_code(id)),
            Self::Shared(memory) => memory.use_code(id).await,
        }
    }

    pub(super) async fn revoke(&self, family: &str) -> Result<(), Away> {
        match self {
            Self::Own(memory) => {
                memory.revoke(family);
                Ok(())
            }
            Self::Shared(memory) => memory.revoke(family).await,
        }
    }

    pub(super) async fn is_revoked(&self, family: &str) -> Result<bool, Away> {
        match self {
            Self::Own(memory) => Ok(memory.is_revoked(family)),
            Self::Shared(memory) => memory.is_revoked(family).await,
        }
    }

    /// The answer to a refresh token: that of `renew` the first time, the same again within the grace, then `None`. A
    /// renewal that fails does not count.
    pub(super) async fn once(
        &self,
        sealer: &Sealer,
        refresh: &str,
        renew: impl Future<Output = Result<String, Refused>>,
    ) -> Result<Option<String>, Refused> {
        match self {
            Self::Own(memory) => memory.once(refresh, renew).await,
            Self::Shared(memory) => memory.once(sealer, refresh, renew).await,
        }
    }

    /// Whether it was out of reach when last asked.
    pub(super) fn is_away(&self) -> bool {
        match self {
            Self::Own(_) => false,
            Self::Shared(memory) => memory.is_away(),
        }
    }
}
