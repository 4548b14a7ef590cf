//! Who asks for access: a client that publishes a document about itself, whose address is its id, or one that registered
//! here, whose id is the sealed registration. And where answers to it may go.

use super::{document, seal::Kind};
use crate::{
    egress::{Client as HttpClient, Network},
    http::throttle::network,
};
use moka::{future, sync};
use serde::Deserialize;
use std::{net::IpAddr, sync::Arc, time::Duration};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use url::{Host, Url};

/// Names of a client and so on: the drafts say five kilobytes.
const DOCUMENT_BYTES_MAX: usize = 5 * 1024;
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Nobody else waits for documents than people in front of a page. A host that answers slowly, or somebody who asks for many,
/// takes only a part of the room.
const FETCHES_AT_ONCE: usize = 32;
const FETCHES_PER_HOST: usize = 4;
const FETCHES_PER_CALLER: usize = 4;

/// For room. Then it is better told than waited for.
const ROOM_TIMEOUT: Duration = Duration::from_secs(2);

/// Long enough for the two or three requests of one login; a document that was mended counts soon.
const KEPT: Duration = Duration::from_secs(300);
const DOCUMENTS_MAX: u64 = 1_000;

/// More than can be in use.
const ROOMS_MAX: u64 = 10_000;

pub(super) const CLIENT_ID_BYTES_MAX: usize = 4 * 1024;
const NAME_CHARS_MAX: usize = 60;
pub(super) const REDIRECTS_MAX: usize = 10;
pub(super) const REDIRECT_BYTES_MAX: usize = 512;

/// Of those that are registered here, for a client's id holds them all, and stands in addresses.
pub(super) const REDIRECTS_BYTES_MAX: usize = 2_560;

/// Browsers give these a meaning of their own, or they belong to programs that are no clients of ours and do something with
/// what they are given.
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

/// A client that may be sent an answer to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    /// What it calls itself; anybody can call themselves anything.
    pub(super) name: String,
    /// The host that vouches for it, where one does.
    pub(super) host: Option<String>,
    pub(super) redirect_uris: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// No id of ours, and no address of a document.
    NotAnId,
    /// The document cannot be read, or does not say what it has to. Why is for the log: it could tell about our network.
    NoDocument,
    /// Other documents are waited for.
    Busy,
}

pub(super) struct Clients {
    http: HttpClient,
    /// Hosts that may be on a private network, and without TLS on this machine.
    named: Vec<String>,
    documents: future::Cache<String, Arc<Client>>,
    fetches: Arc<Semaphore>,
    per_host: Rooms,
    per_caller: Rooms,
}

/// A room for each of many, while it is used.
struct Rooms {
    each: usize,
    rooms: sync::Cache<String, Arc<Semaphore>>,
}

impl Rooms {
    fn new(each: usize) -> Self {
        Self {
            each,
            rooms: sync::Cache::builder()
                .max_capacity(ROOMS_MAX)
                .time_to_idle(2 * (ROOM_TIMEOUT + FETCH_TIMEOUT))
                .build(),
        }
    }

    async fn enter(&self, of: String) -> Result<OwnedSemaphorePermit, AcquireError> {
        let room = self.rooms.get_with(of, || Arc::new(Semaphore::new(self.each)));
        room.acquire_owned().await
    }
}

impl Clients {
    pub(super) fn new(network: Network, named: Vec<String>) -> Self {
        Self {
            http: HttpClient::public_only(network, named.clone()),
            named,
            documents: future::Cache::builder()
                .max_capacity(DOCUMENTS_MAX)
                .time_to_live(KEPT)
                .build(),
            fetches: Arc::new(Semaphore::new(FETCHES_AT_ONCE)),
            per_host: Rooms::new(FETCHES_PER_HOST),
            per_caller: Rooms::new(FETCHES_PER_CALLER),
        }
    }

    pub(super) async fn find(&self, sealer: &super::Sealer, id: &str, caller: IpAddr) -> Result<Arc<Client>, Unknown> {
        if id.len() > CLIENT_ID_BYTES_MAX {
            return Err(Unknown::NotAnId);
        }
        if let Some(document::Client { name, redirect_uris }) = sealer.open(Kind::Client, id) {
            return Ok(Arc::new(Client {
                name,
                host: None,
                redirect_uris,
            }));
        }
        let url = self.document_url(id).ok_or(Unknown::NotAnId)?;
        let found = self.documents.try_get_with(id.to_owned(), async {
            let room = tokio::time::timeout(ROOM_TIMEOUT, self.room(&url, caller)).await;
            let Ok(Ok(_room)) = room else { return Err(Unknown::Busy) };
            let body = tokio::time::timeout(FETCH_TIMEOUT, self.fetch(url.clone())).await;
            let body = body.unwrap_or_else(|_| Err("no answer in time".to_owned()));
            let client = body.and_then(|body| read(id, &url, &body).map_err(str::to_owned));
            client.map(Arc::new).map_err(|reason| {
                tracing::warn!(event = "client_document", host = url.host_str(), reason);
                Unknown::NoDocument
            })
        });
        found.await.map_err(|unknown| *unknown)
    }

    /// The widest comes last, so that nobody holds it who waits for their own.
    async fn room(&self, url: &Url, caller: IpAddr) -> Result<[OwnedSemaphorePermit; 3], AcquireError> {
        let host = url.host_str().unwrap_or_default().to_owned();
        Ok([
            self.per_caller.enter(network(caller).to_string()).await?,
            self.per_host.enter(host).await?,
            self.fetches.clone().acquire_owned().await?,
        ])
    }

    /// https, a path, and nothing that two parsers could read differently.
    fn document_url(&self, id: &str) -> Option<Url> {
        let url = Url::parse(id).ok()?;
        let host = url.host_str()?;
        let named = self.named.iter().any(|named| named == host);
        let scheme_fits = url.scheme() == "https" || (named && url.scheme() == "http" && is_loopback(&url));
        let is_name = matches!(url.host(), Some(Host::Domain(_)));
        let plain = url.as_str() == id && url.path() != "/" && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        (scheme_fits && plain && nobody && (named || (is_name && url.port().is_none()))).then_some(url)
    }

    /// Neither redirects nor private addresses are followed; see `egress::Client`.
    async fn fetch(&self, url: Url) -> Result<Vec<u8>, String> {
        let request = self.http.request(http::Method::GET, url);
        let request = request.map_err(|failure| failure.to_string())?;
        let mut answer = request
            .header("accept", "application/json")
            .send()
            .await
            .map_err(cause)?;
        if answer.status() != http::StatusCode::OK {
            return Err(format!("HTTP {}", answer.status().as_u16()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(cause)? {
            if body.len() + chunk.len() > DOCUMENT_BYTES_MAX {
                return Err(format!("longer than {DOCUMENT_BYTES_MAX} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// The innermost one, which says what happened; those around it say to whom.
fn cause(error: impl std::error::Error + 'static) -> String {
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[derive(Deserialize)]
struct Document {
    client_id: String,
    client_name: Option<String>,
    redirect_uris: Vec<String>,
    token_endpoint_auth_method: Option<String>,
}

/// A client, or what is wrong with its document.
fn read(id: &str, url: &Url, body: &[u8]) -> Result<Client, &'static str> {
    let document: Document =
        serde_json::from_slice(body).map_err(|_| "no JSON object with client_id and redirect_uris")?;
    if document.client_id != id {
        return Err("its client_id is another address than its own");
    }
    if document
        .token_endpoint_auth_method
        .is_some_and(|method| method != "none")
    {
        return Err("its token_endpoint_auth_method is not none");
    }
    if !redirects_fit(&document.redirect_uris) {
        return Err("its redirect_uris do not fit");
    }
    Ok(Client {
        name: name(document.client_name.as_deref()),
        host: url.host_str().map(str::to_owned),
        redirect_uris: document.redirect_uris,
    })
}

/// Fit to be shown: short, on one line.
pub(super) fn name(given: Option<&str>) -> String {
    let plain: String = given
        .unwrap_or_default()
        .chars()
        .filter(|char| !char.is_control())
        .take(NAME_CHARS_MAX)
        .collect();
    let plain = plain.trim();
    if plain.is_empty() {
        "MCP client".to_owned()
    } else {
        plain.to_owned()
    }
}

pub(super) fn redirects_fit(uris: &[String]) -> bool {
    (1..=REDIRECTS_MAX).contains(&uris.len()) && uris.iter().all(|uri| redirect_fits(uri))
}

/// All of them fit into an id.
pub(super) fn fits_an_id(uris: &[String]) -> bool {
    uris.iter().map(String::len).sum::<usize>() <= REDIRECTS_BYTES_MAX
}

/// https; http for this machine only; or a scheme that a program of the user's took for itself.
fn redirect_fits(uri: &str) -> bool {
    let visible = uri.bytes().all(|byte| byte.is_ascii_graphic()) && !uri.contains(['\\', '#', '"', '<', '>']);
    let Ok(url) = Url::parse(uri) else { return false };
    let nobody = url.username().is_empty() && url.password().is_none();
    let scheme_fits = match url.scheme() {
        "https" => url.host().is_some(),
        "http" => is_loopback(&url),
        // With one slash or with two (RFC 8252, 7.1).
        scheme => uri[scheme.len()..].starts_with(":/") && is_a_programs_own(scheme),
    };
    visible && nobody && scheme_fits && uri.len() <= REDIRECT_BYTES_MAX
}

fn is_a_programs_own(scheme: &str) -> bool {
    // A single letter is a drive.
    scheme.len() > 1
        && !SCHEMES_REFUSED.contains(&scheme)
        && !SCHEMES_REFUSED_FROM.iter().any(|family| scheme.starts_with(family))
}

pub(super) fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"))
}

/// The very same address; on the user's own machine any port, for a program takes what is free (RFC 8252).
pub(super) fn may_redirect(registered: &[String], asked: &str) -> bool {
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
            && redirect_fits(asked)
    };
    registered.iter().any(|uri| uri == asked || same_but_for_the_port(uri))
}

/// Where an answer goes, for people.
pub(super) fn place(redirect_uri: &str) -> Place {
    match Url::parse(redirect_uri) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && is_loopback(&url) => Place::ThisMachine,
        Ok(url) if url.scheme() == "https" => Place::Site(url.host_str().unwrap_or_default().to_owned()),
        Ok(url) => Place::Program(url.scheme().to_owned()),
        Err(_) => Place::Program(String::new()),
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    ThisMachine,
    Site(String),
    Program(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_that_can_be_meant() {
        for uri in [
            "https://claude.ai/api/mcp/auth_callback",
            "https://app.example.com:8443/cb?x=1",
            "http://localhost/callback",
            "http://127.0.0.1:33418",
            "http://[::1]:1/cb",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "com.example.app:/oauth2redirect",
        ] {
            assert!(redirect_fits(uri), "{uri}");
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
            assert!(!redirect_fits(uri), "{uri}");
        }
    }

    #[test]
    fn a_redirect_is_the_registered_one_and_its_port_is_free_on_this_machine_only() {
        let may = |registered: &str, asked: &str| may_redirect(&[registered.to_owned()], asked);
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
    fn the_address_of_a_document_has_one_reading() {
        let clients = Clients::new(Network::default(), vec!["127.0.0.1".to_owned()]);
        for id in [
            "https://claude.ai/oauth/mcp-oauth-client-metadata",
            "http://127.0.0.1:8099/client.json",
        ] {
            assert!(clients.document_url(id).is_some(), "{id}");
        }
        for id in [
            "https://claude.ai",
            "https://claude.ai/",
            "http://claude.ai/c",
            "https://u@claude.ai/c",
            "https://claude.ai/c#x",
            "https://claude.ai/a/../c",
            "https://claude.ai\\c",
            "https://claude.ai:8443/c",
            "https://10.0.0.1/c",
            "https://[::1]/c",
            "https://2130706433/c",
            "https://CLAUDE.ai/c",
            "http://localhost/c",
            "mdclient_x",
            "",
        ] {
            assert!(clients.document_url(id).is_none(), "{id}");
        }
    }

    #[test]
    fn a_document_speaks_of_itself() {
        let id = "https://a.example/c";
        let read = |body: &str| read(id, &Url::parse(id).unwrap(), body.as_bytes());
        let client = read(
            r#"{"client_id":"https://a.example/c","client_name":"A\u0007 B","redirect_uris":["https://a.example/cb"]}"#,
        );
        assert_eq!(
            client.map(|client| (client.name, client.host)),
            Ok(("A B".into(), Some("a.example".into())))
        );
        let not_a_client = "no JSON object with client_id and redirect_uris";
        for (body, reason) in [
            (
                r#"{"client_id":"https://b.example/c","redirect_uris":["https://a.example/cb"]}"#,
                "its client_id is another address than its own",
            ),
            (
                r#"{"client_id":"https://a.example/c","redirect_uris":[]}"#,
                "its redirect_uris do not fit",
            ),
            (
                r#"{"client_id":"https://a.example/c","redirect_uris":["javascript:alert(1)"]}"#,
                "its redirect_uris do not fit",
            ),
            (
                r#"{"client_id":"https://a.example/c","redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"client_secret_basic"}"#,
                "its token_endpoint_auth_method is not none",
            ),
            ("[]", not_a_client),
            ("", not_a_client),
            ("{}", not_a_client),
        ] {
            assert_eq!(read(body), Err(reason), "{body}");
        }
    }
}
