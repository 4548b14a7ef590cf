//! What a request says of its sender: which Daktela, and with whose eyes.
//!
//! The address is a stranger's. It is parsed once, by the parser whose result connects, and nothing but its origin is kept.

use crate::egress::{Credential, Origin};
use http::{HeaderMap, HeaderName, header};
use std::{fmt, str::FromStr};

const URL: HeaderName = HeaderName::from_static("x-daktela-url");
const USERNAME: HeaderName = HeaderName::from_static("x-daktela-username");
const PASSWORD: HeaderName = HeaderName::from_static("x-daktela-password");
const TOKEN: HeaderName = HeaderName::from_static("x-daktela-access-token");

/// What a request came with.
#[derive(Debug)]
pub enum Presented {
    /// Daktela's own credential, in headers.
    Daktela(Origin, Credential),
    /// A token of ours, as it came.
    Bearer(String),
    Nothing,
}

/// Why the headers cannot be meant, for whoever set them up. Names headers and never what they hold, but for the address.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclear {
    #[error("{0} is there twice")]
    Twice(HeaderName),
    #[error("{0} is empty, or holds characters that do not belong there")]
    Unreadable(HeaderName),
    #[error("credentials without X-Daktela-Url; send the address of your Daktela, e.g. https://acme.daktela.com")]
    NoUrl,
    #[error("X-Daktela-Url: {0}")]
    Url(#[from] NotServed),
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
pub fn read(headers: &HeaderMap, domains: &Domains) -> Result<Presented, Unclear> {
    let [url, username, password, token] = [URL, USERNAME, PASSWORD, TOKEN].map(|name| single(headers, name));
    let (url, username, password, token) = (url?, username?, password?, token?);
    let credential = match (token, username, password) {
        (Some(token), None, None) => Some(Credential::Token(token.into())),
        (None, Some(username), Some(password)) => Some(Credential::Login {
            username,
            password: password.into(),
        }),
        (None, None, None) => None,
        (None, ..) => return Err(Unclear::HalfALogin),
        (Some(_), ..) => return Err(Unclear::TwoCredentials),
    };
    match (url, credential) {
        (Some(url), Some(credential)) => Ok(Presented::Daktela(domains.origin(&url)?, credential)),
        (Some(_), None) => Err(Unclear::NoCredential),
        (None, Some(_)) => Err(Unclear::NoUrl),
        (None, None) => Ok(bearer(headers)?.map_or(Presented::Nothing, Presented::Bearer)),
    }
}

/// Two of a kind could be read differently by whatever stands in between, so that none of them counts.
fn single(headers: &HeaderMap, name: HeaderName) -> Result<Option<String>, Unclear> {
    let mut values = headers.get_all(&name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Unclear::Twice(name));
    }
    // Names and passwords may be UTF-8, which a header carries as bytes.
    match std::str::from_utf8(value.as_bytes()).map(str::trim) {
        Ok(text) if !text.is_empty() && !text.chars().any(char::is_control) => Ok(Some(text.to_owned())),
        _ => Err(Unclear::Unreadable(name)),
    }
}

fn bearer(headers: &HeaderMap) -> Result<Option<String>, Unclear> {
    let Some(value) = single(headers, header::AUTHORIZATION)? else {
        return Ok(None);
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((&value, ""));
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    Ok(is_bearer.then(|| token.trim().to_owned()))
}

/// Whose Daktela is served.
#[derive(Debug, Clone)]
pub struct Domains {
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
pub enum NotServed {
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
pub struct NotADomain(String);

impl Domains {
    /// The origin of an address that a stranger gave, if it is one of those served.
    pub fn origin(&self, url: &str) -> Result<Origin, NotServed> {
        let origin: Origin = url.parse()?;
        let host = origin.host();
        if !is_address(host) && !is_name(host) {
            return Err(NotServed::NotAHost(host.to_owned()));
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
            return Err(NotServed::Port(port));
        }
        Err(NotServed::Foreign {
            // The port tells apart what differs in nothing else.
            host: if covering.is_empty() {
                host.to_owned()
            } else {
                format!("{host}:{}", port.unwrap_or(usual))
            },
            allowed: self.to_string(),
        })
    }

    /// One origin more, with its port.
    pub fn also_serve(&mut self, origin: &str) -> Result<(), NotADomain> {
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
    type Err = NotADomain;

    fn from_str(text: &str) -> Result<Self, NotADomain> {
        let wrong = || NotADomain(text.to_owned());
        // The same parser that reads strangers' addresses, so that both mean the same.
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

impl FromStr for Domains {
    type Err = NotADomain;

    /// With commas in between.
    fn from_str(text: &str) -> Result<Self, NotADomain> {
        let entries: Result<Vec<Entry>, _> = text
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(str::parse)
            .collect();
        match entries {
            Ok(entries) if !entries.is_empty() => Ok(Self { entries }),
            Ok(_) => Err(NotADomain(text.to_owned())),
            Err(error) => Err(error),
        }
    }
}

impl fmt::Display for Domains {
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
    use http::HeaderValue;

    fn domains(list: &str) -> Domains {
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
            assert!(wrong.parse::<Domains>().is_err(), "{wrong}");
        }
    }

    fn presented(given: &[(&'static str, &str)]) -> String {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        match read(&headers, &domains("daktela.com")) {
            Ok(Presented::Daktela(origin, Credential::Token(_))) => format!("token for {origin}"),
            Ok(Presented::Daktela(origin, Credential::Login { username, .. })) => format!("{username} at {origin}"),
            Ok(Presented::Bearer(token)) => format!("bearer {token}"),
            Ok(Presented::Nothing) => "nothing".to_owned(),
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
