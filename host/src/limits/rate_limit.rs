//! Request rate limiter by key (GCRA, by `governor`): a burst, then a steady rate.

use std::{hash::Hash, num::NonZeroU32, sync::Arc, time::Duration};

use governor::{
    DefaultDirectRateLimiter, Quota,
    clock::{Clock, DefaultClock},
};
use moka::{policy::EvictionPolicy, sync};

use super::RateLimited;

/// Beyond so many keys, those unused for longest are forgotten.
const KEYS_MAX: u64 = 100_000;

/// Counts requests by key, for up to [`KEYS_MAX`] keys.
pub(crate) struct RateLimiter<K: Clone + Eq + Hash> {
    quota: Quota,
    limiters: sync::Cache<K, Arc<DefaultDirectRateLimiter>>,
    clock: DefaultClock,
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> RateLimiter<K> {
    /// `requests` at once, and as many again within each `period`, evenly spread.
    pub(crate) fn new(requests: NonZeroU32, period: Duration) -> Self {
        let quota = Quota::with_period(period / requests.get())
            .unwrap_or_else(|| Quota::per_second(requests))
            .allow_burst(requests);
        Self {
            quota,
            limiters: sync::Cache::builder()
                .max_capacity(KEYS_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_idle(period)
                .build(),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request, or says when there is room for another.
    pub(crate) fn check(&self, key: K) -> Result<(), RateLimited> {
        let limiter = self
            .limiters
            .get_with(key, || Arc::new(DefaultDirectRateLimiter::direct(self.quota)));
        limiter
            .check()
            .map_err(|until| RateLimited::After(until.wait_time_from(self.clock.now())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_admitted_and_then_a_steady_rate() {
        let limiter = RateLimiter::new(NonZeroU32::new(3).unwrap(), Duration::from_secs(300));
        for _ in 0..3 {
            assert_eq!(limiter.check("a"), Ok(()));
        }
        let Err(RateLimited::After(wait)) = limiter.check("a") else {
            panic!("no limit");
        };
        assert!(
            wait > Duration::from_secs(98) && wait <= Duration::from_secs(100),
            "{wait:?}"
        );
        assert_eq!(limiter.check("b"), Ok(()));
    }
}
