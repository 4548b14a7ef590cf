//! Fuzz target: any request of a guest: what leaves is a GET below the API of the granted origin, as the parser that connects reads it.
#![no_main]

use daktela_egress::{Origin, fuzzing};
use http::{Request, Uri};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &str, &str)| {
    let (method, uri, header) = input;
    let origin: Origin = "https://acme.daktela.com".parse().expect("an origin");
    // An address that an operator or a stranger may write.
    if let Ok(given) = uri.parse::<Origin>() {
        let url = url::Url::parse(given.as_str()).expect("a URL");
        assert_eq!(url.origin().ascii_serialization(), given.as_str());
        assert!(url.username().is_empty() && url.password().is_none());
    }
    let method = ["GET", "POST", "PUT", "DELETE", "HEAD", "get"][usize::from(method) % 6];
    for uri in [
        uri.to_owned(),
        format!("https://acme.daktela.com{uri}"),
        format!("https://acme.daktela.com/api/v6/{uri}"),
    ] {
        let Ok(uri) = uri.parse::<Uri>() else { continue };
        let Ok(request) = Request::builder().method(method).uri(uri).header(header, "x").body(()) else {
            continue;
        };
        let Some(url) = fuzzing::leaves(&origin, &request) else {
            continue;
        };
        assert_eq!(request.method(), "GET");
        assert_eq!(url.origin().ascii_serialization(), "https://acme.daktela.com");
        assert!(
            url.path().starts_with("/api/v6/") && url.path().len() > "/api/v6/".len(),
            "{url}"
        );
        assert!(
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none(),
            "{url}"
        );
        assert_eq!(
            url.path_segments().map(Iterator::count),
            request.uri().path().get(1..).map(|path| path.split('/').count())
        );
        for refused in ["authorization", "cookie", "host", "x-auth-token"] {
            assert!(!request.headers().contains_key(refused), "{refused}");
        }
    }
});
