//! Origin of a Daktela instance: scheme, host and port, parsed from what a user wrote.

use std::{fmt, str::FromStr};

use url::{Host, Url};

use crate::EgressError;

/// Scheme, host and port; nothing else of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    url: Url,
}

/// Each says what was expected instead, to whoever wrote the URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OriginError {
    #[error("{0:?} is no URL; expected the address of your Daktela, e.g. https://acme.daktela.com")]
    NotAUrl(String),
    #[error("{0:?} lacks its scheme; write https://{0}")]
    NoScheme(String),
    #[error(
        "plain http would send the credential readable through the network; use https:// (http is for this machine only)"
    )]
    PlainHttp,
    #[error("the URL holds a user name or a password; give those as DAKTELA_USERNAME and DAKTELA_PASSWORD")]
    UserInfo,
}

impl Origin {
    /// `https://acme.daktela.com`, or with a port where it is not the usual one.
    pub fn as_str(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    pub fn scheme(&self) -> &str {
        self.url.scheme()
    }

    pub fn authority(&self) -> &str {
        self.url.authority()
    }

    /// A name, an IPv4 address, or an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// `None` for the scheme's usual one.
    pub fn port(&self) -> Option<u16> {
        self.url.port()
    }

    /// Whether the instance is on this very machine.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// A path with its query, on this origin and no other.
    pub(super) fn join(&self, path: &str) -> Result<Url, EgressError> {
        let url =
            Url::parse(&format!("{}{path}", self.as_str())).map_err(|_| EgressError::PolicyDenied("not a URL"))?;
        if url.origin() == self.url.origin() {
            Ok(url)
        } else {
            Err(EgressError::PolicyDenied("another origin"))
        }
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    /// A path, e.g. of a page copied from the browser, is left out. An instance that lives below one is not supported; it
    /// answers 404, and errors say so.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        let url = match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => url,
            _ if !text.contains("://") && Url::parse(&format!("https://{text}")).is_ok() => {
                return Err(OriginError::NoScheme(without_user_info(text)));
            }
            _ => return Err(OriginError::NotAUrl(without_user_info(text))),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(OriginError::UserInfo);
        }
        let origin =
            Url::parse(&url.origin().ascii_serialization()).map_err(|_| OriginError::NotAUrl(text.to_owned()))?;
        let origin = Self { url: origin };
        if origin.scheme() == "http" && !origin.is_loopback() {
            return Err(OriginError::PlainHttp);
        }
        Ok(origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Neither a message nor a page repeats a password that somebody put where it does not belong.
pub fn without_user_info(text: &str) -> String {
    text.rsplit_once('@').map_or(text, |(_, rest)| rest).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(text: &str) -> Result<String, OriginError> {
        text.parse().map(|origin: Origin| origin.to_string())
    }

    #[test]
    fn path_and_query_are_dropped() {
        assert_eq!(
            origin("https://Acme.daktela.com/tickets/update/1?x=1#y").unwrap(),
            "https://acme.daktela.com"
        );
        assert_eq!(
            origin(" https://acme.daktela.com:443/ ").unwrap(),
            "https://acme.daktela.com"
        );
        assert_eq!(
            origin("https://acme.daktela.com:8443").unwrap(),
            "https://acme.daktela.com:8443"
        );
    }

    #[test]
    fn plain_http_is_accepted_for_loopback_only() {
        assert_eq!(origin("http://127.0.0.1:8080").unwrap(), "http://127.0.0.1:8080");
        assert_eq!(origin("http://[::1]:8080/").unwrap(), "http://[::1]:8080");
        assert_eq!(origin("http://localhost").unwrap(), "http://localhost");
        for far in [
            "http://acme.daktela.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://0.0.0.0",
        ] {
            assert_eq!(origin(far), Err(OriginError::PlainHttp), "{far}");
        }
    }

    #[test]
    fn other_urls_are_refused_with_the_reason() {
        assert_eq!(
            origin("https://jan:secret@acme.daktela.com"),
            Err(OriginError::UserInfo)
        );
        assert_eq!(
            origin("acme.daktela.com"),
            Err(OriginError::NoScheme("acme.daktela.com".into()))
        );
        assert_eq!(
            origin("jan:secret@acme.daktela.com"),
            Err(OriginError::NoScheme("acme.daktela.com".into()))
        );
        assert_eq!(
            origin("ftp://jan:secret@acme.cz"),
            Err(OriginError::NotAUrl("acme.cz".into()))
        );
        assert!(matches!(origin(""), Err(OriginError::NotAUrl(_))));
    }
}
