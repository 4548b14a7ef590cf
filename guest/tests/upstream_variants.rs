//! Builds that do not do what the program asks first: each belief about the API that may be wrong, shown failing against the
//! demo instance, with the right answer or the exact word that it cannot be had.
//!
//! Where the demo instance has no switch for a build, requests and answers are changed on their way: a build that passes
//! over a pick or a condition is one that never received it.

use std::{cell::RefCell, thread, time::Duration};

use daktela_demo::{Demo, TOKEN};
use guest::{
    Settings,
    http::{Failure, Http, Request, Response},
    mcp::Server,
};
use serde_json::{Value, json};

/// The pairs of a query, decoded.
type Pairs = Vec<(String, String)>;
/// Changes what the instance receives: the path without prefix and `.json`, and the query.
type Receives = fn(&str, &mut Pairs);
/// Changes what the instance answers to a path with its query, as received: status and body.
type Answers = fn(&str, &mut u16, &mut Value);

struct Upstream {
    demo: Demo,
    agent: ureq::Agent,
    receives: Receives,
    answers: Answers,
}

/// What a call came to.
struct Called {
    text: String,
    meta: Value,
    /// Requests as the demo instance saw them, in the order of their arrival.
    requests: Vec<String>,
    /// Bytes of all bodies.
    bytes: usize,
}

thread_local! {
    static BYTES: RefCell<usize> = const { RefCell::new(0) };
}

impl Upstream {
    fn new() -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        Upstream {
            demo: Demo::start().expect("a demo instance"),
            agent: config.into(),
            receives: |_, _| {},
            answers: |_, _, _| {},
        }
    }

    /// A build that receives something else than was sent.
    fn receiving(receives: Receives) -> Self {
        Upstream {
            receives,
            ..Upstream::new()
        }
    }

    fn call(&self, tool: &str, arguments: Value) -> Called {
        let settings = Settings {
            origin: "https://acme.example".to_owned(),
            ..Settings::default()
        };
        self.demo.take_requests();
        BYTES.with_borrow_mut(|bytes| *bytes = 0);
        let answer = Server::new(&settings, Ok(self))
            .call_tool(tool, &arguments.to_string())
            .expect("a tool");
        let mut answer: Value = serde_json::from_str(&answer).expect("JSON");
        let requests = self.demo.take_requests().into_iter();
        Called {
            text: answer["content"][0]["text"].as_str().expect("a text").to_owned(),
            meta: answer["_meta"].take(),
            requests: requests.map(|request| request.summary).collect(),
            bytes: BYTES.with_borrow(|bytes| *bytes),
        }
    }

    fn get(&self, path: &str) -> Result<Response, Failure> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let mut pairs: Pairs = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(decoded)
            .collect();
        let endpoint = path.trim_start_matches("/api/v6/").trim_end_matches(".json");
        let endpoint = decoded((endpoint, "")).0;
        let sent = pairs.clone();
        (self.receives)(&endpoint, &mut pairs);
        let broken = |error: ureq::Error| Failure::Unreachable(error.to_string());
        let mut request = self.agent.get(format!("{}{path}", self.demo.origin()));
        for (key, value) in &pairs {
            request = request.query(key, value);
        }
        let mut answer = request.header("x-auth-token", TOKEN).call().map_err(broken)?;
        let mut status = answer.status().as_u16();
        let mut body = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec()
            .map_err(broken)?;
        let mut json = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let said = sent
            .iter()
            .fold(endpoint, |said, (key, value)| format!("{said} {key}={value}"));
        (self.answers)(&said, &mut status, &mut json);
        if !json.is_null() {
            body = json.to_string().into_bytes();
        }
        Ok(Response {
            status,
            body,
            is_aged: false,
        })
    }
}

impl Http for Upstream {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        let answers: Vec<_> = thread::scope(|scope| {
            let running: Vec<_> = requests
                .iter()
                .map(|request| scope.spawn(|| self.get(&request.path)))
                .collect();
            running
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect()
        });
        let read = |answer: &Result<Response, Failure>| answer.as_ref().map_or(0, |answer| answer.body.len());
        BYTES.with_borrow_mut(|bytes| *bytes += answers.iter().map(read).sum::<usize>());
        answers
    }
}

fn decoded((key, value): (&str, &str)) -> (String, String) {
    let decode = |text: &str| {
        let mut bytes = Vec::new();
        let mut rest = text.bytes();
        while let Some(byte) = rest.next() {
            let hex: Option<Vec<u8>> = (byte == b'%').then(|| rest.by_ref().take(2).collect());
            let read = |hex: Vec<u8>| u8::from_str_radix(std::str::from_utf8(&hex).expect("ASCII"), 16).expect("hex");
            bytes.push(hex.map_or(byte, read));
        }
        String::from_utf8(bytes).expect("UTF-8")
    };
    (decode(key), decode(value))
}

/// Passes over the fields that `is` tells.
fn without_fields(pairs: &mut Pairs, is: impl Fn(&str) -> bool) {
    pairs.retain(|(key, value)| !(key.starts_with("fields[") && is(value)));
}

/// The mends of a call as `id model fields`, those that found nothing with a minus.
fn mended(called: &Called) -> Vec<String> {
    let mended = called.meta["daktela/mended"].as_array().into_iter().flatten();
    let text = |mended: &Value| {
        let fields: Vec<&str> = mended["fields"]
            .as_array()
            .expect("fields")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let sign = if mended["found"] == true { "" } else { "-" };
        format!(
            "{sign}{} {} {}",
            mended["id"].as_str().expect("an id"),
            mended["model"].as_str().expect("a model"),
            fields.join(",")
        )
        .trim_end()
        .to_owned()
    };
    mended.map(text).collect()
}

const TO_MANY: [&str; 3] = ["activities.", "statuses.", "followers."];

fn drops_to_many(_: &str, pairs: &mut Pairs) {
    without_fields(pairs, |field| TO_MANY.iter().any(|many| field.starts_with(many)));
}

#[test]
fn a_healthy_build_needs_no_mend_and_says_what_came() {
    let called = Upstream::new().call("list_queues", json!({"take": 2}));
    let all = json!({"queues": ["deactivated", "description", "direction", "name", "title", "type"]});
    assert_eq!(called.meta["daktela/asked"], all);
    assert_eq!(called.meta["daktela/came"], all);
    assert_eq!(called.meta["daktela/mended"], Value::Null);
    assert_eq!(called.requests.len(), 1, "{:?}", called.requests);
    assert!((200..2000).contains(&called.bytes), "{} bytes", called.bytes);
    assert_eq!(called.meta["daktela/rows"], 2);
    assert!(
        called.meta["daktela/total"].as_u64().expect("a total") > 2,
        "{}",
        called.meta
    );
}

#[test]
fn a_pick_of_a_relation_to_many_that_is_passed_over_loses_nothing() {
    let healthy = Upstream::new();
    let dropping = Upstream::receiving(drops_to_many);
    for (tool, arguments) in [
        ("list_calls", json!({"take": 5})),
        ("list_emails", json!({"take": 5})),
        ("list_web_chats", json!({"take": 5})),
        ("list_tickets", json!({"take": 5})),
        ("get_ticket", json!({"name": "787001"})),
    ] {
        let (good, mended_call) = (healthy.call(tool, arguments.clone()), dropping.call(tool, arguments));
        assert_eq!(good.text, mended_call.text, "{tool}");
        assert!(!mended(&mended_call).is_empty(), "{tool}");
    }
}
