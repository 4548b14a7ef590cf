//! Authorization endpoint: the login and consent page, protected by a CSRF token, PKCE and the brute-force limiter.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Extension,
    extract::State as Shared,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use cookie::{Cookie, SameSite};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use url::form_urlencoded;

use super::{
    claims::{CODE_LIFETIME, CodeClaims, LOGIN_LIFETIME, LoginClaims, UpstreamRenewal, now},
    clients::ClientError,
    login_page::{self, FormError, Language, PageError, PageProblem},
    metadata,
    redirect_uri::{RedirectTarget, matches_registered},
    state::State,
    token,
};
use crate::{
    auth::{DomainError, sealed_token::TokenKind},
    egress::{self, Credential, LoginError, LoginGrant, Origin},
    limits::login_attempts,
    web::{
        base_url::BaseUrl,
        client_ip::ClientIp,
        params::{Params, ParamsError},
    },
};

/// S256: 32 bytes as text.
const CHALLENGE_BYTES: usize = 43;
const STATE_BYTES_MAX: usize = 2 * 1024;
const CSRF_TOKEN_BYTES: usize = 16;

/// What is wrong with an authorization request, as the client is told.
struct RequestError {
    error: &'static str,
    description: &'static str,
}

pub(super) async fn get_authorize(
    Shared(state): Shared<Arc<State>>,
    Extension(client_ip): Extension<ClientIp>,
    Extension(base): Extension<BaseUrl>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let language = Language::of(&headers);
    let problem = |problem| PageError::new(language, problem);
    let network = client_ip.network();
    state
        .page_rate
        .check(network)
        .map_err(|limited| problem(PageProblem::RateLimited(limited)))?;
    // A code that cannot be exchanged is not worth a password.
    if state.is_store_unavailable() {
        return Err(problem(PageProblem::Unavailable));
    }
    let params =
        Params::parse(uri.query().unwrap_or_default().as_bytes()).map_err(|_| problem(PageProblem::BadRequest))?;
    // Until client and address are known, nobody is answered but the person in front of the page.
    let (Some(client_id), Some(redirect_uri)) = (params.get("client_id"), params.get("redirect_uri")) else {
        return Err(problem(PageProblem::BadRequest));
    };
    let client = state.clients.find(&state.sealer, client_id, network).await;
    let client = client.map_err(|error| {
        problem(match error {
            ClientError::InvalidId => PageProblem::UnknownClient,
            ClientError::Document => PageProblem::NoDocument,
            ClientError::Busy => PageProblem::Busy,
        })
    })?;
    if !matches_registered(&client.redirect_uris, redirect_uri) || state.known_hosts.refuses(redirect_uri) {
        return Err(problem(PageProblem::WrongRedirect));
    }
    let state_param = params.get("state");
    let challenge = match check_request(&params, &base) {
        Ok(challenge) => challenge,
        Err(RequestError { error, description }) => {
            let answer = [("error", error), ("error_description", description)];
            let target = redirect_with_params(redirect_uri, &answer, state_param, &base);
            // Open redirect: anybody can register a client, so that by itself no address but this machine's is opened (RFC 9700,
            // 4.11.2).
            return Ok(match RedirectTarget::of(redirect_uri) {
                RedirectTarget::ThisMachine => redirect(target),
                RedirectTarget::Site(_) | RedirectTarget::Program(_) => {
                    login_page::wrong_request(language, &base, description, redirect_uri, &target)
                }
            });
        }
    };
    let csrf_token = csrf_cookie(&headers, &base).or_else(|| {
        let random = state.sealer.random::<CSRF_TOKEN_BYTES>();
        random.map(|bytes| BASE64.encode(bytes))
    });
    let csrf_token = csrf_token.ok_or_else(|| problem(PageProblem::Unavailable))?;
    let login = LoginClaims {
        client_id: client_id.to_owned(),
        client_name: client.name.clone(),
        redirect_uri: redirect_uri.to_owned(),
        state: state_param.map(str::to_owned),
        challenge: challenge.to_owned(),
        browser: csrf_token.clone(),
        expires: now() + LOGIN_LIFETIME.as_secs(),
    };
    let mut response = state.login_page(StatusCode::OK, language, &base, &login, "", "", None)?;
    if let Ok(cookie) = HeaderValue::from_str(&set_csrf_cookie(csrf_token, &base)) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// Returns the PKCE challenge.
fn check_request<'a>(params: &'a Params, base: &BaseUrl) -> Result<&'a str, RequestError> {
    let wrong = |error, description| Err(RequestError { error, description });
    if params.get("response_type") != Some("code") {
        return wrong("unsupported_response_type", "response_type has to be code.");
    }
    if params.get("response_mode").is_some_and(|mode| mode != "query") {
        return wrong("invalid_request", "response_mode has to be query.");
    }
    if params.get("state").is_some_and(|state| state.len() > STATE_BYTES_MAX) {
        return wrong("invalid_request", "state is too long.");
    }
    if !params
        .all("resource")
        .all(|resource| metadata::is_this_server(resource, base))
    {
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

pub(super) async fn post_authorize(
    Shared(state): Shared<Arc<State>>,
    Extension(client_ip): Extension<ClientIp>,
    Extension(base): Extension<BaseUrl>,
    headers: HeaderMap,
    params: Result<Params, ParamsError>,
) -> Result<Response, PageError> {
    let language = Language::of(&headers);
    let problem = |problem| PageError::new(language, problem);
    let network = client_ip.network();
    state
        .page_rate
        .check(network)
        .map_err(|limited| problem(PageProblem::RateLimited(limited)))?;
    let params = params.map_err(|_| problem(PageProblem::BadRequest))?;
    let login: Option<LoginClaims> = params
        .get("login")
        .and_then(|login| state.sealer.open(TokenKind::Login, login));
    let login = match login {
        Some(login) if login.expires <= now() => return Err(problem(PageProblem::Expired)),
        // CSRF: another site may send the form, but not the cookie with it.
        Some(login) if csrf_cookie(&headers, &base).as_ref() == Some(&login.browser) => login,
        _ => return Err(problem(PageProblem::OtherBrowser)),
    };
    let render_with_error = |error: FormError| {
        state.metrics.oauth("login_failed");
        let [instance, username] = ["instance", "username"].map(|name| params.get(name).unwrap_or_default().trim());
        // What was entered once more, but for the secrets.
        let instance = egress::without_user_info(instance);
        let status = error.status();
        state.login_page(status, language, &base, &login, &instance, username, Some(&error))
    };
    let (origin, credential) = match state.parse_login_form(&params) {
        Ok(entered) => entered,
        Err(error) => return render_with_error(error),
    };
    let grant = state.authenticate(network, &origin, &credential).await;
    let status = match &grant {
        Ok(_) => "ok",
        Err(FormError::RateLimited(_)) => "throttled",
        Err(FormError::NoAnswer) => "no answer",
        Err(_) => "refused",
    };
    let grant = match grant {
        Ok(grant) => grant,
        Err(error) => {
            tracing::warn!(event = "login", status, tenant = origin.host());
            return render_with_error(error);
        }
    };
    tracing::info!(
        event = "login",
        status,
        tenant = origin.host(),
        client = login.client_name
    );
    state.metrics.oauth("login");
    let code = state
        .code(&login, &origin, credential, grant, &base)
        .ok_or_else(|| problem(PageProblem::Unavailable))?;
    Ok(redirect(redirect_with_params(
        &login.redirect_uri,
        &[("code", &code)],
        login.state.as_deref(),
        &base,
    )))
}

impl State {
    /// The instance and the credential that the user entered.
    fn parse_login_form(&self, params: &Params) -> Result<(Origin, Credential), FormError> {
        let [instance, username, token] =
            ["instance", "username", "token"].map(|name| params.get(name).unwrap_or_default().trim());
        let credential = match params.get("password") {
            // Browsers fill in a name and a password by themselves, but never this.
            _ if !token.is_empty() => Credential::Token(token.to_owned().into()),
            Some(password) if !username.is_empty() => Credential::Login {
                username: username.to_owned(),
                password: password.to_owned().into(),
            },
            _ => return Err(FormError::Missing),
        };
        if instance.is_empty() {
            return Err(FormError::Missing);
        }
        // People write addresses as they say them.
        let url = if instance.contains("://") {
            instance.to_owned()
        } else {
            format!("https://{instance}")
        };
        match self.allowed_domains.origin(&url) {
            Ok(origin) => Ok((origin, credential)),
            Err(DomainError::Foreign { allowed, .. }) => Err(FormError::NotServed(allowed)),
            Err(_) => Err(FormError::NotAnAddress),
        }
    }

    /// Logs in to Daktela, within the brute-force limits.
    async fn authenticate(
        &self,
        network: IpAddr,
        origin: &Origin,
        credential: &Credential,
    ) -> Result<LoginGrant, FormError> {
        let account = match credential {
            Credential::Login { username, .. } => login_attempts::account(origin, username),
            Credential::Token(_) => login_attempts::tokens_of(origin, network),
        };
        let attempt = self.login_attempts.acquire(network, Some(&account)).await;
        let attempt = attempt.map_err(FormError::RateLimited)?;
        let granted = match credential {
            Credential::Login { username, password } => {
                egress::log_in(&self.upstream, origin, username, password).await
            }
            Credential::Token(token) => {
                let verified = egress::verify(&self.upstream, origin, token).await;
                verified.map(|()| token::grant_from_api_token(token.clone()))
            }
        };
        match (granted, credential) {
            (Err(LoginError::WrongPassword(_)), Credential::Login { .. }) => Err(FormError::WrongPassword),
            (Err(LoginError::WrongPassword(_)), Credential::Token(_)) => Err(FormError::WrongToken),
            (Err(LoginError::Unclear(_)), _) => {
                attempt.unclear();
                Err(FormError::NoAnswer)
            }
            (Err(LoginError::Other(_)), _) => {
                attempt.release();
                Err(FormError::NoAnswer)
            }
            (Ok(granted), _) => {
                attempt.succeed();
                Ok(granted)
            }
        }
    }

    /// `None` where the system has no random numbers to give.
    fn code(
        &self,
        login: &LoginClaims,
        origin: &Origin,
        credential: Credential,
        granted: LoginGrant,
        base: &BaseUrl,
    ) -> Option<String> {
        let (username, renewal) = match credential {
            Credential::Login { username, password } => (username, UpstreamRenewal::Password(password)),
            Credential::Token(token) => (String::new(), UpstreamRenewal::Token(token)),
        };
        let code = CodeClaims {
            id: self.random_id()?,
            client: token::fingerprint(&login.client_id),
            redirect_uri: login.redirect_uri.clone(),
            challenge: login.challenge.clone(),
            audience: base.as_str().to_owned(),
            origin: origin.as_str().to_owned(),
            username,
            grant: token::upstream_grant(granted, renewal),
            expires: now() + CODE_LIFETIME.as_secs(),
        };
        self.sealer.seal(TokenKind::Code, &code)
    }

    #[expect(clippy::too_many_arguments, reason = "what the page shows, each once")]
    fn login_page(
        &self,
        status: StatusCode,
        language: Language,
        base: &BaseUrl,
        login: &LoginClaims,
        instance: &str,
        username: &str,
        error: Option<&FormError>,
    ) -> Result<Response, PageError> {
        let sealed = self.sealer.seal(TokenKind::Login, login);
        let sealed = sealed.ok_or_else(|| PageError::new(language, PageProblem::Unavailable))?;
        let page = login_page::LoginPage {
            language,
            base,
            login,
            sealed: &sealed,
            instance,
            username,
            error,
            is_known: self.known_hosts.is_known(&login.redirect_uri),
        };
        Ok(page.response(status))
    }
}

/// The client's address with an answer. `iss` tells it who answers (RFC 9207).
fn redirect_with_params(redirect_uri: &str, answer: &[(&str, &str)], state: Option<&str>, base: &BaseUrl) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = state {
        query.append_pair("state", state);
    }
    query.append_pair("iss", base.as_str());
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

fn csrf_cookie_name(base: &BaseUrl) -> &'static str {
    if base.is_https() {
        "__Host-mcp-daktela-login"
    } else {
        "mcp-daktela-login"
    }
}

fn set_csrf_cookie(csrf_token: String, base: &BaseUrl) -> String {
    let max_age = i64::try_from(LOGIN_LIFETIME.as_secs()).unwrap_or_default();
    Cookie::build((csrf_cookie_name(base), csrf_token))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(cookie::time::Duration::seconds(max_age))
        .secure(base.is_https())
        .build()
        .to_string()
}

/// The CSRF token in the browser's cookie; the same for all of its windows.
fn csrf_cookie(headers: &HeaderMap, base: &BaseUrl) -> Option<String> {
    // Other cookies of the site may hold any bytes.
    let given = headers.get_all(header::COOKIE).iter();
    let lines: Vec<_> = given.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let mut cookies = lines.iter().flat_map(|line| Cookie::split_parse(&**line));
    let ours = cookies.find_map(|cookie| cookie.ok().filter(|cookie| cookie.name() == csrf_cookie_name(base)))?;
    let is_ours = BASE64
        .decode(ours.value())
        .is_ok_and(|bytes| bytes.len() == CSRF_TOKEN_BYTES);
    is_ours.then(|| ours.value().to_owned())
}
