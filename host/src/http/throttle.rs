//! Guessing passwords takes many tries, and whoever has only a few needs no more.

use super::{App, Peer};
use http::HeaderMap;
use moka::sync;
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

const WINDOW: Duration = Duration::from_secs(5 * 60);

/// A user who mistypes has it by then. Daktela itself locks accounts later.
const WRONG_PER_ACCOUNT: u32 = 5;

/// A whole office behind one address logs in on Monday morning.
const WRONG_PER_ADDRESS: u32 = 30;

/// Pages, registrations and documents of clients: each costs more than a refusal.
const REQUESTS_PER_ADDRESS: u32 = 300;

/// Beyond so many, the ones that are longest without a try are forgotten.
const COUNTERS_MAX: u64 = 100_000;

pub(crate) struct Throttle {
    counters: sync::Cache<String, Arc<AtomicU32>>,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            counters: sync::Cache::builder()
                .max_capacity(COUNTERS_MAX)
                .time_to_live(WINDOW)
                .build(),
        }
    }
}

impl Throttle {
    /// Counts a request, and says whether there is room for it.
    pub(crate) fn admits(&self, address: IpAddr) -> bool {
        self.add(format!("any {}", network(address))) < REQUESTS_PER_ADDRESS
    }

    /// Whether a password may be tried.
    pub(crate) fn may_try(&self, address: IpAddr, account: &str) -> bool {
        let count = |key: String| self.counters.get(&key).map_or(0, |count| count.load(Ordering::Relaxed));
        count(format!("from {}", network(address))) < WRONG_PER_ADDRESS
            && count(format!("at {account}")) < WRONG_PER_ACCOUNT
    }

    pub(crate) fn was_wrong(&self, address: IpAddr, account: &str) {
        self.add(format!("from {}", network(address)));
        self.add(format!("at {account}"));
    }

    fn add(&self, key: String) -> u32 {
        self.counters
            .get_with(key, Arc::default)
            .fetch_add(1, Ordering::Relaxed)
    }
}

/// Who owns one IPv6 address owns the 2^64 beside it.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// The caller's address, as the first of the proxies that the operator vouches for saw it.
pub(crate) fn address(app: &App, peer: Peer, headers: &HeaderMap) -> IpAddr {
    forwarded(app.settings.trusted_proxies, headers).unwrap_or(peer.0)
}

/// Each proxy adds at the end whom it saw; what stands before those that are known anybody can have written.
fn forwarded(proxies: usize, headers: &HeaderMap) -> Option<IpAddr> {
    let given = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    let list: Vec<&str> = given.flat_map(|value| value.split(',')).map(str::trim).collect();
    let at = list.len().checked_sub(proxies).filter(|_| proxies > 0)?;
    list.get(at)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_few_tries_and_an_address_more() {
        let throttle = Throttle::default();
        let address = "192.0.2.1".parse().unwrap();
        for _ in 0..WRONG_PER_ACCOUNT {
            assert!(throttle.may_try(address, "jan"));
            throttle.was_wrong(address, "jan");
        }
        assert!(!throttle.may_try(address, "jan"));
        assert!(!throttle.may_try("192.0.2.2".parse().unwrap(), "jan"));
        for number in WRONG_PER_ACCOUNT..WRONG_PER_ADDRESS {
            throttle.was_wrong(address, &number.to_string());
        }
        assert!(!throttle.may_try(address, "eva"));
        assert!(throttle.may_try("192.0.2.2".parse().unwrap(), "eva"));
    }

    #[test]
    fn only_what_known_proxies_saw_counts() {
        let seen = |proxies, list: &'static str| {
            let headers = HeaderMap::from_iter([(
                http::HeaderName::from_static("x-forwarded-for"),
                http::HeaderValue::from_static(list),
            )]);
            forwarded(proxies, &headers).map(|address| address.to_string())
        };
        assert_eq!(seen(0, "192.0.2.1"), None);
        assert_eq!(seen(1, "203.0.113.9, 192.0.2.1").as_deref(), Some("192.0.2.1"));
        assert_eq!(
            seen(2, "203.0.113.9, 192.0.2.1, 10.0.0.1").as_deref(),
            Some("192.0.2.1")
        );
        assert_eq!(seen(2, "192.0.2.1"), None);
        assert_eq!(seen(1, "unknown"), None);
    }

    #[test]
    fn neighbours_in_ipv6_are_one() {
        let throttle = Throttle::default();
        for number in 0..WRONG_PER_ADDRESS {
            throttle.was_wrong(format!("2001:db8::{number}").parse().unwrap(), &number.to_string());
        }
        assert!(!throttle.may_try("2001:db8::ffff:1".parse().unwrap(), "eva"));
        assert!(throttle.may_try("2001:db8:0:1::1".parse().unwrap(), "eva"));
    }
}
