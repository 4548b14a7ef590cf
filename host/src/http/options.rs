//! Flags of the server, and what they mean together.

use crate::{
    config::{ConfigError, read_secret_setting},
    credentials::{Domains, NotADomain},
    oauth::{self, Redis, Sealer, WeakSecret},
};
use clap::{Args, ValueEnum};
use std::{
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};
use url::Url;

/// What clients are used to: short enough for a token that leaks, long enough to be renewed in silence.
const ACCESS_MINUTES: u64 = 60;

/// Some clients refresh from two machines; a thief gains a minute, and is found out by whoever comes later.
const GRACE_SECONDS: u64 = 60;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// One client, which starts the program
    Stdio,
    /// Many clients over the network, each with credentials of their own
    #[value(alias = "http")]
    StreamableHttp,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Serving over HTTP")]
pub struct Options {
    /// How clients connect
    #[arg(long, env = "MCP_TRANSPORT", value_name = "NAME", value_enum, default_value_t = Transport::Stdio)]
    pub transport: Transport,

    /// Address to listen on; 0.0.0.0 for all of them
    #[arg(long, env = "HOST", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// Port to listen on; 0 for any that is free
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 8080)]
    pub port: u16,

    /// Where clients find the server, e.g. https://mcp.example.com
    #[arg(long, env = "PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Domains whose Daktelas are served, with commas. localhost, an address, or a host on a private network has to be named itself
    #[arg(
        long,
        env = "ALLOWED_DAKTELA_DOMAINS",
        value_name = "DOMAINS",
        default_value = "daktela.com"
    )]
    pub allowed_daktela_domains: String,

    /// Names by which clients may call the server, with commas, beside that of PUBLIC_URL and those of this machine
    #[arg(long, env = "ALLOWED_HOSTS", value_name = "HOSTS", default_value = "")]
    pub allowed_hosts: String,

    /// Web pages that may call the server, with commas, e.g. https://app.example.com
    #[arg(long, env = "ALLOWED_ORIGINS", value_name = "ORIGINS", default_value = "")]
    pub allowed_origins: String,

    /// Where Prometheus finds /metrics, e.g. 127.0.0.1:9090; nowhere unless set, since whoever may call the server need not know
    #[arg(long, env = "METRICS_ADDRESS", value_name = "ADDRESS:PORT")]
    pub metrics_address: Option<SocketAddr>,

    /// File with the secret that seals OAuth's tokens, 32 random bytes or more; several with commas, the first seals. Or give it in
    /// OAUTH_SECRET. Without it there is no OAuth
    #[arg(long, env = "OAUTH_SECRET_FILE", value_name = "FILE")]
    pub oauth_secret_file: Option<PathBuf>,

    /// How long an access token is good at most; Daktela's own may end sooner
    #[arg(long, env = "OAUTH_ACCESS_MINUTES", value_name = "MINUTES", default_value_t = ACCESS_MINUTES, value_parser = clap::value_parser!(u64).range(1..=1440))]
    pub oauth_access_minutes: u64,

    /// How long a refresh token that was used is answered again, for clients that refresh twice at once or lose an answer
    #[arg(long, env = "OAUTH_GRACE_SECONDS", value_name = "SECONDS", default_value_t = GRACE_SECONDS, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub oauth_grace_seconds: u64,

    /// File with the address of a Redis, redis:// or rediss:// for TLS, in which replicas remember together what was used once and
    /// what is revoked. Or give it in REDIS_URL
    #[arg(long, env = "REDIS_URL_FILE", value_name = "FILE")]
    pub redis_url_file: Option<PathBuf>,

    /// Hosts whose client metadata documents are read although they are on a private network, with commas
    #[arg(long, env = "ALLOWED_CLIENT_HOSTS", value_name = "HOSTS", default_value = "")]
    pub allowed_client_hosts: String,

    /// How many reverse proxies in front add the caller's address to X-Forwarded-For
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "NUMBER", default_value_t = 0)]
    pub trusted_proxies: usize,

    /// How many requests are served at the same time; more are told to come back
    #[arg(long, env = "MAX_REQUESTS", value_name = "NUMBER", default_value_t = super::REQUESTS_AT_ONCE, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_requests: u32,

    /// The largest request body
    #[arg(long, env = "MAX_BODY_BYTES", value_name = "BYTES", default_value_t = super::BODY_BYTES, value_parser = clap::value_parser!(u32).range(1_000..=100_000_000))]
    pub max_body_bytes: u32,
}

#[derive(Debug, thiserror::Error)]
pub enum OptionsError {
    #[error("ALLOWED_DAKTELA_DOMAINS: {0}")]
    Domains(#[from] NotADomain),
    #[error(
        "PUBLIC_URL: {0:?} is no origin that clients could reach; expected e.g. https://mcp.example.com, without a path"
    )]
    PublicUrl(String),
    #[error("ALLOWED_HOSTS: {0:?} is no host name, with or without a port; expected e.g. mcp.example.com")]
    Host(String),
    #[error("ALLOWED_ORIGINS: {0:?} is no origin; expected e.g. https://app.example.com")]
    Origin(String),
    #[error(transparent)]
    SecretFile(#[from] ConfigError),
    #[error("OAUTH_SECRET: {0}")]
    Secret(#[from] WeakSecret),
    #[error(
        "REDIS_URL: that is no address of a Redis; expected e.g. redis://:password@redis.example.com:6379/0, or rediss:// for TLS"
    )]
    Redis,
    #[error("OAuth needs to know where clients find the server: set PUBLIC_URL, e.g. https://mcp.example.com")]
    NoPublicUrl,
    #[error("ALLOWED_CLIENT_HOSTS: {0:?} is no host name")]
    ClientHost(String),
}

impl std::fmt::Display for Authority {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.host)?;
        self.port.map_or(Ok(()), |port| write!(formatter, ":{port}"))
    }
}

/// What the flags mean.
#[derive(Debug, Clone)]
pub struct Settings {
    pub listen: SocketAddr,
    pub metrics: Option<SocketAddr>,
    /// Without a slash at its end.
    pub public_url: Option<String>,
    pub domains: Domains,
    pub hosts: Vec<Authority>,
    pub origins: Vec<String>,
    pub trusted_proxies: usize,
    pub max_requests: usize,
    pub max_body_bytes: usize,
}

/// A host, and a port where only one is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority {
    pub host: String,
    pub port: Option<u16>,
}

impl Options {
    pub fn settings(&self) -> Result<Settings, OptionsError> {
        let public_url = self.public_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let public_url = public_url.map(public_url_of).transpose()?;
        let hosts: Result<Vec<_>, _> = list(&self.allowed_hosts)
            .map(|host| authority(host).ok_or_else(|| OptionsError::Host(host.to_owned())))
            .collect();
        let mut hosts = hosts?;
        // A page elsewhere can make a browser call this machine by its own names, but not by these.
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(|host| Authority {
            host: host.to_owned(),
            port: None,
        }));
        hosts.extend(
            public_url
                .as_deref()
                .and_then(|url| authority(url.split_once("://")?.1)),
        );
        let origins: Result<Vec<_>, _> = list(&self.allowed_origins).map(origin_of).collect();
        let mut origins = origins?;
        origins.extend(public_url.clone());
        Ok(Settings {
            listen: SocketAddr::new(self.host, self.port),
            metrics: self.metrics_address,
            public_url,
            domains: self.allowed_daktela_domains.parse()?,
            hosts,
            origins,
            trusted_proxies: self.trusted_proxies,
            max_requests: self.max_requests as usize,
            max_body_bytes: self.max_body_bytes as usize,
        })
    }
}

impl Options {
    /// `None` without a secret. JWT_SECRET is what the server in Python calls it.
    pub fn oauth(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Option<oauth::Settings>, OptionsError> {
        let given = |name| variable(name).filter(|value| !value.trim().is_empty());
        let seals = given("OAUTH_SECRET").or_else(|| given("JWT_SECRET"));
        let Some(seals) = read_secret_setting("OAUTH_SECRET", seals, &self.oauth_secret_file)? else {
            return Ok(None);
        };
        let sealer = Sealer::new(&seals)?;
        let redis = read_secret_setting("REDIS_URL", given("REDIS_URL"), &self.redis_url_file)?;
        let redis = redis
            .map(|url| Redis::at(&url).ok_or(OptionsError::Redis))
            .transpose()?;
        let has_url = self.public_url.as_deref().is_some_and(|url| !url.trim().is_empty());
        if !has_url && !self.host.is_loopback() {
            return Err(OptionsError::NoPublicUrl);
        }
        let host = |host: &str| {
            authority(host)
                .map(|host| host.host)
                .ok_or_else(|| OptionsError::ClientHost(host.to_owned()))
        };
        Ok(Some(oauth::Settings {
            sealer,
            client_hosts: list(&self.allowed_client_hosts).map(host).collect::<Result<_, _>>()?,
            access_lifetime: Duration::from_secs(self.oauth_access_minutes * 60),
            grace: Duration::from_secs(self.oauth_grace_seconds),
            redis,
        }))
    }
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// https, or http for what runs on the same machine.
fn public_url_of(text: &str) -> Result<String, OptionsError> {
    let wrong = || OptionsError::PublicUrl(text.to_owned());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let fits = url.scheme() == "https" || (url.scheme() == "http" && local);
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    if fits && bare && url.password().is_none() {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(wrong())
    }
}

fn origin_of(text: &str) -> Result<String, OptionsError> {
    let wrong = || OptionsError::Origin(text.to_owned());
    let url = Url::parse(text).map_err(|_| wrong())?;
    if url.origin().is_tuple() && url.path() == "/" {
        Ok(url.origin().ascii_serialization())
    } else {
        Err(wrong())
    }
}

/// `example.com`, `example.com:8443`, `[::1]:80`.
pub(super) fn authority(text: &str) -> Option<Authority> {
    let parsed: http::uri::Authority = text.parse().ok()?;
    // No patterns: what stood for any name would let a page of any site in.
    if parsed.as_str().contains(['@', '*']) {
        return None;
    }
    Some(Authority {
        host: parsed.host().to_ascii_lowercase(),
        port: parsed.port_u16(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: Options,
    }

    fn settings(flags: &[&str]) -> Result<Settings, String> {
        let program = Program::try_parse_from([&["program"], flags].concat()).map_err(|error| error.to_string())?;
        program.options.settings().map_err(|error| error.to_string())
    }

    #[test]
    fn a_public_url_is_an_origin_that_is_safe_to_reach() {
        let url = |url: &str| settings(&[&format!("--public-url={url}")]).map(|settings| settings.public_url);
        assert_eq!(
            url("https://Mcp.example.com:443/").unwrap().unwrap(),
            "https://mcp.example.com"
        );
        assert_eq!(url("http://localhost:8080").unwrap().unwrap(), "http://localhost:8080");
        assert_eq!(url(" ").unwrap(), None);
        for wrong in [
            "http://mcp.example.com",
            "https://mcp.example.com/base",
            "mcp.example.com",
            "https://u@example.com",
            "ftp://x",
        ] {
            assert!(url(wrong).unwrap_err().contains("PUBLIC_URL"), "{wrong}");
        }
    }

    #[test]
    fn what_no_request_could_match_is_refused_at_the_start() {
        for wrong in [
            "--allowed-hosts=a b",
            "--allowed-origins=app.example.com",
            "--allowed-daktela-domains=*.x",
            "--transport=sse",
            "--host=example.com",
        ] {
            assert!(settings(&[wrong]).is_err(), "{wrong}");
        }
    }
}
