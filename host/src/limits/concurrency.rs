//! Concurrency limit by key, with back-pressure: so many at a time of one address, host, identity. Keys cost memory only while
//! they are in use.

use std::{
    collections::HashMap,
    hash::Hash,
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// A value for each key, kept while somebody holds a lease on it.
pub(crate) struct InUse<K: Clone + Eq + Hash, V> {
    entries: Arc<Mutex<Entries<K, V>>>,
}

/// How many leases there are, and the value.
type Entries<K, V> = HashMap<K, (usize, Arc<V>)>;

pub(crate) struct Lease<K: Clone + Eq + Hash, V> {
    entries: Arc<Mutex<Entries<K, V>>>,
    key: K,
    value: Arc<V>,
}

impl<K: Clone + Eq + Hash, V> Default for InUse<K, V> {
    fn default() -> Self {
        Self {
            entries: Arc::default(),
        }
    }
}

impl<K: Clone + Eq + Hash, V> InUse<K, V> {
    /// The value that others are using, or a new one.
    pub(crate) fn lease(&self, key: K, new: impl FnOnce() -> Arc<V>) -> Lease<K, V> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let (leases, value) = entries.entry(key.clone()).or_insert_with(|| (0, new()));
        *leases += 1;
        Lease {
            entries: self.entries.clone(),
            value: value.clone(),
            key,
        }
    }
}

impl<K: Clone + Eq + Hash, V> Lease<K, V> {
    pub(crate) fn key(&self) -> &K {
        &self.key
    }

    pub(crate) fn value(&self) -> &Arc<V> {
        &self.value
    }
}

impl<K: Clone + Eq + Hash, V> Deref for Lease<K, V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<K: Clone + Eq + Hash, V> Drop for Lease<K, V> {
    fn drop(&mut self) {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((leases, _)) = entries.get_mut(&self.key) {
            *leases -= 1;
            if *leases == 0 {
                entries.remove(&self.key);
            }
        }
    }
}

/// At most `limit` permits for each key at a time.
pub(crate) struct KeyedConcurrencyLimit<K: Clone + Eq + Hash> {
    limit: usize,
    in_use: InUse<K, Semaphore>,
}

/// One of a key's permits. Dropping it hands it on.
pub(crate) struct KeyedPermit<K: Clone + Eq + Hash> {
    _permit: OwnedSemaphorePermit,
    _lease: Lease<K, Semaphore>,
}

impl<K: Clone + Eq + Hash> KeyedConcurrencyLimit<K> {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            in_use: InUse::default(),
        }
    }

    /// A permit, or `None` where all are taken.
    pub(crate) fn try_acquire(&self, key: K) -> Option<KeyedPermit<K>> {
        let lease = self.lease(key);
        let permit = lease.value().clone().try_acquire_owned().ok()?;
        Some(KeyedPermit {
            _permit: permit,
            _lease: lease,
        })
    }

    /// Waits for a permit for at most `wait`, first come, first served.
    pub(crate) async fn acquire(&self, key: K, wait: Duration) -> Option<KeyedPermit<K>> {
        let lease = self.lease(key);
        let permit = timeout(wait, lease.value().clone().acquire_owned()).await.ok()?.ok()?;
        Some(KeyedPermit {
            _permit: permit,
            _lease: lease,
        })
    }

    fn lease(&self, key: K) -> Lease<K, Semaphore> {
        self.in_use.lease(key, || Arc::new(Semaphore::new(self.limit)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_key_has_its_own_permits_and_an_idle_key_costs_nothing() {
        let limit = KeyedConcurrencyLimit::new(2);
        let wait = Duration::from_millis(50);
        let (first, second) = (limit.try_acquire("a"), limit.acquire("a", wait).await);
        assert!(first.is_some() && second.is_some());
        assert!(limit.try_acquire("a").is_none() && limit.acquire("a", wait).await.is_none());
        assert!(limit.try_acquire("b").is_some());
        let (third, ()) = tokio::join!(limit.acquire("a", wait), async { drop(first) });
        assert!(third.is_some());
        drop((second, third));
        assert!(limit.in_use.entries.lock().unwrap().is_empty());
    }
}
