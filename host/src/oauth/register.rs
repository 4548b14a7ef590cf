//! Dynamic client registration (RFC 7591), for clients that have no metadata document. Nothing is stored: the id that a client
//! gets is its registration, sealed.

use std::sync::Arc;

use axum::{Extension, extract::State as Shared, response::Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::{
    SCOPE,
    claims::{ClientClaims, now},
    clients::display_name,
    error::OAuthError,
    redirect_uri::{REDIRECT_URI_BYTES_MAX, REDIRECT_URIS_BYTES_MAX, REDIRECT_URIS_MAX, are_registrable, fit_an_id},
    state::State,
};
use crate::{
    auth::sealed_token::TokenKind,
    web::{client_ip::ClientIp, error::json_response},
};

#[derive(Deserialize)]
struct Registration {
    redirect_uris: Vec<String>,
    client_name: Option<String>,
}

pub(super) async fn post_register(
    Shared(state): Shared<Arc<State>>,
    Extension(client): Extension<ClientIp>,
    body: Bytes,
) -> Result<Response, OAuthError> {
    state.page_rate.check(client.network())?;
    let registration: Registration = serde_json::from_slice(&body).map_err(|_| {
        OAuthError::new(
            StatusCode::BAD_REQUEST,
            "invalid_client_metadata",
            "Expected a JSON object with redirect_uris.",
        )
    })?;
    let uris = &registration.redirect_uris;
    if !are_registrable(uris) || !fit_an_id(uris) {
        let expected = format!(
            "redirect_uris: 1 to {REDIRECT_URIS_MAX} of https, http on localhost, or a scheme of the program's own; no fragment, no \
             user; at most {REDIRECT_URI_BYTES_MAX} bytes each and {REDIRECT_URIS_BYTES_MAX} together.",
        );
        return Err(OAuthError::new(
            StatusCode::BAD_REQUEST,
            "invalid_redirect_uri",
            expected,
        ));
    }
    if let Some(unknown) = uris.iter().find(|uri| state.known_hosts.refuses(uri)) {
        let known = format!(
            "redirect_uris: {} is at a host that this server's operator did not allow (OAUTH_KNOWN_CLIENTS).",
            display_name(Some(unknown))
        );
        return Err(OAuthError::new(StatusCode::BAD_REQUEST, "invalid_redirect_uri", known));
    }
    // Other metadata is not looked at: the answer says what the client gets, as the RFC has it.
    let claims = ClientClaims {
        name: display_name(registration.client_name.as_deref()),
        redirect_uris: registration.redirect_uris,
    };
    let id = state
        .sealer
        .seal(TokenKind::Client, &claims)
        .ok_or_else(OAuthError::no_random)?;
    state.metrics.oauth("registered");
    let mut response = json_response(
        StatusCode::CREATED,
        &json!({
            "client_id": id,
            "client_id_issued_at": now(),
            "client_name": claims.name,
            "redirect_uris": claims.redirect_uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": SCOPE,
        }),
    );
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
