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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::body::to_bytes;
    use clap::Parser;

    use super::*;
    use crate::{
        auth::Identities,
        config::server::ServerOptions,
        egress::{Cache, CacheSettings, Client, Network},
        telemetry::Metrics,
    };

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: ServerOptions,
    }

    fn state(time_max: Duration) -> Arc<ServerState> {
        let settings = Program::parse_from(["program"]).options.settings().unwrap();
        let client = Client::public_only(Network::default(), Vec::new());
        let cache = CacheSettings {
            enabled: false,
            ttl: Duration::ZERO,
        };
        let identities = Identities::new(&[0; 32], client, Cache::new(cache));
        let metrics = Metrics::new(time_max);
        Arc::new(ServerState::new(settings, identities, metrics, None, None, 8))
    }

    async fn asked(state: &Arc<ServerState>) -> (StatusCode, String) {
        let response = readyz(State(state.clone())).await;
        let status = response.status();
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_server_with_a_stuck_call_is_not_ready() {
        let state = state(Duration::from_millis(50));
        let ready = (StatusCode::OK, "ready\n".to_owned());
        assert_eq!(asked(&state).await, ready);
        let _call = state.metrics.begin();
        assert_eq!(asked(&state).await, ready);
        tokio::time::sleep(Duration::from_millis(80)).await;
        let (status, text) = asked(&state).await;
        assert!(
            status == StatusCode::SERVICE_UNAVAILABLE && text.starts_with("calls are stuck"),
            "{status} {text}"
        );
    }
}
