//! Host and Origin validation against DNS rebinding and cross-site requests (CSRF), and CORS for the pages that may call.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use super::ServerState;
use crate::{
    config::server::ServerSettings,
    web::{authority::Authority, base_url::BaseUrl, error::ApiError},
};

/// How long a browser may remember the answer to a preflight request.
const PREFLIGHT_AGE: Duration = Duration::from_secs(3600);

/// Refuses requests by another name than ours, and from pages that may not call.
pub(super) async fn check(
    State(state): State<Arc<ServerState>>,
    Extension(base): Extension<BaseUrl>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let refuse = |message: &'static str| {
        // The body is not read.
        Err(ApiError::new(StatusCode::FORBIDDEN, message).with_connection_close())
    };
    // DNS rebinding: a page's own host name resolves to us, so that the browser lets the page read our answers.
    let host = Authority::of_request(request.uri(), request.headers());
    if !host.is_some_and(|host| is_allowed_host(&host, &state.settings.hosts)) {
        return refuse("This server is not called by that name; its operator can add it to ALLOWED_HOSTS.");
    }
    if !is_allowed_origin(request.headers(), base.origin(), &state.settings.origins) {
        return refuse(
            "Web pages of that origin may not call this server; its operator can add it to ALLOWED_ORIGINS.",
        );
    }
    Ok(next.run(request).await)
}

fn is_allowed_host(host: &Authority, allowed: &[Authority]) -> bool {
    allowed.iter().any(|allowed| {
        allowed.host == host.host
            && (allowed.port.is_none() || allowed.port == host.port || allowed.port == Some(443) && host.port.is_none())
    })
}

/// No page at all, our own, or one that the operator named.
fn is_allowed_origin(headers: &HeaderMap, own: &str, allowed: &[String]) -> bool {
    let fits = |given: &str| given == own || allowed.iter().any(|origin| origin == given);
    let mut given = headers.get_all(header::ORIGIN).iter();
    given.all(|given| given.to_str().is_ok_and(fits))
}

/// With whatever headers: the revisions of MCP add to them, some with names of parameters.
pub(super) fn cors(settings: &ServerSettings) -> CorsLayer {
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
        let ours =
            ["mcp.example.com", "localhost", "[::1]", "other.example:8443"].map(|host| Authority::parse(host).unwrap());
        let fits = |uri: &str, hosts: &[&str]| {
            let given: Vec<_> = hosts.iter().map(|host| (header::HOST, *host)).collect();
            Authority::of_request(&uri.parse().unwrap(), &headers(&given))
                .is_some_and(|host| is_allowed_host(&host, &ours))
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
            is_allowed_origin(&headers(&given), "http://localhost:8080", &ours)
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
