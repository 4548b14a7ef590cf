//! Settings of the Daktela instance to read: address, credential, HTTP proxy, cache of reference data.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, Args};
use secrecy::ExposeSecret;
use url::Url;

use super::{
    ConfigError, filled,
    placeholder::{self, Kind},
    secret::read_secret_setting,
};
use crate::egress::{CacheSettings, Credential, Origin};

/// People join and queues appear once in a while; a name that is an hour late hurts nobody.
const CACHE_TTL_SECONDS: u64 = 3600;

/// A year, beyond which nobody means it.
const CACHE_TTL_SECONDS_MAX: u64 = 365 * 24 * 3600;

/// Secrets come from the environment or from files: a flag could be read by everybody who may list processes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Daktela")]
pub struct DaktelaOptions {
    /// Read the sample company that comes with the program; no Daktela instance is needed
    #[arg(long, global = true)]
    pub demo: bool,

    /// With --demo: how many times as large the sample company is, 1 to 200. 50 has about 10,000 calls, 5,000 e-mails and 4,000
    /// tickets in its busiest month, October 2026, and takes 400 MB of memory
    #[arg(long, global = true, env = "DEMO_SCALE", value_name = "N", value_parser = scale)]
    pub demo_scale: Option<usize>,

    /// Address of the Daktela instance, e.g. https://acme.daktela.com
    #[arg(long, global = true, env = "DAKTELA_URL", value_name = "URL")]
    pub url: Option<String>,

    /// File with the API token of a Daktela user. The token itself can be given in DAKTELA_ACCESS_TOKEN instead
    #[arg(long, global = true, env = "DAKTELA_ACCESS_TOKEN_FILE", value_name = "FILE")]
    pub access_token_file: Option<PathBuf>,

    /// Name of the Daktela user to log in as, where no API token is given
    #[arg(long, global = true, env = "DAKTELA_USERNAME", value_name = "NAME")]
    pub username: Option<String>,

    /// File with the password of the Daktela user. The password itself can be given in DAKTELA_PASSWORD instead
    #[arg(long, global = true, env = "DAKTELA_PASSWORD_FILE", value_name = "FILE")]
    pub password_file: Option<PathBuf>,

    /// HTTP proxy for requests to Daktela, e.g. http://proxy.example.com:3128. HTTP_PROXY and HTTPS_PROXY are not used. A
    /// proxy resolves host names itself, so it has to refuse addresses of private networks itself
    #[arg(long, global = true, env = "DAKTELA_PROXY", value_name = "URL", value_parser = proxy)]
    pub proxy: Option<Url>,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cache")]
pub struct CacheOptions {
    /// Cache reference data (users, queues, categories, statuses, ...) and what was learnt about the instance's build in memory,
    /// separately for each credential
    #[arg(
        long, global = true, env = "CACHE_ENABLED", value_name = "BOOL", default_value = "true",
        action = ArgAction::Set, value_parser = clap::builder::BoolishValueParser::new()
    )]
    pub cache: bool,

    /// Time, in seconds, after which cached reference data is read again and the build is tried anew
    #[arg(long, global = true, env = "CACHE_TTL_SECONDS", value_name = "SECONDS", default_value_t = CACHE_TTL_SECONDS, value_parser = clap::value_parser!(u64).range(0..=CACHE_TTL_SECONDS_MAX))]
    pub cache_ttl: u64,
}

impl DaktelaOptions {
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

    /// An empty variable counts as none: configuration files of clients leave them so.
    pub fn upstream(&self, variable: impl Fn(&str) -> Option<String>) -> Result<(Origin, Credential), ConfigError> {
        let url = filled(self.url.clone()).ok_or(ConfigError::NoUrl)?;
        let checked = |name, kind, value: &str| {
            placeholder::check(kind, value).map_err(|mistake| ConfigError::Mistaken(name, mistake))
        };
        checked("DAKTELA_URL", Kind::Plain, &url)?;
        let origin = url.parse()?;
        let token = read_secret_setting(
            "DAKTELA_ACCESS_TOKEN",
            filled(variable("DAKTELA_ACCESS_TOKEN")),
            &self.access_token_file,
        )?;
        let password = filled(variable("DAKTELA_PASSWORD"));
        if let Some(password) = &password {
            placeholder::check(Kind::Password, password).map_err(ConfigError::MistakenPassword)?;
        }
        let password = read_secret_setting("DAKTELA_PASSWORD", password, &self.password_file)?;
        let username = filled(self.username.clone());
        if let Some(token) = &token {
            checked("DAKTELA_ACCESS_TOKEN", Kind::Token, token.expose_secret())?;
        }
        if let Some(username) = &username {
            checked("DAKTELA_USERNAME", Kind::Plain, username)?;
        }
        let credential = match (token, username, password) {
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

impl CacheOptions {
    pub fn settings(&self) -> CacheSettings {
        CacheSettings {
            enabled: self.cache,
            ttl: Duration::from_secs(self.cache_ttl),
        }
    }
}

fn scale(text: &str) -> Result<usize, String> {
    match text.trim().parse() {
        Ok(scale @ 1..=daktela_demo::MAX_SCALE) => Ok(scale),
        _ => Err(format!("expected a whole number from 1 to {}", daktela_demo::MAX_SCALE)),
    }
}

fn proxy(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(url),
        _ => Err("expected the address of an HTTP proxy, e.g. http://proxy.example.com:3128".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        options: DaktelaOptions,
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
    fn a_secret_does_not_print() {
        let login = Credential::Login {
            username: "jan".to_owned(),
            password: "hunter2".to_owned().into(),
        };
        let token = Credential::Token("hunter2".to_owned().into());
        assert!(!format!("{login:?} {token:?}").contains("hunter2"));
    }
}
