//! Dynamic registration (RFC 7591), for clients that have no document of their own. Nothing is stored: the id that a
//! client gets is its registration, sealed.

use super::{
    client, document,
    seal::Kind,
    token::{body, error},
};
use crate::http::{App, Peer, json_response, throttle};
use axum::{Extension, body::Body, extract::State, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

/// Ten addresses of the longest kind, and what else clients like to tell.
const BODY_BYTES_MAX: usize = 16 * 1024;

#[derive(Deserialize)]
struct Registration {
    redirect_uris: Vec<String>,
    client_name: Option<String>,
}

pub(super) async fn register(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    given: Body,
) -> Response {
    let Some(oauth) = app.oauth.as_ref() else {
        return error(StatusCode::NOT_FOUND, "invalid_request", "OAuth is off.");
    };
    if let Err(too_many) = app.throttle.admits(throttle::address(&app, peer, &headers)) {
        let mut response = error(
            StatusCode::TOO_MANY_REQUESTS,
            "temporarily_unavailable",
            "Too many requests; come back in some minutes.",
        );
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, too_many.retry_after());
        return response;
    }
    let Some(given) = body(given, BODY_BYTES_MAX).await else {
        return error(
            StatusCode::PAYLOAD_TOO_LARGE,
            "invalid_client_metadata",
            "The registration is too long.",
        );
    };
    let Ok(registration) = serde_json::from_slice::<Registration>(&given) else {
        return error(
            StatusCode::BAD_REQUEST,
            "invalid_client_metadata",
            "Expected a JSON object with redirect_uris.",
        );
    };
    let uris = &registration.redirect_uris;
    if !client::redirects_fit(uris) || !client::fits_an_id(uris) {
        let expected = format!(
            "redirect_uris: 1 to {} of https, http on localhost, or a scheme of the program's own; no fragment, no user; \
             at most {} bytes each and {} together.",
            client::REDIRECTS_MAX,
            client::REDIRECT_BYTES_MAX,
            client::REDIRECTS_BYTES_MAX,
        );
        return error(StatusCode::BAD_REQUEST, "invalid_redirect_uri", &expected);
    }
    // What a client asks for beside it is not looked at: the answer says what it gets, as the RFC has it.
    let document = document::Client {
        name: client::name(registration.client_name.as_deref()),
        redirect_uris: registration.redirect_uris,
    };
    let Some(id) = oauth.sealer.seal(Kind::Client, &document) else {
        return error(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "The server has no random numbers to give; try again.",
        );
    };
    app.metrics.oauth("registered");
    let mut response = json_response(
        StatusCode::CREATED,
        &json!({
            "client_id": id,
            "client_id_issued_at": super::now(),
            "client_name": document.name,
            "redirect_uris": document.redirect_uris,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": super::SCOPE,
        }),
    );
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
