//! Daktela's login: `POST login.json` for an access token, `PUT login.json` to refresh it, `whoim.json` to verify one.

use std::time::Duration;

use daktela_http_client::Client;
use http::{Method, StatusCode, header};
use jiff::civil::DateTime;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use crate::{
    CallBudget, CallLimits, EgressError, Origin, UpstreamResponse, credential,
    json_kind::JsonKind,
    retry::{self, RetryPolicy},
};

const PATH: &str = "/api/v6/login.json";

/// Answers without a credential, too; only then without a user.
pub const WHO_AM_I: &str = "/api/v6/whoim.json";

/// A login takes well under a second; a call whose login hangs should still have time to say so.
const TIMEOUT: Duration = Duration::from_secs(15);

/// An answer to a login is about two kilobytes. It is parsed outside of the sandbox and its memory limit.
const BODY_BYTES_MAX: usize = 64 * 1024;

/// For answers without a readable expiry date. Tokens live about two hours; Daktela's own connectors assume one.
const USUAL_LIFETIME: Duration = Duration::from_secs(3600);

/// Beyond it a date is nonsense, and a token not worth trusting for longer.
const LIFETIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// What a login gives.
pub struct LoginGrant {
    pub token: SecretString,
    pub refresh: Option<SecretString>,
    /// From now on, by Daktela's own clock.
    pub lifetime: Duration,
}

/// Why there is no token.
pub enum LoginError {
    /// Daktela answered, and gave none. That counts as an attempt of the brute-force limiter, and is not repeated: with the
    /// same password it would only bring the account closer to being locked.
    WrongPassword(EgressError),
    /// Daktela answered, but not whether the credential is right: it is overloaded or failing (429, 5xx), or its answer to a
    /// token or a renewal is none. A few of those are free to the brute-force limiter.
    Unclear(EgressError),
    /// Nothing came back.
    Other(EgressError),
}

/// Logs in with a user name and a password. Each answer without a token counts as a wrong password, whatever its status:
/// otherwise passwords could be guessed without limit where an instance or a proxy answers with an unusual one.
pub async fn log_in(
    client: &Client,
    origin: &Origin,
    username: &str,
    password: &SecretString,
) -> Result<LoginGrant, LoginError> {
    let body = json!({ "username": username, "password": password.expose_secret() });
    let answer = exchange(client, origin, Method::POST, &body)
        .await
        .map_err(|error| unanswered(origin, error))?;
    match answer.status() {
        status if status.is_success() => read_grant(answer.body()).ok_or_else(|| {
            LoginError::WrongPassword(match words_of(answer.body(), password) {
                Some(said) => refused(origin, &said),
                None => not_a_daktela(origin, "its answer to a login holds no token"),
            })
        }),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => {
            let said = words_of(answer.body(), password).unwrap_or_default();
            Err(LoginError::WrongPassword(refused(origin, &said)))
        }
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            Err(LoginError::Unclear(EgressError::UserActionable(format!(
                "{origin} cannot serve a login just now (HTTP {}); try again in a minute.",
                status.as_u16()
            ))))
        }
        status => Err(LoginError::WrongPassword(not_a_daktela(
            origin,
            &format!("it answers a login with HTTP {}", status.as_u16()),
        ))),
    }
}

/// What a user does about a login that Daktela refuses. `said` is Daktela's own word on it, quoted, or empty.
fn refused(origin: &Origin, said: &str) -> EgressError {
    let said = if said.is_empty() {
        String::new()
    } else {
        format!(" Daktela's words: {said}")
    };
    EgressError::UserActionable(format!(
        "{origin} refuses the login: check user name and password (DAKTELA_USERNAME and DAKTELA_PASSWORD, or the \
         headers X-Daktela-Username and X-Daktela-Password). A user who signs in with a second factor or through \
         single sign-on cannot log in this way: give the user's API token instead, in DAKTELA_ACCESS_TOKEN or \
         X-Daktela-Access-Token. The token is in the user's detail in Daktela's list of users; who does not see that \
         list asks an administrator for it.{said}"
    ))
}

/// A message for people is shorter.
const WORDS_CHARS_MAX: usize = 200;

/// What Daktela says of a refusal, such as that a second factor is due: quoted, in one line, and never with the password.
fn words_of(body: &[u8], password: &SecretString) -> Option<String> {
    fn collect(error: &Value, out: &mut Vec<String>) {
        match error {
            Value::String(word) if !word.trim().is_empty() => out.push(word.trim().to_owned()),
            Value::Array(items) => items.iter().for_each(|item| collect(item, out)),
            Value::Object(map) => map.values().for_each(|item| collect(item, out)),
            _ => {}
        }
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let mut words = Vec::new();
    collect(&body["error"], &mut words);
    let said: String = words.join(" ").chars().take(WORDS_CHARS_MAX).collect();
    // Whoever guesses the password by parts of it learns nothing here either.
    let tells = password.expose_secret().is_empty() || words.iter().any(|word| word.contains(password.expose_secret()));
    (!said.is_empty() && !tells).then(|| format!("{said:?}"))
}

/// Refreshes an access token. A refusal means that the token is spent: a login is next.
pub async fn renew(client: &Client, origin: &Origin, refresh: &SecretString) -> Result<LoginGrant, LoginError> {
    let body = json!({ "refreshToken": refresh.expose_secret() });
    let answer = exchange(client, origin, Method::PUT, &body)
        .await
        .map_err(|error| unanswered(origin, error))?;
    let unclear = |reason: String| LoginError::Unclear(not_a_daktela(origin, &reason));
    match answer.status() {
        StatusCode::OK => {
            read_grant(answer.body()).ok_or_else(|| unclear("its answer to a renewal holds no token".to_owned()))
        }
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::BAD_REQUEST => Err(LoginError::WrongPassword(
            EgressError::UserActionable(format!("{origin} does not renew the login.")),
        )),
        status => Err(unclear(format!("it answers a renewal with HTTP {}", status.as_u16()))),
    }
}

/// Verifies an API token: there is no login with one.
pub async fn verify(client: &Client, origin: &Origin, token: &SecretString) -> Result<(), LoginError> {
    verify_with(client, origin, token, policy(client)).await
}

pub(crate) async fn verify_with(
    client: &Client,
    origin: &Origin,
    token: &SecretString,
    policy: RetryPolicy,
) -> Result<(), LoginError> {
    let unknown = || EgressError::UserActionable(format!("{origin} does not know the API token."));
    let header = credential::header(token).map_err(LoginError::WrongPassword)?;
    let asked = async {
        let url = origin.join(WHO_AM_I)?;
        send(client, policy, || {
            let request = client.request(Method::GET, url.clone())?;
            Ok(request
                .header(header::ACCEPT, "application/json")
                .header("x-auth-token", header.clone()))
        })
        .await
    };
    let answer = asked.await.map_err(|error| unanswered(origin, error))?;
    match answer.status() {
        StatusCode::OK => match serde_json::from_slice(answer.body()) {
            Ok(WhoAmI { result }) if result.user == JsonKind::Object => Ok(()),
            Ok(_) => Err(LoginError::WrongPassword(unknown())),
            Err(_) => Err(LoginError::Unclear(not_a_daktela(
                origin,
                "its answer to a token is none",
            ))),
        },
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(LoginError::WrongPassword(unknown())),
        status => Err(LoginError::Unclear(not_a_daktela(
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
    /// Absent where the token is unknown.
    #[serde(default)]
    user: JsonKind,
}

async fn exchange(
    client: &Client,
    origin: &Origin,
    method: Method,
    body: &Value,
) -> Result<UpstreamResponse, EgressError> {
    let url = origin.join(PATH)?;
    send(client, policy(client), || {
        let request = client.request(method.clone(), url.clone())?;
        Ok(request
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json")
            .body(body.to_string()))
    })
    .await
}

/// Names and ports of user-supplied hosts are not tried again: anybody can make up as many as they like.
fn policy(client: &Client) -> RetryPolicy {
    if client.is_public_only() {
        RetryPolicy::Connected
    } else {
        RetryPolicy::Transient
    }
}

/// A retry is safe: what did not arrive changes nothing, and a login whose answer is lost is one more token, which expires.
async fn send(
    client: &Client,
    policy: RetryPolicy,
    request: impl Fn() -> Result<RequestBuilder, EgressError>,
) -> Result<UpstreamResponse, EgressError> {
    let budget = CallBudget::new(CallLimits {
        timeout: TIMEOUT,
        body_bytes: BODY_BYTES_MAX,
        ..CallLimits::default()
    });
    retry::send(&budget, client, policy, request).await
}

#[derive(Deserialize)]
struct LoginAnswer {
    result: LoginResult,
    #[serde(rename = "_serverTime")]
    server_time: Option<Value>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum LoginResult {
    /// Older servers.
    Token(SecretString),
    #[serde(rename_all = "camelCase")]
    LoginGrant {
        access_token: SecretString,
        /// Text by contract, like the date; anything else is as good as none.
        #[serde(default)]
        refresh_token: Option<Lenient>,
        #[serde(default)]
        access_token_expiration_date: Option<Value>,
    },
    /// As the API's description has it.
    Nested {
        #[serde(rename = "_sys")]
        sys: NestedGrant,
    },
}

/// A secret text; another value is read to its end and forgotten.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lenient {
    Secret(SecretString),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NestedGrant {
    access_token: SecretString,
}

fn read_grant(body: &[u8]) -> Option<LoginGrant> {
    let LoginAnswer { result, server_time } = serde_json::from_slice(body).ok()?;
    let (token, refresh, expiry) = match result {
        LoginResult::Token(token) => (token, None, None),
        LoginResult::LoginGrant {
            access_token,
            refresh_token,
            access_token_expiration_date,
        } => {
            let refresh = refresh_token.and_then(|token| match token {
                Lenient::Secret(token) => Some(token),
                Lenient::Other(IgnoredAny) => None,
            });
            (access_token, refresh, access_token_expiration_date)
        }
        LoginResult::Nested { sys } => (sys.access_token, None, None),
    };
    if token.expose_secret().is_empty() {
        return None;
    }
    let lifetime = lifetime(
        expiry.as_ref().and_then(Value::as_str),
        server_time.as_ref().and_then(Value::as_str),
    )
    .unwrap_or(USUAL_LIFETIME);
    Some(LoginGrant {
        token,
        refresh,
        lifetime,
    })
}

/// Both are local times of the server without a zone, so that only their difference means anything. In the night of a change
/// of time it may be an hour off; a token that is refused is replaced.
fn lifetime(expiry: Option<&str>, now: Option<&str>) -> Option<Duration> {
    let expiry: DateTime = expiry?.parse().ok()?;
    let now: DateTime = now?.parse().ok()?;
    let seconds = u64::try_from(expiry.duration_since(now).as_secs())
        .ok()
        .filter(|seconds| *seconds > 0)?;
    Some(Duration::from_secs(seconds).min(LIFETIME_MAX))
}

fn unanswered(origin: &Origin, error: EgressError) -> LoginError {
    match error {
        EgressError::TooLarge(_) => LoginError::WrongPassword(words(origin, error)),
        error => LoginError::Other(words(origin, error)),
    }
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
        "{origin} does not look like a Daktela: {reason}. Check DAKTELA_URL; an instance below a path, as \
         https://example.com/daktela, is not supported."
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
    fn expiry_counts_from_the_servers_clock() {
        let body = r#"{"error":[],"result":{"accessToken":"a","refreshToken":"r",
            "accessTokenExpirationDate":"2030-01-01 02:00:00","user":{"name":"jan"}},"_serverTime":"2030-01-01 00:00:00"}"#;
        assert_eq!(grant(body), Some(("a".into(), Some("r".into()), 7200)));
    }

    #[test]
    fn bare_token_is_a_grant_of_usual_lifetime() {
        assert_eq!(grant(r#"{"error":[],"result":"a"}"#), Some(("a".into(), None, 3600)));
        assert_eq!(
            grant(r#"{"result":{"accessToken":"a","accessTokenExpirationDate":null}}"#),
            Some(("a".into(), None, 3600))
        );
        assert_eq!(
            grant(r#"{"result":{"_sys":{"accessToken":"a"}},"_serverTime":5}"#),
            Some(("a".into(), None, 3600))
        );
    }

    #[test]
    fn daktela_s_words_on_a_refusal_are_told_without_the_password() {
        let said = |body: &str| words_of(body.as_bytes(), &SecretString::from("hunter2"));
        assert_eq!(
            said(r#"{"error":["Second factor\nrequired"],"result":null}"#).as_deref(),
            Some(r#""Second factor\nrequired""#)
        );
        assert_eq!(
            said(r#"{"error":{"primary":["No licence"]}}"#).as_deref(),
            Some(r#""No licence""#)
        );
        for body in ["", "<html>", r#"{"error":[]}"#, r#"{"error":"hunter2 is wrong"}"#] {
            assert_eq!(said(body), None, "{body}");
        }
    }

    #[test]
    fn a_refresh_token_of_another_type_is_none() {
        for token in ["7", "null", "{}", "false"] {
            let body = format!(r#"{{"result":{{"accessToken":"a","refreshToken":{token}}}}}"#);
            assert_eq!(grant(&body), Some(("a".into(), None, 3600)), "{token}");
        }
    }

    #[test]
    fn unreadable_expiry_is_none() {
        for expiry in ["1893463200", "true", "{}", r#""soon""#] {
            let body = format!(
                r#"{{"result":{{"accessToken":"a","accessTokenExpirationDate":{expiry}}},"_serverTime":"2030-01-01 00:00:00"}}"#
            );
            assert_eq!(grant(&body), Some(("a".into(), None, 3600)), "{expiry}");
        }
    }

    #[test]
    fn lifetime_is_bounded() {
        let lifetime = |expiry, now| lifetime(Some(expiry), Some(now)).map(|lifetime| lifetime.as_secs());
        assert_eq!(lifetime("2030-01-01 00:00:00", "2030-01-01 01:00:00"), None);
        assert_eq!(lifetime("2099-01-01 00:00:00", "2030-01-01 01:00:00"), Some(24 * 3600));
        assert_eq!(lifetime("soon", "2030-01-01 01:00:00"), None);
    }

    #[test]
    fn other_answers_are_no_grant() {
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
