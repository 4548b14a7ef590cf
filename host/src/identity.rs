//! One egress for each (instance, credential), so that its logins, its tokens, its cache and its limits are shared by the
//! calls of one identity, and by nobody else.

use crate::{
    egress::{Cache, Client, Credential, Egress, Origin},
    http::{guess::Guess, throttle},
};
use moka::sync;
use ring::hmac;
use secrecy::ExposeSecret;
use std::{
    fmt,
    sync::{Arc, Weak, atomic::AtomicBool},
    time::Duration,
};
use tokio::sync::{Mutex, Semaphore};

/// An egress takes a few kilobytes. Beyond so many, those who were away longest log in anew.
const IDENTITIES_MAX: u64 = 10_000;

/// Anybody can make up credentials by the thousand, but not have Daktela answer them: those push out each other only, and lose
/// nothing that they had.
const NEWCOMERS_MAX: u64 = 2_000;

/// As long as a token lives that nobody renews.
const IDLE: Duration = Duration::from_secs(2 * 3600);

/// So many requests of one identity are served at a time, and more wait: the calls of one must not keep out all others.
const REQUESTS_AT_ONCE: usize = 16;

/// Whoever asks, as far as a call and its line in the log need to know.
#[derive(Clone)]
pub struct Caller {
    pub identity: Arc<Identity>,
    pub request_id: Arc<str>,
}

pub struct Identity {
    pub who: Who,
    pub egress: Arc<Egress>,
    pub(crate) room: Arc<Semaphore>,
    /// What a guesser of passwords would guess at; none for a token, which cannot be guessed.
    pub(crate) account: Option<String>,
    /// While requests with the password are under way. Held by the one that waits for the others to be judged.
    pub(crate) guess: Mutex<Weak<Guess>>,
    /// A wrong password counts once, however often it is sent.
    pub(crate) counted: AtomicBool,
}

/// Tells callers apart, and says nothing of them: a keyed hash of instance and credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Who(pub(crate) [u8; 32]);

pub struct Identities {
    key: hmac::Key,
    /// Those whom Daktela has answered.
    known: sync::Cache<Who, Arc<Identity>>,
    newcomers: sync::Cache<Who, Arc<Identity>>,
    client: Client,
    cache: Cache,
}

impl Identities {
    /// The key decides what identities are called in the log; replicas with the same key call them the same.
    pub fn new(key: &[u8], client: Client, cache: Cache) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            known: memory(IDENTITIES_MAX),
            newcomers: memory(NEWCOMERS_MAX),
            client,
            cache,
        }
    }

    pub fn of(&self, origin: Origin, credential: Credential) -> Arc<Identity> {
        let who = self.who(&origin, &credential);
        let account = match &credential {
            Credential::Login { username, .. } => Some(throttle::account(&origin, username)),
            Credential::Token(_) => None,
        };
        let new = || {
            let egress = Egress::new(origin, credential, self.client.clone(), self.cache.clone());
            Arc::new(Identity {
                who,
                egress: Arc::new(egress),
                room: Arc::new(Semaphore::new(REQUESTS_AT_ONCE)),
                account,
                guess: Mutex::default(),
                counted: AtomicBool::new(false),
            })
        };
        let known = || self.known.get(&who);
        // Asked again inside: they may have moved from one to the other in between.
        known().unwrap_or_else(|| self.newcomers.get_with(who, || known().unwrap_or_else(new)))
    }

    /// Keeps whom Daktela has answered apart from those whom it does not know.
    pub(crate) fn remember(&self, identity: &Arc<Identity>) {
        if identity.egress.was_answered() && !self.known.contains_key(&identity.who) {
            self.known.insert(identity.who, identity.clone());
            self.newcomers.invalidate(&identity.who);
        }
    }

    fn who(&self, origin: &Origin, credential: &Credential) -> Who {
        let (kind, name, secret) = match credential {
            Credential::Token(token) => ("token", "", token),
            Credential::Login { username, password } => ("login", username.as_str(), password),
        };
        let mut hash = hmac::Context::with_key(&self.key);
        for part in [kind, origin.as_str(), name, secret.expose_secret()] {
            // With its length, so that no two identities run together to the same bytes.
            hash.update(&(part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        let mut who = [0; 32];
        who.copy_from_slice(hash.sign().as_ref());
        Who(who)
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn count(&self) -> u64 {
        self.known.entry_count() + self.newcomers.entry_count()
    }
}

fn memory(most: u64) -> sync::Cache<Who, Arc<Identity>> {
    sync::Cache::builder().max_capacity(most).time_to_idle(IDLE).build()
}

/// Enough to follow one caller through a log.
impl fmt::Display for Who {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .take(6)
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::egress::CacheSettings;

    fn identities() -> Identities {
        let cache = Cache::new(CacheSettings {
            enabled: true,
            ttl: IDLE,
        });
        Identities::new(b"key", Client::default(), cache)
    }

    fn token(text: &str) -> Credential {
        Credential::Token(text.to_owned().into())
    }

    fn login(username: &str, password: &str) -> Credential {
        Credential::Login {
            username: username.to_owned(),
            password: password.to_owned().into(),
        }
    }

    #[test]
    fn the_same_credential_meets_its_own_gate() {
        let all = identities();
        let origin: Origin = "https://acme.daktela.com".parse().unwrap();
        let first = all.of(origin.clone(), token("t"));
        let second = all.of(origin, token("t"));
        assert!(first.who == second.who && Arc::ptr_eq(&first.egress, &second.egress));
    }

    #[test]
    fn whatever_differs_makes_another_identity() {
        let all = identities();
        let [acme, other]: [Origin; 2] =
            ["https://acme.daktela.com", "https://other.daktela.com"].map(|url| url.parse().unwrap());
        let given = [
            (&acme, token("t")),
            (&acme, token("u")),
            (&other, token("t")),
            (&acme, login("a", "bc")),
            (&acme, login("ab", "c")),
            (&acme, login("", "t")),
        ];
        let mut seen: Vec<String> = given
            .iter()
            .map(|(origin, credential)| all.who(origin, credential).to_string())
            .collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }
}
