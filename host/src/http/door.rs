//! Who may come in at all: by a name that is ours, from no page that is not; and whether there is room.

use super::{
    App, Settings, held,
    options::{Authority, authority},
    refusal, whole,
};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::sync::OwnedSemaphorePermit;
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// How long a browser may remember that it may ask.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

pub(super) async fn enter(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let refuse = |status, message: &str| refusal::unread(refusal::rpc(status, refusal::REFUSED, message, &Value::Null));
    match host(request.uri(), request.headers()) {
        Some(host) if is_ours(&host, &app.settings.hosts) => {}
        // A page whose name was made to point here reads our answers as its own.
        _ => {
            return refuse(
                StatusCode::FORBIDDEN,
                "This server is not called by that name; its operator can add it to ALLOWED_HOSTS.",
            );
        }
    }
    let own = app.base(request.uri(), request.headers());
    if !origin_fits(request.headers(), &own, &app.settings.origins) {
        return refuse(
            StatusCode::FORBIDDEN,
            "Web pages of that origin may not call this server; its operator can add it to ALLOWED_ORIGINS.",
        );
    }
    next.run(request).await
}

/// For what is not MCP. The body comes first: whoever sends it slowly holds a connection, but no room.
pub(super) async fn admit(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = match whole::read(body, super::BODY_BYTES as usize).await {
        Ok(body) => Body::from(body),
        Err((status, message)) => return refusal::unread(refusal::text(status, &message)),
    };
    match room(&app) {
        Ok(room) => held::until_sent(next.run(Request::from_parts(parts, body)).await, room),
        Err(refused) => *refused,
    }
}

/// A place among the requests that are served at the same time.
pub(super) fn room(app: &App) -> Result<OwnedSemaphorePermit, Box<Response>> {
    app.room.clone().try_acquire_owned().map_err(|_| {
        let message = "Too many requests at the same time; try again.";
        let refused = refusal::rpc(StatusCode::SERVICE_UNAVAILABLE, refusal::REFUSED, message, &Value::Null);
        Box::new(refusal::later(refused))
    })
}

/// The one name that a request calls us by.
pub(super) fn host(uri: &Uri, headers: &HeaderMap) -> Option<Authority> {
    let mut given = headers.get_all(header::HOST).iter();
    let host = authority(given.next()?.to_str().ok()?)?;
    if given.next().is_some() {
        return None;
    }
    // A target in absolute form has a say, too.
    match uri.authority() {
        Some(other) if authority(other.as_str()).as_ref() != Some(&host) => None,
        _ => Some(host),
    }
}

fn is_ours(host: &Authority, ours: &[Authority]) -> bool {
    ours.iter().any(|our| {
        our.host == host.host
            && (our.port.is_none() || our.port == host.port || our.port == Some(443) && host.port.is_none())
    })
}

/// No page at all, our own, or one that the operator named.
fn origin_fits(headers: &HeaderMap, own: &str, origins: &[String]) -> bool {
    let fits = |given: &str| given == own || origins.iter().any(|origin| origin == given);
    let mut given = headers.get_all(header::ORIGIN).iter();
    given.all(|given| given.to_str().is_ok_and(fits))
}

/// For the pages that may ask, with whatever headers: the revisions of MCP add to them, some with names of parameters.
pub(super) fn cors(settings: &Settings) -> CorsLayer {
    let origins = settings
        .origins
        .iter()
        .filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::WWW_AUTHENTICATE, HeaderName::from_static("x-request-id")])
        .max_age(PREFLIGHT_AGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_request_has_one_name_for_us() {
        let ours = ["mcp.example.com", "localhost", "[::1]", "other.example:8443"].map(|host| authority(host).unwrap());
        let fits = |uri: &str, hosts: &[&str]| {
            let given: Vec<_> = hosts.iter().map(|host| (header::HOST, *host)).collect();
            host(&uri.parse().unwrap(), &headers(&given)).is_some_and(|host| is_ours(&host, &ours))
        };
        for name in [
            "mcp.example.com",
            "MCP.example.com",
            "mcp.example.com:443",
            "localhost:8080",
            "[::1]:80",
            "other.example:8443",
        ] {
            assert!(fits("/mcp", &[name]), "{name}");
        }
        for name in [
            "evil.example",
            "mcp.example.com.evil.example",
            "evil.example#mcp.example.com",
            "u@localhost",
            "",
            "other.example:80",
            "localhost.",
        ] {
            assert!(!fits("/mcp", &[name]), "{name}");
        }
        assert!(!fits("/mcp", &[]));
        assert!(!fits("/mcp", &["localhost", "localhost"]));
        assert!(!fits("http://evil.example/mcp", &["localhost"]));
    }

    #[test]
    fn a_page_is_named_or_kept_out() {
        let ours = ["https://app.example.com".to_owned()];
        let fits = |origins: &[&str]| {
            let given: Vec<_> = origins.iter().map(|origin| (header::ORIGIN, *origin)).collect();
            origin_fits(&headers(&given), "http://localhost:8080", &ours)
        };
        assert!(fits(&[]) && fits(&["https://app.example.com"]) && fits(&["http://localhost:8080"]));
        for origin in [
            "https://evil.example",
            "null",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "",
        ] {
            assert!(!fits(&[origin]), "{origin}");
        }
        assert!(!fits(&["https://app.example.com", "https://evil.example"]));
    }
}
