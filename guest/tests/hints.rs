//! Hints: what a call learns of a build spares the next call all requests that failed, and is forgotten where it is wrong.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use daktela_demo::{Demo, DottedFields, DottedFilters, EmailFiles, Quirks, SingleFields, TOKEN, UnknownField};
use guest::{
    Settings,
    http::{Failure, Http, Request, Response},
    mcp::Server,
};
use serde_json::{Value, json};

/// The demo instance, and a host that keeps hints.
struct Host {
    demo: Demo,
    agent: ureq::Agent,
    hints: RefCell<BTreeSet<String>>,
    /// Requests since the last call that were answered with an error, each with its status.
    failed: RefCell<Vec<String>>,
}

impl Host {
    fn new(quirks: Quirks) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(20)))
            .build();
        Host {
            demo: Demo::start_with(quirks).expect("a demo instance"),
            agent: config.into(),
            hints: RefCell::default(),
            failed: RefCell::default(),
        }
    }

    /// The text of an answer, and its `_meta`.
    fn call(&self, tool: &str, arguments: &Value) -> (String, Value) {
        let settings = Settings {
            origin: "https://acme.example".to_owned(),
            ..Settings::default()
        };
        self.failed.borrow_mut().clear();
        let context = json!({"hints": *self.hints.borrow()}).to_string();
        let answer = Server::new(&settings, Ok(self))
            .call_tool_in(&context, tool, &arguments.to_string())
            .expect("a tool");
        let mut answer: Value = serde_json::from_str(&answer).expect("JSON");
        let changes = &answer["_meta"]["daktela/hints"];
        let words = |key: &str| {
            let words = changes[key].as_array().into_iter().flatten();
            words
                .map(|word| word.as_str().expect("a word").to_owned())
                .collect::<Vec<_>>()
        };
        let mut hints = self.hints.borrow_mut();
        hints.extend(words("learnt"));
        for word in words("forgotten") {
            hints.remove(&word);
        }
        let text = answer["content"][0]["text"].as_str().expect("a text").to_owned();
        (text, answer["_meta"].take())
    }

    fn get(&self, path: &str) -> Result<Response, Failure> {
        let broken = |error: ureq::Error| Failure::Unreachable(error.to_string());
        let request = self.agent.get(format!("{}{path}", self.demo.origin()));
        let mut answer = request.header("x-auth-token", TOKEN).call().map_err(broken)?;
        let status = answer.status().as_u16();
        if status >= 400 {
            self.failed.borrow_mut().push(format!("{status} {path}"));
        }
        let body = answer.body_mut().read_to_vec().map_err(broken)?;
        Ok(Response {
            status,
            body,
            is_aged: false,
        })
    }
}

impl Http for Host {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        requests.iter().map(|request| self.get(&request.path)).collect()
    }
}

/// Builds that refuse something.
fn refusing() -> BTreeMap<&'static str, Quirks> {
    let strict = Quirks {
        unknown_field: UnknownField::Refused,
        ..Quirks::default()
    };
    let missing = [
        ("activitiesCall", "hold_time"),
        ("tickets", "last_activity_client"),
        ("users", "deactivated"),
    ];
    let missing_fields: Vec<(String, String)> = missing
        .map(|(model, field)| (model.to_owned(), field.to_owned()))
        .to_vec();
    BTreeMap::from([
        (
            "fields of a single record and unknown ones are refused",
            Quirks {
                single_fields: SingleFields::Refused,
                missing_fields: missing_fields.clone(),
                ..strict.clone()
            },
        ),
        (
            "dotted and unknown fields are refused",
            Quirks {
                dotted_fields: DottedFields::Refused,
                missing_fields,
                ..strict.clone()
            },
        ),
        (
            "e-mails have files",
            Quirks {
                email_files: EmailFiles::Files,
                ..strict.clone()
            },
        ),
        (
            "dotted filters and lists of activities are refused",
            Quirks {
                dotted_filters: DottedFilters::Refused,
                transcripts_in: false,
                ..strict
            },
        ),
    ])
}

/// The tools, those that need an id with the tool that gives one.
fn tools() -> Vec<Value> {
    let settings = Settings::default();
    let list = Server::new(&settings, Err("lists need no instance".to_owned()))
        .list_tools(None)
        .expect("a list");
    let list: Value = serde_json::from_str(&list).expect("JSON");
    list["tools"].as_array().expect("tools").clone()
}

#[test]
fn a_second_call_of_a_tool_makes_no_request_that_failed_in_the_first() {
    for (build, quirks) in refusing() {
        let host = Host::new(quirks);
        let mut firsts: BTreeMap<String, Value> = BTreeMap::new();
        let mut failed_at_first = 0;
        let mut tools = tools();
        tools.sort_by_key(|tool| tool["_meta"]["daktela/example"].is_object());
        for tool in tools {
            let name = tool["name"].as_str().expect("a name");
            let example = &tool["_meta"]["daktela/example"];
            let mut arguments = json!({});
            if let Some(source) = example["tool"].as_str() {
                let key = example["key"].as_str().expect("a key");
                arguments[example["argument"].as_str().expect("an argument")] = firsts[source][key].clone();
            }
            let (text, meta) = host.call(name, &arguments);
            firsts.insert(name.to_owned(), meta["daktela/first"].clone());
            failed_at_first += host.failed.borrow().len();
            let (again, _) = host.call(name, &arguments);
            assert_eq!(*host.failed.borrow(), [""; 0], "{name} where {build}");
            assert!(again == text, "{name} where {build}: {text}\n{again}");
        }
        assert_ne!(failed_at_first, 0, "nothing is refused where {build}");
    }
}

#[test]
fn hints_are_words_of_the_program_s_own() {
    for (build, quirks) in refusing() {
        let host = Host::new(quirks);
        for tool in [
            "list_emails",
            "list_calls",
            "list_tickets",
            "list_users",
            "list_contacts",
        ] {
            host.call(tool, &json!({}));
        }
        for hint in host.hints.borrow().iter() {
            let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b":._-/".contains(&byte);
            assert!(hint.bytes().all(is_part) && hint.len() <= 96, "{hint:?} where {build}");
        }
    }
}

#[test]
fn a_hint_of_a_build_that_was_upgraded_is_forgotten() {
    let strict = Quirks {
        unknown_field: UnknownField::Refused,
        ..Quirks::default()
    };
    let host = Host::new(Quirks {
        email_files: EmailFiles::Files,
        ..strict.clone()
    });
    host.call("list_emails", &json!({}));
    let learnt = host.hints.borrow().clone();
    assert!(
        learnt.iter().any(|hint| hint.contains(":activitiesEmail:")),
        "{learnt:?}"
    );
    host.demo.set_quirks(strict.clone());
    let (after, _) = host.call("list_emails", &json!({}));
    let (expected, _) = Host::new(strict).call("list_emails", &json!({}));
    assert!(after == expected, "{after}");
    assert_eq!(host.failed.borrow().len(), 1, "{:?}", host.failed);
    let left = host.hints.borrow().clone();
    assert!(!left.iter().any(|hint| hint.contains(":activitiesEmail:")), "{left:?}");
    host.call("list_emails", &json!({}));
    assert_eq!(*host.failed.borrow(), [""; 0]);
}
