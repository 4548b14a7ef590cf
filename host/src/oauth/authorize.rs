//! The page on which a user logs in to Daktela, and lets a client in.

use super::{
    OAuth, client,
    client::Unknown,
    document::{Code, Login, Renewal},
    metadata,
    page::{self, Language, Problem, Trouble},
    params::Params,
    seal::Kind,
    token,
};
use crate::{
    credentials::NotServed,
    gate::{self, Credential, Grant, LoginRefusal, Origin},
    http::{App, Peer, throttle},
};
use axum::{
    Extension,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use secrecy::ExposeSecret;
use std::{sync::Arc, time::Duration};
use url::form_urlencoded;

/// A client exchanges its code at once.
pub(super) const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// Time to look up the password.
const PAGE_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// S256: 32 bytes as text.
const CHALLENGE_BYTES: usize = 43;
const STATE_BYTES_MAX: usize = 2 * 1024;
const BROWSER_BYTES: usize = 16;

/// What a client asks for that it can be answered about.
struct Wrong {
    error: &'static str,
    description: &'static str,
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let language = Language::of(&headers);
    let stop = |status, trouble| page::trouble(status, language, trouble);
    let Some(oauth) = app.oauth.as_ref() else {
        return stop(StatusCode::NOT_FOUND, Trouble::Off);
    };
    if !app.throttle.admits(throttle::address(&app, peer, &headers)) {
        return stop(StatusCode::TOO_MANY_REQUESTS, Trouble::TooMany);
    }
    // A code that cannot be redeemed is not worth a password.
    if oauth.is_away() {
        return stop(StatusCode::SERVICE_UNAVAILABLE, Trouble::Off);
    }
    let Ok(params) = Params::read(uri.query().unwrap_or_default().as_bytes()) else {
        return stop(StatusCode::BAD_REQUEST, Trouble::BadRequest);
    };
    // Until client and address are known, nobody is answered but the person in front of the page.
    let (Some(client_id), Some(redirect_uri)) = (params.get("client_id"), params.get("redirect_uri")) else {
        return stop(StatusCode::BAD_REQUEST, Trouble::BadRequest);
    };
    let client = match oauth.clients.find(&oauth.sealer, client_id).await {
        Ok(client) => client,
        Err(Unknown::NotAnId) => return stop(StatusCode::BAD_REQUEST, Trouble::UnknownClient),
        Err(Unknown::NoDocument | Unknown::BadDocument) => return stop(StatusCode::BAD_REQUEST, Trouble::NoDocument),
    };
    if !client::may_redirect(&client.redirect_uris, redirect_uri) {
        return stop(StatusCode::BAD_REQUEST, Trouble::WrongRedirect);
    }
    let base = app.base(&uri, &headers);
    let state = params.get("state");
    let challenge = match check(&params, &base) {
        Ok(challenge) => challenge,
        Err(Wrong { error, description }) => {
            let answer = [("error", error), ("error_description", description)];
            return redirect(redirect_uri, &answer, state, &base);
        }
    };
    let browser =
        browser(&headers, &base).or_else(|| oauth.sealer.random::<BROWSER_BYTES>().map(|bytes| BASE64.encode(bytes)));
    let Some(browser) = browser else {
        return stop(StatusCode::SERVICE_UNAVAILABLE, Trouble::Off);
    };
    let login = Login {
        client_id: client_id.to_owned(),
        client_name: client.name.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: state.map(str::to_owned),
        challenge: challenge.to_owned(),
        browser: browser.clone(),
        expires: super::now() + PAGE_LIFETIME.as_secs(),
    };
    let mut response = oauth.page(StatusCode::OK, language, &login, "", "", None);
    if let Ok(cookie) = HeaderValue::from_str(&cookie(&browser, &base)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}

/// Returns the challenge.
fn check<'a>(params: &'a Params, base: &str) -> Result<&'a str, Wrong> {
    let wrong = |error, description| Err(Wrong { error, description });
    if params.get("response_type") != Some("code") {
        return wrong("unsupported_response_type", "response_type is code.");
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return wrong("invalid_request", "response_mode is query.");
    }
    if params.get("state").is_some_and(|state| state.len() > STATE_BYTES_MAX) {
        return wrong("invalid_request", "state is too long.");
    }
    if params
        .get("resource")
        .is_some_and(|resource| !metadata::is_ours(resource, base))
    {
        return wrong("invalid_target", "resource names another server.");
    }
    // Without a method, plain would be meant, which protects nothing.
    if params.get("code_challenge_method") != Some("S256") {
        return wrong("invalid_request", "code_challenge_method is S256.");
    }
    let plain = |text: &&str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    match params
        .get("code_challenge")
        .filter(|challenge| challenge.len() == CHALLENGE_BYTES)
        .filter(plain)
    {
        Some(challenge) => Ok(challenge),
        None => wrong(
            "invalid_request",
            "code_challenge is the SHA-256 of a verifier, as base64url.",
        ),
    }
}

pub(super) async fn submit(
    State(app): State<Arc<App>>,
    Extension(peer): Extension<Peer>,
    uri: Uri,
    headers: HeaderMap,
    given: Body,
) -> Response {
    let language = Language::of(&headers);
    let stop = |status, trouble| page::trouble(status, language, trouble);
    let Some(oauth) = app.oauth.as_ref() else {
        return stop(StatusCode::NOT_FOUND, Trouble::Off);
    };
    let address = throttle::address(&app, peer, &headers);
    if !app.throttle.admits(address) {
        return stop(StatusCode::TOO_MANY_REQUESTS, Trouble::TooMany);
    }
    let Ok(params) = token::form(&headers, given).await else {
        return stop(StatusCode::BAD_REQUEST, Trouble::BadRequest);
    };
    let login: Option<Login> = params
        .get("login")
        .and_then(|login| oauth.sealer.open(Kind::Login, login));
    let base = app.base(&uri, &headers);
    let login = match login {
        Some(login) if login.expires <= super::now() => return stop(StatusCode::BAD_REQUEST, Trouble::Over),
        // Another site may send the form, but not the cookie with it.
        Some(login) if browser(&headers, &base).as_ref() == Some(&login.browser) => login,
        _ => return stop(StatusCode::FORBIDDEN, Trouble::OtherBrowser),
    };
    let instance = params.get("instance").unwrap_or_default().trim();
    let username = params.get("username").unwrap_or_default().trim();
    let again = |status, problem| {
        app.metrics.oauth("login_failed");
        oauth.page(status, language, &login, instance, username, Some(problem))
    };
    let credential = match (params.get("token").map(str::trim), params.get("password")) {
        // Browsers fill in a name and a password by themselves, but never this.
        (Some(token), _) if !token.is_empty() => Credential::Token(token.to_owned().into()),
        (_, Some(password)) if !username.is_empty() => Credential::Login {
            username: username.to_owned(),
            password: password.to_owned().into(),
        },
        _ => return again(StatusCode::BAD_REQUEST, Problem::Missing),
    };
    if instance.is_empty() {
        return again(StatusCode::BAD_REQUEST, Problem::Missing);
    }
    // People write addresses as they say them.
    let url = if instance.contains("://") {
        instance.to_owned()
    } else {
        format!("https://{instance}")
    };
    let origin: Origin = match app.settings.domains.origin(&url) {
        Ok(origin) => origin,
        Err(NotServed::Foreign { allowed, .. }) => return again(StatusCode::BAD_REQUEST, Problem::NotServed(allowed)),
        Err(_) => return again(StatusCode::BAD_REQUEST, Problem::NotAnAddress),
    };
    let account = match &credential {
        Credential::Login { username, .. } => format!("{origin} {username}"),
        // Whose it is is not known; one who guesses must not lock out the others.
        Credential::Token(_) => format!("{origin} token from {address}"),
    };
    if !app.throttle.may_try(address, &account) {
        tracing::warn!(event = "login", status = "throttled", tenant = origin.host());
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, Problem::TooMany);
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from_static("300"));
        return response;
    }
    let granted = match oauth.granted(&origin, &credential).await {
        Ok(granted) => granted,
        Err(LoginRefusal::WrongPassword(_)) => {
            app.throttle.was_wrong(address, &account);
            tracing::warn!(event = "login", status = "refused", tenant = origin.host());
            let problem = match credential {
                Credential::Login { .. } => Problem::WrongPassword,
                Credential::Token(_) => Problem::WrongToken,
            };
            return again(StatusCode::FORBIDDEN, problem);
        }
        Err(LoginRefusal::Other(_)) => {
            tracing::warn!(event = "login", status = "no answer", tenant = origin.host());
            return again(StatusCode::BAD_GATEWAY, Problem::NoAnswer);
        }
    };
    tracing::info!(
        event = "login",
        status = "ok",
        tenant = origin.host(),
        client = login.client_name
    );
    app.metrics.oauth("login");
    let (username, renewal) = match &credential {
        Credential::Login { username, password } => {
            (username.clone(), Renewal::Password(password.expose_secret().to_owned()))
        }
        Credential::Token(token) => (String::new(), Renewal::Token(token.expose_secret().to_owned())),
    };
    let sealed = oauth.id().ok().and_then(|id| {
        let code = Code {
            id,
            client: token::fingerprint(&login.client_id),
            redirect_uri: login.redirect_uri.clone(),
            challenge: login.challenge.clone(),
            audience: base.clone(),
            origin: origin.as_str().to_owned(),
            username,
            grant: token::grant(granted, renewal),
            expires: super::now() + CODE_LIFETIME.as_secs(),
        };
        oauth.sealer.seal(Kind::Code, &code)
    });
    match sealed {
        Some(code) => redirect(&login.redirect_uri, &[("code", &code)], login.state.as_deref(), &base),
        None => stop(StatusCode::SERVICE_UNAVAILABLE, Trouble::Off),
    }
}

impl OAuth {
    /// What Daktela says to it.
    async fn granted(&self, origin: &Origin, credential: &Credential) -> Result<Grant, LoginRefusal> {
        match credential {
            Credential::Login { username, password } => gate::log_in(&self.upstream, origin, username, password).await,
            Credential::Token(token) => {
                gate::verify(&self.upstream, origin, token).await?;
                Ok(token::lasting(token.expose_secret()))
            }
        }
    }

    fn page(
        &self,
        status: StatusCode,
        language: Language,
        login: &Login,
        instance: &str,
        username: &str,
        problem: Option<Problem>,
    ) -> Response {
        let Some(sealed) = self.sealer.seal(Kind::Login, login) else {
            return page::trouble(StatusCode::SERVICE_UNAVAILABLE, language, Trouble::Off);
        };
        page::login(status, language, login, &sealed, instance, username, problem.as_ref())
    }
}

/// Back to the client. `iss` tells it who answers (RFC 9207).
fn redirect(redirect_uri: &str, answer: &[(&str, &str)], state: Option<&str>, base: &str) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", base);
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    let target = format!("{redirect_uri}{joint}{}", query.finish());
    let headers = [
        (header::LOCATION, target),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        // The code is in the address; nobody further on should learn it.
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

fn cookie_name(base: &str) -> &'static str {
    if base.starts_with("https://") {
        "__Host-mcp-daktela-login"
    } else {
        "mcp-daktela-login"
    }
}

fn cookie(browser: &str, base: &str) -> String {
    let secure = if base.starts_with("https://") { "; Secure" } else { "" };
    format!(
        "{}={browser}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
        cookie_name(base),
        PAGE_LIFETIME.as_secs()
    )
}

/// What the browser's cookie holds; the same for all of its windows.
fn browser(headers: &HeaderMap, base: &str) -> Option<String> {
    let given = headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let mut pairs = given
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == cookie_name(base))?;
    BASE64
        .decode(value)
        .is_ok_and(|bytes| bytes.len() == BROWSER_BYTES)
        .then(|| value.to_owned())
}
