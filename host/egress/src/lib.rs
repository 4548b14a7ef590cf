//! Egress proxy: the only network access of the sandbox. Policy → cache → credential → retry → pooled client.
//!
//! An [`Egress`] stands for one Daktela instance and one credential. The component asks it for URLs and never sees the
//! credential; only `GET` below `/api/v6/` of that instance leaves.

mod budget;
mod cache;
mod credential;
mod error;
mod hints;
mod json_kind;
mod login;
mod origin;
mod policy;
mod retry;
mod session;

pub use budget::{CallBudget, CallLimits, Progress, RetryReason, Usage, Wait};
pub use cache::{Cache, CacheSettings};
pub use credential::Credential;
pub use daktela_http_client::{Client, Network};
pub use error::EgressError;
pub use hints::HintChanges;
pub use login::{LoginError, LoginGrant, WHO_AM_I, log_in, renew, verify};
pub use origin::{Origin, OriginError, without_user_info};
pub use policy::is_refused_header;
pub use session::PasswordStatus;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};
use url::Url;

use cache::Key;
use hints::Hints;
use policy::CacheControl;
use retry::RetryPolicy;
use session::Session;

/// For fuzzers, which look where nobody else has to.
#[cfg(fuzzing)]
pub mod fuzzing {
    use super::*;

    /// Where a request goes if it may leave.
    pub fn leaves(origin: &Origin, request: &Request<()>) -> Option<Url> {
        origin.join(policy::check(origin, request).ok()?).ok()
    }

    /// The first backoff after a server's `Retry-After`.
    pub fn pause(retry_after: &str) -> Option<Duration> {
        let value = HeaderValue::from_str(retry_after).ok()?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        answer.headers_mut().insert(header::RETRY_AFTER, value);
        retry::backoff(1, RetryPolicy::Transient, &Ok(answer)).map(|(pause, _)| pause)
    }
}

/// How long the result of looking at a refused token again is remembered: each request of its holder would ask Daktela.
const RECHECK_INTERVAL: Duration = Duration::from_secs(10);

/// Response headers that the component sees. Any other could carry a cookie or a token.
const ANSWER_HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::DATE, header::RETRY_AFTER];

/// A response of any status, with its whole body.
pub type UpstreamResponse = Response<Bytes>;

/// The egress proxy for one instance and one credential.
pub struct Egress {
    origin: Origin,
    session: Arc<Session>,
    client: Client,
    cache: Cache,
    hints: Hints,
    /// Part of each cache key, and never the same for two egresses: no caller is served from another's cache.
    identity: u64,
    /// Part of each cache key: moves on when the credential turns out to be refused.
    generation: AtomicU64,
    /// Upstream concurrency limit.
    concurrency: Semaphore,
    /// Whether Daktela refused the credential when it was last sent, and there is no way to another.
    refused: AtomicBool,
    /// When the refused token was last looked at again, and whether it was still refused. Locked meanwhile (single-flight).
    recheck: Mutex<Option<(Instant, bool)>>,
    /// Whether Daktela has ever answered what was asked with the credential.
    answered: AtomicBool,
}

impl Egress {
    pub fn new(origin: Origin, credential: Credential, client: Client, cache: Cache) -> Self {
        static IDENTITIES: AtomicU64 = AtomicU64::new(0);
        Self {
            session: Arc::new(Session::new(credential, &origin)),
            origin,
            concurrency: Semaphore::new(client.network().max_concurrent_requests),
            client,
            hints: Hints::new(cache.settings()),
            cache,
            identity: IDENTITIES.fetch_add(1, Ordering::Relaxed),
            generation: AtomicU64::new(0),
            refused: AtomicBool::new(false),
            recheck: Mutex::default(),
            answered: AtomicBool::new(false),
        }
    }

    /// Gets ready for the first request, without waiting for it.
    pub fn warm_up(&self) {
        self.client.warm_up();
    }

    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Never the same for two egresses.
    pub fn identity(&self) -> u64 {
        self.identity
    }

    /// What the component learnt about this instance's build; `None` where nothing is kept.
    pub fn hints(&self) -> Option<Vec<String>> {
        self.hints.current()
    }

    /// Keeps what a call learnt, though nothing for a credential that Daktela never accepted: anybody can make those up.
    /// Returns how many hints it refused, for their form or for want of room.
    pub fn learn(&self, changes: HintChanges) -> usize {
        if self.was_answered() {
            self.hints.update(changes)
        } else {
            changes.learnt.len()
        }
    }

    /// Whether Daktela refused the credential when it last met it.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire) || self.password_status() == PasswordStatus::Rejected
    }

    /// Of the password, where that is the credential.
    pub fn password_status(&self) -> PasswordStatus {
        self.session.password_status()
    }

    /// Whether the credential is of no use any longer. A token that was refused is looked at again every ten seconds: the refusal
    /// may have been a passing one, and nobody else would ever find out.
    pub async fn is_still_refused(&self) -> bool {
        let Some(token) = self.session.given().filter(|_| self.is_refused()) else {
            return self.is_refused();
        };
        let mut recheck = self.recheck.lock().await;
        if !self.is_refused() {
            return false;
        }
        if let Some((_, still)) = recheck.filter(|(at, _)| at.elapsed() < RECHECK_INTERVAL) {
            return still;
        }
        let still = match login::verify_with(&self.client, &self.origin, token, RetryPolicy::Never).await {
            Ok(()) => {
                self.refused.store(false, Ordering::Release);
                false
            }
            Err(LoginError::WrongPassword(_)) => true,
            // Nobody knows; the call will say what is wrong.
            Err(LoginError::Unclear(_) | LoginError::Other(_)) => false,
        };
        *recheck = Some((Instant::now(), still));
        still
    }

    /// Whether the credential has ever been of use.
    pub fn was_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// Serves a request of the component, after checking it against the policy.
    pub async fn serve(&self, call: &CallBudget, request: Request<()>) -> Result<UpstreamResponse, EgressError> {
        let path = policy::check(&self.origin, &request)?;
        let url = self.origin.join(path)?;
        let control = CacheControl::of(&request);
        let key = || Key {
            identity: self.identity,
            generation: self.generation.load(Ordering::Acquire),
            path: path.into(),
        };
        let answer = match control {
            CacheControl { no_cache: true, .. } => self.cache.refresh(key(), self.fetch(call, url)).await,
            CacheControl {
                max_age: Some(max_age), ..
            } => {
                self.cache
                    .get(call, key(), max_age, || self.fetch(call, url.clone()))
                    .await
            }
            _ => self.fetch(call, url).await,
        }?;
        call.finish_one();
        Ok(answer)
    }

    /// A request of the host's own, past the cache. `path` starts with `/api/v6/` and holds its query.
    pub async fn get(&self, call: &CallBudget, path: &str) -> Result<UpstreamResponse, EgressError> {
        self.fetch(call, self.origin.join(path)?).await
    }

    /// Asks Daktela; once more with a new login when it does not know the old one any longer.
    async fn fetch(&self, call: &CallBudget, url: Url) -> Result<UpstreamResponse, EgressError> {
        if let Some(error) = self.cache.unreachable(&self.origin).filter(|_| self.is_unverified()) {
            return Err(error);
        }
        let _permit = call.within(self.concurrency.acquire()).await?;
        let token = call.within(self.session.token(&self.client)).await??;
        let answer = self.send(call, &url, &token.header).await?;
        if answer.status() != StatusCode::UNAUTHORIZED {
            if answer.status().is_success() {
                self.refused.store(false, Ordering::Release);
            }
            return Ok(answer);
        }
        // Whatever was read with this credential may be beyond its rights by now.
        self.generation.fetch_add(1, Ordering::AcqRel);
        if !call.within(self.session.discard(&token)).await? {
            self.refused.store(true, Ordering::Release);
            return Ok(answer);
        }
        let token = call.within(self.session.token(&self.client)).await??;
        self.send(call, &url, &token.header).await
    }

    /// Whether anybody may have made up the host and the credential: connecting is then neither retried, nor tried again for a
    /// while.
    fn is_unverified(&self) -> bool {
        self.client.is_public_only() && !self.was_answered()
    }

    async fn send(
        &self,
        call: &CallBudget,
        url: &Url,
        token: &Option<HeaderValue>,
    ) -> Result<UpstreamResponse, EgressError> {
        let is_unverified = self.is_unverified();
        let policy = if is_unverified {
            RetryPolicy::Connected
        } else {
            RetryPolicy::Transient
        };
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            headers.insert("x-auth-token", token.clone());
        }
        let answer = retry::send(call, &self.client, policy, || {
            call.count_request()?;
            Ok(self.client.request(Method::GET, url.clone())?.headers(headers.clone()))
        })
        .await
        .inspect_err(|error| {
            if is_unverified {
                self.cache.note_unreachable(&self.origin, error);
            }
        })?;
        if answer.status().is_success() {
            self.answered.store(true, Ordering::Release);
        }
        Ok(only_known_headers(answer))
    }
}

fn only_known_headers(answer: UpstreamResponse) -> UpstreamResponse {
    let (mut parts, body) = answer.into_parts();
    let mut kept = HeaderMap::new();
    for name in ANSWER_HEADERS {
        if let Some(value) = parts.headers.remove(&name) {
            kept.insert(name, value);
        }
    }
    parts.headers = kept;
    Response::from_parts(parts, body)
}
