//! What clients read first: where to log in (RFC 9728), and how (RFC 8414).

use super::SCOPE;
use crate::http::{App, json_response};
use axum::{
    extract::{Request, State},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) const RESOURCE: &str = "/.well-known/oauth-protected-resource";

/// Clients differ in where they look.
pub(super) const SERVER: [&str; 5] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/oauth-authorization-server/mcp",
    "/.well-known/openid-configuration",
    "/.well-known/openid-configuration/mcp",
    "/mcp/.well-known/openid-configuration",
];

pub(super) async fn resource_mcp(State(app): State<Arc<App>>, request: Request) -> Response {
    resource(&app, &request, "/mcp")
}

/// For those who serve themselves at `/`.
pub(super) async fn resource_root(State(app): State<Arc<App>>, request: Request) -> Response {
    resource(&app, &request, "/")
}

fn resource(app: &App, request: &Request, path: &str) -> Response {
    let base = app.base(request.uri(), request.headers());
    public(&json!({
        "resource": format!("{base}{path}"),
        "resource_name": "Daktela",
        "authorization_servers": [base],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
    }))
}

pub(super) async fn server(State(app): State<Arc<App>>, request: Request) -> Response {
    let base = app.base(request.uri(), request.headers());
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

/// Whether a client means this server (RFC 8707). The two endpoints are one resource; a slash at the end is no difference.
pub(super) fn is_ours(resource: &str, base: &str) -> bool {
    let rest = resource.strip_prefix(base).unwrap_or("elsewhere");
    matches!(rest, "" | "/" | "/mcp" | "/mcp/")
}
