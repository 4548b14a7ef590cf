//! Replay protection and revocation list: codes serve once, refresh tokens are rotated, families of tokens are revoked. In this
//! process, with a journal on the disk or without, or in a Redis that replicas share.

mod in_memory;
mod journal;
mod redis;

use std::{future::Future, time::Duration};

pub use journal::{Journal, JournalError};
pub use redis::Redis;

use super::claims::{CODE_LIFETIME, FAMILY_LIFETIME, REFRESH_LIFETIME};
use crate::auth::sealed_token::Sealer;

/// Longer than a code can be exchanged.
const CODE_KEPT: Duration = CODE_LIFETIME.saturating_mul(2);

pub(super) enum Store {
    InMemory(Box<in_memory::InMemory>),
    Redis(redis::RedisStore),
}

/// Redis does not answer, or the journal cannot be written. What cannot be looked up or remembered is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StoreUnavailable;

/// A refresh token of a family, by how often the family was refreshed before.
#[derive(Clone, Copy)]
pub(super) struct Generation<'a> {
    pub(super) family: &'a str,
    pub(super) number: u64,
}

/// Where that is remembered which must not happen twice.
pub enum StoreSettings {
    /// In this process, and in the file where one is named.
    InMemory(Option<Journal>),
    /// Shared by replicas.
    Redis(Redis),
}

impl Store {
    /// `reuse_grace`: how long a refresh token that was used is answered again, with the same answer.
    pub(super) fn new(settings: StoreSettings, reuse_grace: Duration) -> Self {
        match settings {
            StoreSettings::InMemory(journal) => {
                Self::InMemory(Box::new(in_memory::InMemory::new(reuse_grace, journal)))
            }
            StoreSettings::Redis(redis) => Self::Redis(redis::RedisStore::new(redis, reuse_grace)),
        }
    }

    /// Whether a restart forgets what was revoked.
    pub(super) fn is_volatile(&self) -> bool {
        match self {
            Self::InMemory(store) => store.is_volatile(),
            Self::Redis(_) => false,
        }
    }

    /// Whether this is the code's first use.
    pub(super) async fn use_code(&self, id: &str) -> Result<bool, StoreUnavailable> {
        match self {
            Self::InMemory(store) => store.use_code(id).await,
            Self::Redis(store) => store.use_code(id).await,
        }
    }

    pub(super) async fn revoke(&self, family: &str) -> Result<(), StoreUnavailable> {
        match self {
            Self::InMemory(store) => store.revoke(family).await,
            Self::Redis(store) => store.revoke(family).await,
        }
    }

    pub(super) async fn is_revoked(&self, family: &str) -> Result<bool, StoreUnavailable> {
        match self {
            Self::InMemory(store) => Ok(store.is_revoked(family)),
            Self::Redis(store) => store.is_revoked(family).await,
        }
    }

    /// The answer to a refresh token: that of `renew` the first time, the same again within the grace period, then `None`. A
    /// renewal that fails uses nothing up.
    pub(super) async fn rotate_once<E>(
        &self,
        sealer: &Sealer,
        token: Generation<'_>,
        renew: impl Future<Output = Result<String, E>>,
    ) -> Result<Option<String>, E>
    where
        E: From<StoreUnavailable> + Clone + Send + Sync + 'static,
    {
        match self {
            Self::InMemory(store) => store.rotate_once(token, renew).await,
            Self::Redis(store) => store.rotate_once(sealer, token, renew).await,
        }
    }

    /// Whether it was out of reach when last asked.
    pub(super) fn is_unavailable(&self) -> bool {
        match self {
            Self::InMemory(_) => false,
            Self::Redis(store) => store.is_unavailable(),
        }
    }
}
