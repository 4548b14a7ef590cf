//! Identities: an upstream session, cache and limits of its own for each (instance, credential), shared by the requests that
//! bring it and by nobody else. An instance is a tenant.

use std::{fmt, sync::Arc, time::Duration};

use moka::{policy::EvictionPolicy, sync};
use ring::hmac;
use secrecy::ExposeSecret;

use crate::egress::{Cache, Client, Credential, Egress, Origin};

/// An identity takes a few kilobytes. Beyond so many, those unused for longest log in anew.
const VERIFIED_MAX: u64 = 10_000;

/// Cache-flooding guard: anybody can make up credentials by the thousand, but not have Daktela accept them. Unverified identities
/// evict each other only.
const UNVERIFIED_MAX: u64 = 2_000;

/// As long as a token of Daktela's lives that nobody renews.
const IDLE: Duration = Duration::from_secs(2 * 3600);

/// Who makes a request, as far as a call and its line in the log need to know.
#[derive(Clone)]
pub struct Caller {
    pub identity: Arc<Identity>,
    pub request_id: Arc<str>,
}

pub struct Identity {
    pub hash: IdentityHash,
    pub egress: Arc<Egress>,
}

/// Tells callers apart without saying who they are: a keyed hash of instance and credential.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct IdentityHash(pub(crate) [u8; 32]);

pub struct Identities {
    key: hmac::Key,
    /// Daktela has answered them.
    verified: sync::Cache<IdentityHash, Arc<Identity>>,
    unverified: sync::Cache<IdentityHash, Arc<Identity>>,
    client: Client,
    cache: Cache,
}

impl Identities {
    /// The key decides what identities are called in the log; replicas with the same key call them the same.
    pub fn new(key: &[u8], client: Client, cache: Cache) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            verified: bounded(VERIFIED_MAX),
            unverified: bounded(UNVERIFIED_MAX),
            client,
            cache,
        }
    }

    pub fn of(&self, origin: Origin, credential: Credential) -> Arc<Identity> {
        let hash = self.hash(&origin, &credential);
        let new = || {
            let egress = Egress::new(origin, credential, self.client.clone(), self.cache.clone());
            Arc::new(Identity {
                hash,
                egress: Arc::new(egress),
            })
        };
        let verified = || self.verified.get(&hash);
        // Asked again inside: it may have moved from one to the other in between.
        verified().unwrap_or_else(|| self.unverified.get_with(hash, || verified().unwrap_or_else(new)))
    }

    /// Keeps an identity that Daktela has answered apart from those that it has not.
    pub(crate) fn mark_verified(&self, identity: &Arc<Identity>) {
        if identity.egress.was_answered() && !self.verified.contains_key(&identity.hash) {
            self.verified.insert(identity.hash, identity.clone());
            self.unverified.invalidate(&identity.hash);
        }
    }

    fn hash(&self, origin: &Origin, credential: &Credential) -> IdentityHash {
        let (kind, name, secret) = match credential {
            Credential::Token(token) => ("token", "", token),
            Credential::Login { username, password } => ("login", username.as_str(), password),
        };
        let mut context = hmac::Context::with_key(&self.key);
        for part in [kind, origin.as_str(), name, secret.expose_secret()] {
            // With its length, so that no two identities run together to the same bytes.
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        IdentityHash(hash)
    }

    pub fn client(&self) -> &Client {
        &self.client
    }

    pub fn count(&self) -> u64 {
        self.verified.entry_count() + self.unverified.entry_count()
    }
}

fn bounded(most: u64) -> sync::Cache<IdentityHash, Arc<Identity>> {
    sync::Cache::builder()
        .max_capacity(most)
        // moka's own policy would refuse newcomers once the cache is full of busy entries.
        .eviction_policy(EvictionPolicy::lru())
        .time_to_idle(IDLE)
        .build()
}

/// Enough to follow one caller through a log.
impl fmt::Display for IdentityHash {
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
    fn the_same_credential_has_one_upstream_session() {
        let all = identities();
        let origin: Origin = "https://acme.daktela.com".parse().unwrap();
        let first = all.of(origin.clone(), token("t"));
        let second = all.of(origin, token("t"));
        assert!(first.hash == second.hash && Arc::ptr_eq(&first.egress, &second.egress));
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
            .map(|(origin, credential)| all.hash(origin, credential).to_string())
            .collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }
}
