//! Whose eyes a gate reads with: a token that is given, or one that a login keeps fresh.

use crate::{
    Client, Failure, Origin,
    login::{self, Grant, Refusal},
};
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{sync::Mutex, time::Instant};

/// How long before its end a token is renewed: longer than any call that starts with it.
const RENEW_BEFORE: Duration = Duration::from_secs(60);

/// How long a refused password is not tried again: a model that repeats its call must not lock the account.
const REFUSED_FOR: Duration = Duration::from_secs(60);

/// How long any other failed login answers for those who waited for it, so that they do not fail one after another.
const FAILED_FOR: Duration = Duration::from_secs(1);

/// Prints without its secret.
#[derive(Debug, Clone)]
pub enum Credential {
    /// Lasts until somebody revokes it.
    Token(SecretString),
    Login {
        username: String,
        password: SecretString,
    },
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
    /// Whether Daktela refused the password when last asked.
    refused: AtomicBool,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// The last failure counts until then.
    failed: Option<(Instant, Failure)>,
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
            refused: AtomicBool::new(false),
        }
    }

    pub(super) async fn token(&self, client: &Client) -> Result<Token, Failure> {
        let (username, password) = match &self.credential {
            Credential::Token(token) => {
                return Ok(Token {
                    header: Some(header(token)?),
                    serial: 0,
                });
            }
            Credential::Login { username, password } => (username, password),
        };
        let mut state = self.state.lock().await;
        let now = Instant::now();
        if let Some(live) = state.live.as_ref().filter(|live| now < live.renew_at) {
            return Ok(live.token.clone());
        }
        if let Some((_, failure)) = state.failed.as_ref().filter(|(until, _)| now < *until) {
            return Err(failure.clone());
        }
        let refresh = state.live.take().and_then(|live| live.refresh);
        let renewed = match &refresh {
            Some(refresh) => login::renew(client, &self.origin, refresh).await.ok(),
            None => None,
        };
        let granted = match renewed {
            // A renewal that brings no new refresh token leaves the old one good.
            Some(grant) => Ok(Grant {
                refresh: grant.refresh.or(refresh),
                ..grant
            }),
            None => login::log_in(client, &self.origin, username, password).await,
        };
        self.refused
            .store(matches!(granted, Err(Refusal::WrongPassword(_))), Ordering::Release);
        match granted {
            Ok(grant) => state.keep(grant),
            Err(Refusal::WrongPassword(failure)) => Err(state.fail(REFUSED_FOR, failure)),
            Err(Refusal::Other(failure)) => Err(state.fail(FAILED_FOR, failure)),
        }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.refused.load(Ordering::Acquire)
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
    fn keep(&mut self, grant: Grant) -> Result<Token, Failure> {
        self.logins += 1;
        self.failed = None;
        let token = Token {
            header: Some(header(&grant.token)?),
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

    fn fail(&mut self, lasting: Duration, failure: Failure) -> Failure {
        self.failed = Some((Instant::now() + lasting, failure.clone()));
        failure
    }
}

pub(super) fn header(token: &SecretString) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(token.expose_secret())
        .map_err(|_| Failure::ForTheUser("The access token holds characters that no token has.".to_owned()))?;
    // Keeps it out of Debug, and out of what HTTP/2 compression shares between requests.
    value.set_sensitive(true);
    Ok(value)
}
