//! Metadata documents that clients read first: where to log in (RFC 9728), and how (RFC 8414).

use axum::{Extension, response::Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use url::Url;

use super::SCOPE;
use crate::web::{base_url::BaseUrl, error::json_response};

pub(super) const RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// Clients differ in where they look.
pub(super) const SERVER: [&str; 5] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/mcp",
    "/mcp/.well-known/openid-configuration",
];

pub(super) async fn get_resource_mcp(Extension(base): Extension<BaseUrl>) -> Response {
    resource(&base, "/mcp")
}

/// For clients that call the server at `/`.
pub(super) async fn get_resource_root(Extension(base): Extension<BaseUrl>) -> Response {
    resource(&base, "/")
}

fn resource(base: &BaseUrl, path: &str) -> Response {
    let base = base.as_str();
    public(&json!({
        "resource": format!("{base}{path}"),
        "resource_name": "Daktela",
        "authorization_servers": [base],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
    }))
}

pub(super) async fn get_server(Extension(base): Extension<BaseUrl>) -> Response {
    let base = base.as_str();
    public(&json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "registration_endpoint": format!("{base}/register"),
        "revocation_endpoint": format!("{base}/revoke"),
        "scopes_supported": [SCOPE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "client_id_metadata_document_supported": true,
        "authorization_response_iss_parameter_supported": true,
        "ui_locales_supported": ["cs", "en"],
    }))
}

fn public(body: &Value) -> Response {
    let mut response = json_response(StatusCode::OK, body);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    response
}

/// Whether a client means this server (RFC 8707). The two endpoints are one resource; a slash at the end is no difference, nor is
/// what URLs may write either way.
pub(super) fn is_this_server(resource: &str, base: &BaseUrl) -> bool {
    let (Ok(resource), Ok(base)) = (Url::parse(resource), Url::parse(base.as_str())) else {
        return false;
    };
    let plain = resource.query().is_none() && resource.fragment().is_none();
    let no_user = resource.username().is_empty() && resource.password().is_none();
    let path = resource.path().strip_prefix(base.path().trim_end_matches('/'));
    let path_fits = matches!(path, Some("" | "/" | "/mcp" | "/mcp/"));
    resource.origin() == base.origin() && path_fits && plain && no_user
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_ours_in_any_spelling_that_means_the_same() {
        let base = &BaseUrl::new("https://mcp.example.com");
        for resource in [
            "https://mcp.example.com",
            "https://mcp.example.com/",
            "https://mcp.example.com/mcp",
            "https://mcp.example.com/mcp/",
            "https://mcp.example.com:443/mcp",
            "HTTPS://MCP.Example.com/mcp",
        ] {
            assert!(is_this_server(resource, base), "{resource}");
        }
        for resource in [
            "",
            "mcp.example.com",
            "/mcp",
            "http://mcp.example.com/mcp",
            "https://mcp.example.com:8443/mcp",
            "https://mcp.example.com/MCP",
            "https://mcp.example.com/mcp/more",
            "https://mcp.example.com/mcp?x",
            "https://mcp.example.com/mcp#x",
            "https://u@mcp.example.com/mcp",
            "https://mcp.example.com.evil.example/mcp",
            "https://mcp.example.com@evil.example/mcp",
        ] {
            assert!(!is_this_server(resource, base), "{resource}");
        }
        assert!(is_this_server(
            "http://localhost:80/mcp",
            &BaseUrl::new("http://localhost")
        ));
        assert!(is_this_server(
            "http://LocalHost:8080/mcp",
            &BaseUrl::new("http://localhost:8080")
        ));
        let below = &BaseUrl::new("https://example.com/daktela");
        for resource in ["https://example.com/daktela", "https://example.com/daktela/mcp/"] {
            assert!(is_this_server(resource, below), "{resource}");
        }
        for resource in [
            "https://example.com/mcp",
            "https://example.com/daktelamcp",
            "https://example.com",
        ] {
            assert!(!is_this_server(resource, below), "{resource}");
        }
    }
}
