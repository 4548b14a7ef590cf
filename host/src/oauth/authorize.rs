//! The page on which a user logs in to Daktela, and lets a client in.

use super::{
    OAuth, client,
    client::{Place, Unknown},
    document::{Code, Login, Renewal},
    metadata,
    page::{self, Language, Problem, Trouble},
    params::Params,
    seal::Kind,
    token,
};
use crate::{
    credentials::{Domains, NotServed},
    egress::{self, Credential, LoginError, LoginGrant, Origin},
    http::{
        App, Peer,
        throttle::{self, Throttle, TooMany},
    },
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
use std::{net::IpAddr, sync::Arc, time::Duration};
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
    let address = throttle::address(&app, peer, &headers);
    if let Err(too_many) = app.throttle.admits(address) {
        return later(stop(StatusCode::TOO_MANY_REQUESTS, Trouble::TooMany), too_many);
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
    let client = match oauth.clients.find(&oauth.sealer, client_id, address).await {
        Ok(client) => client,
        Err(Unknown::NotAnId) => return stop(StatusCode::BAD_REQUEST, Trouble::UnknownClient),
        Err(Unknown::NoDocument) => return stop(StatusCode::BAD_REQUEST, Trouble::NoDocument),
        Err(Unknown::Busy) => {
            let busy = stop(StatusCode::SERVICE_UNAVAILABLE, Trouble::Busy);
            return later(busy, TooMany::AtOnce);
        }
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
            let target = back(redirect_uri, &answer, state, &base);
            // Anybody can register a client: by itself, no address but this machine's is opened (RFC 9700, 4.11.2).
            return match client::place(redirect_uri) {
                Place::ThisMachine => redirect(target),
                Place::Site(_) | Place::Program(_) => page::wrong_request(language, description, redirect_uri, &target),
            };
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
        return wrong("unsupported_response_type", "response_type has to be code.");
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return wrong("invalid_request", "response_mode has to be query.");
    }
    if params.get("state").is_some_and(|state| state.len() > STATE_BYTES_MAX) {
        return wrong("invalid_request", "state is too long.");
    }
    if !params.all("resource").all(|resource| metadata::is_ours(resource, base)) {
        return wrong("invalid_target", "resource names another server.");
    }
    // Without a method, plain would be meant, which protects nothing.
    if params.get("code_challenge_method") != Some("S256") {
        return wrong("invalid_request", "code_challenge_method has to be S256.");
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
            "code_challenge has to be the SHA-256 of a verifier, as base64url.",
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
    if let Err(too_many) = app.throttle.admits(address) {
        return later(stop(StatusCode::TOO_MANY_REQUESTS, Trouble::TooMany), too_many);
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
    let again = |problem| {
        app.metrics.oauth("login_failed");
        oauth.again(language, &login, &params, &problem)
    };
    let (origin, credential) = match entered(&params, &app.settings.domains) {
        Ok(entered) => entered,
        Err(problem) => return again(problem),
    };
    let granted = oauth.granted(&app.throttle, address, &origin, &credential).await;
    let status = match &granted {
        Ok(_) => "ok",
        Err(Problem::TooMany(_)) => "throttled",
        Err(Problem::NoAnswer) => "no answer",
        Err(_) => "refused",
    };
    let granted = match granted {
        Ok(granted) => granted,
        Err(problem) => {
            tracing::warn!(event = "login", status, tenant = origin.host());
            return again(problem);
        }
    };
    tracing::info!(
        event = "login",
        status,
        tenant = origin.host(),
        client = login.client_name
    );
    app.metrics.oauth("login");
    match oauth.code(&login, &origin, credential, granted, &base) {
        Some(code) => redirect(back(
            &login.redirect_uri,
            &[("code", &code)],
            login.state.as_deref(),
            &base,
        )),
        None => stop(StatusCode::SERVICE_UNAVAILABLE, Trouble::Off),
    }
}

/// Whose Daktela, and with what.
fn entered(params: &Params, domains: &Domains) -> Result<(Origin, Credential), Problem> {
    let [instance, username, token] =
        ["instance", "username", "token"].map(|name| params.get(name).unwrap_or_default().trim());
    let credential = match params.get("password") {
        // Browsers fill in a name and a password by themselves, but never this.
        _ if !token.is_empty() => Credential::Token(token.to_owned().into()),
        Some(password) if !username.is_empty() => Credential::Login {
            username: username.to_owned(),
            password: password.to_owned().into(),
        },
        _ => return Err(Problem::Missing),
    };
    if instance.is_empty() {
        return Err(Problem::Missing);
    }
    // People write addresses as they say them.
    let url = if instance.contains("://") {
        instance.to_owned()
    } else {
        format!("https://{instance}")
    };
    match domains.origin(&url) {
        Ok(origin) => Ok((origin, credential)),
        Err(NotServed::Foreign { allowed, .. }) => Err(Problem::NotServed(allowed)),
        Err(_) => Err(Problem::NotAnAddress),
    }
}

impl OAuth {
    /// What Daktela says to it, unless that would be one guess too many.
    async fn granted(
        &self,
        throttle: &Throttle,
        address: IpAddr,
        origin: &Origin,
        credential: &Credential,
    ) -> Result<LoginGrant, Problem> {
        let account = match credential {
            Credential::Login { username, .. } => throttle::account(origin, username),
            Credential::Token(_) => throttle::tokens_of(origin, address),
        };
        let attempt = throttle::in_time(throttle.attempt(address, &account)).await;
        let attempt = attempt.map_err(Problem::TooMany)?;
        let granted = match credential {
            Credential::Login { username, password } => {
                egress::log_in(&self.upstream, origin, username, password).await
            }
            Credential::Token(token) => {
                let verified = egress::verify(&self.upstream, origin, token).await;
                verified.map(|()| token::lasting(token.expose_secret()))
            }
        };
        match (granted, credential) {
            (Err(LoginError::WrongPassword(_)), Credential::Login { .. }) => Err(Problem::WrongPassword),
            (Err(LoginError::WrongPassword(_)), Credential::Token(_)) => Err(Problem::WrongToken),
            (Err(LoginError::Other(_)), _) => {
                attempt.give_back();
                Err(Problem::NoAnswer)
            }
            (Ok(granted), _) => {
                attempt.give_back();
                Ok(granted)
            }
        }
    }

    fn code(
        &self,
        login: &Login,
        origin: &Origin,
        credential: Credential,
        granted: LoginGrant,
        base: &str,
    ) -> Option<String> {
        let (username, renewal) = match credential {
            Credential::Login { username, password } => {
                (username, Renewal::Password(password.expose_secret().to_owned()))
            }
            Credential::Token(token) => (String::new(), Renewal::Token(token.expose_secret().to_owned())),
        };
        let code = Code {
            id: self.id().ok()?,
            client: token::fingerprint(&login.client_id),
            redirect_uri: login.redirect_uri.clone(),
            challenge: login.challenge.clone(),
            audience: base.to_owned(),
            origin: origin.as_str().to_owned(),
            username,
            grant: token::grant(granted, renewal),
            expires: super::now() + CODE_LIFETIME.as_secs(),
        };
        self.sealer.seal(Kind::Code, &code)
    }

    /// The page once more, with what was entered, but for the secrets.
    fn again(&self, language: Language, login: &Login, params: &Params, problem: &Problem) -> Response {
        let [instance, username] = ["instance", "username"].map(|name| params.get(name).unwrap_or_default().trim());
        let instance = egress::without_user_info(instance);
        let response = self.page(problem.status(), language, login, &instance, username, Some(problem));
        match problem {
            Problem::TooMany(too_many) => later(response, *too_many),
            _ => response,
        }
    }

    fn page(
        &self,
        status: StatusCode,
        language: Language,
        login: &Login,
        instance: &str,
        username: &str,
        problem: Option<&Problem>,
    ) -> Response {
        let Some(sealed) = self.sealer.seal(Kind::Login, login) else {
            return page::trouble(StatusCode::SERVICE_UNAVAILABLE, language, Trouble::Off);
        };
        page::login(status, language, login, &sealed, instance, username, problem)
    }
}

fn later(mut response: Response, too_many: TooMany) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, too_many.retry_after());
    response
}

/// To the client, with an answer. `iss` tells it who answers (RFC 9207).
fn back(redirect_uri: &str, answer: &[(&str, &str)], state: Option<&str>, base: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", base);
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{joint}{}", query.finish())
}

fn redirect(target: String) -> Response {
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
    // Other cookies of the site may hold any bytes.
    let given = headers.get_all(header::COOKIE).iter();
    let name = format!("{}=", cookie_name(base));
    let mut pairs = given.flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    let value = pairs.find_map(|pair| pair.trim_ascii().strip_prefix(name.as_bytes()))?;
    let is_ours = BASE64.decode(value).is_ok_and(|bytes| bytes.len() == BROWSER_BYTES);
    is_ours.then(|| String::from_utf8(value.to_owned()).ok()).flatten()
}
