//! Tests of the fake Daktela API over HTTP.

mod company;
mod faults;
mod filters;
mod login;
mod quirks;
mod scale;
mod shapes;
mod strictness;
mod summary;

use std::{io::Read, sync::LazyLock};

use serde_json::Value;
use ureq::Agent;

use crate::{Demo, Quirks, TOKEN};

/// The default build, shared by the tests that change nothing.
static DEMO: LazyLock<Demo> = LazyLock::new(|| Demo::start().unwrap());

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) bytes: Vec<u8>,
    pub(crate) headers: Vec<(String, String)>,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.bytes);
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error} in {} {text:?}", self.status))
    }

    pub(crate) fn result(&self) -> Value {
        assert_eq!(self.status, 200, "{}", String::from_utf8_lossy(&self.bytes));
        self.json()["result"].take()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header == name)
            .map(|(_, value)| value.as_str())
    }
}

pub(crate) fn agent() -> Agent {
    Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into()
}

/// `GET` under `/api/v6/` with a token.
pub(crate) fn try_get(demo: &Demo, token: &str, path: &str) -> Result<Answer, String> {
    let address = format!("{}/api/v6/{path}", demo.origin());
    let response = agent().get(&address).header("x-auth-token", token).call();
    read(response.map_err(|error| error.to_string())?)
}

pub(crate) fn read(response: ureq::http::Response<ureq::Body>) -> Result<Answer, String> {
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    body.as_reader()
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    Ok(Answer {
        status: head.status.as_u16(),
        bytes,
        headers: headers.collect(),
    })
}

pub(crate) fn get(path: &str) -> Answer {
    try_get(&DEMO, TOKEN, path).unwrap()
}

pub(crate) fn with(quirks: Quirks, path: &str) -> Answer {
    try_get(&Demo::start_with(quirks).unwrap(), TOKEN, path).unwrap()
}

/// `a eq b; c in x|y` as a list of filters; conditions without a value are written `c isnull`.
pub(crate) fn filter(conditions: &str) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (at, condition) in conditions.split("; ").enumerate() {
        let mut words = condition.splitn(3, ' ');
        query.append_pair(&format!("filter[{at}][field]"), words.next().unwrap());
        let operator = words.next().unwrap();
        query.append_pair(&format!("filter[{at}][operator]"), operator);
        match words.next() {
            None => {}
            Some(values) if matches!(operator, "in" | "notin" | "between") => {
                for (number, value) in values.split('|').enumerate() {
                    query.append_pair(&format!("filter[{at}][value][{number}]"), value);
                }
            }
            Some(value) => {
                query.append_pair(&format!("filter[{at}][value]"), value);
            }
        }
    }
    query.finish()
}

pub(crate) fn fields(names: &str) -> String {
    names
        .split(',')
        .enumerate()
        .map(|(at, name)| format!("fields[{at}]={name}"))
        .collect::<Vec<_>>()
        .join("&")
}

/// The names of what a model lists for these conditions, sorted by name, at most five and how many in all.
pub(crate) fn found(model: &str, conditions: &str) -> String {
    names(&get(&format!(
        "{model}.json?{}&sort[0][field]=name&take=5&fields[0]=name",
        filter(conditions)
    )))
}

pub(crate) fn names(answer: &Answer) -> String {
    let result = answer.result();
    let names = result["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| crate::value::text(&row["name"]));
    format!("{} of {}", names.collect::<Vec<_>>().join(" "), result["total"])
}

pub(crate) fn total(path: &str) -> u64 {
    get(path).result()["total"].as_u64().unwrap()
}
