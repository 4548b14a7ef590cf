//! Token revocation (RFC 7009): a client gives up a token, and with it all that came of the same login.

use std::sync::Arc;

use axum::{Extension, extract::State as Shared};
use http::StatusCode;

use super::{
    claims::{AccessClaims, RefreshClaims},
    error::OAuthError,
    state::State,
};
use crate::{
    auth::sealed_token::TokenKind,
    web::{
        client_ip::ClientIp,
        params::{Params, ParamsError},
    },
};

/// Whoever holds a token may revoke it, and a token that is none is as good as revoked.
pub(super) async fn post_revoke(
    Shared(state): Shared<Arc<State>>,
    Extension(client): Extension<ClientIp>,
    params: Result<Params, ParamsError>,
) -> Result<StatusCode, OAuthError> {
    state.token_rate.check(client.network())?;
    let params = params?;
    let token = params
        .get("token")
        .ok_or_else(|| OAuthError::invalid_request("token is missing."))?;
    let refresh: Option<RefreshClaims> = state.sealer.open(TokenKind::Refresh, token);
    let access = || -> Option<AccessClaims> { state.sealer.open(TokenKind::Access, token) };
    let family = refresh
        .map(|refresh| refresh.family)
        .or_else(|| access().map(|access| access.family));
    if let Some(family) = family {
        state.store.revoke(&family).await?;
        state.metrics.oauth("revoked");
    }
    Ok(StatusCode::OK)
}
