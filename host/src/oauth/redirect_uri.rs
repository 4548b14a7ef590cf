//! Redirect URI validation, against open redirects: which addresses a client may register, which of them an authorization request
//! may name, and what the user is told of them.

use url::Url;

pub(super) const REDIRECT_URIS_MAX: usize = 10;
pub(super) const REDIRECT_URI_BYTES_MAX: usize = 512;

/// Of a client that is registered here, for its id holds them all, and stands in addresses.
pub(super) const REDIRECT_URIS_BYTES_MAX: usize = 2_560;

/// Hosts of AI assistants that log in with a redirect to their own site.
const WELL_KNOWN_HOSTS: [&str; 5] = [
    "chat.mistral.ai",
    "chatgpt.com",
    "claude.ai",
    "claude.com",
    "vscode.dev",
];

/// Schemes to which browsers give a meaning of their own, or that belong to programs which are no clients of ours and do
/// something with what they are given.
const SCHEMES_REFUSED: [&str; 71] = [
    "about",
    "afp",
    "android-app",
    "blob",
    "callto",
    "chrome",
    "chrome-extension",
    "chrome-search",
    "chrome-untrusted",
    "content",
    "data",
    "dav",
    "davs",
    "devtools",
    "dict",
    "edge",
    "extension",
    "facetime",
    "facetime-audio",
    "feed",
    "file",
    "filesystem",
    "ftp",
    "ftps",
    "git",
    "gopher",
    "help",
    "imap",
    "intent",
    "irc",
    "itms",
    "itms-services",
    "jar",
    "javascript",
    "ldap",
    "ldaps",
    "magnet",
    "mailto",
    "mms",
    "moz-extension",
    "news",
    "nfs",
    "nntp",
    "onenote",
    "opera",
    "rdp",
    "res",
    "resource",
    "rtsp",
    "safari-extension",
    "safari-web-extension",
    "scp",
    "search",
    "search-ms",
    "sftp",
    "shell",
    "sip",
    "sips",
    "skype",
    "sms",
    "smb",
    "ssh",
    "steam",
    "tel",
    "telnet",
    "vbscript",
    "view-source",
    "vnc",
    "webcal",
    "ws",
    "wss",
];

/// Families of them: those of Windows and Office, and of Apple's system.
const SCHEMES_REFUSED_FROM: [&str; 2] = ["ms-", "x-apple"];

pub(super) fn are_registrable(uris: &[String]) -> bool {
    (1..=REDIRECT_URIS_MAX).contains(&uris.len()) && uris.iter().all(|uri| is_registrable(uri))
}

/// Whether all of them fit into an id.
pub(super) fn fit_an_id(uris: &[String]) -> bool {
    uris.iter().map(String::len).sum::<usize>() <= REDIRECT_URIS_BYTES_MAX
}

/// https; http for this machine only; or a scheme that a program of the user's took for itself.
fn is_registrable(uri: &str) -> bool {
    let visible = uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains(['\\', '#', '"', '<', '>']);
    let Ok(url) = Url::parse(uri) else { return false };
    let no_user = url.username().is_empty() && url.password().is_none();
    let scheme_fits = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(&url),
        // With one slash or with two (RFC 8252, 7.1).
        scheme => uri[scheme.len()..].starts_with(":/") && is_private_use(scheme),
    };
    visible && no_user && scheme_fits && uri.len() <= REDIRECT_URI_BYTES_MAX
}

/// A scheme that a program may have taken for itself (RFC 8252, 7.1).
fn is_private_use(scheme: &str) -> bool {
    // A single letter is a drive.
    scheme.len() > 1
        && !SCHEMES_REFUSED.contains(&scheme)
        && !SCHEMES_REFUSED_FROM.iter().any(|family| scheme.starts_with(family))
}

pub(super) fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// Whether a request names a registered address: the very same; on the user's own machine with any port, for a program takes what
/// is free (RFC 8252, 7.3).
pub(super) fn matches_registered(registered: &[String], asked: &str) -> bool {
    let same_but_for_the_port = |registered: &String| {
        let (Ok(one), Ok(other)) = (Url::parse(registered), Url::parse(asked)) else {
            return false;
        };
        one.scheme() == "http"
            && other.scheme() == "http"
            && is_loopback(&one)
            && one.host() == other.host()
            && one.path() == other.path()
            && one.query() == other.query()
            && is_registrable(asked)
    };
    registered.iter().any(|uri| uri == asked || same_but_for_the_port(uri))
}

/// Where a redirect leads, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RedirectTarget {
    ThisMachine,
    /// A host.
    Site(String),
    /// The program that took this scheme for itself.
    Program(String),
}

impl RedirectTarget {
    pub(super) fn of(redirect_uri: &str) -> Self {
        match Url::parse(redirect_uri) {
            Ok(url) if matches!(url.scheme(), "http" | "https") && is_loopback(&url) => Self::ThisMachine,
            Ok(url) if url.scheme() == "https" => Self::Site(url.host_str().unwrap_or_default().to_owned()),
            Ok(url) => Self::Program(url.scheme().to_owned()),
            Err(_) => Self::Program(String::new()),
        }
    }
}

/// Allow list of hosts that clients redirect to: anybody can register a client, and call it by any name.
pub(super) struct KnownHosts {
    named: Vec<String>,
    only: bool,
}

impl KnownHosts {
    /// `named` by the operator, beside the well-known ones; with `only`, redirects to other hosts are refused.
    pub(super) fn new(named: Vec<String>, only: bool) -> Self {
        Self { named, only }
    }

    /// Whether the login page need not warn of it.
    pub(super) fn is_known(&self, redirect_uri: &str) -> bool {
        match RedirectTarget::of(redirect_uri) {
            RedirectTarget::Site(host) => WELL_KNOWN_HOSTS.contains(&&*host) || self.named.contains(&host),
            RedirectTarget::ThisMachine | RedirectTarget::Program(_) => false,
        }
    }

    pub(super) fn refuses(&self, redirect_uri: &str) -> bool {
        let is_site = matches!(RedirectTarget::of(redirect_uri), RedirectTarget::Site(_));
        self.only && is_site && !self.is_known(redirect_uri)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uris_that_can_be_registered() {
        for uri in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://app.example.com:8443/cb?x=1",
            "http://localhost/callback",
            "http://127.0.0.1:33418",
            "http://[::1]:1/cb",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "com.example.app:/oauth2redirect",
        ] {
            assert!(is_registrable(uri), "{uri}");
        }
        for uri in [
            "",
            "x",
            "/cb",
            "http://app.example.com/cb",
            "https://u:p@claude.ai/cb",
            "https://claude.ai/cb#x",
            "javascript:alert(1)",
            "javascript://x/%0aalert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://claude.ai\\@evil.example/cb",
            "https://a b/",
            "https://",
            "vbscript://x",
            "javascript:/x",
            "com.example.app:oauth2redirect",
            "ms-msdt:/id",
            "ms-appinstaller://?source=https://evil.example/x",
            "MS-Word://x",
            "search-ms://query=x",
            "smb://evil.example/x",
            "ssh://evil.example",
            "chrome-extension://x/y",
            "intent://x",
            "tel:/+420",
            "c:/windows/system32/calc.exe",
            "http://localhost.evil.example/cb",
            "urn:ietf:wg:oauth:2.0:oob",
            "https://a/\"><script>",
        ] {
            assert!(!is_registrable(uri), "{uri}");
        }
    }

    #[test]
    fn a_redirect_uri_is_the_registered_one_but_for_the_port_of_a_loopback_address() {
        let may = |registered: &str, asked: &str| matches_registered(&[registered.to_owned()], asked);
        assert!(may("https://claude.ai/cb", "https://claude.ai/cb"));
        assert!(may("http://localhost/callback", "http://localhost:51234/callback"));
        assert!(may("http://127.0.0.1:1/callback", "http://127.0.0.1:2/callback"));
        for (registered, asked) in [
            ("https://claude.ai/cb", "https://claude.ai/cb/"),
            ("https://claude.ai/cb", "https://claude.ai/cb?x=1"),
            ("https://claude.ai/cb", "https://claude.ai:8443/cb"),
            ("https://claude.ai/cb", "https://claude.ai.evil.example/cb"),
            ("https://claude.ai/cb", "https://claude.ai@evil.example/cb"),
            ("https://claude.ai/cb", "https://CLAUDE.ai/cb"),
            ("https://claude.ai/cb", "https://claude.ai/x/../cb"),
            ("http://localhost/callback", "http://127.0.0.1/callback"),
            ("http://localhost/callback", "http://localhost:1/other"),
            ("http://localhost/callback", "http://localhost:1@evil.example/callback"),
            ("http://localhost/callback", "https://localhost:1/callback"),
            ("http://localhost/callback", "http://localhost.evil.example/callback"),
        ] {
            assert!(!may(registered, asked), "{asked}");
        }
    }

    #[test]
    fn hosts_that_the_operator_named_are_known_and_no_others() {
        let known = KnownHosts::new(vec!["app.example.com".to_owned()], true);
        for uri in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://app.example.com/cb",
            "http://localhost:1/cb",
            "cursor://anysphere.cursor-mcp/oauth/callback",
        ] {
            assert!(!known.refuses(uri), "{uri}");
        }
        for uri in [
            "https://claude-ai.evil.example/cb",
            "https://evil.claude.ai/cb",
            "https://claude.ai.evil.example/cb",
        ] {
            assert!(known.refuses(uri) && !known.is_known(uri), "{uri}");
            assert!(!KnownHosts::new(Vec::new(), false).refuses(uri), "{uri}");
        }
    }
}
