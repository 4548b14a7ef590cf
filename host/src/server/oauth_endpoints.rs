//! Limits of the OAuth endpoints: body size, and requests at a time, in all and per network. Apart from those of MCP, so that
//! neither can use up the other's.

use std::{net::IpAddr, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    limits::concurrency::KeyedConcurrencyLimit,
    web::{
        body, body_guard,
        client_ip::ClientIp,
        error::{ApiError, text_response},
    },
};

/// A registration of ten redirect addresses, or a client id, a code and a verifier.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// A login waits for Daktela; all else takes milliseconds.
const CONCURRENT_MAX: usize = 64;

/// Requests of one network. An office, or the servers of an AI vendor, log in many people at once.
const CONCURRENT_PER_NETWORK: usize = 32;

const WAIT_MAX: Duration = Duration::from_secs(10);

struct Limits {
    total: Arc<Semaphore>,
    per_network: KeyedConcurrencyLimit<IpAddr>,
}

pub(super) fn limited(routes: Router) -> Router {
    let limits = Arc::new(Limits {
        total: Arc::new(Semaphore::new(CONCURRENT_MAX)),
        per_network: KeyedConcurrencyLimit::new(CONCURRENT_PER_NETWORK),
    });
    routes.layer(middleware::from_fn_with_state(limits, admit))
}

/// Reads the body first: a client that sends it slowly holds a connection, and no permit.
async fn admit(
    State(limits): State<Arc<Limits>>,
    Extension(client): Extension<ClientIp>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let body = match body::read(body, BODY_BYTES_MAX).await {
        Ok(body) => Body::from(body),
        Err(error) => {
            let mut response = text_response(error.status(), &error.to_string());
            response
                .headers_mut()
                .insert(http::header::CONNECTION, http::HeaderValue::from_static("close"));
            return response;
        }
    };
    let permits = async {
        let own = limits.per_network.acquire(client.network(), WAIT_MAX).await?;
        let total = timeout(WAIT_MAX, limits.total.clone().acquire_owned())
            .await
            .ok()?
            .ok()?;
        Some((own, total))
    };
    match permits.await {
        Some(permits) => {
            let response = next.run(Request::from_parts(parts, body)).await;
            body_guard::hold_until_sent(response, permits)
        }
        None => ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many requests at the same time; try again.",
        )
        .with_retry_after(Duration::from_secs(1))
        .into_response(),
    }
}
