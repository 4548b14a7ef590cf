//! In-memory store of replay protection and revocations, bounded, for a single replica. A restart forgets it.

use std::{future::Future, sync::Arc, time::Duration};

use moka::{future, policy::EvictionPolicy, sync};

use super::{CODE_KEPT, FAMILY_LIFETIME, Generation, REFRESH_LIFETIME};

/// Each takes a hundred bytes and a login. Beyond so many, those unused for longest are forgotten; a newcomer never is.
const ENTRIES_MAX: u64 = 200_000;

/// Answers take two kilobytes.
const ANSWERS_MAX: u64 = 20_000;

pub(in crate::oauth) struct InMemory {
    codes: sync::Cache<String, ()>,
    revoked: sync::Cache<String, ()>,
    /// The newest generation of each family that was refreshed.
    newest: sync::Cache<String, u64>,
    /// Answers to tokens that were used a moment ago.
    answers: future::Cache<(String, u64), String>,
}

impl InMemory {
    pub(super) fn new(reuse_grace: Duration) -> Self {
        Self {
            codes: bounded(CODE_KEPT),
            revoked: bounded(FAMILY_LIFETIME),
            newest: bounded(REFRESH_LIFETIME),
            answers: future::Cache::builder()
                .max_capacity(ANSWERS_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(reuse_grace)
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

    pub(super) async fn rotate_once<E: Clone + Send + Sync + 'static>(
        &self,
        Generation { family, number }: Generation<'_>,
        renew: impl Future<Output = Result<String, E>>,
    ) -> Result<Option<String>, E> {
        let key = (family.to_owned(), number);
        let is_used = self.newest.get(family).is_some_and(|newest| newest > number);
        if is_used && !self.answers.contains_key(&key) {
            return Ok(None);
        }
        let answer = self.answers.try_get_with(key, async {
            let answer = renew.await?;
            // Before the answer is known to arrive: the grace period is for that.
            self.newest.insert(family.to_owned(), number + 1);
            Ok(answer)
        });
        answer.await.map(Some).map_err(|error: Arc<E>| (*error).clone())
    }
}

fn bounded<V: Clone + Send + Sync + 'static>(lifetime: Duration) -> sync::Cache<String, V> {
    sync::Cache::builder()
        .max_capacity(ENTRIES_MAX)
        .eviction_policy(EvictionPolicy::lru())
        .time_to_live(lifetime)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refresh(store: &InMemory, family: &str, number: u64) -> Option<String> {
        let renew = async { Ok::<_, ()>(format!("{family} {}", number + 1)) };
        store.rotate_once(Generation { family, number }, renew).await.unwrap()
    }

    /// One user who refreshes for ever cannot have the server forget whose tokens were used.
    #[tokio::test]
    async fn refreshes_of_one_family_push_out_nobody_else() {
        let store = InMemory::new(Duration::from_millis(1));
        assert!(refresh(&store, "victim", 0).await.is_some());
        for number in 0..5_000 {
            assert!(refresh(&store, "busy", number).await.is_some());
        }
        store.newest.run_pending_tasks();
        assert_eq!(store.newest.entry_count(), 2);
        tokio::time::sleep(Duration::from_millis(5)).await;
        assert_eq!(refresh(&store, "victim", 0).await, None);
        assert_eq!(refresh(&store, "victim", 1).await.as_deref(), Some("victim 2"));
        assert_eq!(refresh(&store, "busy", 3).await, None);
    }

    #[tokio::test]
    async fn a_used_token_has_its_answer_for_a_while_and_a_failure_uses_nothing_up() {
        let store = InMemory::new(Duration::from_secs(60));
        let token = Generation { family: "f", number: 0 };
        let failed = store.rotate_once(token, async { Err("no") }).await;
        assert_eq!(failed, Err("no"));
        let first = refresh(&store, "f", 0).await;
        assert!(first.is_some());
        assert_eq!(refresh(&store, "f", 0).await, first);
    }
}
