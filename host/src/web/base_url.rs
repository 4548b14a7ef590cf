//! Base URL: how clients call this server, e.g. `https://mcp.example.com` or `https://example.com/daktela`.

use std::sync::Arc;

use http::{HeaderMap, Uri};

use super::authority::Authority;

/// An origin, and a path where the server is published below one; without a slash at its end. A request extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl(Arc<str>);

impl BaseUrl {
    pub(crate) fn new(url: &str) -> Self {
        Self(url.into())
    }

    /// PUBLIC_URL, or what the request says. Without PUBLIC_URL, OAuth is served to this machine only.
    pub(crate) fn of_request(public_url: Option<&str>, uri: &Uri, headers: &HeaderMap) -> Self {
        match (public_url, Authority::of_request(uri, headers)) {
            (Some(url), _) => Self::new(url),
            (None, Some(host)) => Self(format!("http://{host}").into()),
            (None, None) => Self::new(""),
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }

    fn path_start(&self) -> usize {
        let authority = self.0.find("://").map_or(0, |at| at + 3);
        self.0[authority..].find('/').map_or(self.0.len(), |at| authority + at)
    }

    pub(crate) fn origin(&self) -> &str {
        &self.0[..self.path_start()]
    }

    /// `/daktela`, or nothing.
    pub(crate) fn path(&self) -> &str {
        &self.0[self.path_start()..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_an_origin_and_a_path() {
        for (url, origin, path) in [
            ("https://mcp.example.com", "https://mcp.example.com", ""),
            ("https://example.com:8443/a/b", "https://example.com:8443", "/a/b"),
            ("", "", ""),
        ] {
            let base = BaseUrl::new(url);
            assert_eq!((base.origin(), base.path()), (origin, path));
        }
    }
}
