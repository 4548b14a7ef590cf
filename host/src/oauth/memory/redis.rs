//! In Redis, for several replicas. It learns random ids, and for the time of the grace a sealed answer; everything ends by
//! itself.

use super::{Away, CODE_KEPT, REFRESH_LIFETIME};
use crate::oauth::{
    seal::{Kind, Sealer},
    token::Refused,
};
use redis::{
    Client, FromRedisValue, RedisError, RedisResult,
    aio::{ConnectionManager, ConnectionManagerConfig},
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// Redis stands near. Whoever waits longer waits for nothing.
const RESPONSE_TIMEOUT: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How soon it is noticed that Redis is away, or back.
const WATCH_EVERY: Duration = Duration::from_secs(1);

/// A replica that renews a token and dies leaves it to others after so long; twice as long as a login may take.
const TURN: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

const PENDING: &str = "pending";
const SPENT: &str = "spent";

/// Where it is. Holds a password, and does not print it.
pub struct Redis(Client);

impl Redis {
    /// `None` for what is no address of one.
    pub fn at(url: &SecretString) -> Option<Self> {
        Client::open(url.expose_secret().trim()).ok().map(Self)
    }
}

pub(in crate::oauth) struct Memory {
    /// `None` where the client cannot be set up at all.
    connection: Option<ConnectionManager>,
    away: Arc<AtomicBool>,
    grace: Duration,
}

/// What is kept of an answer. With the id of the token that it answers, so that no entry passes for another.
#[derive(Serialize, Deserialize)]
struct Kept {
    refresh: String,
    answer: String,
}

impl Memory {
    /// Belongs into the runtime. Does not wait for Redis: the server serves those who bring their own credential without it.
    pub(super) fn new(Redis(client): Redis, grace: Duration) -> Self {
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            // The next to ask tries anew.
            .set_number_of_retries(0);
        let connection = ConnectionManager::new_lazy_with_config(client, config).ok();
        let away = Arc::new(AtomicBool::new(connection.is_none()));
        if let Some(connection) = connection.clone() {
            tokio::spawn(watch(connection, away.clone()));
        }
        Self {
            connection,
            away,
            grace,
        }
    }

    pub(super) fn is_away(&self) -> bool {
        self.away.load(Ordering::Acquire)
    }

    pub(super) async fn use_code(&self, id: &str) -> Result<bool, Away> {
        self.first(&key("code", id), "", CODE_KEPT).await
    }

    pub(super) async fn revoke(&self, family: &str) -> Result<(), Away> {
        let mut command = redis::cmd("SET");
        command
            .arg(key("revoked", family))
            .arg("")
            .arg("EX")
            .arg(REFRESH_LIFETIME.as_secs());
        self.ask(&command).await
    }

    pub(super) async fn is_revoked(&self, family: &str) -> Result<bool, Away> {
        let mut command = redis::cmd("EXISTS");
        command.arg(key("revoked", family));
        self.ask(&command).await
    }

    pub(super) async fn once(
        &self,
        sealer: &Sealer,
        refresh: &str,
        renew: impl Future<Output = Result<String, Refused>>,
    ) -> Result<Option<String>, Refused> {
        let (state, kept) = (key("refresh", refresh), key("answer", refresh));
        let start = Instant::now();
        while !self.first(&state, PENDING, TURN).await? {
            let mut both = redis::cmd("MGET");
            both.arg(&state).arg(&kept);
            let (state, kept): (Option<String>, Option<String>) = self.ask(&both).await?;
            if let Some(kept) = kept.and_then(|kept| sealer.open::<Kept>(Kind::Answer, &kept)) {
                return Ok(Some(kept.answer).filter(|_| kept.refresh == refresh));
            }
            if state.as_deref() == Some(SPENT) {
                return Ok(None);
            }
            // Another replica is at it.
            if start.elapsed() > TURN {
                return Err(Away.into());
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let answer = match renew.await {
            Ok(answer) => answer,
            Err(refused) => {
                let mut command = redis::cmd("DEL");
                command.arg(&state);
                let () = self.ask(&command).await?;
                return Err(refused);
            }
        };
        let sealed = Kept {
            refresh: refresh.to_owned(),
            answer: answer.clone(),
        };
        let sealed = sealer.seal(Kind::Answer, &sealed).ok_or(Away)?;
        // Before the answer is known to arrive: the grace is for that. What cannot be marked as used is not given out.
        let mut both = redis::pipe();
        both.atomic();
        both.cmd("SET")
            .arg(&state)
            .arg(SPENT)
            .arg("EX")
            .arg(REFRESH_LIFETIME.as_secs())
            .ignore();
        both.cmd("SET")
            .arg(&kept)
            .arg(sealed)
            .arg("EX")
            .arg(self.grace.as_secs())
            .ignore();
        let mut connection = self.connection.clone().ok_or(Away)?;
        let done: RedisResult<()> = both.query_async(&mut connection).await;
        done.map_err(|error| away(&error))?;
        Ok(Some(answer))
    }

    /// Sets what is not there yet, and says whether it was not.
    async fn first(&self, key: &str, value: &str, kept: Duration) -> Result<bool, Away> {
        let mut command = redis::cmd("SET");
        command.arg(key).arg(value).arg("EX").arg(kept.as_secs()).arg("NX");
        let set: Option<String> = self.ask(&command).await?;
        Ok(set.is_some())
    }

    async fn ask<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, Away> {
        let mut connection = self.connection.clone().ok_or(Away)?;
        command.query_async(&mut connection).await.map_err(|error| away(&error))
    }
}

fn key(kind: &str, id: &str) -> String {
    format!("mcp-daktela:{kind}:{id}")
}

/// Never with the error's own words, which may quote an address.
fn away(error: &RedisError) -> Away {
    tracing::debug!(event = "redis_failed", reason = error.category());
    Away
}

/// Asks again and again, which also keeps the connection, and brings it back.
async fn watch(mut connection: ConnectionManager, away: Arc<AtomicBool>) {
    let mut known = None;
    loop {
        let pong: RedisResult<()> = redis::cmd("PING").query_async(&mut connection).await;
        away.store(pong.is_err(), Ordering::Release);
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
