//! What hardly changes and is asked for all the time: people, queues, categories and the like.
//!
//! It is spoken of as HTTP speaks of caches: an answer from memory says its `age`, and `cache-control: no-cache` asks past
//! what is kept, for whoever misses somebody who may have come since.

use crate::{CallBudget, EgressError, UpstreamResponse};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use moka::{future, policy::EvictionPolicy};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Models that say how a contact centre is set up. All else is its work, and never kept.
const MODELS: &[&str] = &[
    "campaignsTypes",
    "groups",
    "pauses",
    "queues",
    "statuses",
    "templates",
    "ticketsCategories",
    "users",
];

/// The whole directory of a large tenant, with one tool's choice of fields, is about a megabyte.
const BYTES_MAX: u64 = 32 * 1024 * 1024;

/// For what an entry costs beside its body and path.
const ENTRY_BYTES: usize = 256;

#[derive(Debug, Clone, Copy)]
pub struct CacheSettings {
    pub enabled: bool,
    pub ttl: Duration,
}

/// Shared by all egresses; what belongs to whom is in the key.
#[derive(Clone)]
pub struct Cache {
    kept: Option<future::Cache<Key, Kept>>,
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
        Self { kept }
    }

    pub(super) fn keeps(&self, path: &str) -> bool {
        self.kept.is_some() && model(path).is_some_and(|model| MODELS.contains(&model))
    }

    /// Those who ask for the same at the same time wait for one answer. If the one who fetches it gives up or may not go
    /// on, the next takes over.
    pub(super) async fn get<F: Future<Output = Result<UpstreamResponse, EgressError>>>(
        &self,
        call: &CallBudget,
        key: Key,
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

    /// Past what is kept, whose place the answer takes.
    pub(super) async fn renew(
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

/// A page about maintenance and an error may come with 200, too, and would outlast their cause by an hour.
fn is_worth_keeping(answer: &UpstreamResponse) -> bool {
    #[derive(Deserialize)]
    struct Envelope {
        #[serde(default)]
        error: Value,
        /// Read to its end, but not into memory.
        result: Option<IgnoredAny>,
    }
    if answer.status() != StatusCode::OK {
        return false;
    }
    let envelope = std::str::from_utf8(answer.body())
        .ok()
        .and_then(|text| serde_json::from_str(text).ok());
    envelope.is_some_and(|Envelope { error, result }| {
        let errors = match error {
            Value::Array(words) => !words.is_empty(),
            Value::Object(words) => !words.is_empty(),
            Value::String(words) => !words.is_empty(),
            other => !other.is_null(),
        };
        result.is_some() && !errors
    })
}

fn weight(key: &Key, body: &Bytes) -> u32 {
    u32::try_from(key.path.len() + body.len() + ENTRY_BYTES).unwrap_or(u32::MAX)
}

/// `users` of `/api/v6/users.json?…` and of `/api/v6/users/jan.json`.
fn model(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/api/v6/")?;
    let segment = rest.split(['/', '?']).next()?;
    Some(segment.strip_suffix(".json").unwrap_or(segment))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CallLimits;
    use http::Response;

    fn cache() -> Cache {
        Cache::new(CacheSettings {
            enabled: true,
            ttl: Duration::from_secs(60),
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
        let answer = cache.get(call, key, async || answer.clone()).await.unwrap();
        String::from_utf8(answer.into_body().into()).unwrap()
    }

    #[test]
    fn only_how_a_contact_centre_is_set_up_is_kept() {
        let cache = cache();
        for path in [
            "/api/v6/users.json?take=1",
            "/api/v6/users/jan.json",
            "/api/v6/ticketsCategories",
            "/api/v6/queues?x",
        ] {
            assert!(cache.keeps(path), "{path}");
        }
        for path in [
            "/api/v6/tickets.json",
            "/api/v6/usersx.json",
            "/api/v6/tickets/users.json",
            "/api/v6/realtimeSessions.json",
        ] {
            assert!(!cache.keeps(path), "{path}");
        }
        let off = Cache::new(CacheSettings {
            enabled: false,
            ttl: Duration::from_secs(60),
        });
        assert!(!off.keeps("/api/v6/users.json"));
    }

    #[tokio::test]
    async fn a_second_look_is_answered_from_memory() {
        let (cache, call) = (cache(), CallBudget::new(CallLimits::default()));
        let (first, second) = (body("first"), body("second"));
        assert_eq!(ask(&cache, &call, key(1, 0), 200, &first).await, first);
        assert_eq!(ask(&cache, &call, key(1, 0), 200, &second).await, first);
        assert_eq!(call.usage().cache_hits, 1);
    }

    #[tokio::test]
    async fn nobody_is_answered_from_anothers_memory() {
        let (cache, call) = (cache(), CallBudget::new(CallLimits::default()));
        let (mine, theirs, later) = (body("mine"), body("theirs"), body("after a 401"));
        ask(&cache, &call, key(1, 0), 200, &mine).await;
        assert_eq!(ask(&cache, &call, key(2, 0), 200, &theirs).await, theirs);
        assert_eq!(ask(&cache, &call, key(1, 1), 200, &later).await, later);
        assert_eq!(call.usage().cache_hits, 0);
    }

    #[tokio::test]
    async fn what_is_of_no_use_is_not_kept() {
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
    async fn every_way_to_say_that_all_is_well_is_kept() {
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

    #[tokio::test]
    async fn those_who_ask_together_wait_for_one_answer() {
        let (cache, call) = (cache(), CallBudget::new(CallLimits::default()));
        let (one, two) = (body("one"), body("two"));
        let slow = async || {
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(Response::new(one.clone().into()))
        };
        let first = cache.get(&call, key(1, 0), slow);
        let second = ask(&cache, &call, key(1, 0), 200, &two);
        let (first, second) = tokio::join!(first, second);
        assert_eq!((first.unwrap().into_body(), second), (one.clone().into(), one));
    }
}
