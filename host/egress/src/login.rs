//! Daktela's login: `POST login.json` for a token, `PUT login.json` to renew it.

use crate::{CallBudget, CallLimits, Client, EgressError, Origin, UpstreamResponse, retry, session};
use http::{Method, StatusCode, header};
use jiff::civil::DateTime;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

const PATH: &str = "/api/v6/login.json";

/// Answers without a credential, too; only then without a user.
pub const WHO_AM_I: &str = "/api/v6/whoim.json";

/// A login takes well under a second; a call whose login hangs should still have time to say so.
const TIMEOUT: Duration = Duration::from_secs(15);

/// For answers without a readable expiry date. Tokens live about two hours; Daktela's own connectors assume one.
const USUAL_LIFETIME: Duration = Duration::from_secs(3600);

/// Beyond it a date is nonsense, and a token not worth trusting for longer.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 3600);

pub struct LoginGrant {
    pub token: SecretString,
    pub refresh: Option<SecretString>,
    pub lifetime: Duration,
}

/// Why there is no token, and whether to try again would be of use.
pub enum LoginError {
    /// Trying again with the same password would only bring the account closer to being locked.
    WrongPassword(EgressError),
    Other(EgressError),
}

pub async fn log_in(
    client: &Client,
    origin: &Origin,
    username: &str,
    password: &SecretString,
) -> Result<LoginGrant, LoginError> {
    let body = json!({ "username": username, "password": password.expose_secret() });
    let answer = exchange(client, origin, Method::POST, &body)
        .await
        .map_err(|failure| LoginError::Other(words(origin, failure)))?;
    match answer.status() {
        status if status.is_success() => read_grant(answer.body())
            .ok_or_else(|| LoginError::Other(not_a_daktela(origin, "its answer to a login holds no token"))),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
            Err(LoginError::WrongPassword(EgressError::UserActionable(format!(
                "{origin} refuses the login: check user name and password (DAKTELA_USERNAME and DAKTELA_PASSWORD, or the \
                 headers X-Daktela-Username and X-Daktela-Password). A user who signs in with a second factor or through \
                 single sign-on cannot log in this way: give the API token from the user's settings instead, in \
                 DAKTELA_ACCESS_TOKEN or X-Daktela-Access-Token."
            ))))
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(LoginError::Other(EgressError::UserActionable(format!(
                "{origin} cannot serve a login just now (HTTP {}); try again in a minute.",
                status.as_u16()
            ))))
        }
        status => Err(LoginError::Other(not_a_daktela(
            origin,
            &format!("it answers a login with HTTP {}", status.as_u16()),
        ))),
    }
}

/// A refusal means that the token is spent: a login is next.
pub async fn renew(client: &Client, origin: &Origin, refresh: &SecretString) -> Result<LoginGrant, LoginError> {
    let body = json!({ "refreshToken": refresh.expose_secret() });
    let answer = exchange(client, origin, Method::PUT, &body)
        .await
        .map_err(|failure| LoginError::Other(words(origin, failure)))?;
    let other = |reason: String| LoginError::Other(not_a_daktela(origin, &reason));
    match answer.status() {
        StatusCode::OK => {
            read_grant(answer.body()).ok_or_else(|| other("its answer to a renewal holds no token".to_owned()))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => Err(LoginError::WrongPassword(
            EgressError::UserActionable(format!("{origin} does not renew the login.")),
        )),
        status => Err(other(format!("it answers a renewal with HTTP {}", status.as_u16()))),
    }
}

/// Whether somebody's API token is good: there is no login with one.
pub async fn verify(client: &Client, origin: &Origin, token: &SecretString) -> Result<(), LoginError> {
    let unknown = || EgressError::UserActionable(format!("{origin} does not know the API token."));
    let header = session::header(token).map_err(LoginError::WrongPassword)?;
    let asked = async {
        let url = origin.join(WHO_AM_I)?;
        send(client, || {
            let request = client.request(Method::GET, url.clone())?;
            Ok(request
                .header(header::ACCEPT, "application/json")
                .header("x-auth-token", header.clone()))
        })
        .await
    };
    let answer = asked
        .await
        .map_err(|failure| LoginError::Other(words(origin, failure)))?;
    match answer.status() {
        StatusCode::OK => match serde_json::from_slice(answer.body()) {
            Ok(WhoAmI { result }) if result.user.is_object() => Ok(()),
            Ok(_) => Err(LoginError::WrongPassword(unknown())),
            Err(_) => Err(LoginError::Other(not_a_daktela(
                origin,
                "its answer to a token is none",
            ))),
        },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(LoginError::WrongPassword(unknown())),
        status => Err(LoginError::Other(not_a_daktela(
            origin,
            &format!("it answers a token with HTTP {}", status.as_u16()),
        ))),
    }
}

#[derive(Deserialize)]
struct WhoAmI {
    result: Session,
}

#[derive(Deserialize)]
struct Session {
    /// Absent for a stranger.
    #[serde(default)]
    user: serde_json::Value,
}

async fn exchange(
    client: &Client,
    origin: &Origin,
    method: Method,
    body: &serde_json::Value,
) -> Result<UpstreamResponse, EgressError> {
    let url = origin.join(PATH)?;
    send(client, || {
        let request = client.request(method.clone(), url.clone())?;
        Ok(request
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body.to_string()))
    })
    .await
}

/// What did not arrive changes nothing, and a login that is not heard of is one more token, which ends by itself.
async fn send(
    client: &Client,
    request: impl Fn() -> Result<RequestBuilder, EgressError>,
) -> Result<UpstreamResponse, EgressError> {
    let budget = CallLimits {
        timeout: TIMEOUT,
        ..CallLimits::default()
    };
    let sent = retry::send(&CallBudget::new(budget), request).await;
    sent.map_err(|failure| client.attribute_to_proxy(failure))
}

#[derive(Deserialize)]
struct LoginAnswer {
    result: LoginResult,
    #[serde(rename = "_serverTime")]
    server_time: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LoginResult {
    /// Older servers.
    Token(SecretString),
    #[serde(rename_all = "camelCase")]
    LoginGrant {
        access_token: SecretString,
        refresh_token: Option<SecretString>,
        access_token_expiration_date: Option<String>,
    },
}

fn read_grant(body: &[u8]) -> Option<LoginGrant> {
    let LoginAnswer { result, server_time } = serde_json::from_slice(body).ok()?;
    let (token, refresh, expiry) = match result {
        LoginResult::Token(token) => (token, None, None),
        LoginResult::LoginGrant {
            access_token,
            refresh_token,
            access_token_expiration_date,
        } => (access_token, refresh_token, access_token_expiration_date),
    };
    if token.expose_secret().is_empty() {
        return None;
    }
    let lifetime = lifetime(expiry.as_deref(), server_time.as_deref()).unwrap_or(USUAL_LIFETIME);
    Some(LoginGrant {
        token,
        refresh,
        lifetime,
    })
}

/// Both are local times of the server without a zone, so only their difference means anything. In the night of a change
/// of time it may be an hour off; a token that is refused is replaced.
fn lifetime(expiry: Option<&str>, now: Option<&str>) -> Option<Duration> {
    let expiry: DateTime = expiry?.parse().ok()?;
    let now: DateTime = now?.parse().ok()?;
    let seconds = u64::try_from(expiry.duration_since(now).as_secs())
        .ok()
        .filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds).min(LIFETIME_MAX))
}

fn words(origin: &Origin, failure: EgressError) -> EgressError {
    match failure {
        EgressError::UserActionable(text) => EgressError::UserActionable(text),
        other => EgressError::UserActionable(format!(
            "Logging in to {origin} failed: {other}. Check DAKTELA_URL, and that this machine may reach it."
        )),
    }
}

fn not_a_daktela(origin: &Origin, reason: &str) -> EgressError {
    EgressError::UserActionable(format!(
        "{origin} does not look like a Daktela: {reason}. Check DAKTELA_URL."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(body: &str) -> Option<(String, Option<String>, u64)> {
        let grant = read_grant(body.as_bytes())?;
        let refresh = grant.refresh.map(|refresh| refresh.expose_secret().to_owned());
        Some((
            grant.token.expose_secret().to_owned(),
            refresh,
            grant.lifetime.as_secs(),
        ))
    }

    #[test]
    fn an_expiry_counts_from_the_servers_own_clock() {
        let body = r#"{"error":[],"result":{"accessToken":"a","refreshToken":"r",
            "accessTokenExpirationDate":"2030-01-01 02:00:00","user":{"name":"jan"}},"_serverTime":"2030-01-01 00:00:00"}"#;
        assert_eq!(grant(body), Some(("a".into(), Some("r".into()), 7200)));
    }

    #[test]
    fn a_bare_token_is_a_grant_of_usual_length() {
        assert_eq!(grant(r#"{"error":[],"result":"a"}"#), Some(("a".into(), None, 3600)));
        assert_eq!(
            grant(r#"{"result":{"accessToken":"a","accessTokenExpirationDate":null}}"#),
            Some(("a".into(), None, 3600))
        );
    }

    #[test]
    fn a_lifetime_has_bounds() {
        let lifetime = |expiry, now| lifetime(Some(expiry), Some(now)).map(|lifetime| lifetime.as_secs());
        assert_eq!(lifetime("2030-01-01 00:00:00", "2030-01-01 01:00:00"), None);
        assert_eq!(lifetime("2099-01-01 00:00:00", "2030-01-01 01:00:00"), Some(24 * 3600));
        assert_eq!(lifetime("soon", "2030-01-01 01:00:00"), None);
    }

    #[test]
    fn anything_else_is_none() {
        for body in [
            "",
            "<html>",
            "{}",
            r#"{"result":null}"#,
            r#"{"result":""}"#,
            r#"{"result":{}}"#,
        ] {
            assert_eq!(grant(body), None, "{body}");
        }
    }
}
