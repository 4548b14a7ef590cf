//! For whoever runs the server: is it alive, is it ready, what does it do, and which request was that.

use super::{App, connections::Traffic, held, refusal};
use axum::{
    Extension, Router,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::sync::{Arc, atomic::Ordering};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A UUID with a prefix fits.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Stands in the answer and in every line of the log that the request causes.
#[derive(Clone)]
pub(crate) struct RequestId(pub(crate) Arc<str>);

/// Without the door: probes and collectors call by address.
pub(super) fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/healthz", get(healthy))
        .route("/readyz", get(ready))
        .with_state(app)
}

/// On an address of its own.
pub(super) fn metrics_routes(app: Arc<App>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(app)
}

/// Whether Daktela can be reached is not asked: a restart would not help, and each caller has another one.
async fn healthy() -> Response {
    refusal::text(StatusCode::OK, "ok")
}

async fn ready(State(app): State<Arc<App>>) -> Response {
    if app.draining.load(Ordering::Acquire) {
        refusal::text(StatusCode::SERVICE_UNAVAILABLE, "shutting down")
    } else if app.oauth.as_ref().is_some_and(|oauth| oauth.is_away()) {
        // No replica is better off, and callers with credentials of their own need one.
        refusal::text(
            StatusCode::OK,
            "ready, but Redis does not answer: OAuth is refused until it does",
        )
    } else {
        refusal::text(StatusCode::OK, "ready")
    }
}

async fn metrics(State(app): State<Arc<App>>) -> Response {
    const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, TYPE)], app.metrics.page(app.identities.count())).into_response()
}

pub(super) async fn outer(
    State(app): State<Arc<App>>,
    Extension(traffic): Extension<Traffic>,
    mut request: Request,
    next: Next,
) -> Response {
    let under_way = traffic.begin();
    let id = request_id(request.headers().get(HEADER));
    request.extensions_mut().insert(RequestId(id.clone()));
    let path = request.uri().path().to_owned();
    let mut response = next.run(request).await;
    app.metrics.answered(response.status());
    if is_refusal(response.status()) {
        tracing::info!(
            event = "refused",
            request_id = &*id,
            status = response.status().as_u16(),
            path = loggable(&path)
        );
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(HEADER, value);
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Answers are somebody's own, unless they say otherwise.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    held::until_sent(response, under_way)
}

/// Who was kept out; that there was nothing at an address is no news.
fn is_refusal(status: StatusCode) -> bool {
    status.is_client_error() && status != StatusCode::NOT_FOUND || status == StatusCode::SERVICE_UNAVAILABLE
}

fn loggable(path: &str) -> &str {
    const PATH_BYTES_MAX: usize = 64;
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    if plain && path.len() <= PATH_BYTES_MAX {
        path
    } else {
        "(another)"
    }
}

/// The balancer's, where it is plain enough for a log.
fn request_id(given: Option<&HeaderValue>) -> Arc<str> {
    let plain = |text: &&str| {
        (1..=REQUEST_ID_BYTES_MAX).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    match given.and_then(|value| value.to_str().ok()).filter(plain) {
        Some(text) => text.into(),
        None => format!("{:016x}", fastrand::u64(..)).into(),
    }
}
