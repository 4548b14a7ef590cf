//! Request headers: the Daktela instance and the credential of a request.
//!
//! The address is untrusted input. It is parsed once, by the parser whose result connects, and nothing but its origin is kept.

use http::{HeaderMap, HeaderName, header};
use secrecy::SecretString;

use super::allowed_domains::{AllowedDomains, DomainError};
use crate::egress::{Credential, Origin};

const URL: HeaderName = HeaderName::from_static("x-daktela-url");
const USERNAME: HeaderName = HeaderName::from_static("x-daktela-username");
const PASSWORD: HeaderName = HeaderName::from_static("x-daktela-password");
const TOKEN: HeaderName = HeaderName::from_static("x-daktela-access-token");

/// What a request authenticates with.
pub enum Credentials {
    /// Daktela's own credential, in headers.
    Daktela(Origin, Credential),
    /// An access token of this server's own, not checked yet.
    Bearer(SecretString),
    None,
}

/// What is wrong with the headers, for whoever set them up. Names headers and never what they hold, but for the address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("{0} is there twice")]
    Twice(HeaderName),
    #[error("{0} is empty, or holds characters that do not belong there")]
    Unreadable(HeaderName),
    #[error("credentials without X-Daktela-Url; send the address of your Daktela, e.g. https://acme.daktela.com")]
    NoUrl,
    #[error("X-Daktela-Url: {0}")]
    Url(#[from] DomainError),
    #[error(
        "X-Daktela-Url without a credential; add X-Daktela-Access-Token, or X-Daktela-Username and X-Daktela-Password"
    )]
    NoCredential,
    #[error("X-Daktela-Username and X-Daktela-Password belong together; one is missing")]
    HalfALogin,
    #[error("both X-Daktela-Access-Token and a login; which of them counts? Remove one")]
    TwoCredentials,
}

/// Daktela's headers count before a bearer token: who sends them means them.
pub fn read_credentials(headers: &HeaderMap, domains: &AllowedDomains) -> Result<Credentials, CredentialError> {
    let [url, username, password, token] = [URL, USERNAME, PASSWORD, TOKEN].map(|name| single(headers, name));
    let (url, username, password, token) = (url?, username?, password?, token?);
    let credential = match (token, username, password) {
        (Some(token), None, None) => Some(Credential::Token(token.into())),
        (None, Some(username), Some(password)) => Some(Credential::Login {
            username,
            password: password.into(),
        }),
        (None, None, None) => None,
        (None, ..) => return Err(CredentialError::HalfALogin),
        (Some(_), ..) => return Err(CredentialError::TwoCredentials),
    };
    match (url, credential) {
        (Some(url), Some(credential)) => Ok(Credentials::Daktela(domains.origin(&url)?, credential)),
        (Some(_), None) => Err(CredentialError::NoCredential),
        (None, Some(_)) => Err(CredentialError::NoUrl),
        (None, None) => Ok(bearer(headers)?.map_or(Credentials::None, Credentials::Bearer)),
    }
}

/// Duplicates are refused: proxies and servers could each read another one of them.
fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<String>, CredentialError> {
    let mut values = headers.get_all(&name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(CredentialError::Twice(name));
    }
    // Names and passwords may be UTF-8, which a header carries as bytes.
    match std::str::from_utf8(value.as_bytes()).map(str::trim) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(Some(text.to_owned())),
        _ => Err(CredentialError::Unreadable(name)),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<SecretString>, CredentialError> {
    let Some(value) = single(headers, header::AUTHORIZATION)? else {
        return Ok(None);
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((&value, ""));
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    Ok(is_bearer.then(|| token.trim().to_owned().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use secrecy::ExposeSecret;

    fn domains(list: &str) -> AllowedDomains {
        list.parse().unwrap()
    }

    fn presented(given: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        match read_credentials(&headers, &domains("daktela.com")) {
            Ok(Credentials::Daktela(origin, Credential::Token(_))) => format!("token for {origin}"),
            Ok(Credentials::Daktela(origin, Credential::Login { username, .. })) => format!("{username} at {origin}"),
            Ok(Credentials::Bearer(token)) => format!("bearer {}", token.expose_secret()),
            Ok(Credentials::None) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn headers_say_who_reads_what() {
        let url = ("x-daktela-url", "https://acme.daktela.com/x");
        let (name, word, token) = (
            ("x-daktela-username", "žofie"),
            ("x-daktela-password", "p"),
            ("x-daktela-access-token", "t"),
        );
        assert_eq!(presented(&[url, token]), "token for https://acme.daktela.com");
        assert_eq!(presented(&[url, name, word]), "žofie at https://acme.daktela.com");
        assert_eq!(
            presented(&[url, token, ("authorization", "Bearer x")]),
            "token for https://acme.daktela.com"
        );
        assert_eq!(presented(&[("authorization", "bearer  abc ")]), "bearer abc");
        assert_eq!(presented(&[("authorization", "Basic abc")]), "nothing");
        assert_eq!(presented(&[("x-daktela-foo", "1")]), "nothing");
        for (given, expected) in [
            (&[url][..], "without a credential"),
            (&[token], "without X-Daktela-Url"),
            (&[url, name], "belong together"),
            (&[url, name, word, token], "which of them counts"),
            (&[url, url, token], "x-daktela-url is there twice"),
            (&[url, ("x-daktela-access-token", " ")], "is empty"),
            (
                &[("x-daktela-url", "https://evil.example"), token],
                "evil.example is not served here, only daktela.com",
            ),
        ] {
            assert!(presented(given).contains(expected), "{given:?}: {}", presented(given));
        }
    }
}
