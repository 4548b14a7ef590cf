//! Applies the brute-force limiter to credentials in headers: one attempt for each credential, however often it is sent.

use std::{
    net::IpAddr,
    sync::{Arc, Weak},
    time::Duration,
};

use moka::{policy::EvictionPolicy, sync};
use tokio::sync::Mutex;

use super::identity::{Identity, IdentityHash};
use crate::{
    egress::{Egress, PasswordStatus},
    limits::{
        RateLimited,
        concurrency::{InUse, Lease},
        login_attempts::{LoginAttempt, LoginAttempts, with_timeout},
    },
};

/// A wrong credential counts once, for as long as it is remembered: a client that repeats it guesses nothing new.
const COUNTED_FOR: Duration = Duration::from_secs(2 * 3600);
const COUNTED_MAX: u64 = 100_000;

pub(crate) struct LoginGuard {
    attempts: Arc<LoginAttempts>,
    under_way: InUse<IdentityHash, Mutex<Weak<CredentialAttempt>>>,
    counted: sync::Cache<IdentityHash, ()>,
}

/// The one attempt that a credential is, shared by all requests that bring it. Over with the last of them.
pub(crate) struct CredentialAttempt {
    identity: Arc<Identity>,
    attempt: Option<LoginAttempt>,
    counted: sync::Cache<IdentityHash, ()>,
    _under_way: Lease<IdentityHash, Mutex<Weak<CredentialAttempt>>>,
}

impl LoginGuard {
    pub(crate) fn new(attempts: Arc<LoginAttempts>) -> Self {
        Self {
            attempts,
            under_way: InUse::default(),
            counted: sync::Cache::builder()
                .max_capacity(COUNTED_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(COUNTED_FOR)
                .build(),
        }
    }

    /// Waits until the credential may be tried; keep what it returns until the response is sent. `account` is what a password
    /// is for, and `None` for a token. Returns `None` for a credential that Daktela accepted, and for one that has counted.
    pub(crate) async fn admit(
        &self,
        identity: &Arc<Identity>,
        account: Option<&str>,
        network: IpAddr,
    ) -> Result<Option<Arc<CredentialAttempt>>, RateLimited> {
        let turn = async {
            let lease = self.under_way.lease(identity.hash, Arc::default);
            let mutex = lease.value().clone();
            // Held by the request that waits for its turn; the others wait for that one.
            let mut under_way = mutex.lock().await;
            if self.counted.contains_key(&identity.hash) || status(&identity.egress) == PasswordStatus::Accepted {
                return Ok(None);
            }
            if let Some(attempt) = under_way.upgrade() {
                return Ok(Some(attempt));
            }
            let attempt = Arc::new(CredentialAttempt {
                attempt: Some(self.attempts.acquire(network, account).await?),
                identity: identity.clone(),
                counted: self.counted.clone(),
                _under_way: lease,
            });
            *under_way = Arc::downgrade(&attempt);
            Ok(Some(attempt))
        };
        with_timeout(turn).await
    }
}

/// What Daktela said of the credential, a token as well as a password.
fn status(egress: &Egress) -> PasswordStatus {
    match egress.password_status() {
        PasswordStatus::Unknown if egress.is_refused() => PasswordStatus::Rejected,
        PasswordStatus::Unknown if egress.was_answered() => PasswordStatus::Accepted,
        status => status,
    }
}

impl Drop for CredentialAttempt {
    fn drop(&mut self) {
        let Some(attempt) = self.attempt.take() else { return };
        match status(&self.identity.egress) {
            PasswordStatus::Unknown => attempt.release(),
            PasswordStatus::Accepted => attempt.succeed(),
            PasswordStatus::Unclear => attempt.unclear(),
            // Whoever hangs up before the answer has guessed, too.
            PasswordStatus::Pending | PasswordStatus::Rejected => self.counted.insert(self.identity.hash, ()),
        }
    }
}
