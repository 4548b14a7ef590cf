//! OAuth 2.1 authorization server, for clients that know no other way, such as claude.ai: the user logs in to Daktela on our
//! page, and the client gets a token that is good for this server alone.
//!
//! ```text
//! client ── GET /authorize ──► page ── POST /authorize ──► Daktela's login ── code ──► client ── POST /token ──► tokens
//! ```
//!
//! Client ids, codes and tokens are sealed tokens ([`crate::auth::sealed_token`]) that any replica opens. Only what must not
//! happen twice is stored ([`store`]).

mod authorize;
mod claims;
mod clients;
mod error;
mod login_page;
mod metadata;
mod redirect_uri;
mod register;
mod revoke;
mod state;
mod store;
mod token;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

pub use state::Settings;
pub(crate) use state::State;
pub(crate) use store::StoreUnavailable;
pub use store::{Journal, JournalError, Redis, StoreSettings};

use crate::web::base_url::BaseUrl;

/// The one scope: reading.
pub(crate) const SCOPE: &str = "daktela:read";

/// `WWW-Authenticate` of a 401: where a client finds out how to log in (RFC 9728). `path` is the one that was called.
pub(crate) fn challenge(base: &BaseUrl, path: &str, token_was_given: bool) -> String {
    let error = if token_was_given {
        "error=\"invalid_token\", "
    } else {
        ""
    };
    let path = if path == "/mcp" { path } else { "" };
    format!(
        "Bearer {error}resource_metadata=\"{}{}{path}\", scope=\"{SCOPE}\"",
        base.as_str(),
        metadata::RESOURCE
    )
}

/// Needs request extensions: [`BaseUrl`] and [`crate::web::client_ip::ClientIp`].
pub(crate) fn routes(state: Arc<State>) -> Router {
    let mut routes = Router::new()
        // At the root: some clients look for them nowhere else, whatever the metadata say.
        .route(
            "/authorize",
            get(authorize::get_authorize).post(authorize::post_authorize),
        )
        .route("/token", post(token::post_token))
        .route("/register", post(register::post_register))
        .route("/revoke", post(revoke::post_revoke))
        .route(login_page::STYLE_PATH, get(login_page::get_style))
        .route(metadata::RESOURCE, get(metadata::get_resource_root))
        .route(&format!("{}/mcp", metadata::RESOURCE), get(metadata::get_resource_mcp));
    for path in metadata::SERVER {
        routes = routes.route(path, get(metadata::get_server));
    }
    routes.with_state(state)
}
