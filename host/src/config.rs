//! Flags and environment variables, and what they mean together.

use crate::{
    egress::{Cache, CacheSettings, CallLimits, Client, Credential, Egress, Network, Origin, OriginError},
    host::Host,
    sandbox::{Limits, Sandbox},
};
use clap::{ArgAction, Args};
use daktela_demo::Demo;
use secrecy::SecretString;
use std::{ffi::OsString, fs, io, path::PathBuf, time::Duration};
use url::Url;

/// People join and queues appear once in a while; a name that is an hour late hurts nobody.
const CACHE_TTL_SECONDS: u64 = 3600;

/// A year, beyond which nobody means it.
const CACHE_TTL_SECONDS_MAX: u64 = 365 * 24 * 3600;

/// Of the sandbox's memory, which comes in pages of 64 KiB.
const MEBIBYTE: usize = 1024 * 1024;

/// Of what travels.
const MEGABYTE: usize = 1_000_000;

/// Secrets come from the environment or from files: a flag could be read by everybody who may list processes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Daktela")]
pub struct Options {
    /// Use the sample company that comes with the program; no Daktela is needed
    #[arg(long, global = true)]
    pub demo: bool,

    /// Address of your Daktela, e.g. https://acme.daktela.com
    #[arg(long, global = true, env = "DAKTELA_URL", value_name = "URL")]
    pub url: Option<String>,

    /// File with the API token of a user. Or give the token itself in DAKTELA_ACCESS_TOKEN
    #[arg(long, global = true, env = "DAKTELA_ACCESS_TOKEN_FILE", value_name = "FILE")]
    pub access_token_file: Option<PathBuf>,

    /// User to log in as, where there is no token
    #[arg(long, global = true, env = "DAKTELA_USERNAME", value_name = "NAME")]
    pub username: Option<String>,

    /// File with the user's password. Or give the password itself in DAKTELA_PASSWORD
    #[arg(long, global = true, env = "DAKTELA_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// HTTP proxy between this server and Daktela, e.g. http://proxy.example.com:3128. Those that the environment names
    /// for other programs are not used. It looks names up itself, so that it has to keep strangers out of private
    /// networks
    #[arg(long, global = true, env = "DAKTELA_PROXY", value_name = "URL", value_parser = proxy)]
    pub proxy: Option<Url>,

    #[command(flatten, next_help_heading = "Limits")]
    pub limits: LimitOptions,

    /// Keep users, queues, categories and the like in memory
    #[arg(
        long, global = true, env = "CACHE_ENABLED", value_name = "BOOL", default_value = "true",
        action = ArgAction::Set, value_parser = clap::builder::BoolishValueParser::new(), help_heading = "Cache"
    )]
    pub cache: bool,

    /// How long they are kept
    #[arg(long, global = true, env = "CACHE_TTL_SECONDS", value_name = "SECONDS", default_value_t = CACHE_TTL_SECONDS, value_parser = clap::value_parser!(u64).range(0..=CACHE_TTL_SECONDS_MAX), help_heading = "Cache")]
    pub cache_ttl: u64,

    /// Another component than the one that comes with the program: compiled for it, or plain WebAssembly where the
    /// program was built with the feature `compiler`
    #[arg(
        long,
        global = true,
        env = "DAKTELA_COMPONENT",
        value_name = "FILE",
        help_heading = "Program"
    )]
    pub component: Option<PathBuf>,

    /// Where a collector of OpenTelemetry takes spans over OTLP, as http/protobuf, e.g. http://localhost:4318: one for each call. The
    /// other variables of OTLP's exporters count, too
    #[arg(
        long,
        global = true,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL",
        help_heading = "Program"
    )]
    pub otlp_endpoint: Option<String>,

    /// error, warn, info, debug or off [default: info when serving, else warn]
    #[arg(
        long,
        global = true,
        env = "LOG_LEVEL",
        value_name = "LEVEL",
        help_heading = "Program"
    )]
    pub log_level: Option<tracing::level_filters::LevelFilter>,
}

/// Their defaults, with the reasons, are those of the types that they become.
#[derive(Debug, Clone, Args)]
pub struct LimitOptions {
    /// How long all requests of one call to Daktela may take together
    #[arg(long, global = true, env = "DAKTELA_TIMEOUT", value_name = "SECONDS", default_value_t = CallLimits::default().timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,

    /// How many calls run at the same time; more wait
    #[arg(long, global = true, env = "DAKTELA_MAX_CALLS", value_name = "NUMBER", default_value_t = Limits::default().calls as u64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub max_calls: u64,

    /// How many calls wait for their turn, callers in rotation; more are told that the server is busy
    #[arg(long, global = true, env = "DAKTELA_MAX_WAITING", value_name = "NUMBER", default_value_t = Limits::default().waiting as u64, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    pub max_waiting: u64,

    /// How much memory one call may use
    #[arg(long, global = true, env = "DAKTELA_MEMORY_MB", value_name = "MB", default_value_t = (Limits::default().memory_bytes / MEBIBYTE) as u64, value_parser = clap::value_parser!(u64).range(8..=4000))]
    pub memory_mb: u64,

    /// How long one call may compute, waiting not counted
    #[arg(long, global = true, env = "DAKTELA_COMPUTE_SECONDS", value_name = "SECONDS", default_value_t = Limits::default().compute.as_secs(), value_parser = clap::value_parser!(u64).range(1..=600))]
    pub compute_seconds: u64,

    /// The largest answer that a caller may ask for
    #[arg(long, global = true, env = "DAKTELA_MAX_ANSWER_BYTES", value_name = "BYTES", default_value_t = Limits::default().answer_bytes as u64, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    pub max_answer_bytes: u64,

    /// How many requests one call may send to Daktela, repeated ones included
    #[arg(long, global = true, env = "DAKTELA_MAX_UPSTREAM_REQUESTS", value_name = "NUMBER", default_value_t = CallLimits::default().requests, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub max_upstream_requests: u64,

    /// The largest single answer of Daktela, unpacked. Parsed, it takes six times as much of the call's memory
    #[arg(long, global = true, env = "DAKTELA_MAX_UPSTREAM_BODY_MB", value_name = "MB", default_value_t = (CallLimits::default().body_bytes / MEGABYTE) as u64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub max_upstream_body_mb: u64,

    /// All answers of Daktela to one call together, unpacked
    #[arg(long, global = true, env = "DAKTELA_MAX_UPSTREAM_MB", value_name = "MB", default_value_t = (CallLimits::default().bytes / MEGABYTE) as u64, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub max_upstream_mb: u64,

    /// How many requests Daktela gets from one credential at once
    #[arg(long, global = true, env = "DAKTELA_UPSTREAM_AT_ONCE", value_name = "NUMBER", default_value_t = Network::default().max_concurrent_requests as u64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub upstream_at_once: u64,

    /// How many core modules a component may consist of, and how many tables they may have
    #[arg(long, global = true, env = "DAKTELA_MAX_MODULES", value_name = "NUMBER", default_value_t = Limits::default().modules, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub max_modules: u32,

    /// How many entries such a table may have
    #[arg(long, global = true, env = "DAKTELA_MAX_TABLE_ELEMENTS", value_name = "NUMBER", default_value_t = Limits::default().table_elements as u64, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub max_table_elements: u64,
}

/// Says what was expected and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error(
        "no Daktela is named. Set DAKTELA_URL (or --url) to the address of yours, e.g. https://acme.daktela.com, or try \
         the sample company with --demo"
    )]
    NoUrl,
    #[error("DAKTELA_URL: {0}")]
    Url(#[from] OriginError),
    #[error(
        "no credential is given. Set DAKTELA_ACCESS_TOKEN to the API token from a user's settings, or DAKTELA_USERNAME \
         and DAKTELA_PASSWORD"
    )]
    NoCredential,
    #[error(
        "both a token (DAKTELA_ACCESS_TOKEN or --access-token-file) and a user name or password are given; keep one"
    )]
    TwoCredentials,
    #[error("DAKTELA_USERNAME is set, but no password: set DAKTELA_PASSWORD, or name a file with --password-file")]
    NoPassword,
    #[error("a password is given, but not whose: set DAKTELA_USERNAME or --username")]
    NoUsername,
    #[error("{variable} and the file {} both hold the secret; keep one", .file.display())]
    SecretTwice { variable: &'static str, file: PathBuf },
    #[error("{}: {error}", .file.display())]
    SecretFile { file: PathBuf, error: io::Error },
    #[error("{} is empty; expected the secret on its first line", .0.display())]
    EmptySecretFile(PathBuf),
    #[error("{} is no text in UTF-8; Windows PowerShell writes such files with `-Encoding ascii`", .0.display())]
    NotUtf8(PathBuf),
    #[error("SSL_CERT_FILE: {}: {why}; expected certificates in PEM, each behind {BEGIN}", .file.display())]
    Authorities { file: PathBuf, why: String },
    #[error("{0}: {1:?} is no address of a collector; expected e.g. http://localhost:4318")]
    OtlpEndpoint(&'static str, String),
    #[error("OTEL_EXPORTER_OTLP_PROTOCOL: {0:?} is not spoken here, only http/protobuf, usually on port 4318")]
    OtlpProtocol(String),
    #[error("the sample company does not start: {0}")]
    Demo(io::Error),
    #[error("the component does not load: {0:#}")]
    Component(wasmtime::Error),
}

/// A host as the options say, and the sample company if it is the one that is read.
pub struct Ready {
    pub host: Host,
    /// Ends when dropped.
    pub demo: Option<Demo>,
}

impl Options {
    pub fn ready(&self) -> Result<Ready, ConfigError> {
        let demo = if self.demo {
            Some(Demo::start().map_err(ConfigError::Demo)?)
        } else {
            None
        };
        let (origin, credential) = match &demo {
            Some(demo) => (
                demo.origin().parse()?,
                Credential::Token(daktela_demo::TOKEN.to_owned().into()),
            ),
            None => self.upstream(|name| std::env::var(name).ok())?,
        };
        let egress = Egress::new(origin, credential, Client::new(self.network()), self.cache());
        Ok(Ready {
            host: self.host(Some(egress))?,
            demo,
        })
    }

    pub fn network(&self) -> Network {
        Network {
            max_concurrent_requests: size(self.limits.upstream_at_once),
            proxy: self.proxy.clone(),
        }
    }

    pub fn cache(&self) -> Cache {
        Cache::new(CacheSettings {
            enabled: self.cache,
            ttl: Duration::from_secs(self.cache_ttl),
        })
    }

    /// Whether an instance or a credential is named, which would be somebody's own and is of no use to many.
    pub fn names_an_instance(&self) -> bool {
        let given = |name| std::env::var(name).is_ok_and(|value| !value.trim().is_empty());
        filled(self.url.clone()).is_some()
            || filled(self.username.clone()).is_some()
            || self.access_token_file.is_some()
            || self.password_file.is_some()
            || given("DAKTELA_ACCESS_TOKEN")
            || given("DAKTELA_PASSWORD")
    }

    /// Without an instance: for what is the same with any.
    pub fn host(&self, egress: Option<Egress>) -> Result<Host, ConfigError> {
        let limits = self.limits.limits();
        let sandbox = match &self.component {
            Some(file) => Sandbox::from_file(file, limits),
            None => Sandbox::embedded(limits),
        };
        let sandbox = sandbox.map_err(ConfigError::Component)?;
        Ok(Host::new(sandbox, egress, self.limits.budget()))
    }

    /// Where spans go. The variable for traces alone is a whole address, the other one has a path added to it, as
    /// OpenTelemetry has it.
    pub fn otlp(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Url>, ConfigError> {
        const TRACES: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
        const BASE: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
        let given = |name| filled(variable(name));
        let says = |name, word: &str| given(name).is_some_and(|value| value.eq_ignore_ascii_case(word));
        let (name, address) = match (given(TRACES), filled(self.otlp_endpoint.clone())) {
            (None, None) => return Ok(None),
            _ if says("OTEL_SDK_DISABLED", "true") || says("OTEL_TRACES_EXPORTER", "none") => return Ok(None),
            (Some(whole), _) => (TRACES, whole),
            (None, Some(base)) => (BASE, format!("{}/v1/traces", base.trim_end_matches('/'))),
        };
        let protocol = given("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| given("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if let Some(protocol) = protocol.filter(|protocol| protocol != "http/protobuf") {
            return Err(ConfigError::OtlpProtocol(protocol));
        }
        match Url::parse(&address) {
            Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(url)),
            _ => Err(ConfigError::OtlpEndpoint(name, address)),
        }
    }

    /// An empty variable counts as none: configuration files of clients leave them so.
    fn upstream(&self, variable: impl Fn(&str) -> Option<String>) -> Result<(Origin, Credential), ConfigError> {
        let url = filled(self.url.clone()).ok_or(ConfigError::NoUrl)?;
        let origin = url.parse()?;
        let secret = |name: &'static str, file: &Option<PathBuf>| {
            let file = file.clone().filter(|file| !file.as_os_str().is_empty());
            match (filled(variable(name)), file) {
                (Some(_), Some(file)) => Err(ConfigError::SecretTwice { variable: name, file }),
                (Some(value), None) => Ok(Some(SecretString::from(value))),
                (None, Some(file)) => read_secret(file).map(Some),
                (None, None) => Ok(None),
            }
        };
        let token = secret("DAKTELA_ACCESS_TOKEN", &self.access_token_file)?;
        let password = secret("DAKTELA_PASSWORD", &self.password_file)?;
        let credential = match (token, filled(self.username.clone()), password) {
            (Some(token), None, None) => Credential::Token(token),
            (None, Some(username), Some(password)) => Credential::Login { username, password },
            (None, None, None) => return Err(ConfigError::NoCredential),
            (None, Some(_), None) => return Err(ConfigError::NoPassword),
            (None, None, Some(_)) => return Err(ConfigError::NoUsername),
            (Some(_), _, _) => return Err(ConfigError::TwoCredentials),
        };
        Ok((origin, credential))
    }
}

impl LimitOptions {
    fn limits(&self) -> Limits {
        Limits {
            calls: size(self.max_calls),
            waiting: size(self.max_waiting),
            memory_bytes: size(self.memory_mb).saturating_mul(MEBIBYTE),
            compute: Duration::from_secs(self.compute_seconds),
            answer_bytes: size(self.max_answer_bytes),
            modules: self.max_modules,
            table_elements: size(self.max_table_elements),
        }
    }

    fn budget(&self) -> CallLimits {
        CallLimits {
            timeout: Duration::from_secs(self.timeout),
            requests: self.max_upstream_requests,
            body_bytes: size(self.max_upstream_body_mb).saturating_mul(MEGABYTE),
            bytes: size(self.max_upstream_mb).saturating_mul(MEGABYTE),
        }
    }
}

/// The ranges of the flags are far below what a size of this machine holds.
fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn proxy(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err("expected the address of an HTTP proxy, e.g. http://proxy.example.com:3128".to_owned()),
    }
}

fn filled(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";

/// This file replaces the system's authorities; where it holds none, nothing could be trusted.
pub fn check_authorities(file: Option<OsString>) -> Result<(), ConfigError> {
    let Some(file) = file.filter(|file| !file.is_empty()).map(PathBuf::from) else {
        return Ok(());
    };
    let why = match fs::read(&file) {
        Ok(bytes) if String::from_utf8_lossy(&bytes).contains(BEGIN) => return Ok(()),
        Ok(_) => "it holds none".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(ConfigError::Authorities { file, why })
}

/// The first line; editors like to add another, and a mark at the beginning.
pub(crate) fn read_secret(file: PathBuf) -> Result<SecretString, ConfigError> {
    let text = match fs::read_to_string(&file) {
        Ok(text) => SecretString::from(text),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(ConfigError::NotUtf8(file)),
        Err(error) => return Err(ConfigError::SecretFile { file, error }),
    };
    let line = secrecy::ExposeSecret::expose_secret(&text)
        .trim_start_matches('\u{feff}')
        .lines()
        .next()
        .unwrap_or_default()
        .trim();
    if line.is_empty() {
        Err(ConfigError::EmptySecretFile(file))
    } else {
        Ok(line.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use secrecy::ExposeSecret;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: Options,
    }

    /// `NAME=value` is a variable, all else an argument.
    fn upstream(words: &[&str]) -> Result<String, String> {
        let (variables, flags): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| !word.starts_with("--"));
        let variable = |name: &str| {
            variables
                .iter()
                .find_map(|it| it.split_once('=').filter(|(key, _)| *key == name))
                .map(|(_, value)| value.to_owned())
        };
        let mut options = Program::parse_from([&["program"], flags.as_slice()].concat()).options;
        options.url = options.url.or_else(|| variable("DAKTELA_URL"));
        options.username = options.username.or_else(|| variable("DAKTELA_USERNAME"));
        let (origin, credential) = options.upstream(variable).map_err(|error| error.to_string())?;
        Ok(match credential {
            Credential::Token(token) => format!("{origin} token {}", token.expose_secret()),
            Credential::Login { username, password } => format!("{origin} {username} {}", password.expose_secret()),
        })
    }

    #[test]
    fn a_token_or_a_login_is_enough() {
        let url = "DAKTELA_URL=https://acme.daktela.com/";
        assert_eq!(
            upstream(&[url, "DAKTELA_ACCESS_TOKEN=t "]).unwrap(),
            "https://acme.daktela.com token t"
        );
        assert_eq!(
            upstream(&[
                url,
                "DAKTELA_USERNAME=jan",
                "DAKTELA_PASSWORD=p",
                "DAKTELA_ACCESS_TOKEN="
            ])
            .unwrap(),
            "https://acme.daktela.com jan p"
        );
        assert_eq!(
            upstream(&["--url=https://b.daktela.com", "--username=eva", "DAKTELA_PASSWORD=p"]).unwrap(),
            "https://b.daktela.com eva p"
        );
    }

    #[test]
    fn what_is_missing_is_said() {
        let url = "DAKTELA_URL=https://acme.daktela.com";
        for (words, expected) in [
            (&["DAKTELA_ACCESS_TOKEN=t"][..], "no Daktela is named"),
            (&["DAKTELA_URL= ", "DAKTELA_ACCESS_TOKEN=t"], "no Daktela is named"),
            (
                &["DAKTELA_URL=http://acme.daktela.com", "DAKTELA_ACCESS_TOKEN=t"],
                "plain http",
            ),
            (
                &["DAKTELA_URL=acme.daktela.com", "DAKTELA_ACCESS_TOKEN=t"],
                "write https://acme.daktela.com",
            ),
            (&[url], "no credential is given"),
            (&[url, "DAKTELA_USERNAME=jan"], "no password"),
            (&[url, "DAKTELA_PASSWORD=p"], "not whose"),
            (
                &[
                    url,
                    "DAKTELA_ACCESS_TOKEN=t",
                    "DAKTELA_USERNAME=jan",
                    "DAKTELA_PASSWORD=p",
                ],
                "both a token",
            ),
            (&[url, "--access-token-file=/nowhere/token"], "/nowhere/token"),
            (
                &[url, "--access-token-file=/nowhere/token", "DAKTELA_ACCESS_TOKEN=t"],
                "keep one",
            ),
        ] {
            let error = upstream(words).unwrap_err();
            assert!(error.contains(expected), "{words:?}: {error}");
        }
    }

    #[test]
    fn spans_go_where_opentelemetrys_variables_say() {
        let otlp = |words: &[&str]| {
            let (variables, flags): (Vec<&str>, Vec<&str>) = words.iter().partition(|word| !word.starts_with("--"));
            let variable = |name: &str| {
                let found = variables
                    .iter()
                    .find_map(|it| it.split_once('=').filter(|(key, _)| *key == name));
                found.map(|(_, value)| value.to_owned())
            };
            let mut options = Program::parse_from([&["program"], flags.as_slice()].concat()).options;
            options.otlp_endpoint = options
                .otlp_endpoint
                .or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT"));
            let found = options.otlp(variable).map_err(|error| error.to_string())?;
            Ok::<_, String>(found.map(String::from))
        };
        let traces = |url: &str| Ok(Some(url.to_owned()));
        assert_eq!(otlp(&[]), Ok(None));
        assert_eq!(
            otlp(&["--otlp-endpoint=http://c:4318/"]),
            traces("http://c:4318/v1/traces")
        );
        assert_eq!(
            otlp(&["OTEL_EXPORTER_OTLP_ENDPOINT=https://c/base"]),
            traces("https://c/base/v1/traces")
        );
        let whole = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://c:1/x";
        assert_eq!(otlp(&["--otlp-endpoint=http://d", whole]), traces("http://c:1/x"));
        assert_eq!(otlp(&[whole, "OTEL_SDK_DISABLED=true"]), Ok(None));
        assert_eq!(otlp(&[whole, "OTEL_TRACES_EXPORTER=none"]), Ok(None));
        assert!(otlp(&["--otlp-endpoint=c:4318"]).is_err_and(|error| error.contains("expected e.g. http://")));
        assert!(otlp(&[whole, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"]).is_err_and(|error| error.contains("4318")));
    }

    #[test]
    fn a_secret_does_not_print() {
        let login = Credential::Login {
            username: "jan".to_owned(),
            password: "hunter2".to_owned().into(),
        };
        let token = Credential::Token("hunter2".to_owned().into());
        assert!(!format!("{login:?} {token:?}").contains("hunter2"));
    }
}
