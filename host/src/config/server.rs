//! Flags of the HTTP server, and the settings that they mean.

use std::net::{IpAddr, SocketAddr};

use clap::{Args, ValueEnum};
use url::Url;

use super::{
    oauth::OAuthOptions,
    server_error::{ServerOptionsError, list},
};
use crate::{
    auth::AllowedDomains,
    oauth,
    web::{authority::Authority, base_url::BaseUrl},
};

/// Eight times as many as the sandbox runs at once: the others wait for their turn, which is better than to be turned away.
const MAX_REQUESTS: u32 = 256;

/// Arguments of tools are short; the longest answers go the other way.
const MAX_BODY_BYTES: u32 = 64 * 1024;

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
pub struct ServerOptions {
    /// Transport that clients use
    #[arg(long, env = "MCP_TRANSPORT", value_name = "NAME", value_enum, default_value_t = Transport::Stdio)]
    pub transport: Transport,

    /// IP address that the HTTP server listens on; 0.0.0.0 for all addresses of the machine
    #[arg(long, env = "HOST", value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,

    /// TCP port that the HTTP server listens on; 0 for any that is free
    #[arg(long, env = "PORT", value_name = "PORT", default_value_t = 8080)]
    pub port: u16,

    /// URL under which clients reach the server, e.g. https://mcp.example.com, or https://example.com/daktela behind a proxy
    #[arg(long, env = "PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,

    /// Domains of the Daktela instances that are served, separated by commas. localhost, an IP address, or a host on a private
    /// network has to be named itself
    #[arg(
        long,
        env = "ALLOWED_DAKTELA_DOMAINS",
        value_name = "DOMAINS",
        default_value = "daktela.com"
    )]
    pub allowed_daktela_domains: String,

    /// Host names by which clients may call the server, separated by commas, beside that of PUBLIC_URL and those of this machine
    #[arg(long, env = "ALLOWED_HOSTS", value_name = "HOSTS", default_value = "")]
    pub allowed_hosts: String,

    /// Origins of web pages and desktop programs that may call the server, with commas, e.g. https://app.example.com, tauri://localhost
    #[arg(long, env = "ALLOWED_ORIGINS", value_name = "ORIGINS", default_value = "")]
    pub allowed_origins: String,

    /// Address and port that serve Prometheus metrics at /metrics, e.g. 127.0.0.1:9090; without it there are none
    #[arg(long, env = "METRICS_ADDRESS", value_name = "ADDRESS:PORT")]
    pub metrics_address: Option<SocketAddr>,

    /// Number of reverse proxies in front of the server that add the client's address to X-Forwarded-For
    #[arg(long, env = "TRUSTED_PROXIES", value_name = "NUMBER", default_value_t = 0)]
    pub trusted_proxies: usize,

    /// Number of MCP requests that are served at the same time; further ones are refused with 503
    #[arg(long, alias = "max-requests", env = "MAX_CONCURRENT_REQUESTS", value_name = "NUMBER", default_value_t = MAX_REQUESTS, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_concurrent_requests: u32,

    /// Largest body of a request, in bytes
    #[arg(long, env = "MAX_BODY_BYTES", value_name = "BYTES", default_value_t = MAX_BODY_BYTES, value_parser = clap::value_parser!(u32).range(1_000..=100_000_000))]
    pub max_body_bytes: u32,

    #[command(flatten)]
    pub oauth: OAuthOptions,
}

/// What the flags mean.
#[derive(Debug, Clone)]
pub struct ServerSettings {
    pub listen: SocketAddr,
    pub metrics: Option<SocketAddr>,
    /// Without a slash at its end.
    pub public_url: Option<String>,
    pub domains: AllowedDomains,
    /// Names by which the server may be called.
    pub hosts: Vec<Authority>,
    /// Of pages and programs that may call it.
    pub origins: Vec<String>,
    pub trusted_proxies: usize,
    pub max_requests: usize,
    pub max_body_bytes: usize,
}

impl ServerOptions {
    pub fn settings(&self) -> Result<ServerSettings, ServerOptionsError> {
        let public_url = self.public_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
        let public_url = public_url.map(public_url_of).transpose()?;
        let base = public_url.as_deref().map(BaseUrl::new);
        let hosts: Result<Vec<_>, _> = list(&self.allowed_hosts)
            .map(|host| Authority::parse(host).ok_or_else(|| ServerOptionsError::Host(host.to_owned())))
            .collect();
        let mut hosts = hosts?;
        // DNS rebinding: a page elsewhere can make a browser call this machine by its own names, but not by these.
        hosts.extend(["localhost", "127.0.0.1", "[::1]"].map(|host| Authority {
            host: host.to_owned(),
            port: None,
        }));
        let own_origin = base.as_ref().map(BaseUrl::origin);
        hosts.extend(own_origin.and_then(|origin| Authority::parse(origin.split_once("://")?.1)));
        let origins: Result<Vec<_>, _> = list(&self.allowed_origins).map(origin_of).collect();
        let mut origins = origins?;
        origins.extend(own_origin.map(str::to_owned));
        Ok(ServerSettings {
            listen: SocketAddr::new(self.host, self.port),
            metrics: self.metrics_address,
            public_url,
            domains: self.allowed_daktela_domains.parse()?,
            hosts,
            origins,
            trusted_proxies: self.trusted_proxies,
            max_requests: self.max_concurrent_requests as usize,
            max_body_bytes: self.max_body_bytes as usize,
        })
    }

    /// Whether clients can be told where the server is: by PUBLIC_URL, or because they are on the same machine.
    fn has_address(&self) -> bool {
        let has_url = self.public_url.as_deref().is_some_and(|url| !url.trim().is_empty());
        has_url || self.host.is_loopback()
    }

    /// The settings of the OAuth server; `None` without a secret, which is then no OAuth.
    pub fn oauth(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<oauth::Settings>, ServerOptionsError> {
        self.oauth.settings(self.has_address(), variable)
    }
}

/// https, or http for what runs on the same machine; with or without a path.
fn public_url_of(text: &str) -> Result<String, ServerOptionsError> {
    let wrong = || ServerOptionsError::PublicUrl(text.to_owned());
    let url = Url::parse(text).map_err(|_| wrong())?;
    let local = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    let fits = url.scheme() == "https" || (url.scheme() == "http" && local);
    let bare =
        url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    let path = url.path().trim_end_matches('/');
    let plain_path = !path.contains("//")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
    if fits && bare && plain_path {
        Ok(format!("{}{path}", url.origin().ascii_serialization()))
    } else {
        Err(wrong())
    }
}

/// `scheme://host`, with or without a port, as browsers and the frames of desktop programs send it. Not `null`, which anybody's
/// page can send.
fn origin_of(text: &str) -> Result<String, ServerOptionsError> {
    let wrong = || ServerOptionsError::Origin(text.to_owned());
    let bare = text.strip_suffix('/').unwrap_or(text);
    let (scheme, host) = bare.split_once("://").ok_or_else(wrong)?;
    let is_scheme = scheme.starts_with(|char: char| char.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    if !is_scheme {
        return Err(wrong());
    }
    let host = Authority::parse(host)
        .filter(|host| !host.host.is_empty())
        .ok_or_else(wrong)?;
    match Url::parse(bare) {
        // Without the usual port of its scheme.
        Ok(url) if url.origin().is_tuple() => Ok(url.origin().ascii_serialization()),
        _ => Ok(format!("{}://{host}", scheme.to_ascii_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: ServerOptions,
    }

    fn settings(flags: &[&str]) -> Result<ServerSettings, String> {
        let program = Program::try_parse_from([&["program"], flags].concat()).map_err(|error| error.to_string())?;
        program.options.settings().map_err(|error| error.to_string())
    }

    #[test]
    fn a_public_url_is_an_address_that_is_safe_to_reach() {
        let url = |url: &str| settings(&[&format!("--public-url={url}")]).map(|settings| settings.public_url);
        for (given, expected) in [
            ("https://Mcp.example.com:443/", "https://mcp.example.com"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("https://example.com/daktela/", "https://example.com/daktela"),
        ] {
            assert_eq!(url(given).unwrap().as_deref(), Some(expected));
        }
        assert_eq!(url(" ").unwrap(), None);
        for wrong in [
            "http://mcp.example.com",
            "https://example.com/a b",
            "https://example.com//a",
            "https://example.com/?a",
            "mcp.example.com",
            "https://u@example.com",
            "ftp://x",
        ] {
            assert!(url(wrong).unwrap_err().contains("PUBLIC_URL"), "{wrong}");
        }
    }

    #[test]
    fn an_origin_is_what_browsers_and_desktop_programs_send() {
        let origins =
            |origin: &str| settings(&[&format!("--allowed-origins={origin}")]).map(|settings| settings.origins);
        for (given, expected) in [
            ("https://App.example.com:443/", "https://app.example.com"),
            ("http://localhost:6274", "http://localhost:6274"),
            ("tauri://localhost", "tauri://localhost"),
            ("app://obsidian.md", "app://obsidian.md"),
            ("vscode-webview://1a2b3c", "vscode-webview://1a2b3c"),
            (
                "chrome-extension://abcdefghijklmnop",
                "chrome-extension://abcdefghijklmnop",
            ),
        ] {
            assert_eq!(origins(given), Ok(vec![expected.to_owned()]));
        }
        for wrong in [
            "null",
            "*",
            "app.example.com",
            "https://*.example.com",
            "https://u@example.com",
            "https://a/b",
            "://x",
            "app://",
        ] {
            assert!(origins(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn what_no_request_could_match_is_refused_at_the_start() {
        for wrong in [
            "--allowed-hosts=a b",
            "--allowed-daktela-domains=*.x",
            "--transport=sse",
            "--host=example.com",
        ] {
            assert!(settings(&[wrong]).is_err(), "{wrong}");
        }
    }
}
