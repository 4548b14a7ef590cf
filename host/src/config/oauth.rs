//! Flags of the OAuth server, and the settings that they mean.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{
    read_secret_setting,
    server_error::{ServerOptionsError, list},
};
use crate::{
    auth::Sealer,
    oauth::{self, Journal, Redis, StoreSettings},
    web::authority::Authority,
};

/// What clients are used to: short enough for a token that leaks, long enough to be renewed in silence.
const ACCESS_MINUTES: u64 = 60;

/// Some clients refresh from two machines; a thief gains a minute, and is found out by whoever comes later.
const REFRESH_REUSE_SECONDS: u64 = 60;

#[derive(Debug, Clone, Args)]
pub struct OAuthOptions {
    /// File with the secret that encrypts OAuth's tokens, 32 random bytes in base64 or hex; several with commas, the first encrypts. Or
    /// give it in OAUTH_SECRET. Without it there is no OAuth
    #[arg(long, env = "OAUTH_SECRET_FILE", value_name = "FILE")]
    pub oauth_secret_file: Option<PathBuf>,

    /// Lifetime of an OAuth access token, in minutes; it ends sooner where Daktela's own does
    #[arg(long, env = "OAUTH_ACCESS_MINUTES", value_name = "MINUTES", default_value_t = ACCESS_MINUTES, value_parser = clap::value_parser!(u64).range(1..=1440))]
    pub oauth_access_minutes: u64,

    /// Time, in seconds, in which a refresh token that was used gives the same answer again, for clients that refresh twice at
    /// once or lose an answer
    #[arg(long, alias = "oauth-grace-seconds", env = "OAUTH_REFRESH_REUSE_SECONDS", value_name = "SECONDS", default_value_t = REFRESH_REUSE_SECONDS, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub oauth_refresh_reuse_seconds: u64,

    /// File with the address of a Redis, redis:// or rediss:// for TLS, in which replicas remember together what was used once and
    /// what is revoked. Or give it in REDIS_URL
    #[arg(long, env = "REDIS_URL_FILE", value_name = "FILE")]
    pub redis_url_file: Option<PathBuf>,

    /// File in which a server without REDIS_URL remembers what was used once and what is revoked, so that a restart does not
    /// forget it; random ids, no secrets. One process at a time
    #[arg(long, env = "OAUTH_STATE_FILE", value_name = "FILE")]
    pub oauth_state_file: Option<PathBuf>,

    /// Refuse Daktela's own credentials in headers: whoever calls has to log in through OAuth
    #[arg(long, env = "OAUTH_ONLY")]
    pub oauth_only: bool,

    /// Hosts whose client metadata documents are read although they are on a private network, with commas
    #[arg(long, env = "ALLOWED_CLIENT_HOSTS", value_name = "HOSTS", default_value = "")]
    pub allowed_client_hosts: String,

    /// Hosts of OAuth clients that the login page does not warn of, with commas, beside claude.ai, chatgpt.com and their like
    #[arg(long, env = "OAUTH_KNOWN_CLIENTS", value_name = "HOSTS", default_value = "")]
    pub oauth_known_clients: String,

    /// Refuse OAuth clients at hosts that are not known; programs on the user's own machine are served
    #[arg(long, env = "OAUTH_KNOWN_CLIENTS_ONLY")]
    pub oauth_known_clients_only: bool,
}

impl OAuthOptions {
    /// `None` without a secret. JWT_SECRET is what the server in Python calls it.
    pub(super) fn settings(
        &self,
        has_address: bool,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<oauth::Settings>, ServerOptionsError> {
        let given = |name| variable(name).filter(|value| !value.trim().is_empty());
        let secret = given("OAUTH_SECRET").or_else(|| given("JWT_SECRET"));
        let Some(secret) = read_secret_setting("OAUTH_SECRET", secret, &self.oauth_secret_file)? else {
            return if self.oauth_only {
                Err(ServerOptionsError::OnlyWithoutSecret)
            } else {
                Ok(None)
            };
        };
        let sealer = Sealer::new(&secret)?;
        let redis = read_secret_setting("REDIS_URL", given("REDIS_URL"), &self.redis_url_file)?;
        let redis = redis
            .map(|url| Redis::at(&url).ok_or(ServerOptionsError::Redis))
            .transpose()?;
        let state_file = self
            .oauth_state_file
            .as_ref()
            .filter(|file| !file.as_os_str().is_empty());
        if !has_address {
            return Err(ServerOptionsError::NoPublicUrl);
        }
        let store = match (redis, state_file) {
            (Some(_), Some(_)) => return Err(ServerOptionsError::TwoStores),
            (Some(redis), None) => StoreSettings::Redis(redis),
            (None, None) => StoreSettings::InMemory(None),
            (None, Some(file)) => {
                let journal = Journal::open(file).map_err(|error| ServerOptionsError::StateFile {
                    file: file.clone(),
                    error,
                })?;
                StoreSettings::InMemory(Some(journal))
            }
        };
        Ok(Some(oauth::Settings {
            sealer,
            private_client_hosts: hosts("ALLOWED_CLIENT_HOSTS", &self.allowed_client_hosts)?,
            known_client_hosts: hosts("OAUTH_KNOWN_CLIENTS", &self.oauth_known_clients)?,
            known_clients_only: self.oauth_known_clients_only,
            access_lifetime: Duration::from_secs(self.oauth_access_minutes * 60),
            reuse_grace: Duration::from_secs(self.oauth_refresh_reuse_seconds),
            store,
            is_only: self.oauth_only,
        }))
    }
}

fn hosts(variable: &'static str, text: &str) -> Result<Vec<String>, ServerOptionsError> {
    let host = |host: &str| {
        Authority::parse(host)
            .map(|host| host.host)
            .ok_or_else(|| ServerOptionsError::ClientHost(variable, host.to_owned()))
    };
    list(text).map(host).collect()
}
