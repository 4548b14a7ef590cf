//! An OAuth 2.0 authorization server of our own, for clients that know no other way, such as claude.ai: the user logs in
//! to Daktela on our page, and the client gets a token that is good here and nowhere else.
//!
//! ```text
//! client ── GET /authorize ──► page ── POST /authorize ──► Daktela's login ── code ──► client ── POST /token ──► tokens
//! ```
//!
//! Nothing is stored: client ids, codes and tokens are sealed documents ([`seal`]) that any replica opens. Only what must
//! not happen twice is remembered ([`memory`]).

mod authorize;
mod client;
mod document;
mod memory;
mod metadata;
mod page;
mod params;
mod register;
mod revoke;
mod seal;
mod token;

pub(crate) use memory::Away;
pub use memory::Redis;
pub use seal::{Sealer, WeakSecret};

use crate::{
    credentials::Domains,
    egress::{Client, Credential, Origin},
    http::App,
};
use axum::{
    Router,
    routing::{get, post},
};
use client::Clients;
use memory::Memory;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// There is one thing to allow: reading.
pub(crate) const SCOPE: &str = "daktela:read";

/// What an operator decides.
pub struct Settings {
    pub sealer: Sealer,
    /// Those whose documents may lie on a private network.
    pub client_hosts: Vec<String>,
    pub access_lifetime: Duration,
    /// How long a refresh token that was used is answered again, with the same successor.
    pub grace: Duration,
    /// Where replicas remember together.
    pub redis: Option<Redis>,
}

pub struct OAuth {
    sealer: Sealer,
    clients: Clients,
    memory: Memory,
    /// Daktela's login, as strangers reach it.
    upstream: Client,
    access_lifetime: Duration,
}

impl OAuth {
    pub fn new(settings: Settings, upstream: Client) -> Self {
        let Settings {
            sealer,
            client_hosts,
            access_lifetime,
            grace,
            redis,
        } = settings;
        Self {
            sealer,
            clients: Clients::new(upstream.network().clone(), client_hosts),
            memory: Memory::new(redis, grace),
            upstream,
            access_lifetime,
        }
    }

    /// Whose eyes a bearer token stands for. `None` for one that is over, revoked, meant for another server, or no token.
    pub(crate) async fn bearer(
        &self,
        token: &str,
        base: &str,
        domains: &Domains,
    ) -> Result<Option<(Origin, Credential)>, Away> {
        let access: Option<document::Access> = self.sealer.open(seal::Kind::Access, token);
        let Some(access) = access.filter(|access| access.expires > now() && access.audience == base) else {
            return Ok(None);
        };
        if self.memory.is_revoked(&access.family).await? {
            return Ok(None);
        }
        // An instance that is not served any longer is not served to old tokens either.
        let origin = domains.origin(&access.origin).ok();
        Ok(origin.map(|origin| (origin, Credential::Token(access.token.into()))))
    }

    /// Whether what was used cannot be looked up, so that nobody is let in.
    pub(crate) fn is_away(&self) -> bool {
        self.memory.is_away()
    }
}

/// What an unknown caller is told, and where to go from there.
pub(crate) fn challenge(base: &str, path: &str, token_was_given: bool) -> String {
    let error = if token_was_given {
        "error=\"invalid_token\", "
    } else {
        ""
    };
    format!(
        "Bearer {error}resource_metadata=\"{base}{}{path}\", scope=\"{SCOPE}\"",
        metadata::RESOURCE
    )
}

pub(crate) fn routes(app: Arc<App>) -> Router {
    let mut routes = Router::new()
        // At the root: some clients look for them nowhere else, whatever the metadata say.
        .route("/authorize", get(authorize::show).post(authorize::submit))
        .route("/token", post(token::issue))
        .route("/register", post(register::register))
        .route("/revoke", post(revoke::revoke))
        .route(page::STYLE_PATH, get(page::style))
        .route(metadata::RESOURCE, get(metadata::resource_root))
        .route(&format!("{}/mcp", metadata::RESOURCE), get(metadata::resource_mcp));
    for path in metadata::SERVER {
        routes = routes.route(path, get(metadata::server));
    }
    routes.with_state(app)
}

/// Seconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}
