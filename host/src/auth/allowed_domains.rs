//! Allow list of Daktela instances: which hosts and ports are served.

use std::{fmt, str::FromStr};

use crate::egress::Origin;

/// The instances that are served, as the operator lists them.
#[derive(Debug, Clone)]
pub struct AllowedDomains {
    entries: Vec<Entry>,
}

/// `daktela.com` stands for itself and all names below it, `localhost` and an address for themselves. With a port it stands
/// for that port; without one, for the usual one, and an address for any: who names one means something of their own making.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    host: String,
    port: Option<u16>,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    #[error(transparent)]
    NotAnOrigin(#[from] crate::egress::OriginError),
    #[error("{0:?} is no host name")]
    NotAHost(String),
    #[error("{host} is not served here, only {allowed}")]
    Foreign { host: String, allowed: String },
    #[error("port {0} is not Daktela's; leave the port out")]
    Port(u16),
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither a domain, e.g. daktela.com, nor localhost or an address, with or without a port")]
pub struct InvalidDomain(String);

impl AllowedDomains {
    /// The origin of an untrusted address, if it is one of those served.
    pub fn origin(&self, url: &str) -> Result<Origin, DomainError> {
        let origin: Origin = url.parse()?;
        let host = origin.host();
        if !is_address(host) && !is_name(host) {
            return Err(DomainError::NotAHost(host.to_owned()));
        }
        let port = origin.port();
        let usual = if origin.scheme() == "http" { 80 } else { 443 };
        let takes_port = |entry: &Entry| match entry.port {
            Some(named) => named == port.unwrap_or(usual),
            None => port.is_none() || entry.is_single(),
        };
        let covering: Vec<&Entry> = self.entries.iter().filter(|entry| entry.covers(host)).collect();
        if covering.iter().any(|entry| takes_port(entry)) {
            return Ok(origin);
        }
        if let Some(port) = port
            && covering.iter().any(|entry| entry.port.is_none())
        {
            return Err(DomainError::Port(port));
        }
        Err(DomainError::Foreign {
            // The port tells apart what differs in nothing else.
            host: if covering.is_empty() {
                host.to_owned()
            } else {
                format!("{host}:{}", port.unwrap_or(usual))
            },
            allowed: self.to_string(),
        })
    }

    /// Adds one origin, with its port.
    pub fn also_serve(&mut self, origin: &str) -> Result<(), InvalidDomain> {
        let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
        self.entries.push(authority.parse()?);
        Ok(())
    }

    /// Hosts that the operator named by themselves, which may be on a private network.
    pub fn named(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.host.clone()).collect()
    }
}

impl Entry {
    fn is_single(&self) -> bool {
        self.host == "localhost" || is_address(&self.host)
    }

    fn covers(&self, host: &str) -> bool {
        let below = || host.strip_suffix(&*self.host).is_some_and(|rest| rest.ends_with('.'));
        host == self.host || (!self.is_single() && !is_address(host) && below())
    }
}

impl FromStr for Entry {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let wrong = || InvalidDomain(text.to_owned());
        // The same parser that reads callers' addresses, so that both mean the same.
        let bare_v6 = text.parse::<std::net::Ipv6Addr>().map(|address| format!("[{address}]"));
        let authority = bare_v6.as_deref().unwrap_or(text);
        let url = url::Url::parse(&format!("https://{authority}")).map_err(|_| wrong())?;
        // The parser leaves out the usual port of its scheme, which is no other scheme's.
        let port = || url::Url::parse(&format!("http://{authority}")).ok()?.port();
        let port = url.port().or_else(port);
        let host = url.host_str().unwrap_or_default().to_owned();
        let plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        if plain && url.password().is_none() && (is_address(&host) || is_name(&host)) {
            Ok(Self { host, port })
        } else {
            Err(wrong())
        }
    }
}

impl FromStr for AllowedDomains {
    type Err = InvalidDomain;

    /// With commas in between.
    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let entries: Result<Vec<Entry>, _> = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(str::parse)
            .collect();
        match entries {
            Ok(entries) if !entries.is_empty() => Ok(Self { entries }),
            Ok(_) => Err(InvalidDomain(text.to_owned())),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for AllowedDomains {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries: Vec<String> = self
            .entries
            .iter()
            .map(|Entry { host, port }| port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
            .collect();
        formatter.write_str(&entries.join(", "))
    }
}

/// As the parser writes them: IPv6 in brackets, IPv4 in four decimal numbers whatever was given.
fn is_address(host: &str) -> bool {
    host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok()
}

/// Letters, digits and hyphens, and no dot at the end: whatever else the parser lets through, another might read otherwise.
fn is_name(host: &str) -> bool {
    /// DNS has no longer ones.
    const NAME_BYTES_MAX: usize = 253;
    let is_label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    host.len() <= NAME_BYTES_MAX && host.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains(list: &str) -> AllowedDomains {
        list.parse().unwrap()
    }

    fn origin(list: &str, url: &str) -> Result<String, String> {
        domains(list)
            .origin(url)
            .map(|origin| origin.to_string())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn instances_below_a_domain_are_served() {
        for (url, expected) in [
            ("https://acme.daktela.com", "https://acme.daktela.com"),
            ("https://ACME.Daktela.com:443/tickets?x=1#y", "https://acme.daktela.com"),
            ("https://a.b.daktela.com/", "https://a.b.daktela.com"),
            ("https://daktela.com", "https://daktela.com"),
        ] {
            assert_eq!(origin("daktela.com", url).as_deref(), Ok(expected), "{url}");
        }
    }

    #[test]
    fn no_spelling_leads_elsewhere() {
        for url in [
            "https://evil.example",
            "https://notdaktela.com",
            "https://daktela.com.evil.example",
            "http://acme.daktela.com",
            "https://evil.example\\.daktela.com",
            "https://evil.example%2f.daktela.com",
            "https://evil.example;.daktela.com",
            "https://evil.example%00.daktela.com",
            "https://evil.example#.daktela.com",
            "https://evil.example?.daktela.com",
            "https://evil.example/.daktela.com",
            "https://acme.daktela.com@evil.example",
            "https://u:p@acme.daktela.com",
            "https://acme.daktela.com.",
            "https://acme..daktela.com",
            "https://.daktela.com",
            "https://acme.daktela.com:22",
            "https://acme.daktela.com:8443",
            "https://127.0.0.1",
            "https://2130706433",
            "https://0x7f.1",
            "https://0177.0.0.1",
            "https://[::1]",
            "https://[::ffff:127.0.0.1]",
            "https://localhost",
            "https://a_b.daktela.com",
            "acme.daktela.com",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://",
            "https://acme。daktela。com.evil.example",
        ] {
            assert!(
                origin("daktela.com", url).is_err(),
                "{url}: {:?}",
                origin("daktela.com", url)
            );
        }
    }

    #[test]
    fn what_is_named_is_served_and_nothing_beside_it() {
        assert_eq!(
            origin("127.0.0.1", "http://127.0.0.1:8099").as_deref(),
            Ok("http://127.0.0.1:8099")
        );
        assert_eq!(origin("::1", "http://[::1]:8099").as_deref(), Ok("http://[::1]:8099"));
        assert_eq!(
            origin("localhost", "http://localhost:1").as_deref(),
            Ok("http://localhost:1")
        );
        assert!(origin("localhost", "http://a.localhost:1").is_err());
        assert!(origin("127.0.0.1", "http://127.0.0.2:1").is_err());
        assert!(origin("127.0.0.1", "http://9.127.0.0.1").is_err());
        assert_eq!(
            origin("pbx.corp:8443", "https://pbx.corp:8443").as_deref(),
            Ok("https://pbx.corp:8443")
        );
        assert!(origin("pbx.corp:8443", "https://pbx.corp:9000").is_err());
        assert_eq!(
            origin("daktela.com, daktela.eu", "https://x.daktela.eu").as_deref(),
            Ok("https://x.daktela.eu")
        );
        for (list, url) in [
            ("127.0.0.1:8099,127.0.0.1:8100", "http://127.0.0.1:8100"),
            ("daktela.com,pbx.daktela.com:8443", "https://pbx.daktela.com:8443"),
            ("daktela.com,pbx.daktela.com:8443", "https://pbx.daktela.com"),
            ("127.0.0.1:80", "http://127.0.0.1"),
            ("pbx.corp:443", "https://pbx.corp"),
            ("127.0.0.1", "http://127.0.0.1"),
        ] {
            assert_eq!(origin(list, url).as_deref(), Ok(url), "{list}");
        }
        let told = |list, url, expected: &str| assert_eq!(origin(list, url), Err(expected.to_owned()), "{list} {url}");
        let only = "127.0.0.1:80 is not served here, only 127.0.0.1:8099";
        told("127.0.0.1:8099", "http://127.0.0.1", only);
        let only = "127.0.0.1:8100 is not served here, only 127.0.0.1:443";
        told("127.0.0.1:443", "http://127.0.0.1:8100", only);
        let only = "pbx.corp:443 is not served here, only pbx.corp:80";
        told("pbx.corp:80", "https://pbx.corp", only);
        let port = "port 9000 is not Daktela's; leave the port out";
        told("daktela.com,pbx.daktela.com:8443", "https://pbx.daktela.com:9000", port);
        told("daktela.com", "https://acme.daktela.com:9000", port);
        for wrong in ["", " , ", "https://daktela.com", "a/b", "*.daktela.com", "a;b", "u@h"] {
            assert!(wrong.parse::<AllowedDomains>().is_err(), "{wrong}");
        }
    }
}
