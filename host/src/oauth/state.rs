//! What the OAuth endpoints share.

use std::{net::IpAddr, num::NonZeroU32, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use secrecy::{ExposeSecret, SecretString};

use super::{
    claims::{AccessClaims, now},
    clients::Clients,
    redirect_uri::KnownHosts,
    store::{Store, StoreSettings, StoreUnavailable},
};
use crate::{
    auth::{
        AllowedDomains,
        sealed_token::{Sealer, TokenKind},
    },
    egress::{Client, Credential, Origin},
    limits::{login_attempts::LoginAttempts, rate_limit::RateLimiter},
    telemetry::Metrics,
    web::base_url::BaseUrl,
};

/// Pages and registrations of one network within five minutes: each costs more than a refusal.
const PAGES: NonZeroU32 = NonZeroU32::new(300).expect("not zero");
const PAGES_PERIOD: Duration = Duration::from_secs(300);

/// Requests of one network at /token and /revoke within a minute: an AI vendor's servers refresh for all of their users.
const TOKENS: NonZeroU32 = NonZeroU32::new(1_200).expect("not zero");

/// Refreshes of one login within a minute; clients refresh once an hour.
const REFRESHES: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
const MINUTE: Duration = Duration::from_secs(60);

/// What an operator decides.
pub struct Settings {
    pub sealer: Sealer,
    /// Hosts whose client metadata documents are read although they are on a private network.
    pub private_client_hosts: Vec<String>,
    /// Hosts of clients that the login page does not warn of, beside the well-known ones.
    pub known_client_hosts: Vec<String>,
    /// Refuses clients at other hosts.
    pub known_clients_only: bool,
    pub access_lifetime: Duration,
    /// How long a refresh token that was used is answered again, with the same answer.
    pub reuse_grace: Duration,
    pub store: StoreSettings,
    /// Refuses Daktela's own credentials in headers.
    pub is_only: bool,
}

pub(crate) struct State {
    pub(super) sealer: Sealer,
    pub(super) clients: Clients,
    pub(super) known_hosts: KnownHosts,
    pub(super) store: Store,
    is_only: bool,
    /// Daktela's login, at addresses that users enter.
    pub(super) upstream: Client,
    pub(super) allowed_domains: AllowedDomains,
    pub(super) access_lifetime: Duration,
    pub(super) login_attempts: Arc<LoginAttempts>,
    pub(super) page_rate: RateLimiter<IpAddr>,
    pub(super) token_rate: RateLimiter<IpAddr>,
    pub(super) refresh_rate: RateLimiter<String>,
    pub(super) metrics: Metrics,
}

impl State {
    /// Belongs into the runtime. `upstream` reaches public addresses only.
    pub(crate) fn new(
        settings: Settings,
        upstream: Client,
        allowed_domains: AllowedDomains,
        login_attempts: Arc<LoginAttempts>,
        metrics: Metrics,
    ) -> Self {
        let store = Store::new(settings.store, settings.reuse_grace);
        if store.is_volatile() {
            tracing::warn!(
                event = "oauth_store_in_memory",
                reason = "neither REDIS_URL nor OAUTH_STATE_FILE is set: a restart forgets which tokens were revoked and which \
                          refresh tokens were used, so that they are good again until they expire"
            );
        }
        if settings.sealer.is_stretched() {
            tracing::warn!(
                event = "weak_secret",
                reason = "OAUTH_SECRET is not 32 random bytes in base64 or hex, so that it may be guessed from any token. Make one \
                          with: openssl rand -base64 32"
            );
        }
        Self {
            sealer: settings.sealer,
            clients: Clients::new(upstream.network().clone(), settings.private_client_hosts),
            known_hosts: KnownHosts::new(settings.known_client_hosts, settings.known_clients_only),
            store,
            is_only: settings.is_only,
            upstream,
            allowed_domains,
            access_lifetime: settings.access_lifetime,
            login_attempts,
            page_rate: RateLimiter::new(PAGES, PAGES_PERIOD),
            token_rate: RateLimiter::new(TOKENS, MINUTE),
            refresh_rate: RateLimiter::new(REFRESHES, MINUTE),
            metrics,
        }
    }

    /// The instance and credential that an access token stands for. `None` for one that is expired, revoked, meant for another
    /// server, or no token.
    pub(crate) async fn open_bearer(
        &self,
        token: &SecretString,
        base: &BaseUrl,
    ) -> Result<Option<(Origin, Credential)>, StoreUnavailable> {
        let access: Option<AccessClaims> = self.sealer.open(TokenKind::Access, token.expose_secret());
        let Some(access) = access.filter(|access| access.expires > now() && access.audience == base.as_str()) else {
            return Ok(None);
        };
        if self.store.is_revoked(&access.family).await? {
            return Ok(None);
        }
        // An instance that is not served any longer is not served to old tokens either.
        let origin = self.allowed_domains.origin(&access.origin).ok();
        Ok(origin.map(|origin| (origin, Credential::Token(access.token))))
    }

    /// Whether Daktela's own credentials in headers are refused.
    pub(crate) fn is_only(&self) -> bool {
        self.is_only
    }

    /// Whether the store does not answer, so that nobody is let in.
    pub(crate) fn is_store_unavailable(&self) -> bool {
        self.store.is_unavailable()
    }

    /// A random id; `None` where the system has no random numbers to give.
    pub(super) fn random_id(&self) -> Option<String> {
        self.sealer.random::<16>().map(|bytes| BASE64.encode(bytes))
    }
}
