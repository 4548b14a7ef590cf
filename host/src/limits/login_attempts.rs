//! Brute-force limiter, against brute force and password spraying: wrong passwords per account and per network in five minutes.
//!
//! An attempt counts from before Daktela is asked: of a hundred passwords that come at once, five go on. The others wait until
//! those are known to be right or wrong, since a whole office that logs in at once guesses nothing. Only an answer of Daktela's
//! makes a counter that is kept, so that requests which never reach Daktela cannot push out other counters.
//!
//! A network from which an account was logged in to has a counter of its own for it, so that strangers who guess elsewhere do
//! not lock its owner out.

use std::{
    future::Future,
    hash::Hash,
    net::IpAddr,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use moka::{policy::EvictionPolicy, sync};
use tokio::sync::Notify;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::{
    RateLimited,
    concurrency::{InUse, Lease},
};
use crate::egress::Origin;

const WINDOW: Duration = Duration::from_secs(5 * 60);

/// A user who mistypes has it by then. Daktela itself locks accounts later.
const WRONG_PER_ACCOUNT: u32 = 5;

/// A whole office behind one address logs in on Monday morning.
const WRONG_PER_NETWORK: u32 = 30;

/// Answers that say neither (HTTP 429, 5xx), by how many wrong ones there may be. Further ones count as wrong: otherwise
/// passwords could be guessed without limit at an instance that answers wrong ones so.
const UNCLEAR_FACTOR: u32 = 2;

/// How long a network from which an account was logged in to is remembered, since its last login. A restart forgets it.
const FAMILIAR_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// Time for the attempts before to hear from Daktela, which takes well under a second.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Beyond so many counters, those that are longest without a wrong password are forgotten. Each takes a wrong answer of
/// Daktela's, of which a network has thirty.
const COUNTERS_MAX: u64 = 100_000;

/// Characters that are not seen in a name (Default_Ignorable_Code_Point): two names that differ in them only may be one to
/// Daktela.
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

/// Counts attempts by account and by network.
pub(crate) struct LoginAttempts {
    networks: Counters<IpAddr>,
    accounts: Counters<String>,
    familiar: Familiar,
}

/// Accounts and the networks from which somebody logged in to them.
type Familiar = sync::Cache<(String, IpAddr), ()>;

/// Attempts under way, and the counters of those that saw a wrong password.
struct Counters<K: Clone + Eq + Hash + Send + Sync + 'static> {
    wrong_max: u32,
    in_flight: InUse<K, Counter>,
    wrong: sync::Cache<K, Arc<Counter>>,
}

#[derive(Default)]
struct Counter {
    state: Mutex<CounterState>,
    /// An attempt is over.
    freed: Notify,
}

#[derive(Default)]
struct CounterState {
    in_flight: u32,
    wrong: u32,
    unclear: u32,
    /// Of the first one that was not right.
    since: Option<Instant>,
}

/// A password on its way to Daktela. Dropped without another word it counts as wrong: whoever hangs up before the answer has
/// guessed as well.
pub(crate) struct LoginAttempt {
    network: Option<Share<IpAddr>>,
    account: Option<Share<String>>,
    /// Who logs in from where, to be remembered where the password is right.
    from: Option<((String, IpAddr), Familiar)>,
}

/// What an attempt came to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// The password was right, or Daktela was not asked.
    Harmless,
    /// Daktela answered that it cannot say.
    Unclear,
    Wrong,
}

/// One of the attempts that a counter has room for.
struct Share<K: Clone + Eq + Hash + Send + Sync + 'static> {
    counter: Lease<K, Counter>,
    wrong: sync::Cache<K, Arc<Counter>>,
    wrong_max: u32,
    /// What it counts as when dropped: as nothing while it only waits for the other one.
    verdict: Verdict,
}

impl Default for LoginAttempts {
    fn default() -> Self {
        Self {
            networks: Counters::new(WRONG_PER_NETWORK),
            accounts: Counters::new(WRONG_PER_ACCOUNT),
            familiar: sync::Cache::builder()
                .max_capacity(COUNTERS_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(FAMILIAR_FOR)
                .build(),
        }
    }
}

impl LoginAttempts {
    /// Waits until a password may be tried, for ten seconds at most. Without an account, only the network counts.
    ///
    /// The network comes first: who waits for it holds nothing of the account's.
    pub(crate) async fn acquire(&self, network: IpAddr, account: Option<&str>) -> Result<LoginAttempt, RateLimited> {
        let permits = async {
            let of_network = Some(self.networks.acquire(network).await?);
            let from = account.map(|account| (account.to_owned(), network));
            let of_account = match &from {
                Some(from) => Some(self.accounts.acquire(self.counter_of(from)).await?),
                None => None,
            };
            let attempt = LoginAttempt {
                network: of_network,
                account: of_account,
                from: from.map(|from| (from, self.familiar.clone())),
            };
            Ok(attempt.judged(Verdict::Wrong))
        };
        with_timeout(permits).await
    }

    /// As [`LoginAttempts::acquire`], for an attempt that says nothing of the network it comes from, e.g. an AI vendor's.
    pub(crate) async fn acquire_at_account(&self, account: &str) -> Result<LoginAttempt, RateLimited> {
        let account = with_timeout(self.accounts.acquire(account.to_owned())).await?;
        let attempt = LoginAttempt {
            network: None,
            account: Some(account),
            from: None,
        };
        Ok(attempt.judged(Verdict::Wrong))
    }

    /// An account's counter: one for all networks, or its own for one from which somebody logged in before.
    fn counter_of(&self, from: &(String, IpAddr)) -> String {
        if self.familiar.contains_key(from) {
            format!("{} from {}", from.0, from.1)
        } else {
            from.0.clone()
        }
    }
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Counters<K> {
    fn new(wrong_max: u32) -> Self {
        Self {
            wrong_max,
            in_flight: InUse::default(),
            wrong: sync::Cache::builder()
                .max_capacity(COUNTERS_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(WINDOW)
                .build(),
        }
    }

    async fn acquire(&self, key: K) -> Result<Share<K>, RateLimited> {
        // Looked up within: it may be kept at the very moment at which it is no longer in flight.
        let counter = self
            .in_flight
            .lease(key.clone(), || self.wrong.get(&key).unwrap_or_default());
        loop {
            let freed = counter.freed.notified();
            tokio::pin!(freed);
            // From here on no notification is missed.
            freed.as_mut().enable();
            {
                let mut state = counter.state();
                if state.wrong >= self.wrong_max {
                    let since = state.since.map_or(Duration::ZERO, |since| since.elapsed());
                    // Rounded up, so that whoever comes back then is admitted.
                    return Err(RateLimited::After(
                        WINDOW.saturating_sub(since) + Duration::from_secs(1),
                    ));
                }
                if state.wrong + state.in_flight < self.wrong_max {
                    state.in_flight += 1;
                    break;
                }
            }
            freed.await;
        }
        Ok(Share {
            counter,
            wrong: self.wrong.clone(),
            wrong_max: self.wrong_max,
            verdict: Verdict::Harmless,
        })
    }
}

impl Counter {
    /// Past its window, it begins anew.
    fn state(&self) -> MutexGuard<'_, CounterState> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.since.is_some_and(|since| since.elapsed() >= WINDOW) {
            state.since = None;
            state.wrong = 0;
            state.unclear = 0;
        }
        state
    }
}

impl LoginAttempt {
    fn judged(mut self, verdict: Verdict) -> Self {
        if let Some(network) = &mut self.network {
            network.verdict = verdict;
        }
        if let Some(account) = &mut self.account {
            account.verdict = verdict;
        }
        self
    }

    /// The password was right.
    pub(crate) fn succeed(self) {
        if let Some((from, familiar)) = &self.from {
            familiar.insert(from.clone(), ());
        }
        self.release();
    }

    /// Daktela answered, but not whether the password is right. Some of these are free.
    pub(crate) fn unclear(self) {
        drop(self.judged(Verdict::Unclear));
    }

    /// Daktela was not asked, or nothing came back.
    pub(crate) fn release(self) {
        drop(self.judged(Verdict::Harmless));
    }
}

impl<K: Clone + Eq + Hash + Send + Sync + 'static> Drop for Share<K> {
    fn drop(&mut self) {
        {
            let mut state = self.counter.state();
            state.in_flight -= 1;
            let is_wrong = match self.verdict {
                Verdict::Harmless => false,
                Verdict::Wrong => true,
                Verdict::Unclear => {
                    state.unclear += 1;
                    state.unclear > self.wrong_max * UNCLEAR_FACTOR
                }
            };
            state.wrong += u32::from(is_wrong);
            if self.verdict != Verdict::Harmless {
                state.since.get_or_insert_with(Instant::now);
            }
        }
        if self.verdict != Verdict::Harmless && !self.wrong.contains_key(self.counter.key()) {
            self.wrong
                .insert(self.counter.key().clone(), self.counter.value().clone());
        }
        self.counter.freed.notify_waiters();
    }
}

/// Waits for a login attempt's turn, for ten seconds at most.
pub(crate) async fn with_timeout<T>(turn: impl Future<Output = Result<T, RateLimited>>) -> Result<T, RateLimited> {
    let turn = tokio::time::timeout(WAIT_MAX, turn).await;
    turn.unwrap_or(Err(RateLimited::Concurrent))
}

/// What passwords are guessed for. Spellings that Daktela may take for the same name are one account: databases compare names
/// without regard to case, accents and width.
pub(crate) fn account(origin: &Origin, username: &str) -> String {
    let is_seen = |char: &char| !char.is_control() && !is_combining_mark(*char) && !is_unseen(*char);
    // Upper case first: it takes ß and its like apart.
    let name: String = username.nfkd().filter(is_seen).collect();
    let name: String = name
        .to_uppercase()
        .to_lowercase()
        .nfkd()
        .filter(is_seen)
        .map(base_letter)
        .collect();
    format!("{origin} {}", name.trim())
}

/// Whether a character is not seen, or turns the order of those around it.
pub(crate) fn is_unseen(char: char) -> bool {
    UNSEEN.iter().any(|unseen| unseen.contains(&char))
}

/// Letters with a stroke are no compositions, and are equal to their base letters all the same.
fn base_letter(char: char) -> char {
    match char {
        'ł' => 'l',
        'đ' | 'ð' => 'd',
        'ø' => 'o',
        'ħ' => 'h',
        'ŧ' => 't',
        'ı' => 'i',
        other => other,
    }
}

/// API tokens tried from one network: whose they are is not known, and one who guesses must not lock out the others.
pub(crate) fn tokens_of(origin: &Origin, network: IpAddr) -> String {
    format!("{origin} token from {network}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> IpAddr {
        address.parse().unwrap()
    }

    /// How many of so many passwords at once go to Daktela, all of them wrong.
    async fn wrong(attempts: &LoginAttempts, address: &str, accounts: impl Iterator<Item = String>) -> usize {
        let mut tried = 0;
        for account in accounts {
            if let Ok(attempt) = attempts.acquire(from(address), Some(&account)).await {
                drop(attempt);
                tried += 1;
            }
        }
        tried
    }

    #[tokio::test]
    async fn an_account_has_few_tries_and_an_address_more() {
        let attempts = LoginAttempts::default();
        let jan = || std::iter::repeat_n("jan".to_owned(), 9);
        assert_eq!(wrong(&attempts, "192.0.2.1", jan()).await, WRONG_PER_ACCOUNT as usize);
        assert_eq!(wrong(&attempts, "192.0.2.2", jan()).await, 0);
        let others = || (0..99).map(|number| number.to_string());
        let rest = WRONG_PER_NETWORK - WRONG_PER_ACCOUNT;
        assert_eq!(wrong(&attempts, "192.0.2.1", others()).await, rest as usize);
        let Err(RateLimited::After(wait)) = attempts.acquire(from("192.0.2.1"), Some("eva")).await.map(|_| ()) else {
            panic!("an address without an end");
        };
        assert!(wait > WINDOW - Duration::from_secs(9) && wait <= WINDOW + Duration::from_secs(1));
        assert!(attempts.acquire(from("192.0.2.2"), Some("eva")).await.is_ok());
    }

    #[tokio::test]
    async fn a_password_waits_for_those_before_it() {
        let attempts = LoginAttempts::default();
        let attempt = || attempts.acquire(from("192.0.2.1"), Some("jan"));
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
        under_way.pop().unwrap().release();
        under_way.push(attempt().await.ok().unwrap());
        // All of them were wrong: nobody waits any longer.
        let (waited, ()) = tokio::join!(attempt(), async { under_way.clear() });
        assert!(matches!(waited, Err(RateLimited::After(_))));
    }

    #[tokio::test]
    async fn whoever_waited_in_vain_has_guessed_nothing() {
        let attempts = LoginAttempts::default();
        let held: Vec<LoginAttempt> = {
            let mut held = Vec::new();
            for _ in 0..WRONG_PER_ACCOUNT {
                held.push(attempts.acquire(from("192.0.2.1"), Some("jan")).await.ok().unwrap());
            }
            held
        };
        for _ in 0..WRONG_PER_NETWORK {
            let attempt = attempts.acquire(from("192.0.2.2"), Some("jan"));
            assert!(tokio::time::timeout(Duration::from_millis(1), attempt).await.is_err());
        }
        for attempt in held {
            attempt.release();
        }
        assert!(attempts.acquire(from("192.0.2.2"), Some("jan")).await.is_ok());
    }

    /// Requests that Daktela never answers make no counters that last, so that they push out nobody else's.
    #[tokio::test]
    async fn only_wrong_passwords_make_counters() {
        let attempts = LoginAttempts::default();
        drop(attempts.acquire(from("192.0.2.1"), Some("jan")).await.ok().unwrap());
        for number in 0..1_000 {
            let attempt = attempts.acquire(from("192.0.2.2"), Some(&number.to_string())).await;
            attempt.ok().unwrap().release();
        }
        attempts.accounts.wrong.run_pending_tasks();
        attempts.networks.wrong.run_pending_tasks();
        assert_eq!(
            (
                attempts.accounts.wrong.entry_count(),
                attempts.networks.wrong.entry_count()
            ),
            (1, 1)
        );
    }

    #[tokio::test]
    async fn answers_that_say_nothing_are_free_for_a_while() {
        let attempts = LoginAttempts::default();
        let mut tried = 0;
        while let Ok(attempt) = attempts.acquire(from("192.0.2.1"), Some("jan")).await {
            attempt.unclear();
            tried += 1;
        }
        assert_eq!(tried, WRONG_PER_ACCOUNT * (UNCLEAR_FACTOR + 1));
        assert!(attempts.acquire(from("192.0.2.1"), Some("eva")).await.is_ok());
    }

    #[tokio::test]
    async fn strangers_do_not_lock_out_a_familiar_network() {
        let attempts = LoginAttempts::default();
        let (home, office, stranger) = ("192.0.2.1", "192.0.2.2", "192.0.2.3");
        attempts.acquire(from(home), Some("jan")).await.ok().unwrap().succeed();
        let jan = || std::iter::repeat_n("jan".to_owned(), 9);
        assert_eq!(wrong(&attempts, stranger, jan()).await, WRONG_PER_ACCOUNT as usize);
        assert_eq!(wrong(&attempts, office, jan()).await, 0);
        assert!(attempts.acquire(from(home), Some("jan")).await.is_ok());
        // Nor is it a way to guess without end.
        assert_eq!(wrong(&attempts, home, jan()).await, WRONG_PER_ACCOUNT as usize - 1);
        // One account says nothing of another.
        assert_eq!(
            wrong(&attempts, stranger, std::iter::repeat_n("eva".to_owned(), 9)).await,
            5
        );
        assert!(attempts.acquire(from(home), Some("eva")).await.is_err());
    }

    #[test]
    fn spellings_of_one_name_are_one_account() {
        let origin: Origin = "https://acme.daktela.com".parse().unwrap();
        for spelling in [
            "jan.novak",
            "jan.novák",
            " Jan.Novák\u{a0}",
            "JAN.NOVÁK",
            "jan.nova\u{301}k",
            "jan\u{200b}.\u{ad}nov\u{7}ák\u{200e} ",
            "ｊａｎ．ｎｏｖａｋ",
            "jań.ñövâķ",
        ] {
            assert_eq!(
                account(&origin, spelling),
                "https://acme.daktela.com jan.novak",
                "{spelling:?}"
            );
        }
        assert_eq!(account(&origin, "Weiß"), account(&origin, "WEISS"));
        assert_eq!(account(&origin, "Łukasz"), account(&origin, "lukasz"));
    }
}
