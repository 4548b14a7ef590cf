//! Upstream access token: static, or obtained by login and refreshed. Concurrent calls share one login (single-flight).

use std::{
    sync::{self, Arc, PoisonError},
    time::Duration,
};

use daktela_http_client::Client;
use http::HeaderValue;
use secrecy::SecretString;
use tokio::{sync::Mutex, time::Instant};

use crate::{
    EgressError, Origin,
    credential::{self, Credential},
    login::{self, LoginError, LoginGrant},
};

/// How long before its end a token is renewed: longer than any call that starts with it.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// How long a refused password is not tried again: a model that repeats its call must not lock the account.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// How long any other failed login answers for those who waited for it, so that they do not fail one after another.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// What Daktela answered to the password when it was last tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PasswordStatus {
    /// Not tried, or nothing came back.
    #[default]
    Unknown,
    /// Daktela answered that it cannot say just now (HTTP 429, 5xx).
    Unclear,
    /// A login is under way, or nobody waited for its end.
    Pending,
    Accepted,
    Rejected,
}

/// A token as it goes into a request. `serial` tells a fresh one from the one that was refused.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) header: Option<HeaderValue>,
    serial: u64,
}

pub(super) struct Session {
    credential: Credential,
    origin: Origin,
    /// Held during a login, which makes the others wait for the one.
    state: Mutex<State>,
    password_status: sync::Mutex<PasswordStatus>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// The last failure counts until then.
    failed: Option<(Instant, EgressError)>,
    logins: u64,
}

struct Live {
    token: Token,
    refresh: Option<SecretString>,
    renew_at: Instant,
}

impl Session {
    pub(super) fn new(credential: Credential, origin: &Origin) -> Self {
        Self {
            credential,
            origin: origin.clone(),
            state: Mutex::default(),
            password_status: sync::Mutex::default(),
        }
    }

    pub(super) async fn token(self: &Arc<Self>, client: &Client) -> Result<Token, EgressError> {
        let (username, password) = match &self.credential {
            Credential::Token(token) => {
                return Ok(Token {
                    header: Some(credential::header(token)?),
                    serial: 0,
                });
            }
            Credential::Login { username, password } => (username, password),
        };
        if let Some(known) = self.state.lock().await.known() {
            return known;
        }
        // A password that was accepted once stays so while a new token is asked for.
        if matches!(
            self.password_status(),
            PasswordStatus::Unknown | PasswordStatus::Unclear
        ) {
            self.set_password_status(PasswordStatus::Pending);
        }
        let (session, client, username, password) = (self.clone(), client.clone(), username.clone(), password.clone());
        // In a task of its own, which has its own end: what it learns outlives a call that is cut short, or the next one
        // would send the same wrong password again.
        let login = tokio::spawn(async move { session.log_in(&client, &username, &password).await });
        login.await.unwrap_or(Err(EgressError::ConnectionBroken))
    }

    async fn log_in(&self, client: &Client, username: &str, password: &SecretString) -> Result<Token, EgressError> {
        let mut state = self.state.lock().await;
        // Another call's login may have come first.
        if let Some(known) = state.known() {
            return known;
        }
        let refresh = state.live.take().and_then(|live| live.refresh);
        let renewed = match &refresh {
            Some(refresh) => login::renew(client, &self.origin, refresh).await.ok(),
            None => None,
        };
        let granted = match renewed {
            // A renewal that brings no new refresh token leaves the old one good.
            Some(grant) => Ok(LoginGrant {
                refresh: grant.refresh.or(refresh),
                ..grant
            }),
            None => login::log_in(client, &self.origin, username, password).await,
        };
        match (&granted, self.password_status()) {
            (Ok(_), _) => self.set_password_status(PasswordStatus::Accepted),
            (Err(LoginError::WrongPassword(_)), _) => self.set_password_status(PasswordStatus::Rejected),
            (Err(LoginError::Unclear(_) | LoginError::Other(_)), PasswordStatus::Accepted) => {}
            (Err(LoginError::Unclear(_)), _) => self.set_password_status(PasswordStatus::Unclear),
            (Err(LoginError::Other(_)), _) => self.set_password_status(PasswordStatus::Unknown),
        }
        match granted {
            Ok(grant) => state.keep(grant),
            Err(LoginError::WrongPassword(failure)) => Err(state.fail(REFUSED_FOR, failure)),
            Err(LoginError::Unclear(failure) | LoginError::Other(failure)) => Err(state.fail(FAILED_FOR, failure)),
        }
    }

    /// A token that does not come from a login.
    pub(super) fn given(&self) -> Option<&SecretString> {
        match &self.credential {
            Credential::Token(token) => Some(token),
            Credential::Login { .. } => None,
        }
    }

    pub(super) fn password_status(&self) -> PasswordStatus {
        *self.password_status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_password_status(&self, status: PasswordStatus) {
        *self.password_status.lock().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// Drops a token that Daktela refuses. Returns whether another one can be had.
    pub(super) async fn discard(&self, token: &Token) -> bool {
        if matches!(self.credential, Credential::Token(_)) {
            return false;
        }
        let mut state = self.state.lock().await;
        // Another call may have got a fresh one in the meantime.
        if state
            .live
            .as_ref()
            .is_some_and(|live| live.token.serial == token.serial)
        {
            state.live = None;
        }
        true
    }
}

impl State {
    /// What is to be had without asking Daktela.
    fn known(&self) -> Option<Result<Token, EgressError>> {
        let now = Instant::now();
        let live = self.live.as_ref().filter(|live| now < live.renew_at);
        let failed = self.failed.as_ref().filter(|(until, _)| now < *until);
        live.map(|live| Ok(live.token.clone()))
            .or_else(|| failed.map(|(_, failure)| Err(failure.clone())))
    }

    fn keep(&mut self, grant: LoginGrant) -> Result<Token, EgressError> {
        self.logins += 1;
        self.failed = None;
        let token = Token {
            header: Some(credential::header(&grant.token)?),
            serial: self.logins,
        };
        let renew_at = Instant::now() + grant.lifetime.saturating_sub(RENEW_BEFORE).max(grant.lifetime / 2);
        self.live = Some(Live {
            token: token.clone(),
            refresh: grant.refresh,
            renew_at,
        });
        Ok(token)
    }

    fn fail(&mut self, lasting: Duration, failure: EgressError) -> EgressError {
        self.failed = Some((Instant::now() + lasting, failure.clone()));
        failure
    }
}
