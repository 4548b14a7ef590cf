//! Pooled HTTP client: a connection pool with keep-alive, TLS with the system's root certificates, an optional proxy, no redirects, and
//! bodies that are unpacked and collected under a size limit.
//!
//! [`Client::new`] is for hosts that the operator named. [`Client::public_only`] is for hosts that users name: its SSRF guard
//! connects to public addresses only.

mod error;
mod ssrf;

pub use error::ClientError;
pub use ssrf::is_public;

use std::{
    error::Error,
    io,
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http::{Method, Response};
use reqwest::{RequestBuilder, redirect};
use rustls::CertificateError;
use url::Url;

use ssrf::PublicOnlyResolver;

/// A connection to the next continent takes a tenth of it.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Longer than a model thinks between two calls, so that the second finds its connection open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

const USER_AGENT: &str = concat!("mcp-daktela/", env!("CARGO_PKG_VERSION"));

/// How the client reaches its hosts.
#[derive(Debug, Clone)]
pub struct Network {
    /// Upstream concurrency: how many requests one host sees from one credential at once.
    pub max_concurrent_requests: usize,
    /// The HTTP proxy on the way. Variables such as `HTTPS_PROXY` are not looked at.
    pub proxy: Option<Url>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            // Daktela's own connectors stay at a handful; sixteen serves two calls at their full width.
            max_concurrent_requests: 16,
            proxy: None,
        }
    }
}

/// A pooled client; clones share the pool. Built when it is first needed: reading the system's certificates takes longer than
/// all else at start.
#[derive(Clone, Default)]
pub struct Client {
    network: Network,
    built: Arc<OnceLock<Result<reqwest::Client, ClientError>>>,
    resolver: Option<Arc<PublicOnlyResolver>>,
}

impl Client {
    pub fn new(network: Network) -> Self {
        Self {
            network,
            ..Self::default()
        }
    }

    /// For user-supplied hosts (SSRF guard on): connects to public addresses, and to any address of the hosts in `allowed`,
    /// which the operator named.
    pub fn public_only(network: Network, mut allowed: Vec<String>) -> Self {
        // The operator named it, too, and it will look the others up.
        allowed.extend(network.proxy.as_ref().and_then(Url::host_str).map(str::to_owned));
        Self {
            resolver: Some(Arc::new(PublicOnlyResolver::new(allowed))),
            ..Self::new(network)
        }
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Whether the hosts are user-supplied, see [`Client::public_only`].
    pub fn is_public_only(&self) -> bool {
        self.resolver.is_some()
    }

    /// Builds it now, on a thread that may take its time.
    pub fn warm_up(&self) {
        let client = self.clone();
        tokio::task::spawn_blocking(move || client.get().map(drop));
    }

    pub fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, ClientError> {
        self.get().map(|client| client.request(method, url))
    }

    /// Attributes a connection error to the configured proxy, where there is one: the host behind it is not to blame.
    pub fn attribute_to_proxy(&self, error: ClientError) -> ClientError {
        let what = match error {
            _ if self.network.proxy.is_none() => return error,
            ClientError::NameNotResolved => "its name does not resolve",
            ClientError::ConnectionRefused => "it refuses connections",
            ClientError::ConnectionBroken => "it opened no way to Daktela, or the connection through it broke",
            other => return other,
        };
        ClientError::UserActionable(format!(
            "The HTTP proxy on the way to Daktela (DAKTELA_PROXY) does not serve: {what}."
        ))
    }

    fn get(&self) -> Result<&reqwest::Client, ClientError> {
        let built = self.built.get_or_init(|| {
            build(&self.network, self.resolver.clone()).map_err(|error| ClientError::UserActionable(unusable(&*error)))
        });
        built.as_ref().map_err(Clone::clone)
    }
}

fn build(network: &Network, resolver: Option<Arc<PublicOnlyResolver>>) -> Result<reqwest::Client, Box<dyn Error>> {
    let mut client = reqwest::Client::builder();
    if let Some(resolver) = resolver {
        client = client.dns_resolver(resolver);
    }
    let client = client
        .tls_backend_preconfigured(tls()?)
        .user_agent(USER_AGENT)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .pool_max_idle_per_host(network.max_concurrent_requests)
        // A redirect could lead the token elsewhere.
        .redirect(redirect::Policy::none())
        // A proxy from the environment would see the token of a plain connection, and is not what was granted.
        .no_proxy()
        .retry(reqwest::retry::never());
    let client = match &network.proxy {
        Some(proxy) => client.proxy(reqwest::Proxy::all(proxy.clone())?),
        None => client,
    };
    Ok(client.build()?)
}

/// The system's roots, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
fn tls() -> Result<rustls::ClientConfig, Box<dyn Error>> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = rustls::RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        let reasons: Vec<_> = found.errors.iter().map(ToString::to_string).collect();
        tracing::warn!(event = "no_root_certificates", reasons = reasons.join("; "));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn unusable(error: &dyn Error) -> String {
    format!("The host cannot set up its HTTP client: {error}")
}

/// Sends a request and collects the whole response, whatever its status.
///
/// `max_bytes` limits the unpacked body, which a compressed one says nothing of. `count` is told the size of each chunk and
/// may end the exchange, e.g. when a budget is spent.
pub async fn exchange<E: From<ClientError>>(
    request: RequestBuilder,
    max_bytes: usize,
    count: impl Fn(usize) -> Result<(), E>,
) -> Result<Response<Bytes>, E> {
    let mut answer = request.send().await.map_err(classify)?;
    let mut parts = Response::builder().status(answer.status());
    if let Some(headers) = parts.headers_mut() {
        *headers = std::mem::take(answer.headers_mut());
    }
    let too_large = || E::from(ClientError::TooLarge(max_bytes));
    if answer.content_length().is_some_and(|length| length > max_bytes as u64) {
        return Err(too_large());
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(classify)? {
        count(chunk.len())?;
        if body.len() + chunk.len() > max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    parts
        .body(body.freeze())
        .map_err(|_| ClientError::ConnectionBroken.into())
}

/// Never with the error's own text: that names the URL with its filters.
fn classify(error: reqwest::Error) -> ClientError {
    if error.is_dns() {
        return ClientError::NameNotResolved;
    }
    let mut cause: Option<&dyn Error> = Some(&error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(reason)) = error.downcast_ref() {
            return ClientError::UserActionable(match reason {
                CertificateError::UnknownIssuer => {
                    "The certificate of your Daktela is not trusted: nobody here knows its \
                     authority. If that is your own, name the file with its certificate in SSL_CERT_FILE."
                        .to_owned()
                }
                // rustls has no variant for it.
                other if other.to_string().contains("CaUsedAsEndEntity") => {
                    "The certificate of your Daktela is an authority's own (CA:TRUE), which no server may show as its. Let \
                     the authority sign one for the server, and name the authority's in SSL_CERT_FILE."
                        .to_owned()
                }
                other => format!(
                    "The certificate of your Daktela is not valid ({other}). Check DAKTELA_URL, and the clock of this \
                     machine."
                ),
            });
        }
        if error
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        {
            return ClientError::ConnectionRefused;
        }
        cause = cause_of(error);
    }
    if error.is_timeout() {
        ClientError::Timeout(CONNECT_TIMEOUT)
    } else {
        ClientError::ConnectionBroken
    }
}

/// Libraries wrap errors in IO errors, in layers, whose `source` passes over the one that they wrap.
fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(wrapped) => Some(wrapped),
        None => error.source(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificate_error_is_found_below_its_wrappers() {
        let reason = rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, reason));
        let mut cause: Option<&(dyn Error + 'static)> = Some(&wrapped);
        while let Some(error) = cause.filter(|error| !error.is::<rustls::Error>()) {
            cause = cause_of(error);
        }
        assert!(cause.is_some());
    }
}
