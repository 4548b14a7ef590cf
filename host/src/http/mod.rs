//! MCP for many: streamable HTTP without sessions, so that any replica can serve any request.
//!
//! ```text
//! connection ── time limits ──► outer: request id, count
//!                                 ├─ /healthz /readyz
//!                                 └─ door: Host, Origin
//!                                      ├─ room ──► OAuth: metadata, /authorize, /token, /register, /revoke
//!                                      └─ / and /mcp: endpoint: who asks? is it JSON-RPC? room ──► rmcp
//! ```

mod connections;
mod door;
mod endpoint;
pub(crate) mod guess;
mod held;
mod operations;
mod options;
mod refusal;
pub(crate) mod throttle;
mod whole;

pub use options::{Options, OptionsError, Settings, Transport};
pub(crate) use refusal::json_response;

use crate::{
    identity::{Identities, Identity},
    mcp::Server,
    oauth::{self, OAuth},
    telemetry::Metrics,
};
use axum::{Router, middleware};
use connections::Connections;
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService, session::never::NeverSessionManager,
};
use std::{
    future::Future,
    io,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use throttle::Throttle;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::sync::CancellationToken;

/// Eight times as many as run at once: the others wait for their turn, which is better than to be turned away.
const REQUESTS_AT_ONCE: u32 = 256;

/// Arguments of tools are short; the longest answers go the other way.
const BODY_BYTES: u32 = 64 * 1024;

/// A balancer looks this often whether a replica is ready, and must have seen that it is not before the door closes.
pub const DRAIN_DELAY: Duration = Duration::from_secs(3);

/// Everything that requests share.
pub struct App {
    pub settings: Settings,
    pub identities: Identities,
    pub metrics: Metrics,
    /// Serves whoever brings no credential: only ever the sample company, which is nobody's.
    pub anybody: Option<Arc<Identity>>,
    /// Where a secret is set.
    pub oauth: Option<OAuth>,
    pub(crate) throttle: Throttle,
    room: Arc<Semaphore>,
    draining: AtomicBool,
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Why the server is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// A person at a terminal, who does not want to wait.
    Now,
    /// A supervisor, whose balancer needs to notice first.
    Gently,
}

impl App {
    pub fn new(
        settings: Settings,
        identities: Identities,
        metrics: Metrics,
        anybody: Option<Arc<Identity>>,
        oauth: Option<OAuth>,
    ) -> Self {
        Self {
            room: Arc::new(Semaphore::new(settings.max_requests)),
            settings,
            identities,
            metrics,
            anybody,
            oauth,
            throttle: Throttle::default(),
            draining: AtomicBool::new(false),
        }
    }
}

impl App {
    /// How clients call us, as an origin. Derived from the request only where it comes from the same machine: elsewhere
    /// OAuth is off without PUBLIC_URL.
    pub(crate) fn base(&self, uri: &http::Uri, headers: &http::HeaderMap) -> String {
        self.settings.public_url.clone().unwrap_or_else(|| {
            let host = door::host(uri, headers);
            host.map_or_else(String::new, |host| format!("http://{host}"))
        })
    }
}

/// Serves until `stop`, then until the last answer is out.
pub async fn serve(
    app: Arc<App>,
    server: Server,
    listener: TcpListener,
    stop: impl Future<Output = Stop>,
) -> io::Result<()> {
    let calls = CancellationToken::new();
    let drain = server.drain();
    let router = router(&app, server, calls.clone());
    let connections = Connections::new(app.settings.trusted_proxies > 0, app.metrics.clone());
    let stop = async {
        if stop.await == Stop::Gently {
            app.draining.store(true, Ordering::Release);
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
    app.draining.store(true, Ordering::Release);
    if tokio::time::timeout(drain, connections.end()).await.is_err() {
        calls.cancel();
    }
    Ok(())
}

/// Serves `/metrics`, and nothing else, for as long as the program runs.
pub async fn serve_metrics(app: Arc<App>, listener: TcpListener) -> io::Result<()> {
    axum::serve(listener, operations::metrics_routes(app)).await
}

fn router(app: &Arc<App>, server: Server, calls: CancellationToken) -> Router {
    let mut config = StreamableHttpServerConfig::default()
        .with_legacy_session_mode(false)
        .with_json_response(true)
        .with_cancellation_token(calls)
        .with_max_request_body_bytes(app.settings.max_body_bytes)
        // The door has looked at both.
        .disable_allowed_hosts();
    config.sse_retry = None;
    let service = StreamableHttpService::new(
        move || Ok(server.clone()),
        Arc::new(NeverSessionManager::default()),
        config,
    );
    let inside = Router::new()
        // claude.ai calls no other path than /mcp; / is where the server in Python was.
        .route_service("/mcp", service.clone())
        .route_service("/", service)
        .layer(middleware::from_fn_with_state(app.clone(), endpoint::enter));
    let oauth = match app.oauth {
        Some(_) => oauth::routes(app.clone()).layer(middleware::from_fn_with_state(app.clone(), door::admit)),
        None => Router::new(),
    };
    Router::new()
        .merge(inside)
        .merge(oauth)
        .fallback(refusal::not_found)
        .layer(door::cors(&app.settings))
        .layer(middleware::from_fn_with_state(app.clone(), door::enter))
        .merge(operations::routes(app.clone()))
        .layer(middleware::from_fn_with_state(app.clone(), operations::outer))
}
