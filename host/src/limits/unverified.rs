//! Concurrency limit for unverified identities: credentials that Daktela has not accepted yet share a part of the server, and those
//! of one network a part of that, since anybody can make up credentials.

use std::{net::IpAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::concurrency::{KeyedConcurrencyLimit, KeyedPermit};

/// Requests of one network, where there is room for as many: an office of new users gets its first answers within seconds.
const PER_NETWORK_MAX: usize = 8;

pub(crate) struct UnverifiedLimit {
    total: Arc<Semaphore>,
    per_network: KeyedConcurrencyLimit<IpAddr>,
}

pub(crate) struct UnverifiedPermit {
    _total: OwnedSemaphorePermit,
    _own: KeyedPermit<IpAddr>,
}

impl UnverifiedLimit {
    /// At most a quarter of the calls that run at the same time are of unverified identities, and at most three quarters of those of
    /// one network.
    pub(crate) fn new(max_concurrent_calls: usize) -> Self {
        let total = (max_concurrent_calls / 4).max(2);
        Self {
            total: Arc::new(Semaphore::new(total)),
            per_network: KeyedConcurrencyLimit::new((total - total / 4).min(PER_NETWORK_MAX).min(total - 1)),
        }
    }

    /// Waits for at most `wait`. A network's own limit comes first, so that no network has more requests in the common queue than
    /// it may have running.
    pub(crate) async fn acquire(&self, network: IpAddr, wait: Duration) -> Option<UnverifiedPermit> {
        let both = async {
            let own = self.per_network.acquire(network, wait).await?;
            let total = self.total.clone().acquire_owned().await.ok()?;
            Some(UnverifiedPermit {
                _total: total,
                _own: own,
            })
        };
        timeout(wait, both).await.ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_network_leaves_room_for_another() {
        let limit = UnverifiedLimit::new(32);
        let (attacker, other) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let wait = Duration::from_millis(50);
        let mut held = Vec::new();
        while let Some(permit) = limit.acquire(attacker, wait).await {
            held.push(permit);
        }
        assert_eq!(held.len(), 6);
        assert!(limit.acquire(other, wait).await.is_some());
    }
}
