//! Guessing passwords takes many tries, and whoever has only a few needs no more.
//!
//! A try counts from before Daktela is asked: of a hundred passwords that come at once, five go on. The others wait until it
//! is known whether those were wrong, since a whole office that logs in at once is no guesser.

use super::{App, Peer};
use crate::egress::Origin;
use http::{HeaderMap, HeaderValue};
use moka::{policy::EvictionPolicy, sync};
use std::{
    future::Future,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

const WINDOW: Duration = Duration::from_secs(5 * 60);

/// A user who mistypes has it by then. Daktela itself locks accounts later.
const WRONG_PER_ACCOUNT: u32 = 5;

/// A whole office behind one address logs in on Monday morning.
const WRONG_PER_ADDRESS: u32 = 30;

/// Pages, registrations and documents of clients: each costs more than a refusal.
const REQUESTS_PER_ADDRESS: u32 = 300;

/// Time for those before to hear from Daktela, which takes well under a second.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

/// Beyond so many, the ones that are longest without a try are forgotten.
const COUNTERS_MAX: u64 = 100_000;

/// What is not seen in a name, so that two that differ in it may be one to Daktela (Default_Ignorable_Code_Point).
const UNSEEN: [RangeInclusive<char>; 17] = [
    '\u{ad}'..='\u{ad}',
    '\u{34f}'..='\u{34f}',
    '\u{61c}'..='\u{61c}',
    '\u{115f}'..='\u{1160}',
    '\u{17b4}'..='\u{17b5}',
    '\u{180b}'..='\u{180f}',
    '\u{200b}'..='\u{200f}',
    '\u{202a}'..='\u{202e}',
    '\u{2060}'..='\u{206f}',
    '\u{3164}'..='\u{3164}',
    '\u{fe00}'..='\u{fe0f}',
    '\u{feff}'..='\u{feff}',
    '\u{ffa0}'..='\u{ffa0}',
    '\u{fff0}'..='\u{fff8}',
    '\u{1bca0}'..='\u{1bca3}',
    '\u{1d173}'..='\u{1d17a}',
    '\u{e0000}'..='\u{e0fff}',
];

pub(crate) struct Throttle {
    requests: sync::Cache<IpAddr, Arc<Requests>>,
    guesses: sync::Cache<String, Arc<Guesses>>,
}

/// Of one address, since its window began.
struct Requests {
    since: Instant,
    count: AtomicU32,
}

/// Passwords that may be tried at one account, or from one address, until its window ends.
struct Guesses {
    since: Instant,
    /// Those that were not wrong yet.
    left: AtomicU32,
    /// A permit for each of them; closed when none is left, so that nobody waits any longer.
    room: Arc<Semaphore>,
}

/// A password on its way to Daktela. Dropped, it counts as wrong: whoever hangs up before the answer has guessed as well.
pub(crate) struct Attempt([Share; 2]);

struct Share {
    guesses: Arc<Guesses>,
    permit: Option<OwnedSemaphorePermit>,
}

/// When to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TooMany {
    /// The window ends after this.
    After(Duration),
    /// Others are on their way just now.
    AtOnce,
}

impl Default for Throttle {
    fn default() -> Self {
        Self {
            requests: sync::Cache::builder()
                .max_capacity(COUNTERS_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(WINDOW)
                .build(),
            guesses: sync::Cache::builder()
                .max_capacity(COUNTERS_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(WINDOW)
                .build(),
        }
    }
}

impl Throttle {
    /// Counts a request, and says until when there is no room for another.
    pub(crate) fn admits(&self, address: IpAddr) -> Result<(), TooMany> {
        let requests = self.requests.get_with(network(address), || {
            Arc::new(Requests {
                since: Instant::now(),
                count: AtomicU32::new(0),
            })
        });
        if requests.count.fetch_add(1, Ordering::Relaxed) < REQUESTS_PER_ADDRESS {
            Ok(())
        } else {
            Err(TooMany::After(rest(requests.since)))
        }
    }

    /// Waits until a password may be tried.
    pub(crate) async fn attempt(&self, address: IpAddr, account: &str) -> Result<Attempt, TooMany> {
        let places = [
            (format!("from {}", network(address)), WRONG_PER_ADDRESS),
            (format!("at {account}"), WRONG_PER_ACCOUNT),
        ];
        let [from, at] = places.map(|(place, wrong)| self.guesses.get_with(place, || Arc::new(Guesses::new(wrong))));
        // In this order: who waits holds something of their own, and nothing of the account's.
        let (one, other) = (from.permit().await?, at.permit().await?);
        let share = |guesses, permit| Share {
            guesses,
            permit: Some(permit),
        };
        Ok(Attempt([share(from, one), share(at, other)]))
    }
}

impl Guesses {
    fn new(left: u32) -> Self {
        Self {
            since: Instant::now(),
            left: AtomicU32::new(left),
            room: Arc::new(Semaphore::new(left as usize)),
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, TooMany> {
        let permit = self.room.clone().acquire_owned().await;
        permit.map_err(|_closed| TooMany::After(rest(self.since)))
    }
}

impl Attempt {
    /// It was right, or Daktela could not say.
    pub(crate) fn give_back(mut self) {
        for share in &mut self.0 {
            share.permit = None;
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let Some(permit) = self.permit.take() else { return };
        permit.forget();
        if self.guesses.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.guesses.room.close();
        }
    }
}

impl TooMany {
    pub(crate) fn retry_after(self) -> HeaderValue {
        let wait = match self {
            Self::After(wait) => wait,
            Self::AtOnce => Duration::from_secs(1),
        };
        HeaderValue::from(wait.as_secs().max(1))
    }
}

/// Waits for the turn of a password, and not for ever.
pub(crate) async fn in_time<T>(turn: impl Future<Output = Result<T, TooMany>>) -> Result<T, TooMany> {
    let turn = tokio::time::timeout(TURN_TIMEOUT, turn).await;
    turn.unwrap_or(Err(TooMany::AtOnce))
}

/// Rounded up, so that whoever comes back then finds an open door.
fn rest(since: Instant) -> Duration {
    WINDOW.saturating_sub(since.elapsed()) + Duration::from_secs(1)
}

/// What a password is guessed for. Spellings that Daktela may take for the same name are one account.
pub(crate) fn account(origin: &Origin, username: &str) -> String {
    let is_seen = |char: &char| !char.is_control() && !UNSEEN.iter().any(|unseen| unseen.contains(char));
    let name: String = username.chars().filter(is_seen).collect();
    format!("{origin} {}", name.trim().to_lowercase())
}

/// Whose a token is is not known; one who guesses must not lock out the others.
pub(crate) fn tokens_of(origin: &Origin, address: IpAddr) -> String {
    format!("{origin} token from {}", network(address))
}

/// Who owns one IPv6 address owns the 2^64 beside it.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

/// The caller's address, as the first of the proxies that the operator vouches for saw it.
pub(crate) fn address(app: &App, peer: Peer, headers: &HeaderMap) -> IpAddr {
    forwarded(app.settings.trusted_proxies, headers).unwrap_or(peer.0)
}

/// Each proxy adds at the end whom it saw; what stands before those that are known anybody can have written, in whatever
/// bytes.
fn forwarded(proxies: usize, headers: &HeaderMap) -> Option<IpAddr> {
    let given = headers.get_all("x-forwarded-for").iter();
    let list: Vec<&[u8]> = given
        .flat_map(|value| value.as_bytes().split(|byte| *byte == b','))
        .collect();
    let at = list.len().checked_sub(proxies).filter(|_| proxies > 0)?;
    seen(std::str::from_utf8(list.get(at)?).ok()?.trim())
}

/// An address as proxies write it: some add the port, and some see IPv4 through IPv6.
fn seen(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse().map(|address: SocketAddr| address.ip());
    let in_brackets = || text.strip_prefix('[')?.strip_suffix(']')?.parse().ok();
    let address: Option<IpAddr> = text.parse().or_else(|_| with_port()).ok().or_else(in_brackets);
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    /// How many of so many passwords at once go to Daktela, all of them wrong.
    async fn wrong(throttle: &Throttle, address: &str, accounts: impl Iterator<Item = String>) -> usize {
        let mut tried = 0;
        for account in accounts {
            if let Ok(attempt) = throttle.attempt(from(address), &account).await {
                drop(attempt);
                tried += 1;
            }
        }
        tried
    }

    #[tokio::test]
    async fn an_account_has_few_tries_and_an_address_more() {
        let throttle = Throttle::default();
        let jan = || std::iter::repeat_n("jan".to_owned(), 9);
        assert_eq!(wrong(&throttle, "192.0.2.1", jan()).await, WRONG_PER_ACCOUNT as usize);
        assert_eq!(wrong(&throttle, "192.0.2.2", jan()).await, 0);
        let others = || (0..99).map(|number| number.to_string());
        let rest = WRONG_PER_ADDRESS - WRONG_PER_ACCOUNT;
        assert_eq!(wrong(&throttle, "192.0.2.1", others()).await, rest as usize);
        let Err(TooMany::After(wait)) = throttle.attempt(from("192.0.2.1"), "eva").await.map(|_| ()) else {
            panic!("an address without an end");
        };
        assert!(wait > WINDOW - Duration::from_secs(9) && wait <= WINDOW + Duration::from_secs(1));
        assert!(throttle.attempt(from("192.0.2.2"), "eva").await.is_ok());
    }

    #[tokio::test]
    async fn a_password_waits_for_those_before_it() {
        let throttle = Throttle::default();
        let attempt = || throttle.attempt(from("192.0.2.1"), "jan");
        let mut under_way = Vec::new();
        for _ in 0..WRONG_PER_ACCOUNT {
            under_way.push(attempt().await.ok().unwrap());
        }
        assert!(
            tokio::time::timeout(Duration::from_millis(20), attempt())
                .await
                .is_err()
        );
        // One was right, and there is room again.
        under_way.pop().unwrap().give_back();
        under_way.push(attempt().await.ok().unwrap());
        // All of them were wrong: nobody waits any longer.
        let (waited, ()) = tokio::join!(attempt(), async { under_way.clear() });
        assert!(matches!(waited, Err(TooMany::After(_))));
    }

    #[tokio::test]
    async fn whoever_waited_in_vain_has_guessed_nothing() {
        let throttle = Throttle::default();
        let held: Vec<Attempt> = {
            let mut held = Vec::new();
            for _ in 0..WRONG_PER_ACCOUNT {
                held.push(throttle.attempt(from("192.0.2.1"), "jan").await.ok().unwrap());
            }
            held
        };
        for _ in 0..WRONG_PER_ADDRESS {
            let attempt = throttle.attempt(from("192.0.2.2"), "jan");
            assert!(tokio::time::timeout(Duration::from_millis(1), attempt).await.is_err());
        }
        for attempt in held {
            attempt.give_back();
        }
        assert!(throttle.attempt(from("192.0.2.2"), "jan").await.is_ok());
    }

    #[test]
    fn spellings_of_one_name_are_one_account() {
        let origin: Origin = "https://acme.daktela.com".parse().unwrap();
        for spelling in [
            "jan.novák",
            " Jan.Novák\u{a0}",
            "JAN.NOVÁK",
            "jan\u{200b}.\u{ad}nov\u{7}ák\u{200e} ",
        ] {
            assert_eq!(
                account(&origin, spelling),
                "https://acme.daktela.com jan.novák",
                "{spelling:?}"
            );
        }
    }

    #[test]
    fn only_what_known_proxies_saw_counts() {
        let seen = |proxies, list: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in list {
                headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
            forwarded(proxies, &headers).map(|address| address.to_string())
        };
        for (proxies, list, expected) in [
            (0, &["192.0.2.1"][..], None),
            (1, &["203.0.113.9, 192.0.2.1"], Some("192.0.2.1")),
            (1, &["203.0.113.9", "192.0.2.1"], Some("192.0.2.1")),
            (2, &["203.0.113.9, 192.0.2.1, 10.0.0.1"], Some("192.0.2.1")),
            (2, &["192.0.2.1"], None),
            (1, &["unknown"], None),
            (1, &["192.0.2.1, ž"], None),
            (1, &["ž, 192.0.2.1"], Some("192.0.2.1")),
            (1, &["::ffff:192.0.2.1"], Some("192.0.2.1")),
            (1, &["192.0.2.1:4242"], Some("192.0.2.1")),
            (1, &["[::ffff:192.0.2.1]:4242"], Some("192.0.2.1")),
            (1, &["[2001:db8::1]:4242"], Some("2001:db8::1")),
            (1, &["[2001:db8::1]"], Some("2001:db8::1")),
            (1, &["2001:db8::1"], Some("2001:db8::1")),
        ] {
            assert_eq!(seen(proxies, list).as_deref(), expected, "{proxies} {list:?}");
        }
    }

    #[tokio::test]
    async fn neighbours_in_ipv6_are_one() {
        let throttle = Throttle::default();
        for number in 0..WRONG_PER_ADDRESS {
            let (address, account) = (format!("2001:db8::{number}"), number.to_string());
            drop(throttle.attempt(from(&address), &account).await.ok().unwrap());
        }
        assert!(throttle.attempt(from("2001:db8::ffff:1"), "eva").await.is_err());
        assert!(throttle.attempt(from("2001:db8:0:1::1"), "eva").await.is_ok());
    }
}
