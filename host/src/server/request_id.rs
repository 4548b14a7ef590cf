//! Outermost layer: request id, client address, base URL, normalized path, the log of refusals, and headers of every response.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Extension,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, StatusCode, Uri, header, uri::PathAndQuery};

use super::{
    ServerState,
    connections::{Peer, RequestCounter},
};
use crate::web::{
    base_url::BaseUrl,
    body_guard,
    client_ip::{ClientIp, X_FORWARDED_FOR},
};

const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// A UUID with a prefix fits.
const REQUEST_ID_BYTES_MAX: usize = 64;

/// Two years: browsers use https for this host without being told each time.
const HSTS: HeaderValue = HeaderValue::from_static("max-age=63072000");

/// Stands in the response and in every line of the log that the request causes. A request extension.
#[derive(Clone)]
pub(super) struct RequestId(pub(super) Arc<str>);

pub(super) async fn outermost(
    State(state): State<Arc<ServerState>>,
    Extension(peer): Extension<Peer>,
    Extension(counter): Extension<RequestCounter>,
    mut request: Request,
    next: Next,
) -> Response {
    let in_flight = counter.begin();
    let settings = &state.settings;
    if settings.trusted_proxies == 0 && request.headers().contains_key(X_FORWARDED_FOR) {
        warn_of_proxy();
    }
    let id = request_id(request.headers().get(HEADER));
    let base = BaseUrl::of_request(settings.public_url.as_deref(), request.uri(), request.headers());
    let client = ClientIp::new(peer.0, settings.trusted_proxies, request.headers());
    let is_https = base.is_https();
    let path = request.uri().path().to_owned();
    if let Some(uri) = normalized(request.uri(), base.path()) {
        *request.uri_mut() = uri;
    }
    let extensions = request.extensions_mut();
    extensions.insert(RequestId(id.clone()));
    extensions.insert(base);
    extensions.insert(client);
    let mut response = next.run(request).await;
    state.metrics.answered(response.status());
    if is_refusal(response.status()) {
        tracing::info!(
            event = "refused",
            request_id = &*id,
            status = response.status().as_u16(),
            path = loggable(&path)
        );
    }
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(HEADER, value);
    }
    if is_https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HSTS);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // Responses are somebody's own, unless they say otherwise.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    body_guard::hold_until_sent(response, in_flight)
}

/// Without TRUSTED_PROXIES all clients behind a proxy share its address, and with it all limits by address.
fn warn_of_proxy() {
    static WARNED: AtomicBool = AtomicBool::new(false);
    if !WARNED.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            event = "proxy_not_trusted",
            reason = "requests come with X-Forwarded-For, and TRUSTED_PROXIES is not set: limits by address count all clients \
                      behind a reverse proxy as one. Set TRUSTED_PROXIES to the number of proxies, if there are any"
        );
    }
}

/// The path as it is routed: without the path of PUBLIC_URL, which proxies may strip or not, and without a slash at its end.
/// Well-known paths have both in their middle (RFC 8414, 3.1). `None` where nothing changes.
fn normalized(uri: &Uri, base_path: &str) -> Option<Uri> {
    let given = uri.path();
    let below = |path: &str| -> Option<String> {
        let rest = path.strip_prefix(base_path).filter(|_| !base_path.is_empty())?;
        (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
    };
    let well_known = || -> Option<String> {
        let (name, rest) = given.strip_prefix("/.well-known/")?.split_once('/')?;
        Some(format!("/.well-known/{name}{}", below(&format!("/{rest}"))?))
    };
    let path = below(given).or_else(well_known).unwrap_or_else(|| given.to_owned());
    let path = match path.strip_suffix('/').unwrap_or(&path) {
        "" => "/",
        path => path,
    };
    if path == given {
        return None;
    }
    let target = uri
        .query()
        .map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

/// Whether somebody was kept out; that there was nothing at an address is no news.
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

/// The load balancer's, where it is plain enough for a log.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_routed_without_the_base_and_the_last_slash() {
        for (base, given, expected) in [
            ("", "/mcp", "/mcp"),
            ("", "/mcp/", "/mcp"),
            ("", "/", "/"),
            ("", "/mcp/?a=/", "/mcp?a=/"),
            (
                "",
                "/.well-known/oauth-protected-resource/mcp/",
                "/.well-known/oauth-protected-resource/mcp",
            ),
            ("/d", "/d", "/"),
            ("/d", "/d/mcp/", "/mcp"),
            ("/d", "/mcp", "/mcp"),
            ("/d", "/dmcp", "/dmcp"),
            (
                "/d",
                "/.well-known/oauth-authorization-server/d",
                "/.well-known/oauth-authorization-server",
            ),
            (
                "/d",
                "/.well-known/oauth-protected-resource/d/mcp",
                "/.well-known/oauth-protected-resource/mcp",
            ),
            (
                "/d",
                "/d/.well-known/openid-configuration",
                "/.well-known/openid-configuration",
            ),
        ] {
            let uri: Uri = given.parse().unwrap();
            let routed = normalized(&uri, base).unwrap_or(uri);
            assert_eq!(routed.to_string(), expected, "{base} {given}");
        }
    }
}
