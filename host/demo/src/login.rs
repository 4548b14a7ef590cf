//! Who is asking: static tokens, tokens from login, and what a user's role lets them read.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use jiff::{SignedDuration, civil::DateTime, fmt::strtime};
use serde_json::{Map, Value, json};

use crate::{
    query_string,
    reply::{NOW, Refusal, bad, status},
    schema::{Model, model},
    store::{Reader, Record, Row, each},
};

/// The team lead, who reads everything.
pub const USERNAME: &str = "lucie.kralova";
pub const PASSWORD: &str = "elektrokolo-2026";
pub const TOKEN: &str = "5c1d0e7a94b2f36885e0a1c7d94f2b6308ace51f";

/// An agent who may read neither CRM records nor articles, and of the tickets only one category.
pub const AGENT_USERNAME: &str = "eva.dvorakova";
pub const AGENT_PASSWORD: &str = "predni-kolo-28";
pub const AGENT_TOKEN: &str = "a20c7fe15b9d4436810fd2e9c3b7560a4f8ed912";

/// A user with single sign-on: no password, only a token.
pub const SSO_TOKEN: &str = "0f9e8d7c6b5a49382716055443322110ffeeddcc";

/// So many users more, each of whom sees a part of the records that nobody else sees just so: what one of them is shown
/// can be told from what belongs to any other.
pub const READERS: u64 = 40;

/// The static token of reader `number`, counted from 0.
pub fn reader_token(number: u64) -> String {
    format!("{number:02}{READER_TOKEN_REST}")
}

const READER_TOKEN_REST: &str = "6f1b0c9d8e7a5f4b3c2d1e0f9a8b7c6d5e4f30";
const READER_LOGIN: &str = "reader-";

/// (login, password, static token)
const LOGINS: [(&str, Option<&str>, Option<&str>); 4] = [
    (USERNAME, Some(PASSWORD), Some(TOKEN)),
    (AGENT_USERNAME, Some(AGENT_PASSWORD), Some(AGENT_TOKEN)),
    ("martin.hora", None, Some(SSO_TOKEN)),
    // Left the company; the password did not.
    ("karel.zeman", Some("byvaly-kolega"), None),
];

/// Of the build.
const VERSION: &str = "2026.2.14";

#[derive(Default)]
pub(crate) struct Sessions {
    /// Token → login and end, in real time.
    tokens: HashMap<String, (String, Instant)>,
    refreshes: HashMap<String, String>,
}

impl Sessions {
    /// The login behind a token, while it lives.
    pub(crate) fn user(&self, token: &str) -> Option<String> {
        let fixed = LOGINS
            .iter()
            .find(|(_, _, fixed)| *fixed == Some(token))
            .map(|(login, ..)| (*login).to_owned());
        fixed
            .or_else(|| reader_of(token).map(|number| format!("{READER_LOGIN}{number}")))
            .or_else(|| {
                self.tokens
                    .get(token)
                    .filter(|(_, end)| Instant::now() < *end)
                    .map(|(login, _)| login.clone())
            })
    }

    /// `POST login`.
    pub(crate) fn log_in(&mut self, given: &Row, reader: &Reader<'_>) -> Result<(String, Value), Refusal> {
        let word = |name| given.get(name).and_then(Value::as_str);
        let (Some(username), Some(password)) = (word("username"), word("password")) else {
            return bad(json!({"form": {"username": "Entry is required", "password": "Entry is required"}}));
        };
        let fits =
            |(login, fixed, _): &&(&str, Option<&str>, Option<&str>)| *login == username && *fixed == Some(password);
        match LOGINS.iter().find(fits) {
            Some((login, ..)) if !user(reader, login).is_some_and(|user| user["deactivated"] == true) => {
                Ok(self.issue(login, reader))
            }
            _ => status(401),
        }
    }

    /// `PUT login`. A refresh token serves once; the answer brings its successor.
    pub(crate) fn refresh(&mut self, given: &Row, reader: &Reader<'_>) -> Result<(String, Value), Refusal> {
        let token = given.get("refreshToken").and_then(Value::as_str).unwrap_or_default();
        match self.refreshes.remove(token) {
            Some(login) => Ok(self.issue(&login, reader)),
            None => status(401),
        }
    }

    fn issue(&mut self, login: &str, reader: &Reader<'_>) -> (String, Value) {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let hex = |what: &str| {
            let [a, b, c] = [0, 1, 2].map(|part| crate::value::hash(what, &format!("{login} {number} {part}")));
            format!("{a:016x}{b:016x}{:08x}", c as u32)
        };
        let (token, refresh) = (hex("access"), hex("refresh"));
        let lifetime = reader.quirks.token_lifetime;
        self.tokens
            .insert(token.clone(), (login.to_owned(), Instant::now() + lifetime));
        self.refreshes.insert(refresh.clone(), login.to_owned());
        let shown = user(reader, login).map(|row| reader.whole(model("users"), row, true));
        let result = json!({
            "accessToken": token,
            "refreshToken": refresh,
            "accessTokenExpirationDate": after(lifetime),
            "user": shown,
        });
        (token, result)
    }
}

/// What a login request carries: JSON, a form, or the query.
pub(crate) fn given(body: &[u8], content_type: &str, query: Row) -> Row {
    let mut given = query;
    let text = String::from_utf8_lossy(body);
    let more = match content_type.split(';').next() {
        Some("application/json") => serde_json::from_str::<Row>(&text).unwrap_or_default(),
        Some("application/x-www-form-urlencoded") => query_string::tree(&text),
        _ => Map::new(),
    };
    given.extend(more);
    given
}

/// `whoim`, which answers without a token too.
pub(crate) fn whoim(login: Option<&str>, token: &str, reader: &Reader<'_>) -> Value {
    let shown = login.and_then(|login| user(reader, login)).map(|row| {
        let profile = reader
            .store
            .get("profiles", &row["profile"])
            .map(|row| reader.whole(model("profiles"), row, true));
        json!({
            "name": row["name"],
            "title": row["title"],
            "type": row["type"],
            "extensions": [row["extension"]],
            "profile": profile,
            "_sys": {"model": "users", "accessToken": token},
        })
    });
    let version = match reader.quirks.version_object {
        true => json!({"current": VERSION}),
        false => json!(VERSION),
    };
    json!({"user": shown, "version": version})
}

pub(crate) fn may_read(login: &str, on: &Model, reader: &Reader<'_>) -> bool {
    let Some((option, bit)) = on.right.filter(|_| reader_number(login).is_none()) else {
        return true;
    };
    let role = user(reader, login).and_then(|user| reader.store.get("roles", &user["role"]));
    role.is_some_and(|role| role["options"][option].as_u64().unwrap_or(0) & bit != 0)
}

/// Which rows a user sees. Rights narrow them: whose profile names categories sees tickets of these only.
pub(crate) fn sight<'a>(login: &str, on: &'a Model, reader: &Reader<'a>) -> impl Fn(&Record) -> bool + use<'a> {
    let number = reader_number(login);
    let profile = user(reader, login).and_then(|user| reader.store.get("profiles", &user["profile"]));
    let categories = profile
        .filter(|_| number.is_none() && on.name == "tickets")
        .map_or(&Value::Null, |profile| &profile["categories"]);
    move |row| match number {
        Some(number) => is_readers(number, on, row),
        None => each(categories).count() == 0 || each(categories).any(|category| *category == row["category"]),
    }
}

fn reader_of(token: &str) -> Option<u64> {
    let number = token.strip_suffix(READER_TOKEN_REST)?.parse().ok()?;
    (number < READERS).then_some(number)
}

fn reader_number(login: &str) -> Option<u64> {
    login.strip_prefix(READER_LOGIN)?.parse().ok()
}

/// Tickets are dealt out; all else falls into six heaps, and each reader sees another selection of these.
fn is_readers(number: u64, on: &Model, row: &Record) -> bool {
    const HEAPS: u64 = 6;
    let key = row.get(on.key).map_or_else(String::new, crate::value::text);
    match on.name {
        "tickets" => key.parse::<u64>().is_ok_and(|name| name % READERS == number),
        _ => (number + 1) >> (crate::value::hash("heap", &key) % HEAPS) & 1 == 1,
    }
}

fn user<'a>(reader: &Reader<'a>, login: &str) -> Option<&'a Record> {
    reader.store.get("users", &json!(login))
}

fn after(lifetime: Duration) -> String {
    let now: DateTime = NOW.parse().expect("the story clock is a time");
    let end = now.saturating_add(SignedDuration::try_from(lifetime).unwrap_or(SignedDuration::MAX));
    strtime::format("%Y-%m-%d %H:%M:%S", end).expect("a civil time has these parts")
}
