//! OAuth clients: by a metadata document whose address is the client's id, or by a registration here, whose id is the sealed
//! registration.

use std::{net::IpAddr, sync::Arc, time::Duration};

use moka::{future, policy::EvictionPolicy};
use serde::Deserialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout, timeout_at},
};
use url::{Host, Url};

use super::{
    claims::ClientClaims,
    redirect_uri::{are_registrable, is_loopback},
};
use crate::{
    auth::sealed_token::{Sealer, TokenKind},
    egress::{Client as HttpClient, Network},
    limits::{
        concurrency::{KeyedConcurrencyLimit, KeyedPermit},
        login_attempts::is_unseen,
    },
};

/// Name, addresses and so on of a client: the drafts say five kilobytes.
const DOCUMENT_BYTES_MAX: usize = 5 * 1024;
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

/// Documents that are fetched at a time, in all, from one host, and for one network: a host that answers slowly, or somebody who
/// asks for many, takes only a part.
const FETCHES_MAX: usize = 32;
const FETCHES_PER_HOST: usize = 4;
const FETCHES_PER_NETWORK: usize = 4;

/// Wait for a permit. People in front of a page are better told than kept waiting.
const PERMIT_TIMEOUT: Duration = Duration::from_secs(2);

/// Long enough for the two or three requests of one login; a document that was mended counts soon.
const DOCUMENT_TTL: Duration = Duration::from_secs(300);
const DOCUMENTS_MAX: u64 = 1_000;

const CLIENT_ID_BYTES_MAX: usize = 4 * 1024;
const NAME_CHARS_MAX: usize = 60;

/// A client that answers may be sent to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Client {
    /// What it calls itself; anybody can call themselves anything.
    pub(super) name: String,
    pub(super) redirect_uris: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientError {
    /// No id of ours, and no address of a document.
    InvalidId,
    /// The document cannot be read, or does not say what it has to. Why is for the log: it could tell about our network.
    Document,
    /// Too many other documents are being fetched.
    Busy,
}

pub(super) struct Clients {
    http: HttpClient,
    /// Hosts that may be on a private network, and without TLS on this machine.
    private_hosts: Vec<String>,
    documents: future::Cache<String, Arc<Client>>,
    total: Arc<Semaphore>,
    per_host: KeyedConcurrencyLimit<String>,
    per_network: KeyedConcurrencyLimit<IpAddr>,
}

impl Clients {
    pub(super) fn new(network: Network, private_hosts: Vec<String>) -> Self {
        Self {
            http: HttpClient::public_only(network, private_hosts.clone()),
            private_hosts,
            documents: future::Cache::builder()
                .max_capacity(DOCUMENTS_MAX)
                .eviction_policy(EvictionPolicy::lru())
                .time_to_live(DOCUMENT_TTL)
                .build(),
            total: Arc::new(Semaphore::new(FETCHES_MAX)),
            per_host: KeyedConcurrencyLimit::new(FETCHES_PER_HOST),
            per_network: KeyedConcurrencyLimit::new(FETCHES_PER_NETWORK),
        }
    }

    /// The client of an id. `network` is the one that asks.
    pub(super) async fn find(&self, sealer: &Sealer, id: &str, network: IpAddr) -> Result<Arc<Client>, ClientError> {
        if id.len() > CLIENT_ID_BYTES_MAX {
            return Err(ClientError::InvalidId);
        }
        if let Some(ClientClaims { name, redirect_uris }) = sealer.open(TokenKind::Client, id) {
            return Ok(Arc::new(Client { name, redirect_uris }));
        }
        let url = self.document_url(id).ok_or(ClientError::InvalidId)?;
        if let Some(client) = self.documents.get(id).await {
            return Ok(client);
        }
        // Outside of the shared fetch, as it is this network's own limit, which is nothing to the others that wait.
        let _own = self
            .per_network
            .acquire(network, PERMIT_TIMEOUT)
            .await
            .ok_or(ClientError::Busy)?;
        let deadline = Instant::now() + PERMIT_TIMEOUT;
        loop {
            let mut is_own = false;
            let found = self.documents.try_get_with(id.to_owned(), async {
                is_own = true;
                self.fetch_client(id, &url, deadline).await
            });
            match found.await {
                Ok(client) => return Ok(client),
                // Another request's patience is over, not this one's.
                Err(error) if *error == ClientError::Busy && !is_own && Instant::now() < deadline => {}
                Err(error) => return Err(*error),
            }
        }
    }

    async fn fetch_client(&self, id: &str, url: &Url, permit_deadline: Instant) -> Result<Arc<Client>, ClientError> {
        let permits = timeout_at(permit_deadline, self.permits(url)).await;
        let _permits = permits.ok().flatten().ok_or(ClientError::Busy)?;
        let body = timeout(FETCH_TIMEOUT, self.fetch(url.clone())).await;
        let body = body.unwrap_or_else(|_| Err("no answer in time".to_owned()));
        let client = body.and_then(|body| read_document(id, &body).map_err(str::to_owned));
        client.map(Arc::new).map_err(|reason| {
            tracing::warn!(event = "client_document", host = url.host_str(), reason);
            ClientError::Document
        })
    }

    /// The host's first, so that nobody holds one of all who waits for a slow host.
    async fn permits(&self, url: &Url) -> Option<(KeyedPermit<String>, OwnedSemaphorePermit)> {
        let host = url.host_str().unwrap_or_default().to_owned();
        let own = self.per_host.acquire(host, PERMIT_TIMEOUT).await?;
        let total = self.total.clone().acquire_owned().await.ok()?;
        Some((own, total))
    }

    /// https, a path, and nothing that two parsers could read differently.
    fn document_url(&self, id: &str) -> Option<Url> {
        let url = Url::parse(id).ok()?;
        let host = url.host_str()?;
        let named = self.private_hosts.iter().any(|named| named == host);
        let scheme_fits = url.scheme() == "https" || (named && url.scheme() == "http" && is_loopback(&url));
        let is_name = matches!(url.host(), Some(Host::Domain(_)));
        let plain = url.as_str() == id && url.path() != "/" && url.fragment().is_none();
        let no_user = url.username().is_empty() && url.password().is_none();
        (scheme_fits && plain && no_user && (named || (is_name && url.port().is_none()))).then_some(url)
    }

    /// Neither redirects nor private addresses are followed; see the HTTP client's `Client::public_only`.
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
fn read_document(id: &str, body: &[u8]) -> Result<Client, &'static str> {
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
    if !are_registrable(&document.redirect_uris) {
        return Err("its redirect_uris do not fit");
    }
    Ok(Client {
        name: display_name(document.client_name.as_deref()),
        redirect_uris: document.redirect_uris,
    })
}

/// A name fit to be shown: short, on one line, without characters that are not seen or that turn the order of others.
pub(super) fn display_name(given: Option<&str>) -> String {
    let plain: String = given
        .unwrap_or_default()
        .chars()
        .filter(|char| !char.is_control() && !is_unseen(*char))
        .take(NAME_CHARS_MAX)
        .collect();
    let plain = plain.trim();
    if plain.is_empty() {
        "MCP client".to_owned()
    } else {
        plain.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let read = |body: &str| read_document(id, body.as_bytes());
        let client = read(
            r#"{"client_id":"https://a.example/c","client_name":"A\u0007\u200b\u2060\u061c B","redirect_uris":["https://a.example/cb"]}"#,
        );
        assert_eq!(client.map(|client| client.name), Ok("A B".into()));
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
