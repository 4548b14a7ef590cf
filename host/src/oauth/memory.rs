//! What must not happen twice. Each replica remembers for itself, within bounds.

use moka::{future, sync};
use std::time::Duration;

/// As long as the documents that it is about.
pub(super) const REFRESH_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// An entry takes a hundred bytes, and only those who logged in can cause one.
const ENTRIES_MAX: u64 = 200_000;

pub(super) struct Memory {
    codes: sync::Cache<String, ()>,
    revoked: sync::Cache<String, ()>,
    spent: sync::Cache<String, ()>,
    /// Refresh tokens that were turned into new ones a moment ago, with the answer.
    pub(super) successors: future::Cache<String, String>,
}

impl Memory {
    pub(super) fn new(grace: Duration) -> Self {
        let lasting = |time| {
            sync::Cache::builder()
                .max_capacity(ENTRIES_MAX)
                .time_to_live(time)
                .build()
        };
        Self {
            codes: lasting(super::authorize::CODE_LIFETIME * 2),
            revoked: lasting(REFRESH_LIFETIME),
            spent: lasting(REFRESH_LIFETIME),
            successors: future::Cache::builder()
                .max_capacity(ENTRIES_MAX)
                .time_to_live(grace)
                .build(),
        }
    }

    /// Whether this is the code's first use.
    pub(super) fn use_code(&self, id: &str) -> bool {
        self.codes.entry_by_ref(id).or_insert(()).is_fresh()
    }

    pub(super) fn spend(&self, refresh: &str) {
        self.spent.insert(refresh.to_owned(), ());
    }

    pub(super) fn is_spent(&self, refresh: &str) -> bool {
        self.spent.contains_key(refresh)
    }

    pub(super) fn revoke(&self, family: &str) {
        self.revoked.insert(family.to_owned(), ());
    }

    pub(super) fn is_revoked(&self, family: &str) -> bool {
        self.revoked.contains_key(family)
    }
}
