//! Health checks: liveness (`/healthz`), readiness (`/readyz`) and Prometheus metrics (`/metrics`, on an address of its own).

use std::sync::{Arc, atomic::Ordering};

use axum::{
    Router,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::{StatusCode, header};

use super::ServerState;
use crate::web::error::text_response;

/// Without the origin guard: probes call by address.
pub(super) fn routes(state: Arc<ServerState>) -> Router {
    Router::new()
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(state)
}

pub(super) fn metrics_routes(state: Arc<ServerState>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(state)
}

/// Whether Daktela can be reached is not asked: a restart would not help, and each caller has another one.
async fn healthz() -> Response {
    text_response(StatusCode::OK, "ok")
}

async fn readyz(State(state): State<Arc<ServerState>>) -> Response {
    if state.draining.load(Ordering::Acquire) {
        text_response(StatusCode::SERVICE_UNAVAILABLE, "shutting down")
    } else if state.metrics.has_stuck_calls() {
        text_response(
            StatusCode::SERVICE_UNAVAILABLE,
            "calls are stuck: they run longer than their time limit",
        )
    } else if state.oauth.as_ref().is_some_and(|oauth| oauth.is_store_unavailable()) {
        // No replica is better off, and callers with credentials of their own need one.
        text_response(
            StatusCode::OK,
            "ready, but Redis does not answer: OAuth is refused until it does",
        )
    } else {
        text_response(StatusCode::OK, "ready")
    }
}

async fn metrics(State(state): State<Arc<ServerState>>) -> Response {
    const TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    (
        [(header::CONTENT_TYPE, TYPE)],
        state.metrics.page(state.identities.count()),
    )
        .into_response()
}
