//! In-memory store of replay protection and revocations, bounded, for a single replica. A restart forgets it, unless a journal
//! keeps it.

use std::{future::Future, sync::Arc, time::Duration};

use moka::{future, policy::EvictionPolicy, sync};

use super::{
    CODE_KEPT, FAMILY_LIFETIME, Generation, REFRESH_LIFETIME, StoreUnavailable,
    journal::{Entry, Journal},
};

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
    journal: Option<Arc<Journal>>,
}

impl InMemory {
    pub(super) fn new(reuse_grace: Duration, journal: Option<Journal>) -> Self {
        let store = Self {
            codes: bounded(CODE_KEPT),
            revoked: bounded(FAMILY_LIFETIME),
            newest: bounded(REFRESH_LIFETIME),
            answers: future::Cache::builder()
                .max_capacity(ANSWERS_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(reuse_grace)
                .build(),
            journal: journal.map(Arc::new),
        };
        // What is remembered for longer than it was meant to be does no harm.
        for entry in store.journal.iter().flat_map(|journal| journal.take_entries()) {
            match entry {
                Entry::Code(id) => store.codes.insert(id, ()),
                Entry::Revoked(family) => store.revoked.insert(family, ()),
                Entry::Newest(family, number) => store.newest.insert(family, number),
            }
        }
        store
    }

    /// Whether a restart forgets what was revoked.
    pub(super) fn is_volatile(&self) -> bool {
        self.journal.is_none()
    }

    /// What cannot be written is refused, as what cannot be told to Redis.
    async fn write(&self, entry: Entry, lifetime: Duration) -> Result<(), StoreUnavailable> {
        let Some(journal) = self.journal.clone() else {
            return Ok(());
        };
        // A disk may take its time.
        let written = tokio::task::spawn_blocking(move || journal.append(&entry, lifetime)).await;
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                tracing::error!(event = "oauth_state_failed", reason = %error, "OAUTH_STATE_FILE cannot be written");
                Err(StoreUnavailable)
            }
            Err(_) => Err(StoreUnavailable),
        }
    }

    pub(super) async fn use_code(&self, id: &str) -> Result<bool, StoreUnavailable> {
        let is_first = self.codes.entry_by_ref(id).or_insert(()).is_fresh();
        if is_first {
            self.write(Entry::Code(id.to_owned()), CODE_KEPT).await?;
        }
        Ok(is_first)
    }

    pub(super) async fn revoke(&self, family: &str) -> Result<(), StoreUnavailable> {
        self.revoked.insert(family.to_owned(), ());
        self.write(Entry::Revoked(family.to_owned()), FAMILY_LIFETIME).await
    }

    pub(super) fn is_revoked(&self, family: &str) -> bool {
        self.revoked.contains_key(family)
    }

    pub(super) async fn rotate_once<E: From<StoreUnavailable> + Clone + Send + Sync + 'static>(
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
            self.write(Entry::Newest(family.to_owned(), number + 1), REFRESH_LIFETIME)
                .await?;
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
        let renew = async { Ok::<_, StoreUnavailable>(format!("{family} {}", number + 1)) };
        store.rotate_once(Generation { family, number }, renew).await.unwrap()
    }

    /// One user who refreshes for ever cannot have the server forget whose tokens were used.
    #[tokio::test]
    async fn refreshes_of_one_family_push_out_nobody_else() {
        let store = InMemory::new(Duration::from_millis(1), None);
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
        let store = InMemory::new(Duration::from_secs(60), None);
        let token = Generation { family: "f", number: 0 };
        let failed = store.rotate_once(token, async { Err(StoreUnavailable) }).await;
        assert_eq!(failed, Err(StoreUnavailable));
        let first = refresh(&store, "f", 0).await;
        assert!(first.is_some());
        assert_eq!(refresh(&store, "f", 0).await, first);
    }
}
