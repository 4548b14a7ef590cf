//! HTML of the login page, from templates that the compiler checks and that escape what they are given. It has no script.

mod texts;

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use maud::{DOCTYPE, Markup, html};
use url::Url;

use self::texts::{CZECH, ENGLISH, Texts};
use super::{claims::LoginClaims, redirect_uri::RedirectTarget};
use crate::{
    limits::RateLimited,
    web::{base_url::BaseUrl, error::retry_after},
};

pub(super) const STYLE_PATH: &str = "/login.css";
const STYLE: &str = include_str!("login.css");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Czech,
    English,
}

impl Language {
    /// The best of the browser's languages that the page has; a Slovak reads Czech.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let languages = accept_language::parse(given);
        let known = languages.iter().find_map(|tag| match tag.split('-').next() {
            Some("cs" | "sk") => Some(Self::Czech),
            Some("en") => Some(Self::English),
            _ => None,
        });
        known.unwrap_or(Self::English)
    }

    fn texts(self) -> &'static Texts {
        match self {
            Self::Czech => &CZECH,
            Self::English => &ENGLISH,
        }
    }
}

/// What the user can mend on the page.
#[derive(Debug)]
pub(super) enum FormError {
    Missing,
    NotAnAddress,
    /// With the domains that are.
    NotServed(String),
    WrongPassword,
    WrongToken,
    NoAnswer,
    RateLimited(RateLimited),
}

impl FormError {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Missing | Self::NotAnAddress | Self::NotServed(_) => StatusCode::BAD_REQUEST,
            Self::WrongPassword | Self::WrongToken => StatusCode::FORBIDDEN,
            Self::NoAnswer => StatusCode::BAD_GATEWAY,
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn text(&self, texts: &Texts) -> String {
        let text = match self {
            Self::Missing => texts.missing,
            Self::NotAnAddress => texts.not_an_address,
            Self::NotServed(allowed) => return format!("{} {allowed}.", texts.not_served),
            Self::WrongPassword => texts.wrong_password,
            Self::WrongToken => texts.wrong_token,
            Self::NoAnswer => texts.no_answer,
            Self::RateLimited(RateLimited::After(_)) => texts.too_many_failed,
            Self::RateLimited(RateLimited::Concurrent) => texts.too_many_at_once,
        };
        text.to_owned()
    }
}

/// What the user cannot mend; the way back is through the client.
#[derive(Debug, Clone, Copy)]
pub(super) enum PageProblem {
    Unavailable,
    RateLimited(RateLimited),
    Busy,
    BadRequest,
    UnknownClient,
    NoDocument,
    WrongRedirect,
    Expired,
    OtherBrowser,
}

/// A page that says what is wrong.
#[derive(Debug)]
pub(super) struct PageError {
    language: Language,
    problem: PageProblem,
}

impl PageError {
    pub(super) fn new(language: Language, problem: PageProblem) -> Self {
        Self { language, problem }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let texts = self.language.texts();
        let (status, text) = match self.problem {
            PageProblem::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, texts.unavailable),
            PageProblem::RateLimited(_) => (StatusCode::TOO_MANY_REQUESTS, texts.rate_limited),
            PageProblem::Busy => (StatusCode::SERVICE_UNAVAILABLE, texts.busy),
            PageProblem::BadRequest => (StatusCode::BAD_REQUEST, texts.bad_request),
            PageProblem::UnknownClient => (StatusCode::BAD_REQUEST, texts.unknown_client),
            PageProblem::NoDocument => (StatusCode::BAD_REQUEST, texts.no_document),
            PageProblem::WrongRedirect => (StatusCode::BAD_REQUEST, texts.wrong_redirect),
            PageProblem::Expired => (StatusCode::BAD_REQUEST, texts.expired),
            PageProblem::OtherBrowser => (StatusCode::FORBIDDEN, texts.other_browser),
        };
        let body = html! {
            h1 { (texts.error_title) }
            p class="problem" role="alert" { (text) }
        };

        let mut response = page(
            status,
            texts,
            STYLE_PATH.trim_start_matches('/'),
            texts.error_title,
            &body,
            "",
        );
        let wait = match self.problem {
            PageProblem::RateLimited(limited) => Some(limited.retry_after()),
            PageProblem::Busy => Some(RateLimited::Concurrent.retry_after()),
            _ => None,
        };
        if let Some(wait) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, retry_after(wait));
        }
        response
    }
}

pub(super) async fn get_style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

/// The form, with what was entered before, but for the secrets.
pub(super) struct LoginPage<'a> {
    pub(super) language: Language,
    pub(super) base: &'a BaseUrl,
    pub(super) login: &'a LoginClaims,
    /// The same, sealed.
    pub(super) sealed: &'a str,
    pub(super) instance: &'a str,
    pub(super) username: &'a str,
    pub(super) error: Option<&'a FormError>,
    /// Whether the operator knows where the redirect leads.
    pub(super) is_known: bool,
}

impl LoginPage<'_> {
    pub(super) fn response(&self, status: StatusCode) -> Response {
        let texts = self.language.texts();
        let path = self.base.path();
        let target = RedirectTarget::of(&self.login.redirect_uri);
        // A document speaks for its own address only, and hosts of users' content have documents of anybody's.
        let document = Url::parse(&self.login.client_id).is_ok();
        let warning = match target {
            RedirectTarget::ThisMachine | RedirectTarget::Program(_) => Some(texts.warning_local),
            RedirectTarget::Site(_) if !self.is_known => Some(texts.warning_unknown),
            RedirectTarget::Site(_) => None,
        };
        let described_by = self.error.map(|_| "problem");
        let token_described_by = match self.error {
            Some(_) => "token-note problem",
            None => "token-note",
        };
        // What these speak of is to be seen.
        let opens_token = matches!(self.error, Some(FormError::WrongPassword | FormError::WrongToken));
        let body = html! {
            h1 { (texts.title) }
            dl {
                dt { (texts.asks) }
                dd {
                    strong { (self.login.client_name) } " "
                    @if document { "(" (self.login.client_id) ") " }
                    span class="note" { (texts.unchecked) }
                }
                dt { (texts.returns) }
                dd { strong { (target_name(texts, &target)) } }
            }
            p { (texts.meaning) }
            @if let Some(warning) = warning { p class="warning" { (warning) } }
            @if let Some(error) = self.error { p class="problem" id="problem" role="alert" { (error.text(texts)) } }
            form method="post" action={ (path) "/authorize" } autocomplete="on" {
                input type="hidden" name="login" value=(self.sealed);
                label for="instance" { (texts.instance) }
                input id="instance" name="instance" type="text" inputmode="url" autocomplete="url" autocapitalize="none"
                    spellcheck="false" placeholder=(texts.instance_example) value=(self.instance) required
                    aria-describedby=[described_by];
                label for="username" { (texts.username) }
                input id="username" name="username" type="text" autocomplete="username" autocapitalize="none"
                    spellcheck="false" value=(self.username) aria-describedby=[described_by];
                label for="password" { (texts.password) }
                input id="password" name="password" type="password" autocomplete="current-password"
                    aria-describedby=[described_by];
                details open[opens_token] {
                    summary { (texts.token_instead) }
                    p class="note" id="token-note" { (texts.token_note) }
                    label for="token" { (texts.token) }
                    input id="token" name="token" type="password" autocomplete="off" autocapitalize="none"
                        spellcheck="false" aria-describedby=(token_described_by);
                }
                button type="submit" { (texts.button) }
            }
            p class="note" { (texts.secrets_note) }
        };
        let style = format!("{path}{STYLE_PATH}");
        let form_targets = form_targets(&self.login.redirect_uri);
        let mut response = page(status, texts, &style, texts.title, &body, &form_targets);
        if let Some(FormError::RateLimited(limited)) = self.error {
            let wait = retry_after(limited.retry_after());
            response.headers_mut().insert(header::RETRY_AFTER, wait);
        }
        response
    }
}

/// What the client has to mend. The user is sent to `target` by their own hand only.
pub(super) fn wrong_request(
    language: Language,
    base: &BaseUrl,
    reason: &str,
    redirect_uri: &str,
    target: &str,
) -> Response {
    let texts = language.texts();
    let body = html! {
        h1 { (texts.error_title) }
        p class="problem" role="alert" { (texts.wrong_request) " " (reason) }
        p {
            a href=(target) rel="noreferrer" {
                (texts.back) " " strong { (target_name(texts, &RedirectTarget::of(redirect_uri))) }
            }
        }
    };
    let style = format!("{}{STYLE_PATH}", base.path());
    page(StatusCode::BAD_REQUEST, texts, &style, texts.error_title, &body, "")
}

fn target_name(texts: &Texts, target: &RedirectTarget) -> String {
    match target {
        RedirectTarget::ThisMachine => texts.this_machine.to_owned(),
        RedirectTarget::Site(host) => host.clone(),
        RedirectTarget::Program(scheme) => format!("{} {scheme}:", texts.program),
    }
}

fn page(status: StatusCode, texts: &Texts, style: &str, title: &str, body: &Markup, form_targets: &str) -> Response {
    let document = html! {
        (DOCTYPE)
        html lang=(texts.tag) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                link rel="stylesheet" href=(style);
            }
            body { main { (body) } }
        }
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self'{form_targets}; base-uri 'none'; frame-ancestors 'none'"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not less: without it the browser would not say where the form comes from.
        (header::REFERRER_POLICY, "same-origin"),
        (header::VARY, "Accept-Language"),
    ];
    let mut response = (status, headers, document.into_string()).into_response();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Browsers look at where a form's answer redirects to, too.
fn form_targets(redirect_uri: &str) -> String {
    match Url::parse(redirect_uri) {
        // An IPv6 address cannot be written in a policy.
        Ok(url) if url.host_str() == Some("[::1]") => " http:".to_owned(),
        Ok(url) if url.origin().is_tuple() => format!(" {}", url.origin().ascii_serialization()),
        Ok(url) => format!(" {}:", url.scheme()),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_is_the_one_that_is_liked_best() {
        let of = |text: &'static str| {
            Language::of(&HeaderMap::from_iter([(
                header::ACCEPT_LANGUAGE,
                HeaderValue::from_static(text),
            )]))
        };
        assert_eq!(of("cs-CZ,cs;q=0.9,en;q=0.8"), Language::Czech);
        assert_eq!(of("en-GB;q=0.5, sk;q=0.7"), Language::Czech);
        assert_eq!(of("de, en;q=0.3"), Language::English);
        assert_eq!(of(""), Language::English);
    }

    #[test]
    fn a_policy_names_where_the_form_leads() {
        assert_eq!(form_targets("https://claude.ai/api/cb?x=1"), " https://claude.ai");
        assert_eq!(
            form_targets("http://localhost:51234/callback"),
            " http://localhost:51234"
        );
        assert_eq!(form_targets("http://[::1]:1/callback"), " http:");
        assert_eq!(form_targets("cursor://anysphere.cursor-mcp/oauth"), " cursor:");
    }
}
