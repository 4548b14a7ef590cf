//! The egress proxy against the demo instance: what leaves, with which credential, and what comes back.

mod login;
mod requests;

use std::{future::Future, time::Duration};

use daktela_demo::{Demo, Recorded};
use daktela_egress::{Cache, CacheSettings, CallBudget, CallLimits, Credential, Egress, EgressError, UpstreamResponse};
use daktela_http_client::{Client, Network};
use http::Request;

const TIMEOUT: Duration = Duration::from_secs(20);

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn token() -> Credential {
    Credential::Token(daktela_demo::TOKEN.to_owned().into())
}

fn password(password: &str) -> Credential {
    Credential::Login {
        username: daktela_demo::USERNAME.to_owned(),
        password: password.to_owned().into(),
    }
}

fn cache() -> Cache {
    Cache::new(CacheSettings {
        enabled: true,
        ttl: Duration::from_secs(60),
    })
}

fn egress(demo: &Demo, credential: Credential) -> Egress {
    Egress::new(demo.origin().parse().unwrap(), credential, Client::default(), cache())
}

fn new_call() -> CallBudget {
    call_of(TIMEOUT)
}

fn call_of(timeout: Duration) -> CallBudget {
    CallBudget::new(CallLimits {
        timeout,
        ..CallLimits::default()
    })
}

/// As the component asks for what changes all the time.
async fn ask(egress: &Egress, call: &CallBudget, path: &str) -> Result<UpstreamResponse, EgressError> {
    let request = Request::get(format!("{}{path}", egress.origin())).body(()).unwrap();
    egress.serve(call, request).await
}

/// As the component asks for reference data.
async fn ask_cached(egress: &Egress, call: &CallBudget, path: &str) -> Result<UpstreamResponse, EgressError> {
    ask_with(egress, call, path, "max-age=3600").await
}

/// As the component asks for reference data past the cache.
async fn ask_afresh(egress: &Egress, call: &CallBudget, path: &str) -> Result<UpstreamResponse, EgressError> {
    ask_with(egress, call, path, "no-cache").await
}

async fn ask_with(
    egress: &Egress,
    call: &CallBudget,
    path: &str,
    cache_control: &str,
) -> Result<UpstreamResponse, EgressError> {
    let request = Request::get(format!("{}{path}", egress.origin())).header("cache-control", cache_control);
    egress.serve(call, request.body(()).unwrap()).await
}

fn status(answer: Result<UpstreamResponse, EgressError>) -> Result<u16, EgressError> {
    answer.map(|answer| answer.status().as_u16())
}

fn header<'a>(request: &'a Recorded, name: &str) -> Option<&'a str> {
    request
        .headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// `METHOD path` of all that has come since the last look.
fn arrived(demo: &Demo) -> Vec<String> {
    demo.take_requests()
        .iter()
        .map(|request| format!("{} {}", request.method, request.path))
        .collect()
}

/// All of them, at the same time.
async fn futures<T>(all: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        for (future, done) in &mut all {
            if done.is_none()
                && let std::task::Poll::Ready(value) = future.as_mut().poll(context)
            {
                *done = Some(value);
            }
        }
        if all.iter().all(|(_, done)| done.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    all.into_iter().filter_map(|(_, done)| done).collect()
}
