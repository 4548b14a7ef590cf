//! The host name, and the port, by which a request calls this server.

use std::fmt;

use http::{HeaderMap, Uri, header};

/// A host, and a port where one is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    pub host: String,
    pub port: Option<u16>,
}

impl Authority {
    /// `example.com`, `example.com:8443`, `[::1]:80`. `None` for anything else, patterns among it: one that stood for any name
    /// would admit pages of any site.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let parsed: http::uri::Authority = text.parse().ok()?;
        if parsed.as_str().contains(['@', '*']) {
            return None;
        }
        Some(Self {
            host: parsed.host().to_ascii_lowercase(),
            port: parsed.port_u16(),
        })
    }

    /// The one name in a request's `Host` and target. `None` where there is none, or where two of them differ.
    pub(crate) fn of_request(uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(header::HOST).iter();
        let host = Self::parse(given.next()?.to_str().ok()?)?;
        if given.next().is_some() {
            return None;
        }
        match uri.authority() {
            Some(other) if Self::parse(other.as_str()).as_ref() != Some(&host) => None,
            _ => Some(host),
        }
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}
