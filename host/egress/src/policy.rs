//! Egress policy: only GET requests below `/api/v6/` of one origin leave, without credentials that the component set.

use std::{borrow::Cow, time::Duration};

use http::{HeaderName, Method, Request, header};
use percent_encoding::percent_decode_str;

use crate::{EgressError, Origin};

const PREFIX: &str = "/api/v6/";

/// Longer ones are refused by common servers, too; a page of filters with a hundred names is a tenth of it.
const PATH_BYTES_MAX: usize = 32 * 1024;

/// Deeper encodings have no use but to get past a check like this one.
const DECODINGS_MAX: u32 = 3;

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

/// What `cache-control` of a request allows, the only header of the component that the egress proxy reads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct CacheControl {
    /// `max-age=N`: the response may be served from the cache while it is no older than this.
    pub(super) max_age: Option<Duration>,
    /// `no-cache`: read anew, and keep the response for later requests with `max-age`.
    pub(super) no_cache: bool,
}

impl CacheControl {
    pub(super) fn of(request: &Request<()>) -> Self {
        let values = request.headers().get_all(header::CACHE_CONTROL).iter();
        let directives = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(str::trim);
        let mut control = Self::default();
        for directive in directives {
            match directive.split_once('=') {
                Some((name, seconds)) if name.eq_ignore_ascii_case("max-age") => {
                    control.max_age = seconds.parse().ok().map(Duration::from_secs);
                }
                None if directive.eq_ignore_ascii_case("no-cache") => control.no_cache = true,
                _ => {}
            }
        }
        control
    }
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

/// Whether no server or proxy on the way could read the segment as another path, however often it decodes: it is not empty,
/// and no part of it is `.` or `..` in any spelling.
fn is_plain_segment(segment: &str) -> bool {
    if segment.is_empty() || !is_percent_encoded(segment) {
        return false;
    }
    let mut text = Cow::Borrowed(segment);
    for _ in 0..=DECODINGS_MAX {
        if !is_plain_text(&text) {
            return false;
        }
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return true;
        }
        text = Cow::Owned(decoded);
    }
    false
}

/// Servers split at slashes of both kinds, cut path parameters off at `;`, and some trim blanks.
fn is_plain_text(text: &str) -> bool {
    let is_dots = |part: &str| matches!(part.split(';').next().unwrap_or(part).trim(), "." | "..");
    !text.contains('\\') && !text.chars().any(char::is_control) && !text.split('/').any(is_dots)
}

/// Whether each `%` begins an escape, and the escapes are UTF-8.
fn is_percent_encoded(text: &str) -> bool {
    let is_escape = |rest: &str| {
        rest.as_bytes()
            .get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    text.split('%').skip(1).all(is_escape) && percent_decode_str(text).decode_utf8().is_ok()
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
    fn reads_of_the_api_pass() {
        for path in [
            "/api/v6/tickets.json",
            "/api/v6/tickets/12/activities.json?take=3&fields[0]=name",
            "/api/v6/contacts/jan%40example.com.json",
            "/api/v6/activitiesCall/65a1%2E00001234.json",
            "/api/v6/contacts/100%25.json",
            "/api/v6/articles/a%2Fb.json?q=../..",
            "/api/v6/contacts/%C5%99%20%3B%201...json",
            "/api/v6/contacts/100%2525.json",
        ] {
            assert_eq!(passes(get(path)).as_deref(), Ok(path));
        }
    }

    #[test]
    fn other_paths_are_refused() {
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
            "/api/v6/x%2F..%2F..%2F..%2Ffile%2Frecording%2F1",
            "/api/v6/activitiesWeb/x%2F%2E%2E%2F%2E%2E%2Ffile/messages.json",
            "/api/v6/x%252F..%252Ffile.json",
            "/api/v6/x%25252F%25252E%25252E",
            "/api/v6/%25252e%25252e/users.json",
            "/api/v6/%2525252561/users.json",
            "/api/v6/..;/..;/internal",
            "/api/v6/..;x=1/internal",
            "/api/v6/..%3B/internal",
            "/api/v6/..%253B/internal",
            "/api/v6/..%20/internal",
            "/api/v6/%20../internal",
            "/api/v6/x%2F.%2Fy",
            "/api/v6/%252e%252e%252f%25zz",
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
    fn other_origins_and_methods_are_refused() {
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
    fn credentials_set_by_the_component_are_refused() {
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
    fn cache_control_is_read_as_http_defines_it() {
        for (value, max_age, no_cache) in [
            ("no-cache", None, true),
            ("max-age=3600", Some(3600), false),
            ("Max-Age=0, No-Cache", Some(0), true),
            ("no-cache-please", None, false),
            ("max-age=soon", None, false),
            ("max-age=-1", None, false),
            ("max-age", None, false),
        ] {
            let request = get("/api/v6/users.json").header("cache-control", value);
            let expected = CacheControl {
                max_age: max_age.map(Duration::from_secs),
                no_cache,
            };
            assert_eq!(CacheControl::of(&request.body(()).unwrap()), expected, "{value}");
        }
        let plain = get("/api/v6/users.json").body(()).unwrap();
        assert_eq!(CacheControl::of(&plain), CacheControl::default());
    }

    #[test]
    fn long_urls_are_refused() {
        assert!(passes(get(&format!("/api/v6/users.json?q={}", "x".repeat(PATH_BYTES_MAX)))).is_err());
    }
}
