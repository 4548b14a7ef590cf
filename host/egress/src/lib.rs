//! The one way out of the sandbox: policy → credential → cache → retry → pooled client.
//!
//! A [`Egress`] stands for one Daktela instance and one credential. The guest asks it for paths; it never sees the
//! credential, and nothing but `GET` under `/api/v6/` of that instance leaves.

mod budget;
mod cache;
mod client;
mod error;
mod login;
mod origin;
mod policy;
mod retry;
mod session;
mod ssrf;

pub use budget::{CallBudget, CallLimits, Progress, RetryReason, Usage, Wait};
pub use cache::{Cache, CacheSettings};
pub use client::{Client, Network};
pub use error::EgressError;
pub use login::{LoginError, LoginGrant, WHO_AM_I, log_in, renew, verify};
pub use origin::{Origin, OriginError, without_user_info};
pub use policy::is_refused_header;
pub use session::{Credential, PasswordStatus};
pub use ssrf::is_public;

/// For fuzzers, which look where nobody else has to.
#[cfg(fuzzing)]
pub mod fuzzing {
    use super::*;
    use std::time::Duration;

    /// Where a request goes if it may leave.
    pub fn leaves(origin: &Origin, request: &Request<()>) -> Option<Url> {
        origin.join(policy::check(origin, request).ok()?).ok()
    }

    /// The first pause after a server's `Retry-After`.
    pub fn pause(retry_after: &str) -> Option<Duration> {
        let value = http::HeaderValue::from_str(retry_after).ok()?;
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = StatusCode::TOO_MANY_REQUESTS;
        answer.headers_mut().insert(header::RETRY_AFTER, value);
        retry::pause(1, &Ok(answer)).map(|(pause, _)| pause)
    }
}

use bytes::Bytes;
use cache::Key;
use http::{HeaderMap, Method, Request, Response, StatusCode, header};
use session::Session;
use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};
use tokio::sync::Semaphore;
use url::Url;

/// What of an answer's headers is the guest's business. Anything else could carry a cookie or a token.
const ANSWER_HEADERS: [http::HeaderName; 3] = [header::CONTENT_TYPE, header::DATE, header::RETRY_AFTER];

/// An answer of any status, whole.
pub type UpstreamResponse = Response<Bytes>;

pub struct Egress {
    origin: Origin,
    session: Arc<Session>,
    client: Client,
    cache: Cache,
    /// Part of each cache key, and never the same for two egresses: no caller is served from another's cache.
    identity: u64,
    /// Part of each cache key: moves on when the credential turns out to be refused.
    generation: AtomicU64,
    concurrency: Semaphore,
    /// Whether Daktela knew nothing of the credential when it last met it, and there is no way to another.
    refused: AtomicBool,
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
            cache,
            identity: IDENTITIES.fetch_add(1, Ordering::Relaxed),
            generation: AtomicU64::new(0),
            refused: AtomicBool::new(false),
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

    /// Whether Daktela refused the credential when it last met it.
    pub fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire) || self.password_status() == PasswordStatus::Rejected
    }

    /// Of the password, where that is the credential.
    pub fn password_status(&self) -> PasswordStatus {
        self.session.password_status()
    }

    /// Whether the credential is of no use any longer. A token that was refused is looked at again: the refusal may have been
    /// a passing one, and nobody else would ever find out.
    pub async fn is_still_refused(&self) -> bool {
        let Some(token) = self.session.given().filter(|_| self.is_refused()) else {
            return self.is_refused();
        };
        match verify(&self.client, &self.origin, token).await {
            Ok(()) => {
                self.refused.store(false, Ordering::Release);
                false
            }
            Err(LoginError::WrongPassword(_)) => true,
            // Nobody knows; the call will say what is wrong.
            Err(LoginError::Other(_)) => false,
        }
    }

    /// Whether the credential has ever been of use.
    pub fn was_answered(&self) -> bool {
        self.answered.load(Ordering::Acquire)
    }

    /// Serves a request of the guest, which nobody has checked yet.
    pub async fn serve(&self, call: &CallBudget, request: Request<()>) -> Result<UpstreamResponse, EgressError> {
        let path = policy::check(&self.origin, &request)?;
        let answer = self.answer(call, path, policy::wants_fresh(&request)).await?;
        call.finish_one();
        Ok(answer)
    }

    /// `path` starts with `/api/v6/` and holds its query.
    pub async fn get(&self, call: &CallBudget, path: &str) -> Result<UpstreamResponse, EgressError> {
        self.answer(call, path, false).await
    }

    async fn answer(&self, call: &CallBudget, path: &str, fresh: bool) -> Result<UpstreamResponse, EgressError> {
        let url = self.origin.join(path)?;
        if !self.cache.keeps(path) {
            return self.fetch(call, url).await;
        }
        let key = Key {
            identity: self.identity,
            generation: self.generation.load(Ordering::Acquire),
            path: path.into(),
        };
        if fresh {
            self.cache.renew(key, self.fetch(call, url)).await
        } else {
            self.cache.get(call, key, || self.fetch(call, url.clone())).await
        }
    }

    /// Asks Daktela; once more with a new login when it does not know the old one any longer.
    async fn fetch(&self, call: &CallBudget, url: Url) -> Result<UpstreamResponse, EgressError> {
        let _room = call.within(self.concurrency.acquire()).await?;
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

    async fn send(
        &self,
        call: &CallBudget,
        url: &Url,
        token: &Option<http::HeaderValue>,
    ) -> Result<UpstreamResponse, EgressError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::ACCEPT, http::HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            headers.insert("x-auth-token", token.clone());
        }
        let answer = retry::send(call, || {
            call.count_request()?;
            Ok(self.client.request(Method::GET, url.clone())?.headers(headers.clone()))
        })
        .await
        .map_err(|failure| self.client.attribute_to_proxy(failure))?;
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
