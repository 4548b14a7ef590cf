//! The page itself. It has no script, and everything that comes from the outside is escaped.

use super::{client, client::Place, document::Login};
use crate::http::throttle::TooMany;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::Url;

pub(super) const STYLE_PATH: &str = "/login.css";
const STYLE: &str = include_str!("login.css");

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Czech,
    English,
}

impl Language {
    /// The first that the browser likes and we know; a Slovak reads Czech.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let given = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let mut best = (0.0, Self::English);
        for entry in given.split(',') {
            let (tag, quality) = entry
                .split_once(";q=")
                .map_or((entry, Some(1.0)), |(tag, q)| (tag, q.trim().parse().ok()));
            let language = match tag.trim().split('-').next() {
                Some("cs" | "sk") => Self::Czech,
                Some("en") => Self::English,
                _ => continue,
            };
            let quality: f32 = quality.unwrap_or_default();
            if quality > best.0 {
                best = (quality, language);
            }
        }
        best.1
    }

    fn tag(self) -> &'static str {
        match self {
            Self::Czech => "cs",
            Self::English => "en",
        }
    }

    fn pick(self, czech: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Czech => czech,
            Self::English => english,
        }
    }
}

/// What the user can mend on the page.
#[derive(Debug)]
pub(super) enum Problem {
    Missing,
    NotAnAddress,
    NotServed(String),
    WrongPassword,
    WrongToken,
    NoAnswer,
    TooMany(TooMany),
}

impl Problem {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Missing | Self::NotAnAddress | Self::NotServed(_) => StatusCode::BAD_REQUEST,
            Self::WrongPassword | Self::WrongToken => StatusCode::FORBIDDEN,
            Self::NoAnswer => StatusCode::BAD_GATEWAY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    fn text(&self, language: Language) -> String {
        match self {
            Self::Missing => language
                .pick(
                    "Vyplňte prosím adresu a jméno s heslem, nebo API token.",
                    "Please fill in the address, and user name with password or an API token.",
                )
                .to_owned(),
            Self::NotAnAddress => language
                .pick(
                    "Adresa není správně. Čeká se například https://firma.daktela.com.",
                    "That is no address of a Daktela. Expected e.g. https://company.daktela.com.",
                )
                .to_owned(),
            Self::NotServed(allowed) => {
                format!("{} {allowed}.", language.pick("Tento server obsluhuje jen", "This server serves only"))
            }
            Self::WrongPassword => language
                .pick(
                    "Daktela přihlášení odmítla. Zkontrolujte jméno a heslo. Kdo se přihlašuje druhým faktorem nebo přes jednotné přihlášení, vloží místo hesla API token.",
                    "Daktela refused the login. Check user name and password. Whoever signs in with a second factor or through single sign-on gives an API token instead.",
                )
                .to_owned(),
            Self::WrongToken => language
                .pick(
                    "Daktela tento API token nezná. Zkopírujte ho celý z nastavení uživatele, nebo si dejte vystavit nový.",
                    "Daktela does not know this API token. Copy it whole from the user's settings, or have a new one made.",
                )
                .to_owned(),
            Self::NoAnswer => language
                .pick(
                    "Na této adrese Daktela neodpovídá. Zkontrolujte adresu, nebo to zkuste za chvíli.",
                    "No Daktela answers at that address. Check it, or try again in a while.",
                )
                .to_owned(),
            Self::TooMany(TooMany::After(_)) => language
                .pick(
                    "Příliš mnoho neúspěšných pokusů. Zkuste to znovu za pět minut.",
                    "Too many attempts failed. Try again in five minutes.",
                )
                .to_owned(),
            Self::TooMany(TooMany::AtOnce) => language
                .pick(
                    "Právě teď se jich přihlašuje příliš mnoho. Zkuste to hned znovu.",
                    "Too many are logging in just now. Try again at once.",
                )
                .to_owned(),
        }
    }
}

/// What the user cannot mend; the way back is through the client.
#[derive(Debug, Clone, Copy)]
pub(super) enum Trouble {
    Off,
    TooMany,
    Busy,
    BadRequest,
    UnknownClient,
    NoDocument,
    WrongRedirect,
    Over,
    OtherBrowser,
}

impl Trouble {
    fn text(self, language: Language) -> &'static str {
        match self {
            Self::Off => language.pick("Přihlášení teď není možné.", "Logging in is not possible just now."),
            Self::TooMany => language.pick(
                "Příliš mnoho požadavků. Zkuste to za několik minut.",
                "Too many requests. Try again in some minutes.",
            ),
            Self::Busy => language.pick(
                "Server má právě příliš mnoho práce. Zkuste to za pár vteřin.",
                "The server is busy. Try again in a few seconds.",
            ),
            Self::BadRequest => language.pick(
                "Aplikace poslala neúplný požadavek.",
                "The application sent a request that is not complete.",
            ),
            Self::UnknownClient => language.pick(
                "Tuto aplikaci server nezná. Odpojte ji a připojte znovu.",
                "This server does not know the application. Disconnect it and connect again.",
            ),
            Self::NoDocument => language.pick(
                "Popis aplikace (client_id) nelze načíst, nebo není platný.",
                "The application's description (client_id) cannot be read, or is not valid.",
            ),
            Self::WrongRedirect => language.pick(
                "Aplikace chce odpověď na adresu, kterou nemá zapsanou. Přihlášení bylo zastaveno.",
                "The application wants its answer at an address that it did not register. The login was stopped.",
            ),
            Self::Over => language.pick(
                "Stránka byla otevřená příliš dlouho. Začněte znovu ve své aplikaci.",
                "The page was open for too long. Start again in your application.",
            ),
            Self::OtherBrowser => language.pick(
                "Přihlášení nezačalo v tomto prohlížeči, nebo prohlížeč odmítá cookies. Začněte znovu ve své aplikaci.",
                "The login did not start in this browser, or the browser refuses cookies. Start again in your application.",
            ),
        }
    }
}

pub(super) async fn style() -> Response {
    let headers = [
        (header::CONTENT_TYPE, "text/css; charset=utf-8"),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, STYLE).into_response()
}

pub(super) fn login(
    status: StatusCode,
    language: Language,
    login: &Login,
    sealed: &str,
    instance: &str,
    username: &str,
    problem: Option<&Problem>,
) -> Response {
    let t = |czech, english| language.pick(czech, english);
    let place = place(language, &login.redirect_uri);
    let vouched = Url::parse(&login.client_id)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned));
    let client = match &vouched {
        Some(host) => format!("<strong>{}</strong> ({})", escape(&login.client_name), escape(host)),
        None => format!(
            "<strong>{}</strong> <span class=\"note\">{}</span>",
            escape(&login.client_name),
            t(
                "(tak se nazývá sama, nikdo to neověřil)",
                "(its own words, nobody checked them)"
            )
        ),
    };
    let warning = match client::place(&login.redirect_uri) {
        Place::ThisMachine | Place::Program(_) => format!(
            "<p class=\"warning\">{}</p>",
            t(
                "Pokračujte jen tehdy, když jste připojení právě sami začali ve svém počítači.",
                "Continue only if you have just started this connection yourself, on your own computer."
            )
        ),
        Place::Site(_) => String::new(),
    };
    let (alert, invalid) = problem.map_or((String::new(), ""), |problem| {
        let text = escape(&problem.text(language));
        (
            format!("<p class=\"problem\" id=\"problem\" role=\"alert\">{text}</p>"),
            " aria-describedby=\"problem\"",
        )
    });
    let body = format!(
        "<h1>{title}</h1>\
         <dl><dt>{asks}</dt><dd>{client}</dd><dt>{returns}</dt><dd><strong>{place}</strong></dd></dl>\
         <p>{meaning}</p>{warning}{alert}\
         <form method=\"post\" action=\"/authorize\" autocomplete=\"on\">\
         <input type=\"hidden\" name=\"login\" value=\"{sealed}\">\
         <label for=\"instance\">{instance_label}</label>\
         <input id=\"instance\" name=\"instance\" type=\"text\" inputmode=\"url\" autocomplete=\"url\" autocapitalize=\"none\" \
         spellcheck=\"false\" placeholder=\"{example}\" value=\"{instance}\" required{invalid}>\
         <label for=\"username\">{username_label}</label>\
         <input id=\"username\" name=\"username\" type=\"text\" autocomplete=\"username\" autocapitalize=\"none\" \
         spellcheck=\"false\" value=\"{username}\"{invalid}>\
         <label for=\"password\">{password_label}</label>\
         <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\"{invalid}>\
         <details{open}><summary>{instead}</summary>\
         <p class=\"note\" id=\"token-note\">{token_note}</p>\
         <label for=\"token\">{token_label}</label>\
         <input id=\"token\" name=\"token\" type=\"password\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" \
         aria-describedby=\"token-note{problem_too}\"></details>\
         <button type=\"submit\">{button}</button></form>\
         <p class=\"note\">{note}</p>",
        title = t("Připojit Daktelu", "Connect Daktela"),
        asks = t("O přístup žádá", "Access is asked for by"),
        returns = t("Po přihlášení se vrátíte na", "After logging in you return to"),
        place = escape(&place),
        meaning = t(
            "Aplikace uvidí v Daktele to, co vidíte vy: tikety, hovory, zprávy a kontakty. Nic nezmění.",
            "The application will see in Daktela what you see: tickets, calls, messages and contacts. It changes nothing."
        ),
        sealed = escape(sealed),
        instance_label = t("Adresa vaší Daktely", "Address of your Daktela"),
        example = t("https://firma.daktela.com", "https://company.daktela.com"),
        instance = escape(instance),
        username_label = t("Uživatelské jméno", "User name"),
        username = escape(username),
        password_label = t("Heslo", "Password"),
        open = match problem {
            // What they speak of is to be seen.
            Some(Problem::WrongPassword | Problem::WrongToken) => " open",
            _ => "",
        },
        problem_too = if problem.is_some() { " problem" } else { "" },
        instead = t(
            "Přihlašujete se druhým faktorem nebo přes jednotné přihlášení?",
            "Do you sign in with a second factor or through single sign-on?"
        ),
        token_note = t(
            "Vložte API token ze svého nastavení v Daktele. Platí pak místo jména a hesla.",
            "Paste the API token from your settings in Daktela. It then counts instead of user name and password."
        ),
        token_label = t("API token", "API token"),
        button = t("Přihlásit a povolit čtení", "Log in and allow reading"),
        note = t(
            "Heslo i token jdou jen do vaší Daktely. Aplikace dostane klíč, který platí pouze pro tento server.",
            "Password and token go to your Daktela only. The application gets a key that is good for this server alone."
        ),
    );
    page(
        status,
        language,
        t("Připojit Daktelu", "Connect Daktela"),
        &body,
        &form_targets(&login.redirect_uri),
    )
}

pub(super) fn trouble(status: StatusCode, language: Language, trouble: Trouble) -> Response {
    let title = language.pick("Takhle to nejde", "This does not work");
    let body = format!(
        "<h1>{title}</h1><p class=\"problem\" role=\"alert\">{}</p>",
        trouble.text(language)
    );
    page(status, language, title, &body, "")
}

/// What the client has to mend. Nobody is sent there but by their own hand.
pub(super) fn wrong_request(language: Language, reason: &str, redirect_uri: &str, target: &str) -> Response {
    let title = language.pick("Takhle to nejde", "This does not work");
    let body = format!(
        "<h1>{title}</h1><p class=\"problem\" role=\"alert\">{} {}</p>\
         <p><a href=\"{}\" rel=\"noreferrer\">{} <strong>{}</strong></a></p>",
        language.pick(
            "Aplikace žádá o přihlášení chybně:",
            "The application asks for the login in a wrong way:"
        ),
        escape(reason),
        escape(target),
        language.pick("Zpět do aplikace:", "Back to the application:"),
        escape(&place(language, redirect_uri)),
    );
    page(StatusCode::BAD_REQUEST, language, title, &body, "")
}

/// Where an answer goes.
fn place(language: Language, redirect_uri: &str) -> String {
    match client::place(redirect_uri) {
        Place::ThisMachine => language
            .pick("program v tomto počítači", "a program on this computer")
            .to_owned(),
        Place::Site(host) => host,
        Place::Program(scheme) => {
            let program = language.pick("program pro odkazy", "the program for links that begin with");
            format!("{program} {scheme}:")
        }
    }
}

fn page(status: StatusCode, language: Language, title: &str, body: &str, form_targets: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>{title}</title><link rel=\"stylesheet\" href=\"{STYLE_PATH}\"></head><body><main>{body}</main></body></html>",
        language.tag(),
    );
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
    let mut response = (status, headers, html).into_response();
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

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // They turn the order of what follows, and with it a name into another.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            char => escaped.push(char),
        }
    }
    escaped
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
