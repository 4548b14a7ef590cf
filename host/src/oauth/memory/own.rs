//! Within this process, and within bounds.

use super::{CODE_KEPT, REFRESH_LIFETIME};
use crate::oauth::token::Refused;
use moka::{future, sync};
use std::{future::Future, time::Duration};

/// An entry takes a hundred bytes, and only those who logged in can cause one.
const ENTRIES_MAX: u64 = 200_000;

pub(in crate::oauth) struct Memory {
    codes: sync::Cache<String, ()>,
    revoked: sync::Cache<String, ()>,
    spent: sync::Cache<String, ()>,
    /// Refresh tokens that were turned into new ones a moment ago, with the answer.
    answers: future::Cache<String, String>,
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
            codes: lasting(CODE_KEPT),
            revoked: lasting(REFRESH_LIFETIME),
            spent: lasting(REFRESH_LIFETIME),
            answers: future::Cache::builder()
                .max_capacity(ENTRIES_MAX)
                .time_to_live(grace)
                .build(),
        }
    }

    pub(super) fn use_code(&self, id: &str) -> bool {
        self.codes.entry_by_ref(id).or_insert(()).is_fresh()
    }

    pub(super) fn revoke(&self, family: &str) {
        self.revoked.insert(family.to_owned(), ());
    }

    pub(super) fn is_revoked(&self, family: &str) -> bool {
        self.revoked.contains_key(family)
    }

    pub(super) async fn once(
        &self,
        refresh: &str,
        renew: impl Future<Output = Result<String, Refused>>,
    ) -> Result<Option<String>, Refused> {
        if self.spent.contains_key(refresh) && !self.answers.contains_key(refresh) {
            return Ok(None);
        }
        let answer = self.answers.try_get_with(refresh.to_owned(), async {
            let answer = renew.await?;
            // Before the answer is known to arrive: the grace is for that.
            self.spent.insert(refresh.to_owned(), ());
            Ok(answer)
        });
        answer
            .await
            .map(Some)
            .map_err(|refused: std::sync::Arc<Refused>| *refused)
    }
}
