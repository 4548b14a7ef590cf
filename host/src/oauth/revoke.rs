//! Revocation (RFC 7009): a client gives up a token, and with it all that came of the same login.

use super::{
    document::{Access, Refresh},
    seal::Kind,
    token::{AWAY, error, form},
};
use crate::http::App;
use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, StatusCode};
use std::sync::Arc;

/// Whoever holds a token may give it up, and a token that is none is as good as revoked.
pub(super) async fn revoke(State(app): State<Arc<App>>, headers: HeaderMap, given: Body) -> Response {
    let Some(oauth) = app.oauth.as_ref() else {
        return error(StatusCode::NOT_FOUND, "invalid_request", "OAuth is off.");
    };
    let params = match form(&headers, given).await {
        Ok(params) => params,
        Err(refused) => return *refused,
    };
    let Some(token) = params.get("token") else {
        return error(StatusCode::BAD_REQUEST, "invalid_request", "token is missing.");
    };
    let family = oauth
        .sealer
        .open::<Refresh>(Kind::Refresh, token)
        .map(|refresh| refresh.family)
        .or_else(|| {
            oauth
                .sealer
                .open::<Access>(Kind::Access, token)
                .map(|access| access.family)
        });
    if let Some(family) = family {
        if oauth.memory.revoke(&family).await.is_err() {
            return error(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", AWAY);
        }
        app.metrics.oauth("revoked");
    }
    StatusCode::OK.into_response()
}
