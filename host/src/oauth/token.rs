//! Token endpoint: exchanges codes for tokens (with PKCE), and rotates refresh tokens (refresh rotation).

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use http::{HeaderValue, StatusCode, header};
use ring::digest;
use secrecy::SecretString;
use serde_json::json;

use super::{
    SCOPE,
    claims::{
        AccessClaims, ClientClaims, CodeClaims, FAMILY_LIFETIME, REFRESH_LIFETIME, RefreshClaims, UpstreamGrant,
        UpstreamRenewal, now,
    },
    error::OAuthError,
    metadata,
    state::State,
    store::Generation,
};
use crate::{
    auth::sealed_token::TokenKind,
    egress::{self, LoginError, LoginGrant, Origin},
    limits::login_attempts,
    web::{
        base_url::BaseUrl,
        client_ip::ClientIp,
        params::{Params, ParamsError},
    },
};

/// Daktela's token is renewed before it ends, not after.
const MARGIN_SECONDS: u64 = 60;

/// RFC 7636.
const VERIFIER_BYTES: std::ops::RangeInclusive<usize> = 43..=128;

pub(super) async fn post_token(
    Shared(state): Shared<Arc<State>>,
    Extension(client_ip): Extension<ClientIp>,
    Extension(base): Extension<BaseUrl>,
    params: Result<Params, ParamsError>,
) -> Result<Response, OAuthError> {
    state.token_rate.check(client_ip.network())?;
    let params = params?;
    // Goes on when the client hangs up: Daktela's own refresh token may be spent by then, and the client asks again.
    let work = {
        let state = state.clone();
        async move { state.issue(&params, &base).await }
    };
    let issued = tokio::spawn(work)
        .await
        .unwrap_or_else(|_| Err(OAuthError::unavailable("The server failed; try again.")));
    match issued {
        Ok(body) => {
            state.metrics.oauth("token");
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (header::PRAGMA, HeaderValue::from_static("no-cache")),
            ];
            Ok((headers, Body::from(body)).into_response())
        }
        Err(error) => {
            state.metrics.oauth("token_refused");
            tracing::info!(event = "token_refused", reason = error.description());
            Err(error)
        }
    }
}

impl State {
    async fn issue(&self, params: &Params, base: &BaseUrl) -> Result<String, OAuthError> {
        match params.get("grant_type") {
            Some("authorization_code") => self.exchange_code(params, base).await,
            Some("refresh_token") => self.refresh(params, base).await,
            Some(_) => Err(OAuthError::new(
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                "grant_type is authorization_code or refresh_token.",
            )),
            None => Err(OAuthError::invalid_request("grant_type is missing.")),
        }
    }

    async fn exchange_code(&self, params: &Params, base: &BaseUrl) -> Result<String, OAuthError> {
        let code = required(params, "code", "code is missing.")?;
        let verifier = required(params, "code_verifier", "code_verifier is missing.")?;
        let client = self.client_fingerprint(params)?;
        let code: CodeClaims = self
            .sealer
            .open(TokenKind::Code, code)
            .ok_or_else(|| OAuthError::invalid_grant("The code is none of this server's."))?;
        if code.expires <= now() {
            return Err(OAuthError::invalid_grant("The code is over."));
        }
        if code.client != client {
            return Err(OAuthError::invalid_grant("The code was given to another client."));
        }
        // OAuth 2.1 leaves it out: PKCE binds the code to whoever asked for it.
        if params
            .get("redirect_uri")
            .is_some_and(|redirect_uri| redirect_uri != code.redirect_uri)
        {
            return Err(OAuthError::invalid_grant(
                "redirect_uri is not the one that the code was sent to.",
            ));
        }
        if !verifies(&code.challenge, verifier) {
            return Err(OAuthError::invalid_grant("code_verifier does not fit the challenge."));
        }
        check_target(params, &code.audience, base)?;
        if !self.store.use_code(&code.id).await? {
            // Two have it, and one of them is a thief; which one cannot be told.
            self.store.revoke(&code.id).await?;
            self.metrics.oauth("code_reused");
            tracing::warn!(event = "code_reused");
            return Err(OAuthError::invalid_grant(
                "The code was used before; what came of it is revoked.",
            ));
        }
        let refresh = RefreshClaims {
            family: code.id,
            generation: 0,
            client: code.client,
            audience: code.audience,
            origin: code.origin,
            username: code.username,
            renewal: code.grant.renewal,
            family_expires: now() + FAMILY_LIFETIME.as_secs(),
            expires: now() + REFRESH_LIFETIME.as_secs(),
        };
        self.token_response(&refresh, code.grant.token, code.grant.expires)
    }

    async fn refresh(&self, params: &Params, base: &BaseUrl) -> Result<String, OAuthError> {
        let token = required(params, "refresh_token", "refresh_token is missing.")?;
        let client = self.client_fingerprint(params)?;
        let refresh: RefreshClaims = self
            .sealer
            .open(TokenKind::Refresh, token)
            .ok_or_else(|| OAuthError::invalid_grant("The token is none of this server's."))?;
        if refresh.expires <= now() {
            return Err(OAuthError::invalid_grant("The token is expired; log in again."));
        }
        if refresh.client != client {
            return Err(OAuthError::invalid_grant("The token was given to another client."));
        }
        check_target(params, &refresh.audience, base)?;
        self.refresh_rate.check(refresh.family.clone())?;
        if self.store.is_revoked(&refresh.family).await? {
            return Err(OAuthError::invalid_grant("The token is revoked; log in anew."));
        }
        let generation = Generation {
            family: &refresh.family,
            number: refresh.generation,
        };
        let renewed = async {
            let grant = self.renew(&refresh).await?;
            let next = RefreshClaims {
                generation: refresh.generation + 1,
                renewal: grant.renewal,
                expires: (now() + REFRESH_LIFETIME.as_secs()).min(refresh.family_expires),
                ..refresh.clone()
            };
            self.token_response(&next, grant.token, grant.expires)
        };
        match self.store.rotate_once(&self.sealer, generation, renewed).await? {
            Some(answer) => Ok(answer),
            None => {
                self.store.revoke(&refresh.family).await?;
                self.metrics.oauth("refresh_reused");
                tracing::warn!(event = "refresh_reused");
                Err(OAuthError::invalid_grant(
                    "The token was used before; all that came of it is revoked. Log in anew.",
                ))
            }
        }
    }

    /// A new token of Daktela's, within the brute-force limits. What Daktela refuses for good ends the family, so that nobody
    /// tries an old password again and again.
    async fn renew(&self, refresh: &RefreshClaims) -> Result<UpstreamGrant, OAuthError> {
        let origin: Origin = self
            .allowed_domains
            .origin(&refresh.origin)
            .map_err(|_| OAuthError::invalid_grant("That Daktela is not served here any longer."))?;
        // Counted apart from guesses on the page and in headers, with which an attacker could keep the owner from refreshing.
        let account = match &refresh.renewal {
            UpstreamRenewal::Password(_) => {
                format!("{} renewal", login_attempts::account(&origin, &refresh.username))
            }
            UpstreamRenewal::Refresh(_) | UpstreamRenewal::Token(_) => format!("{origin} family {}", refresh.family),
        };
        let attempt = self.login_attempts.acquire_at_account(&account).await?;
        let granted = match &refresh.renewal {
            UpstreamRenewal::Token(token) => {
                let verified = egress::verify(&self.upstream, &origin, token).await;
                verified.map(|()| grant_from_api_token(token.clone()))
            }
            UpstreamRenewal::Refresh(token) => egress::renew(&self.upstream, &origin, token).await,
            UpstreamRenewal::Password(password) => {
                egress::log_in(&self.upstream, &origin, &refresh.username, password).await
            }
        };
        match granted {
            Ok(granted) => {
                attempt.succeed();
                // A renewal that brings no new refresh token leaves the old one good.
                Ok(upstream_grant(granted, refresh.renewal.clone()))
            }
            Err(LoginError::WrongPassword(_)) => {
                self.store.revoke(&refresh.family).await?;
                tracing::info!(event = "login_not_renewed", tenant = origin.host());
                Err(OAuthError::invalid_grant(
                    "Daktela does not renew the login; log in anew.",
                ))
            }
            Err(LoginError::Unclear(_)) => {
                attempt.unclear();
                Err(OAuthError::unavailable("Daktela does not answer; try again."))
            }
            Err(LoginError::Other(_)) => {
                attempt.release();
                Err(OAuthError::unavailable("Daktela does not answer; try again."))
            }
        }
    }

    fn token_response(
        &self,
        refresh: &RefreshClaims,
        token: SecretString,
        upstream_expires: u64,
    ) -> Result<String, OAuthError> {
        let now = now();
        let expires = (now + self.access_lifetime.as_secs())
            .min(upstream_expires.saturating_sub(MARGIN_SECONDS))
            .min(refresh.family_expires)
            .max(now + 1);
        let access = AccessClaims {
            origin: refresh.origin.clone(),
            token,
            audience: refresh.audience.clone(),
            family: refresh.family.clone(),
            expires,
        };
        let sealed = self
            .sealer
            .seal(TokenKind::Access, &access)
            .zip(self.sealer.seal(TokenKind::Refresh, refresh));
        let (access_token, refresh_token) = sealed.ok_or_else(OAuthError::no_random)?;
        // A tenth less than it is good for: clients renew silently before the end, and show a login page after it.
        let expires_in = (expires - now) * 9 / 10;
        Ok(json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": expires_in,
            "refresh_token": refresh_token,
            "scope": SCOPE,
        })
        .to_string())
    }

    /// Who the client says it is, as codes and tokens remember it.
    fn client_fingerprint(&self, params: &Params) -> Result<String, OAuthError> {
        let id = required(params, "client_id", "client_id is missing.")?;
        let is_document = id.starts_with("https://") || id.starts_with("http://");
        if is_document || self.sealer.open::<ClientClaims>(TokenKind::Client, id).is_some() {
            Ok(fingerprint(id))
        } else {
            // Tells a client that registered here to do so anew.
            Err(OAuthError::new(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "The client is not known here, or not any longer; register anew.",
            ))
        }
    }
}

fn required<'a>(params: &'a Params, name: &str, missing: &'static str) -> Result<&'a str, OAuthError> {
    params.get(name).ok_or_else(|| OAuthError::invalid_request(missing))
}

fn check_target(params: &Params, audience: &str, base: &BaseUrl) -> Result<(), OAuthError> {
    let is_named = params
        .all("resource")
        .all(|resource| metadata::is_this_server(resource, base));
    if is_named && audience == base.as_str() {
        Ok(())
    } else {
        Err(OAuthError::new(
            StatusCode::BAD_REQUEST,
            "invalid_target",
            "resource names another server.",
        ))
    }
}

/// An API token as a grant: there is nothing to renew it with, and no need.
pub(super) fn grant_from_api_token(token: SecretString) -> LoginGrant {
    LoginGrant {
        token,
        refresh: None,
        lifetime: REFRESH_LIFETIME,
    }
}

/// What is sealed of Daktela's grant. `before` serves on where there is nothing new.
pub(super) fn upstream_grant(granted: LoginGrant, before: UpstreamRenewal) -> UpstreamGrant {
    UpstreamGrant {
        token: granted.token,
        expires: now() + granted.lifetime.as_secs(),
        renewal: granted.refresh.map_or(before, UpstreamRenewal::Refresh),
    }
}

/// Ids of clients may be long.
pub(super) fn fingerprint(client_id: &str) -> String {
    BASE64.encode(digest::digest(&digest::SHA256, client_id.as_bytes()))
}

/// PKCE, S256. What is compared is known to whoever compares, so that the time it takes tells nothing.
fn verifies(challenge: &str, verifier: &str) -> bool {
    let plain = verifier
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    plain && VERIFIER_BYTES.contains(&verifier.len()) && fingerprint(verifier) == challenge
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verifier_fits_its_own_challenge() {
        // The example of RFC 7636.
        let (verifier, challenge) = (
            "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        );
        assert!(verifies(challenge, verifier));
        assert!(!verifies(challenge, &verifier.replace('d', "e")));
        assert!(!verifies(challenge, challenge));
        assert!(!verifies("", "") && !verifies(&fingerprint("short"), "short"));
        assert!(!verifies(&fingerprint(&"ž".repeat(43)), &"ž".repeat(43)));
    }
}
