//! Response cache for reference data, with request coalescing (single-flight), and a negative cache of unreachable
//! hosts (a simple circuit breaker).
//!
//! The component marks what may be cached, as HTTP does: `cache-control: max-age=N` on a request allows a response that is up
//! to N seconds old, which then says its `age`; `no-cache` reads anew. A response is kept for at most the operator's time to live.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use moka::{future, policy::EvictionPolicy, sync};
use serde::{Deserialize, de::IgnoredAny};
use tokio::time::Instant;

use crate::{CallBudget, EgressError, Origin, UpstreamResponse, json_kind::JsonKind};

/// The whole directory of a large tenant, with one tool's choice of fields, is about a megabyte.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// For what an entry costs beside its body and path.
const ENTRY_BYTES: usize = 256;

/// How long a host that cannot be connected to is not tried again, where a user named it.
const UNREACHABLE_FOR: Duration = Duration::from_secs(10);
const UNREACHABLE_MAX: u64 = 10_000;

#[derive(Debug, Clone, Copy)]
pub struct CacheSettings {
    /// Whether responses and hints are cached. Unreachable hosts are remembered in any case.
    pub enabled: bool,
    /// Longest time that a response or a hint is kept.
    pub ttl: Duration,
}

/// Shared by all egress proxies of a process. Clones share the entries; their keys hold the identity, so that nobody is served
/// from another's.
#[derive(Clone)]
pub struct Cache {
    settings: CacheSettings,
    kept: Option<future::Cache<Key, Kept>>,
    unreachable: sync::Cache<String, EgressError>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) identity: u64,
    pub(super) generation: u64,
    pub(super) path: Box<str>,
}

#[derive(Clone)]
struct Kept {
    answer: UpstreamResponse,
    since: Instant,
}

/// What those who waited for the same answer share without its being kept.
#[derive(Clone)]
enum Passing {
    UpstreamResponse(UpstreamResponse),
    EgressError(EgressError),
    /// The call of the one who fetched was at its end, which is nothing to the others.
    End(EgressError),
}

impl Cache {
    pub fn new(settings: CacheSettings) -> Self {
        let kept = settings.enabled.then(|| {
            future::Cache::builder()
                .max_capacity(BYTES_MAX)
                .weigher(|key: &Key, kept: &Kept| weight(key, kept.answer.body()))
                .time_to_live(settings.ttl)
                .eviction_policy(EvictionPolicy::lru())
                .build()
        });
        let unreachable = sync::Cache::builder()
            .max_capacity(UNREACHABLE_MAX)
            .time_to_live(UNREACHABLE_FOR)
            .build();
        Self {
            settings,
            kept,
            unreachable,
        }
    }

    pub(super) fn settings(&self) -> CacheSettings {
        self.settings
    }

    /// Why the host could not be connected to a moment ago.
    pub(super) fn unreachable(&self, origin: &Origin) -> Option<EgressError> {
        self.unreachable.get(origin.as_str())
    }

    /// Remembers a host that cannot be connected to; other errors say nothing of it.
    pub(super) fn note_unreachable(&self, origin: &Origin, error: &EgressError) {
        if matches!(error, EgressError::NameNotResolved | EgressError::ConnectionRefused) {
            self.unreachable.insert(origin.to_string(), error.clone());
        }
    }

    /// A response that is at most `max_age` old, from the cache or by `fetch`. Request coalescing: callers that ask for the
    /// same at the same time wait for one fetch. Where the one who fetches gives up or has spent its budget, the next does it.
    pub(super) async fn get<F: Future<Output = Result<UpstreamResponse, EgressError>>>(
        &self,
        call: &CallBudget,
        key: Key,
        max_age: Duration,
        fetch: impl Fn() -> F,
    ) -> Result<UpstreamResponse, EgressError> {
        let Some(kept) = &self.kept else { return fetch().await };
        let asked = Instant::now();
        loop {
            let fetched = AtomicBool::new(false);
            let found = kept.try_get_with_by_ref(&key, async {
                fetched.store(true, Ordering::Relaxed);
                match fetch().await {
                    Ok(answer) if is_worth_keeping(&answer) => Ok(Kept::new(answer)),
                    Ok(answer) => Err(Passing::UpstreamResponse(answer)),
                    Err(failure) if call.is_spent() => Err(Passing::End(failure)),
                    Err(failure) => Err(Passing::EgressError(failure)),
                }
            });
            let found = call.within(found).await?.map_err(Arc::unwrap_or_clone);
            let fetched = fetched.into_inner();
            if let (Err(Passing::End(_)), false) = (&found, fetched) {
                continue;
            }
            if let (Ok(entry), false) = (&found, fetched)
                && asked.saturating_duration_since(entry.since) > max_age
            {
                kept.invalidate(&key).await;
                continue;
            }
            if !fetched {
                call.count_cache_hit();
            }
            return match found {
                Ok(kept) => Ok(kept.answer_to_one_who_asked(asked)),
                Err(Passing::UpstreamResponse(answer)) => Ok(answer),
                Err(Passing::EgressError(failure) | Passing::End(failure)) => Err(failure),
            };
        }
    }

    /// Fetches past the cache, and keeps the response in the place of the one that is there.
    pub(super) async fn refresh(
        &self,
        key: Key,
        fetch: impl Future<Output = Result<UpstreamResponse, EgressError>>,
    ) -> Result<UpstreamResponse, EgressError> {
        let answer = fetch.await?;
        if let Some(kept) = &self.kept
            && is_worth_keeping(&answer)
        {
            kept.insert(key, Kept::new(answer.clone())).await;
        }
        Ok(answer)
    }
}

impl Kept {
    fn new(answer: UpstreamResponse) -> Self {
        Self {
            answer,
            since: Instant::now(),
        }
    }

    /// What came after the question is no memory, also for those who waited for it with the one who fetched it.
    fn answer_to_one_who_asked(mut self, asked: Instant) -> UpstreamResponse {
        if self.since < asked {
            let age = HeaderValue::from(self.since.elapsed().as_secs());
            self.answer.headers_mut().insert(header::AGE, age);
        }
        self.answer
    }
}

/// Whether a response is Daktela's and complete. Error pages and messages may come with status 200, too, and would outlast
/// their cause.
fn is_worth_keeping(answer: &UpstreamResponse) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(default)]
        error: JsonKind,
        /// Read to its end, but not into memory.
        result: Option<IgnoredAny>,
    }
    if answer.status() != StatusCode::OK {
        return false;
    }
    let envelope = std::str::from_utf8(answer.body())
        .ok()
        .and_then(|text| serde_json::from_str(text).ok());
    envelope
        .is_some_and(|Envelope { error, result }| result.is_some() && matches!(error, JsonKind::Null | JsonKind::Empty))
}

fn weight(key: &Key, body: &Bytes) -> u32 {
    u32::try_from(key.path.len() + body.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CallLimits;
    use http::Response;

    const HOUR: Duration = Duration::from_secs(3600);

    fn cache() -> Cache {
        Cache::new(CacheSettings {
            enabled: true,
            ttl: HOUR,
        })
    }

    fn key(identity: u64, generation: u64) -> Key {
        Key {
            identity,
            generation,
            path: "/api/v6/users.json".into(),
        }
    }

    /// As Daktela says it.
    fn body(word: &str) -> String {
        format!(r#"{{"error":[],"result":"{word}"}}"#)
    }

    async fn ask(cache: &Cache, call: &CallBudget, key: Key, status: u16, body: &str) -> String {
        let answer = Response::builder().status(status).body(body.to_owned().into()).unwrap();
        let answer: Result<UpstreamResponse, EgressError> = Ok(answer);
        let answer = cache.get(call, key, HOUR, async || answer.clone()).await.unwrap();
        String::from_utf8(answer.into_body().into()).unwrap()
    }

    #[tokio::test]
    async fn second_request_is_a_cache_hit() {
        let (cache, call) = (cache(), CallBudget::new(CallLimits::default()));
        let (first, second) = (body("first"), body("second"));
        assert_eq!(ask(&cache, &call, key(1, 0), 200, &first).await, first);
        assert_eq!(ask(&cache, &call, key(1, 0), 200, &second).await, first);
        assert_eq!(call.usage().cache_hits, 1);
    }

    #[tokio::test]
    async fn entries_are_not_shared_between_identities() {
        let (cache, call) = (cache(), CallBudget::new(CallLimits::default()));
        let (mine, theirs, later) = (body("mine"), body("theirs"), body("after a 401"));
        ask(&cache, &call, key(1, 0), 200, &mine).await;
        assert_eq!(ask(&cache, &call, key(2, 0), 200, &theirs).await, theirs);
        assert_eq!(ask(&cache, &call, key(1, 1), 200, &later).await, later);
        assert_eq!(call.usage().cache_hits, 0);
    }

    #[tokio::test]
    async fn errors_and_broken_responses_are_not_cached() {
        for (status, useless) in [
            (403, r#"{"error":[],"result":"no"}"#),
            (201, r#"{"error":[],"result":"other"}"#),
            (200, ""),
            (200, "<html>maintenance</html>"),
            (200, r#"{"error":["Database is busy"],"result":null}"#),
            (200, r#"{"error":["Database is busy"],"result":[]}"#),
            (200, r#"{"error":{"form":["wrong"]},"result":[]}"#),
            (200, r#"{"error":"Database is busy","result":[]}"#),
            (200, r#"{"error":[],"result":null}"#),
            (200, r#"{"status":"ok"}"#),
            (200, r#"{"error":[],"result":{"data":[{"na"#),
        ] {
            let (cache, call) = (cache(), CallBudget::new(CallLimits::default()));
            assert_eq!(ask(&cache, &call, key(1, 0), status, useless).await, useless);
            let good = body("good");
            assert_eq!(ask(&cache, &call, key(1, 0), 200, &good).await, good, "{useless}");
        }
    }

    #[tokio::test]
    async fn every_form_of_success_is_cached() {
        for good in [
            r#"{"error":[],"result":{"data":[],"total":0}}"#,
            r#"{"error":{},"result":[]}"#,
            r#"{"error":null,"result":{"name":"jan"}}"#,
            r#"{"error":"","result":{"name":"jan"}}"#,
            r#"{"result":{"name":"jan"}}"#,
        ] {
            let (cache, call) = (cache(), CallBudget::new(CallLimits::default()));
            ask(&cache, &call, key(1, 0), 200, good).await;
            assert_eq!(ask(&cache, &call, key(1, 0), 200, "other").await, good);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn older_entries_than_max_age_are_fetched_anew() {
        let (cache, call) = (cache(), CallBudget::new(CallLimits::default()));
        let (old, new) = (body("old"), body("new"));
        ask(&cache, &call, key(1, 0), 200, &old).await;
        tokio::time::advance(Duration::from_secs(10)).await;
        for (max_age, expected, age) in [(10, &old, Some("10")), (9, &new, None), (9, &new, Some("0"))] {
            let fetch = async || Ok(UpstreamResponse::new(new.clone().into()));
            let got = cache
                .get(&call, key(1, 0), Duration::from_secs(max_age), fetch)
                .await
                .unwrap();
            assert_eq!(
                got.headers().get(header::AGE).map(|age| age.to_str().unwrap()),
                age,
                "{max_age}"
            );
            assert_eq!(got.body(), expected, "{max_age}");
            tokio::time::advance(Duration::from_millis(1)).await;
        }
    }

    #[test]
    fn only_connect_errors_make_a_host_unreachable() {
        let (cache, origin) = (cache(), "https://acme.daktela.com".parse::<Origin>().unwrap());
        cache.note_unreachable(&origin, &EgressError::ConnectionBroken);
        assert_eq!(cache.unreachable(&origin), None);
        cache.note_unreachable(&origin, &EgressError::NameNotResolved);
        assert_eq!(cache.unreachable(&origin), Some(EgressError::NameNotResolved));
    }

    #[tokio::test(start_paused = true)]
    async fn concurrent_requests_are_coalesced() {
        let (cache, call) = (cache(), CallBudget::new(CallLimits::default()));
        let (one, two) = (body("one"), body("two"));
        let slow = async || {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(Response::new(one.clone().into()))
        };
        let first = cache.get(&call, key(1, 0), HOUR, slow);
        let second = ask(&cache, &call, key(1, 0), 200, &two);
        let (first, second) = tokio::join!(first, second);
        assert_eq!((first.unwrap().into_body(), second), (one.clone().into(), one));
    }
}
