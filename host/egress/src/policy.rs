//! What may leave the sandbox: GET, of one origin, under `/api/v6/`, without a credential of the guest's making.

use crate::{EgressError, Origin};
use http::{HeaderName, Method, Request, header};

const PREFIX: &str = "/api/v6/";

/// Longer ones are refused by common servers, too; a page of filters with a hundred names is a tenth of it.
const PATH_BYTES_MAX: usize = 32 * 1024;

/// Headers by which a guest could speak as somebody, or to somebody else. The host sets what is needed of them.
const REFUSED_HEADERS: [HeaderName; 6] = [
    header::AUTHORIZATION,
    header::COOKIE,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("x-auth-token"),
    HeaderName::from_static("x-auth-token-openapi"),
];

pub fn is_refused_header(name: &HeaderName) -> bool {
    REFUSED_HEADERS.contains(name)
}

/// Whether the guest wants an answer of Daktela's own and none from memory. Of its headers, this one alone is the egress's
/// business.
pub(super) fn wants_fresh(request: &Request<()>) -> bool {
    let directives = request.headers().get_all(header::CACHE_CONTROL).iter();
    directives
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"))
}

/// Returns the path with its query if the request may leave.
pub(super) fn check<'a>(origin: &Origin, request: &'a Request<()>) -> Result<&'a str, EgressError> {
    let deny = |reason| Err(EgressError::PolicyDenied(reason));
    let uri = request.uri();
    if request.method() != Method::GET {
        return deny("a method other than GET");
    }
    if uri.scheme_str() != Some(origin.scheme()) || uri.authority().map(|it| it.as_str()) != Some(origin.authority()) {
        return deny("another origin");
    }
    if request.headers().keys().any(is_refused_header) {
        return deny("a header that is the host's to set");
    }
    let Some(path_and_query) = uri.path_and_query() else {
        return deny("no path");
    };
    if path_and_query.as_str().len() > PATH_BYTES_MAX {
        return deny("a URL that is too long");
    }
    let Some(rest) = path_and_query.path().strip_prefix(PREFIX) else {
        return deny("a path outside of /api/v6/");
    };
    if rest.is_empty() || !rest.split('/').all(is_plain_segment) {
        return deny("a path that could mean another one");
    }
    Ok(path_and_query.as_str())
}

/// Not empty, not `.` or `..` in any spelling, and nothing that a server might take for a separator or an end.
fn is_plain_segment(segment: &str) -> bool {
    let Some(decoded) = decode(segment) else { return false };
    // Twice encoded, in case that something behind the front server decodes again.
    let Some(twice) = decode(&decoded) else {
        return is_plain_text(&decoded);
    };
    is_plain_text(&decoded) && is_plain_text(&twice)
}

fn is_plain_text(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains('\\') && !text.chars().any(char::is_control)
}

/// `None` for what is not percent-encoded text.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                u8::try_from(digit(rest.next())? * 16 + digit(rest.next())?).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(request: http::request::Builder) -> Result<String, EgressError> {
        let origin = "https://acme.daktela.com".parse().unwrap();
        check(&origin, &request.body(()).unwrap()).map(str::to_owned)
    }

    fn get(path: &str) -> http::request::Builder {
        Request::get(format!("https://acme.daktela.com{path}"))
    }

    #[test]
    fn reading_the_api_passes() {
        for path in [
            "/api/v6/tickets.json",
            "/api/v6/tickets/12/activities.json?take=3&fields[0]=name",
            "/api/v6/contacts/jan%40example.com.json",
            "/api/v6/activitiesCall/65a1%2E00001234.json",
            "/api/v6/contacts/100%25.json",
            "/api/v6/articles/a%2Fb.json?q=../..",
        ] {
            assert_eq!(passes(get(path)).as_deref(), Ok(path));
        }
    }

    #[test]
    fn other_paths_do_not() {
        for path in [
            "/",
            "/api/v6",
            "/api/v6/",
            "/api/v6?x",
            "/API/v6/tickets.json",
            "/api/v60/tickets.json",
            "/api/v6/../internal/users.json",
            "/api/v6/tickets/..",
            "/api/v6/./tickets.json",
            "/api/v6/%2e%2E/users.json",
            "/api/v6/.%2e/users.json",
            "/api/v6/%252e%252e/users.json",
            "/api/v6//users.json",
            "/api/v6/tickets%5c..%5cusers.json",
            "/api/v6/tickets%00.json",
            "/api/v6/tickets%0d%0a.json",
            "/api/v6/%zz.json",
            "/api/v6/%ff.json",
            "/file/recording/1",
        ] {
            assert!(matches!(passes(get(path)), Err(EgressError::PolicyDenied(_))), "{path}");
        }
    }

    #[test]
    fn other_origins_and_methods_do_not() {
        for url in [
            "http://acme.daktela.com/api/v6/users.json",
            "https://evil.example/api/v6/users.json",
            "https://acme.daktela.com.evil.example/api/v6/users.json",
            "https://acme.daktela.com:8443/api/v6/users.json",
            "https://jan@acme.daktela.com/api/v6/users.json",
            "/api/v6/users.json",
        ] {
            assert!(
                matches!(passes(Request::get(url)), Err(EgressError::PolicyDenied(_))),
                "{url}"
            );
        }
        for method in ["POST", "PUT", "DELETE", "HEAD", "PATCH", "get"] {
            assert!(
                matches!(
                    passes(get("/api/v6/users.json").method(method)),
                    Err(EgressError::PolicyDenied(_))
                ),
                "{method}"
            );
        }
    }

    #[test]
    fn a_credential_of_the_guests_making_does_not() {
        for name in [
            "X-AUTH-TOKEN",
            "x-auth-token-openapi",
            "Authorization",
            "Cookie",
            "Proxy-Authorization",
            "Host",
        ] {
            let request = get("/api/v6/users.json").header(name, "x");
            assert!(matches!(passes(request), Err(EgressError::PolicyDenied(_))), "{name}");
        }
        for (name, value) in [("accept", "application/json"), ("cache-control", "no-cache")] {
            assert!(passes(get("/api/v6/users.json").header(name, value)).is_ok(), "{name}");
        }
    }

    #[test]
    fn a_fresh_answer_is_wanted_as_http_has_it() {
        for (value, expected) in [
            ("no-cache", true),
            ("max-age=0, No-Cache", true),
            ("no-cache-please", false),
            ("max-age=60", false),
        ] {
            let request = get("/api/v6/users.json").header("cache-control", value);
            assert_eq!(wants_fresh(&request.body(()).unwrap()), expected, "{value}");
        }
        assert!(!wants_fresh(&get("/api/v6/users.json").body(()).unwrap()));
    }

    #[test]
    fn a_url_has_an_end() {
        assert!(passes(get(&format!("/api/v6/users.json?q={}", "x".repeat(PATH_BYTES_MAX)))).is_err());
    }
}
