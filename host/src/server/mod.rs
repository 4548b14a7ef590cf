//! Multi-user streamable HTTP server, without sessions, so that any replica can serve any request; graceful shutdown.
//!
//! ```text
//! connection ── time-outs, limits ──► request_id: request id, client address, base URL, count
//!                                       ├─ health: /healthz /readyz
//!                                       └─ origin_guard: Host, Origin
//!                                            ├─ oauth: metadata, /authorize, /token, /register, /revoke
//!                                            └─ mcp_endpoint: / and /mcp ──► rmcp
//! ```

mod batch;
mod connections;
mod health;
mod mcp_endpoint;
mod oauth_endpoints;
mod origin_guard;
mod request_id;

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{Router, middleware, response::Response};
use http::StatusCode;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use tokio::{net::TcpListener, sync::OnceCell, sync::Semaphore};
use tokio_util::sync::CancellationToken;

use crate::{
    auth::{Identities, Identity, IdentityHash, login_guard::LoginGuard},
    config::server::ServerSettings,
    limits::{
        concurrency::{InUse, KeyedConcurrencyLimit},
        login_attempts::LoginAttempts,
        unverified::UnverifiedLimit,
    },
    mcp::Server,
    oauth,
    telemetry::Metrics,
    web::error::text_response,
};
use connections::Connections;

/// Drain delay: time for the load balancer to see `/readyz` fail before the port closes.
pub const DRAIN_DELAY: Duration = Duration::from_secs(3);

/// Requests of one identity at a time; more of them wait. Keeps one caller from using up the limit of all.
const REQUESTS_PER_IDENTITY: usize = 16;

/// What requests share.
pub struct ServerState {
    pub settings: ServerSettings,
    pub identities: Identities,
    pub metrics: Metrics,
    /// Serves callers without a credential: only ever the sample company, which is nobody's.
    pub anonymous_identity: Option<Arc<Identity>>,
    /// Where a secret is set.
    oauth: Option<Arc<oauth::State>>,
    login_guard: LoginGuard,
    unverified: UnverifiedLimit,
    per_identity: KeyedConcurrencyLimit<IdentityHash>,
    /// All requests.
    concurrency: Arc<Semaphore>,
    /// Looks under way at whether Daktela still refuses a token.
    refusal_checks: InUse<IdentityHash, OnceCell<bool>>,
    draining: AtomicBool,
}

/// Why the server is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Asked for at a terminal: at once.
    Immediate,
    /// Asked for by a supervisor: after [`DRAIN_DELAY`].
    Graceful,
}

impl ServerState {
    /// `max_concurrent_calls` is how many calls the sandbox runs at a time. Belongs into the runtime.
    pub fn new(
        settings: ServerSettings,
        identities: Identities,
        metrics: Metrics,
        anonymous_identity: Option<Arc<Identity>>,
        oauth: Option<oauth::Settings>,
        max_concurrent_calls: usize,
    ) -> Self {
        let login_attempts = Arc::new(LoginAttempts::default());
        let oauth = oauth.map(|oauth| {
            Arc::new(oauth::State::new(
                oauth,
                identities.client().clone(),
                settings.domains.clone(),
                login_attempts.clone(),
                metrics.clone(),
            ))
        });
        Self {
            concurrency: Arc::new(Semaphore::new(settings.max_requests)),
            settings,
            identities,
            metrics,
            anonymous_identity,
            oauth,
            login_guard: LoginGuard::new(login_attempts),
            unverified: UnverifiedLimit::new(max_concurrent_calls),
            per_identity: KeyedConcurrencyLimit::new(REQUESTS_PER_IDENTITY),
            refusal_checks: InUse::default(),
            draining: AtomicBool::new(false),
        }
    }
}

/// Serves until `stop`, then until the last response is sent, for as long as a call may take.
pub async fn serve(
    state: Arc<ServerState>,
    server: Server,
    listener: TcpListener,
    stop: impl Future<Output = Shutdown>,
) -> io::Result<()> {
    let calls = CancellationToken::new();
    let drain = server.drain();
    let router = router(&state, server, calls.clone());
    let connections = Connections::new(state.settings.trusted_proxies > 0, state.metrics.clone());
    let stop = async {
        if stop.await == Shutdown::Graceful {
            state.draining.store(true, Ordering::Release);
            tokio::time::sleep(DRAIN_DELAY).await;
        }
    };
    tokio::pin!(stop);
    loop {
        tokio::select! {
            () = &mut stop => break,
            accepted = connections.accept(&listener) => connections.serve(accepted, router.clone()),
        }
    }
    drop(listener);
    state.draining.store(true, Ordering::Release);
    if tokio::time::timeout(drain, connections.end()).await.is_err() {
        calls.cancel();
    }
    Ok(())
}

/// Serves `/metrics`, and nothing else, for as long as the program runs.
pub async fn serve_metrics(state: Arc<ServerState>, listener: TcpListener) -> io::Result<()> {
    axum::serve(listener, health::metrics_routes(state)).await
}

fn router(state: &Arc<ServerState>, server: Server, calls: CancellationToken) -> Router {
    let mut config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_cancellation_token(calls)
        .with_max_request_body_bytes(state.settings.max_body_bytes)
        // The origin guard has looked at it.
        .disable_allowed_hosts();
    config.sse_retry = None;
    let service = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let mcp = Router::new()
        // claude.ai calls no other path than /mcp; / is where the server in Python was.
        .route_service("/mcp", service.clone())
        .route_service("/", service);
    let oauth = match &state.oauth {
        Some(oauth) => oauth_endpoints::limited(oauth::routes(oauth.clone())),
        None => Router::new(),
    };
    let routes = Router::new()
        .merge(mcp_endpoint::guarded(mcp, state))
        .merge(oauth)
        .fallback(not_found)
        .layer(origin_guard::cors(&state.settings))
        .layer(middleware::from_fn_with_state(state.clone(), origin_guard::check))
        .merge(health::routes(state.clone()));
    // The path is normalized before it is routed.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn_with_state(state.clone(), request_id::outermost))
}

async fn not_found() -> Response {
    text_response(StatusCode::NOT_FOUND, "There is nothing here; MCP is at /mcp.")
}
