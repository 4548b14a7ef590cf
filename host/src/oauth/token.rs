//! Codes and refresh tokens for tokens.

use super::{
    OAuth,
    document::{Access, Code, Grant, Refresh, Renewal},
    memory::{Away, REFRESH_LIFETIME},
    metadata,
    params::Params,
    seal::Kind,
};
use crate::{
    egress::{self, LoginError, Origin},
    http::{App, json_response},
};
use axum::{body::Body, extract::State, response::Response};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use ring::digest;
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// A client id, a code and a verifier.
pub(super) const FORM_BYTES_MAX: usize = 64 * 1024;
const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// Daktela's token is renewed before it ends, not after.
const MARGIN_SECONDS: u64 = 60;

/// RFC 7636.
const VERIFIER_BYTES: std::ops::RangeInclusive<usize> = 43..=128;

pub(super) async fn issue(State(app): State<Arc<App>>, uri: Uri, headers: HeaderMap, given: Body) -> Response {
    if app.oauth.is_none() {
        return error(StatusCode::NOT_FOUND, "invalid_request", "OAuth is off.");
    }
    let params = match form(&headers, given).await {
        Ok(params) => params,
        Err(refused) => return *refused,
    };
    let base = app.base(&uri, &headers);
    // Goes on when the client hangs up: Daktela's own refresh token may be spent by then, and the client asks again.
    let work = {
        let app = app.clone();
        async move { grant_type(&app, &params, &base).await }
    };
    let issued = tokio::spawn(work)
        .await
        .unwrap_or(Err(Refused::Unavailable("The server failed; try again.")));
    match issued {
        Ok(body) => {
            app.metrics.oauth("token");
            let mut response = Response::new(Body::from(body));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
            response
        }
        Err(refused) => {
            app.metrics.oauth("token_refused");
            tracing::info!(event = "token_refused", reason = refused.description());
            refused.response()
        }
    }
}

async fn grant_type(app: &App, params: &Params, base: &str) -> Result<String, Refused> {
    let oauth = app.oauth.as_ref().ok_or(Refused::UnsupportedGrant)?;
    match params.get("grant_type") {
        Some("authorization_code") => oauth.redeem(app, params, base).await,
        Some("refresh_token") => oauth.rotate(app, params, base).await,
        Some(_) => Err(Refused::UnsupportedGrant),
        None => Err(Refused::Request("grant_type is missing.")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    Request(&'static str),
    /// Tells a client that registered here to do so anew.
    Client,
    Grant(&'static str),
    Target,
    UnsupportedGrant,
    /// Nothing is wrong with the request.
    Unavailable(&'static str),
}

impl From<Away> for Refused {
    fn from(Away: Away) -> Self {
        Self::Unavailable(AWAY)
    }
}

impl Refused {
    fn description(self) -> &'static str {
        match self {
            Self::Request(text) | Self::Grant(text) | Self::Unavailable(text) => text,
            Self::Client => "The client is not known here, or not any longer; register anew.",
            Self::Target => "resource names another server.",
            Self::UnsupportedGrant => "grant_type is authorization_code or refresh_token.",
        }
    }

    fn response(self) -> Response {
        let (status, code) = match self {
            Self::Request(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::Client => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::Grant(_) => (StatusCode::BAD_REQUEST, "invalid_grant"),
            Self::Target => (StatusCode::BAD_REQUEST, "invalid_target"),
            Self::UnsupportedGrant => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        };
        error(status, code, self.description())
    }
}

impl OAuth {
    async fn redeem(&self, app: &App, params: &Params, base: &str) -> Result<String, Refused> {
        let code = params.get("code").ok_or(Refused::Request("code is missing."))?;
        let verifier = params
            .get("code_verifier")
            .ok_or(Refused::Request("code_verifier is missing."))?;
        let redirect_uri = params
            .get("redirect_uri")
            .ok_or(Refused::Request("redirect_uri is missing."))?;
        let client = self.client(params)?;
        let code: Code = self
            .sealer
            .open(Kind::Code, code)
            .ok_or(Refused::Grant("The code is none of this server's."))?;
        if code.expires <= super::now() {
            return Err(Refused::Grant("The code is over."));
        }
        if code.client != client {
            return Err(Refused::Grant("The code was given to another client."));
        }
        if code.redirect_uri != redirect_uri {
            return Err(Refused::Grant("redirect_uri is not the one that the code was sent to."));
        }
        if !verifies(&code.challenge, verifier) {
            return Err(Refused::Grant("code_verifier does not fit the challenge."));
        }
        self.target(params, &code.audience, base)?;
        if !self.memory.use_code(&code.id).await? {
            // Two have it, and one of them is a thief; which one cannot be told.
            self.memory.revoke(&code.id).await?;
            app.metrics.oauth("code_reused");
            tracing::warn!(event = "code_reused");
            return Err(Refused::Grant("The code was used before; what came of it is revoked."));
        }
        let refresh = Refresh {
            id: self.id()?,
            family: code.id,
            client: code.client,
            audience: code.audience,
            origin: code.origin,
            username: code.username,
            renewal: code.grant.renewal,
            expires: super::now() + REFRESH_LIFETIME.as_secs(),
        };
        self.answer(refresh, code.grant.token, code.grant.expires)
    }

    async fn rotate(&self, app: &App, params: &Params, base: &str) -> Result<String, Refused> {
        let token = params
            .get("refresh_token")
            .ok_or(Refused::Request("refresh_token is missing."))?;
        let client = self.client(params)?;
        let refresh: Refresh = self
            .sealer
            .open(Kind::Refresh, token)
            .ok_or(Refused::Grant("The token is none of this server's."))?;
        if refresh.expires <= super::now() {
            return Err(Refused::Grant("The token is over; log in anew."));
        }
        if refresh.client != client {
            return Err(Refused::Grant("The token was given to another client."));
        }
        self.target(params, &refresh.audience, base)?;
        if self.memory.is_revoked(&refresh.family).await? {
            return Err(Refused::Grant("The token is revoked; log in anew."));
        }
        let renewed = async {
            let grant = self.renew(app, &refresh).await?;
            let next = Refresh {
                id: self.id()?,
                renewal: grant.renewal,
                expires: super::now() + REFRESH_LIFETIME.as_secs(),
                ..refresh.clone()
            };
            self.answer(next, grant.token, grant.expires)
        };
        match self.memory.once(&self.sealer, &refresh.id, renewed).await? {
            Some(answer) => Ok(answer),
            None => {
                self.memory.revoke(&refresh.family).await?;
                app.metrics.oauth("refresh_reused");
                tracing::warn!(event = "refresh_reused");
                Err(Refused::Grant(
                    "The token was used before; all that came of it is revoked. Log in anew.",
                ))
            }
        }
    }

    /// A new token of Daktela's.
    async fn renew(&self, app: &App, refresh: &Refresh) -> Result<Grant, Refused> {
        let origin: Origin = app
            .settings
            .domains
            .origin(&refresh.origin)
            .map_err(|_| Refused::Grant("That Daktela is not served here any longer."))?;
        let granted = match &refresh.renewal {
            Renewal::Token(token) => {
                let verified = egress::verify(&self.upstream, &origin, &SecretString::from(token.clone())).await;
                verified.map(|()| lasting(token))
            }
            Renewal::Refresh(token) => egress::renew(&self.upstream, &origin, &SecretString::from(token.clone())).await,
            Renewal::Password(password) => {
                egress::log_in(
                    &self.upstream,
                    &origin,
                    &refresh.username,
                    &SecretString::from(password.clone()),
                )
                .await
            }
        };
        match granted {
            // A renewal that brings no new refresh token leaves the old one good.
            Ok(granted) => Ok(grant(granted, refresh.renewal.clone())),
            Err(LoginError::WrongPassword(_)) => Err(Refused::Grant("Daktela does not renew the login; log in anew.")),
            Err(LoginError::Other(_)) => Err(Refused::Unavailable("Daktela does not answer; try again.")),
        }
    }

    fn answer(&self, refresh: Refresh, token: String, daktela_ends: u64) -> Result<String, Refused> {
        let now = super::now();
        let expires = (now + self.access_lifetime.as_secs())
            .min(daktela_ends.saturating_sub(MARGIN_SECONDS))
            .max(now + 1);
        let access = Access {
            origin: refresh.origin.clone(),
            token,
            audience: refresh.audience.clone(),
            family: refresh.family.clone(),
            expires,
        };
        let sealed = self
            .sealer
            .seal(Kind::Access, &access)
            .zip(self.sealer.seal(Kind::Refresh, &refresh));
        let (access_token, refresh_token) = sealed.ok_or(NO_RANDOM)?;
        // Told a tenth early: clients renew silently before the end, and show a login page after it.
        let told = (expires - now) * 9 / 10;
        Ok(json!({
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": told,
            "refresh_token": refresh_token,
            "scope": super::SCOPE,
        })
        .to_string())
    }

    /// Who the client says it is, as codes and tokens remember it.
    fn client(&self, params: &Params) -> Result<String, Refused> {
        let id = params
            .get("client_id")
            .ok_or(Refused::Request("client_id is missing."))?;
        let is_document = id.starts_with("https://") || id.starts_with("http://");
        let known = is_document || self.sealer.open::<super::document::Client>(Kind::Client, id).is_some();
        if known {
            Ok(fingerprint(id))
        } else {
            Err(Refused::Client)
        }
    }

    fn target(&self, params: &Params, audience: &str, base: &str) -> Result<(), Refused> {
        let named = params.all("resource").all(|resource| metadata::is_ours(resource, base));
        if named && audience == base {
            Ok(())
        } else {
            Err(Refused::Target)
        }
    }

    pub(super) fn id(&self) -> Result<String, Refused> {
        self.sealer
            .random::<16>()
            .map(|bytes| BASE64.encode(bytes))
            .ok_or(NO_RANDOM)
    }
}

pub(super) const AWAY: &str = "The server cannot look up what was used before; try again in a minute.";

const NO_RANDOM: Refused = Refused::Unavailable("The server has no random numbers to give; try again.");

/// An API token as a grant: there is nothing to renew it with, and no need.
pub(super) fn lasting(token: &str) -> egress::LoginGrant {
    egress::LoginGrant {
        token: token.to_owned().into(),
        refresh: None,
        lifetime: REFRESH_LIFETIME,
    }
}

/// What is sealed of Daktela's grant. `before` serves on where there is nothing new.
pub(super) fn grant(granted: egress::LoginGrant, before: Renewal) -> Grant {
    Grant {
        token: granted.token.expose_secret().to_owned(),
        expires: super::now() + granted.lifetime.as_secs(),
        renewal: granted
            .refresh
            .map_or(before, |token| Renewal::Refresh(token.expose_secret().to_owned())),
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

/// The whole body; `None` for one that is too long or too slow.
pub(super) async fn body(given: Body, bytes_max: usize) -> Option<Bytes> {
    let whole = tokio::time::timeout(FORM_TIMEOUT, Limited::new(given, bytes_max).collect()).await;
    whole.ok()?.ok().map(http_body_util::Collected::to_bytes)
}

pub(super) async fn form(headers: &HeaderMap, given: Body) -> Result<Params, Box<Response>> {
    let refuse = |text: &str| Box::new(error(StatusCode::BAD_REQUEST, "invalid_request", text));
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(refuse("Expected application/x-www-form-urlencoded."));
    }
    let body = body(given, FORM_BYTES_MAX)
        .await
        .ok_or_else(|| refuse("The form is too long, or broke off."))?;
    Params::read(&body).map_err(|twice| refuse(&format!("{} is there twice.", super::client::name(Some(&twice.0)))))
}

pub(super) fn error(status: StatusCode, code: &str, description: &str) -> Response {
    let mut response = json_response(status, &json!({"error": code, "error_description": description}));
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
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
