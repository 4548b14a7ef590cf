//! Redis store of replay protection and revocations, for several replicas. It learns random ids, and for the grace period a sealed answer; each entry expires.

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use redis::{
    Client, FromRedisValue, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{CODE_KEPT, FAMILY_LIFETIME, Generation, REFRESH_LIFETIME, StoreUnavailable};
use crate::auth::sealed_token::{Sealer, TokenKind};

/// Redis stands near. Whoever waits longer waits for nothing.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How soon it is noticed that Redis does not answer, or does again.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// A replica that renews a token and dies leaves it to others after so long; twice as long as a login may take.
const LOCK_TTL: Duration = Duration::from_secs(30);
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Where it is. Holds a password, and does not print it.
pub struct Redis(Client);

impl Redis {
    /// `None` for what is no address of one.
    pub fn at(url: &SecretString) -> Option<Self> {
        Client::open(url.expose_secret().trim()).ok().map(Self)
    }
}

pub(in crate::oauth) struct RedisStore {
    /// `None` where the client cannot be set up at all.
    connection: Option<ConnectionManager>,
    unavailable: Arc<AtomicBool>,
    reuse_grace: Duration,
}

/// What is kept of an answer, with the token that it answers, so that no entry passes for another.
#[derive(Serialize, Deserialize)]
struct KeptAnswer {
    family: String,
    generation: u64,
    answer: String,
}

impl RedisStore {
    /// Belongs into the runtime. Does not wait for Redis: callers with credentials of their own are served without it.
    pub(super) fn new(Redis(client): Redis, reuse_grace: Duration) -> Self {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            // The next to ask tries anew.
            .set_number_of_retries(0);
        let connection = ConnectionManager::new_lazy_with_config(client, config).ok();
        let unavailable = Arc::new(AtomicBool::new(connection.is_none()));
        if let Some(connection) = connection.clone() {
            tokio::spawn(watch(connection, unavailable.clone()));
        }
        Self {
            connection,
            unavailable,
            reuse_grace,
        }
    }

    pub(super) fn is_unavailable(&self) -> bool {
        self.unavailable.load(Ordering::Acquire)
    }

    pub(super) async fn use_code(&self, id: &str) -> Result<bool, StoreUnavailable> {
        self.set_if_absent(&key("code", id), "", CODE_KEPT).await
    }

    pub(super) async fn revoke(&self, family: &str) -> Result<(), StoreUnavailable> {
        let mut command = redis::cmd("SET");
        command
            .arg(key("revoked", family))
            .arg("")
            .arg("EX")
            .arg(FAMILY_LIFETIME.as_secs());
        self.ask(&command).await
    }

    pub(super) async fn is_revoked(&self, family: &str) -> Result<bool, StoreUnavailable> {
        let mut command = redis::cmd("EXISTS");
        command.arg(key("revoked", family));
        self.ask(&command).await
    }

    /// One entry for each family says which of its tokens is the newest; a lock lets one replica renew it.
    pub(super) async fn rotate_once<E: From<StoreUnavailable>>(
        &self,
        sealer: &Sealer,
        token: Generation<'_>,
        renew: impl Future<Output = Result<String, E>>,
    ) -> Result<Option<String>, E> {
        let lock = key("lock", token.family);
        let start = Instant::now();
        loop {
            if let Some(known) = self.known(sealer, token).await? {
                return Ok(known);
            }
            if self.set_if_absent(&lock, "", LOCK_TTL).await? {
                break;
            }
            // Another replica renews it.
            if start.elapsed() > LOCK_TTL {
                return Err(StoreUnavailable.into());
            }
            tokio::time::sleep(LOCK_POLL_INTERVAL).await;
        }
        // Another replica may have been done between the look and the lock.
        let renewed = match self.known(sealer, token).await? {
            Some(known) => Ok(known),
            None => match renew.await {
                Ok(answer) => self
                    .keep(sealer, token, &answer)
                    .await
                    .map(|()| Some(answer))
                    .map_err(E::from),
                Err(error) => Err(error),
            },
        };
        let mut command = redis::cmd("DEL");
        command.arg(&lock);
        let () = self.ask(&command).await?;
        renewed
    }

    /// The answer to a token that was used: the kept one, or none any longer. `None` for a token that was not used.
    async fn known(&self, sealer: &Sealer, token: Generation<'_>) -> Result<Option<Option<String>>, StoreUnavailable> {
        let Generation { family, number } = token;
        let mut both = redis::cmd("MGET");
        both.arg(key("family", family)).arg(key("answer", family));
        let (newest, kept): (Option<u64>, Option<String>) = self.ask(&both).await?;
        if newest.is_none_or(|newest| newest <= number) {
            return Ok(None);
        }
        let kept: Option<KeptAnswer> = kept.and_then(|kept| sealer.open(TokenKind::RefreshAnswer, &kept));
        let kept = kept.filter(|kept| kept.family == family && kept.generation == number);
        Ok(Some(kept.map(|kept| kept.answer)))
    }

    /// Marks a token as used before its answer is known to arrive: the grace period is for that. What cannot be marked is not
    /// given out.
    async fn keep(&self, sealer: &Sealer, token: Generation<'_>, answer: &str) -> Result<(), StoreUnavailable> {
        let kept = KeptAnswer {
            family: token.family.to_owned(),
            generation: token.number,
            answer: answer.to_owned(),
        };
        let sealed = sealer.seal(TokenKind::RefreshAnswer, &kept).ok_or(StoreUnavailable)?;
        let mut both = redis::pipe();
        both.atomic();
        both.cmd("SET")
            .arg(key("family", token.family))
            .arg(token.number + 1)
            .arg("EX")
            .arg(REFRESH_LIFETIME.as_secs())
            .ignore();
        both.cmd("SET")
            .arg(key("answer", token.family))
            .arg(sealed)
            .arg("EX")
            .arg(self.reuse_grace.as_secs())
            .ignore();
        let mut connection = self.connection.clone().ok_or(StoreUnavailable)?;
        let done: RedisResult<()> = both.query_async(&mut connection).await;
        done.map_err(|error| unavailable(&error))
    }

    /// Sets what is not there yet, and says whether it was not.
    async fn set_if_absent(&self, key: &str, value: &str, kept: Duration) -> Result<bool, StoreUnavailable> {
        let mut command = redis::cmd("SET");
        command.arg(key).arg(value).arg("EX").arg(kept.as_secs()).arg("NX");
        let set: Option<String> = self.ask(&command).await?;
        Ok(set.is_some())
    }

    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, StoreUnavailable> {
        let mut connection = self.connection.clone().ok_or(StoreUnavailable)?;
        command
            .query_async(&mut connection)
            .await
            .map_err(|error| unavailable(&error))
    }
}

fn key(kind: &str, id: &str) -> String {
    format!("mcp-daktela:{kind}:{id}")
}

/// Never with the error's own words, which may quote an address.
fn unavailable(error: &RedisError) -> StoreUnavailable {
    tracing::debug!(event = "redis_failed", reason = error.category());
    StoreUnavailable
}

/// Asks again and again, which also keeps the connection, and brings it back.
async fn watch(mut connection: ConnectionManager, unavailable: Arc<AtomicBool>) {
    let mut known = None;
    loop {
        let pong: RedisResult<()> = redis::cmd("PING").query_async(&mut connection).await;
        unavailable.store(pong.is_err(), Ordering::Release);
        if known.replace(pong.is_ok()) != Some(pong.is_ok()) {
            match pong {
                Ok(()) => tracing::info!(event = "redis_answers"),
                Err(error) => tracing::warn!(
                    event = "redis_away",
                    reason = error.category(),
                    meaning = "OAuth is refused until Redis answers; credentials in headers are served"
                ),
            }
        }
        tokio::time::sleep(WATCH_EVERY).await;
    }
}
