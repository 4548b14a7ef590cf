//! API builds that reject or ignore parts of a request, played by the demo instance: the right answer of the compatibility
//! fallback, or the error where there is none.
//!
//! Where the demo instance has no switch for a build, requests and answers are changed on their way: a build that passes
//! over a pick or a condition is one that never received it.

use std::{cell::RefCell, collections::BTreeSet, thread, time::Duration};

use daktela_demo::{Demo, Quirks, Relations, TOKEN};
use guest::{
    Settings,
    http::{Failure, Http, Request, Response},
    mcp::Server,
};
use serde_json::{Value, json};

/// The pairs of a query, decoded.
type Pairs = Vec<(String, String)>;
/// Changes what the instance receives: the path without prefix and `.json`, and the query.
type Receives = Box<dyn Fn(&str, &mut Pairs) + Send + Sync>;
/// Changes what the instance answers to a path with its query, as received: status and body.
type Answers = Box<dyn Fn(&str, &mut u16, &mut Value) + Send + Sync>;

struct Upstream {
    demo: Demo,
    agent: ureq::Agent,
    receives: Receives,
    answers: Answers,
    /// A model's name of now, and the only one that this build knows it by.
    renamed: Option<(&'static str, &'static str)>,
}

/// What a call came to.
struct Called {
    text: String,
    is_error: bool,
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
            receives: Box::new(|_, _| {}),
            answers: Box::new(|_, _, _| {}),
            renamed: None,
        }
    }

    /// A build that receives something else than was sent.
    fn receiving(receives: impl Fn(&str, &mut Pairs) + Send + Sync + 'static) -> Self {
        Upstream {
            receives: Box::new(receives),
            ..Upstream::new()
        }
    }

    /// A build that answers something else.
    fn answering(answers: impl Fn(&str, &mut u16, &mut Value) + Send + Sync + 'static) -> Self {
        Upstream {
            answers: Box::new(answers),
            ..Upstream::new()
        }
    }

    fn with(self, quirks: Quirks) -> Self {
        self.demo.set_quirks(quirks);
        self
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
            is_error: answer["isError"] == true,
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
        let mut path = path.to_owned();
        if let Some((now, before)) = self.renamed {
            path = path.replace(now, "noSuchModel").replace(before, now);
        }
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

/// Passes over the conditions on these fields: each becomes one that every record fulfils.
fn without_conditions(endpoint: &str, pairs: &mut Pairs, fields: &[&str]) {
    let is_one = |(key, value): &&(String, String)| {
        key.starts_with("filter") && key.ends_with("[field]") && fields.contains(&value.as_str())
    };
    let prefixes: Vec<String> = pairs
        .iter()
        .filter(is_one)
        .map(|(key, _)| key.replace("[field]", ""))
        .collect();
    let any = if endpoint == "activitiesCall" {
        "id_call"
    } else {
        "name"
    };
    for prefix in prefixes {
        pairs.retain(|(key, _)| !key.starts_with(&format!("{prefix}[value]")));
        for (key, value) in pairs.iter_mut() {
            if *key == format!("{prefix}[field]") {
                *value = any.to_owned();
            } else if *key == format!("{prefix}[operator]") {
                *value = "isnotnull".to_owned();
            }
        }
    }
}

fn ignoring(fields: &'static [&'static str]) -> Upstream {
    Upstream::receiving(move |endpoint, pairs| without_conditions(endpoint, pairs, fields))
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

/// To-one picks come nested, those of lists of related records and of two levels are passed over.
fn drops_deep_picks(_: &str, pairs: &mut Pairs) {
    without_fields(pairs, |field| {
        let many = ["activities.", "statuses.", "followers."];
        many.iter().any(|many| field.starts_with(many)) || field.matches('.').count() > 1
    });
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
fn a_pick_that_is_passed_over_loses_nothing_and_costs_little() {
    let healthy = Upstream::new();
    let dropping = Upstream::receiving(drops_deep_picks);
    for (tool, arguments, mends) in [
        (
            "list_calls",
            json!({"take": 10}),
            vec!["activities_by_time activitiesCall activities"],
        ),
        (
            "list_emails",
            json!({"take": 10}),
            vec!["activities_by_time activitiesEmail activities"],
        ),
        (
            "list_web_chats",
            json!({"take": 10}),
            vec![
                "-activities_by_time activitiesWeb activities",
                "relation_path activitiesWeb activities",
            ],
        ),
        (
            "get_call",
            json!({"name": "1795165201.00000417"}),
            vec!["relation_path activitiesCall activities"],
        ),
        (
            "list_tickets",
            json!({"take": 10}),
            vec!["whole_relations tickets statuses"],
        ),
        (
            "get_ticket",
            json!({"name": "787001"}),
            vec![
                "whole_relations tickets followers,statuses",
                "related_record tickets contact.account",
            ],
        ),
        (
            "list_account_tickets",
            json!({"account": "Cyklo Morava a.s."}),
            vec![
                "whole_relations tickets statuses",
                "related_record tickets contact.account",
            ],
        ),
        (
            "list_call_transcripts",
            json!({"take": 5}),
            vec!["activities_by_time activitiesCall activities"],
        ),
    ] {
        let (good, other) = (healthy.call(tool, arguments.clone()), dropping.call(tool, arguments));
        assert_eq!(good.text, other.text, "{tool}");
        let (requests, bytes) = (good.requests.len(), good.bytes);
        assert!(other.requests.len() <= 2 * requests + 1, "{tool}: {:?}", other.requests);
        assert!(other.bytes <= 2 * bytes, "{tool}: {bytes} bytes become {}", other.bytes);
        assert_eq!(mended(&other), mends, "{tool}");
    }
}

#[test]
fn what_contradicts_an_ignored_condition_is_never_told_as_fact() {
    let upstream = ignoring(&["direction", "call_time"]);
    let called = upstream.call(
        "list_calls",
        json!({"direction": "out", "date_from": "2030-01-01", "take": 20}),
    );
    assert_eq!(
        called.text,
        "Whether there are calls that fit (direction out · call_time from 2030-01-01 00:00:00 · sorted by call_time, descending) is not known: none of those \
         that Daktela sent unfiltered does. Further on there may be some: call again with skip=20.\n\n\
         Note: This Daktela does not filter by direction, call_time: 20 of the 20 records that it sent for this page do not fit and were left out here. How many \
         match in all is not known."
    );
    assert_eq!(mended(&called), ["-filter_ignored activitiesCall call_time,direction"]);
    assert_eq!(called.meta["daktela/total"], Value::Null);

    let called = ignoring(&["stage"]).call("list_tickets", json!({"stage": "CLOSE", "take": 20}));
    assert!(
        called
            .text
            .starts_with("Tickets that fit, of those that Daktela sent unfiltered · stage CLOSE"),
        "{}",
        called.text
    );
    assert!(
        !called.text.contains("Stage: OPEN") && called.text.contains("Stage: CLOSE"),
        "{}",
        called.text
    );
    assert!(called.text.contains("call again with skip=20"), "{}", called.text);

    // Neither are conditions on related records, by id.
    let called = ignoring(&["id_agent"]).call("list_calls", json!({"user": "Tomáš Novák", "take": 20}));
    let agents: BTreeSet<&str> = called
        .text
        .split("Agent: ")
        .skip(1)
        .filter_map(|rest| rest.split(" (").next())
        .collect();
    assert_eq!(agents, BTreeSet::from(["Tomáš Novák"]), "{}", called.text);
    assert!(called.text.contains("does not filter by id_agent"), "{}", called.text);
}

#[test]
fn nothing_is_counted_under_a_condition_that_is_ignored() {
    let healthy = Upstream::new().call("count_tickets", json!({"priority": "HIGH", "stage": "OPEN"}));
    assert!(healthy.text.starts_with("17 tickets"), "{}", healthy.text);
    for fields in [&["priority"], &["stage"]] {
        let called = ignoring(fields).call("count_tickets", json!({"priority": "HIGH", "stage": "OPEN"}));
        assert_eq!(
            called.text,
            format!(
                "This Daktela does not filter tickets by {}, so they cannot be counted under these conditions. Leave that condition out, or list them: \
                 lists leave out what does not fit.",
                fields[0]
            )
        );
        assert!(called.is_error);
        assert_eq!(mended(&called), [format!("-filter_ignored tickets {}", fields[0])]);
    }
    let name = json!({"name": "contact_dvorak_petr"});
    let healthy = Upstream::new().call("get_contact", name.clone());
    assert_eq!(
        ignoring(&["contact"]).call("get_contact", name.clone()).text,
        healthy.text
    );
    let called = ignoring(&["contact"])
        .with(without_relations())
        .call("get_contact", name);
    assert!(
        called
            .text
            .contains("Tickets (list_tickets): not known, since this Daktela does not filter by it"),
        "{}",
        called.text
    );
}

fn without_relations() -> Quirks {
    Quirks {
        relations: Relations::Missing,
        ..Quirks::default()
    }
}

#[test]
fn a_conversation_is_read_by_the_ticket_s_own_path_where_the_condition_is_ignored() {
    let healthy = Upstream::new();
    let other = ignoring(&["ticket"]);
    for (tool, arguments) in [
        ("get_ticket_detail", json!({"name": "787001"})),
        ("list_activities", json!({"ticket": "787001"})),
    ] {
        let (good, mended_call) = (healthy.call(tool, arguments.clone()), other.call(tool, arguments));
        assert_eq!(good.text, mended_call.text, "{tool}");
        assert_eq!(mended(&mended_call), ["parent_path activities ticket"], "{tool}");
    }
    // Neither way: other tickets' activities do not show.
    let called = other
        .with(without_relations())
        .call("get_ticket_detail", json!({"name": "787001"}));
    assert!(
        called
            .text
            .contains("This Daktela does not filter by ticket: 48 of the 50 records"),
        "{}",
        called.text
    );
    assert_eq!(called.text.matches("- **activities_").count(), 2, "{}", called.text);
    assert_eq!(
        mended(&called),
        ["-parent_path activities ticket", "-filter_ignored activities ticket"]
    );
}

#[test]
fn a_list_that_an_order_empties_is_read_without_it() {
    let upstream = Upstream::receiving(|endpoint, pairs| {
        let is_sort = |(key, _): &&mut (String, String)| endpoint == "contacts" && key == "sort[0][field]";
        for (_, value) in pairs.iter_mut().filter(is_sort) {
            *value = "not_a_field".to_owned();
        }
    });
    let called = upstream.call("list_contacts", json!({"take": 3}));
    assert!(
        called
            .text
            .starts_with("Contacts 1–3 of 217 · times: Europe/Prague\n\n- **contact_dvorak_petr**"),
        "{}",
        called.text
    );
    assert!(
        called.text.contains(
            "Note: This Daktela sends nothing when it is asked for this list sorted by edited, descending: it is in an order of Daktela's own."
        ),
        "{}",
        called.text
    );
    assert_eq!(mended(&called), ["unsorted contacts edited"]);
    // What is empty in every order costs one small request.
    let called = upstream.call("list_contacts", json!({"search": "Nobody at all"}));
    assert!(called.text.starts_with("No contacts"), "{}", called.text);
    assert_eq!(called.requests.len(), 2, "{:?}", called.requests);
    assert!(mended(&called).is_empty());
}

/// Conditions on these fields match nothing, as where a build does not know the path.
fn matching_nothing(pairs: &mut Pairs, fields: &[&str]) {
    let is_one = |(key, value): &&(String, String)| key.ends_with("[field]") && fields.contains(&value.as_str());
    let prefixes: Vec<String> = pairs
        .iter()
        .filter(is_one)
        .map(|(key, _)| key.replace("[field]", "[value]"))
        .collect();
    for (key, value) in pairs.iter_mut() {
        if prefixes.iter().any(|prefix| key.starts_with(prefix.as_str())) {
            *value = "nothing has this".to_owned();
        }
    }
}

#[test]
fn a_channel_s_record_is_found_by_the_item_first_and_by_every_other_way() {
    let arguments = json!({"name": "787001"});
    let healthy = Upstream::new().call("get_ticket_detail", arguments.clone());
    assert!(
        healthy.text.contains("der Ersatzschlüssel kostet 12 EUR"),
        "{}",
        healthy.text
    );
    assert!(mended(&healthy).is_empty(), "{:?}", mended(&healthy));
    assert_eq!(healthy.requests.len(), 4, "{:?}", healthy.requests);
    let dropped = |fields: &[&str]| {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        move |_: &str, pairs: &mut Pairs| {
            without_fields(pairs, |field| field.starts_with("item."));
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            matching_nothing(pairs, &fields);
        }
    };
    let both = ["activitiesCall", "activitiesEmail"];
    let back: Vec<String> = both
        .map(|model| format!("back_reference {model} activities.name"))
        .to_vec();
    let called = Upstream::receiving(dropped(&[])).call("get_ticket_detail", arguments.clone());
    assert_eq!((called.text, called.requests.len()), (healthy.text.clone(), 4));
    let called = Upstream::receiving(dropped(&["activities.name"])).call("get_ticket_detail", arguments.clone());
    assert_eq!(called.text, healthy.text);
    let called = Upstream::receiving(dropped(&["activities.name", "activities"])).call("get_ticket_detail", arguments);
    assert_eq!(called.text, healthy.text);
    assert_eq!(
        mended(&called)[4..],
        both.map(|model| format!("item_alone {model} item"))
    );
    let called =
        Upstream::receiving(dropped(&[])).call("get_activity", json!({"name": "activities_6969c1a636781240249"}));
    assert!(
        called.text.contains("der Ersatzschlüssel kostet 12 EUR"),
        "{}",
        called.text
    );
    assert_eq!(mended(&called), [back[1].as_str()]);
}

fn no_messages() -> Quirks {
    Quirks {
        chat_messages: false,
        ..Quirks::default()
    }
}

#[test]
fn chats_without_a_messages_relation_are_read_whole_or_told_of() {
    let take = json!({"take": 4});
    let called = Upstream::new()
        .with(no_messages())
        .call("list_viber_chats", take.clone());
    let note = "Note: This Daktela gives no messages of Viber chats (activitiesVbr): it has no such relation, or none of these has any.";
    assert_eq!(called.text.matches(note).count(), 1, "{}", called.text);
    assert!(!called.text.contains("[no messages]"), "{}", called.text);
    assert_eq!(mended(&called), ["-embedded_messages activitiesVbr messages"]);

    let embedding = Upstream::answering(|said, status, body| {
        if said.starts_with("activitiesWeb/") && said.contains("=messages") {
            let message =
                json!({"time_created": "2026-11-20 10:00:00", "direction": "IN", "text": "Where is my bike?"});
            (*status, *body) = (
                200,
                json!({"error": [], "result": {"name": "x", "messages": [message]}}),
            );
        }
    });
    let called = embedding.with(no_messages()).call("list_web_chats", take.clone());
    assert_eq!(called.text.matches("Where is my bike?").count(), 4, "{}", called.text);
    assert_eq!(
        mended(&called),
        [
            "embedded_messages activitiesWeb messages",
            "-former_model activitiesWeb/messages"
        ]
    );

    let empty = Upstream::answering(|said, _, body| {
        if said.contains("/messages ") {
            body["result"] = json!({"data": [], "total": 0});
        }
    });
    let called = empty.call("list_web_chats", take);
    let note = "Note: None of these web chats has messages, though some lasted a while: this Daktela may keep them where nobody knows.";
    assert_eq!(called.text.matches(note).count(), 1, "{}", called.text);
}

#[test]
fn a_model_is_found_by_the_name_of_older_builds() {
    let healthy = Upstream::new();
    let old = Upstream {
        renamed: Some(("activitiesWeb", "activitiesChat")),
        ..Upstream::new()
    };
    let good = healthy.call("list_web_chats", json!({"take": 2}));
    let called = old.call("list_web_chats", json!({"take": 2}));
    assert_eq!(called.text, good.text);
    let name = json!({"name": good.meta["daktela/first"]["name"]});
    assert_eq!(
        old.call("get_web_chat", name.clone()).text,
        healthy.call("get_web_chat", name).text
    );
    assert_eq!(
        mended(&called),
        ["former_model activitiesWeb", "former_model activitiesWeb/messages"]
    );
}

#[test]
fn transcripts_are_found_by_other_ways_and_their_absence_is_told_from_a_condition_that_fails() {
    let take = json!({"take": 5});
    let good = Upstream::new().call("list_call_transcripts", take.clone());
    assert!(
        mended(&good).is_empty() && good.text.contains("Transcript"),
        "{}",
        good.text
    );
    let is_list = |pairs: &Pairs| pairs.iter().any(|(_, value)| value == "in");
    let called = Upstream::receiving(move |_, pairs| {
        if is_list(pairs) {
            matching_nothing(pairs, &["activity"]);
        }
    })
    .call("list_call_transcripts", take.clone());
    assert_eq!(called.text, good.text);
    assert_eq!(mended(&called), ["one_by_one activitiesCallTranscripts activity"]);

    let by_nothing = |_: &str, pairs: &mut Pairs| matching_nothing(pairs, &["activity"]);
    let called = Upstream::receiving(by_nothing).call("list_call_transcripts", take.clone());
    assert_eq!(called.text, good.text);
    assert_eq!(mended(&called), ["relation_path activitiesCall transcripts"]);
    let one = json!({"activity": "activities_69c94d116086a829340"});
    let whole = Upstream::new().call("get_call_transcript", one.clone());
    let called = Upstream::receiving(by_nothing).call("get_call_transcript", one.clone());
    assert_eq!(called.text, whole.text);

    let called = Upstream::receiving(by_nothing)
        .with(without_relations())
        .call("list_call_transcripts", take.clone());
    assert!(
        called
            .text
            .contains("Note: This Daktela has transcripts, but gives none by the activity or the call that it is of")
            && !called.text.contains("[no transcript]"),
        "{}",
        called.text
    );
    let none = Upstream::answering(|said, _, body| {
        if said.starts_with("activitiesCallTranscripts") {
            body["result"] = json!({"data": [], "total": 0});
        }
    });
    for (tool, arguments) in [("list_call_transcripts", take), ("get_call_transcript", one.clone())] {
        let called = none.call(tool, arguments);
        assert!(
            called
                .text
                .contains("Note: This Daktela gives no transcript of any call"),
            "{}",
            called.text
        );
    }
    // A condition on the activity that is ignored: nobody else's words show.
    let called = ignoring(&["activity"]).call("get_call_transcript", one.clone());
    assert_eq!(called.text, Upstream::new().call("get_call_transcript", one).text);
}

/// Custom-field definitions changed on their way.
fn with_schemes(change: impl Fn(&mut Value) + Send + Sync + 'static) -> Upstream {
    Upstream::answering(move |_, _, body| each_scheme(body, &change))
}

fn each_scheme(value: &mut Value, change: &dyn Fn(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| each_scheme(item, change)),
        Value::Object(map) => {
            if let Some(scheme) = map.get_mut("cfScheme") {
                change(scheme);
            }
            map.values_mut().for_each(|inner| each_scheme(inner, change));
        }
        _ => {}
    }
}

#[test]
fn custom_fields_that_may_be_hidden_do_not_show() {
    let name = json!({"name": "contact_dvorak_petr"});
    let good = Upstream::new().call("get_contact", name.clone());
    assert!(good.text.contains("Role: Vedoucí prodejny"), "{}", good.text);
    // A list of definitions is as good as a map of them.
    let listed = with_schemes(|scheme| {
        let fields = scheme.as_object().expect("a map").iter();
        *scheme = fields
            .map(|(key, field)| {
                let mut field = field.clone();
                field["name"] = json!(key);
                field
            })
            .collect();
    });
    assert_eq!(listed.call("get_contact", name.clone()).text, good.text);
    // Without definitions, and without a word on hiding: phone and e-mail only.
    let none = with_schemes(|scheme| *scheme = Value::Null);
    let silent = with_schemes(|scheme| {
        for field in scheme.as_object_mut().expect("a map").values_mut() {
            field.as_object_mut().expect("a definition").remove("hidden");
        }
    });
    for build in [none, silent] {
        let called = build.call("get_contact", name.clone());
        assert!(!called.text.contains("Vedoucí prodejny"), "{}", called.text);
        let jana = build.call("get_contact", json!({"name": "jana.horakova@seznam.example"}));
        assert!(
            jana.text.contains("\nPhone: ") && jana.text.contains("\nE-mail: "),
            "{}",
            jana.text
        );
        assert!(
            called
                .text
                .contains("Note: Custom fields of which this Daktela does not say whether it hides them do not show: "),
            "{}",
            called.text
        );
    }
}

#[test]
fn what_a_flag_means_that_is_not_sent_is_not_told() {
    let called = Upstream::receiving(|_, pairs| {
        without_fields(pairs, |field| {
            matches!(field, "deactivated" | "last_activity_operator" | "type")
        });
    });
    let users = called.call("list_users", json!({"take": 3}));
    assert!(
        users
            .text
            .contains("Note: Not known, since this Daktela does not send it: Deactivated."),
        "{}",
        users.text
    );
    assert_eq!(
        users.meta["daktela/asked"]["users"],
        json!(["deactivated", "description", "email", "name", "title", "type"])
    );
    assert_eq!(
        users.meta["daktela/came"]["users"],
        json!(["description", "email", "name", "title"])
    );
    let tickets = called.call("list_tickets", json!({"stage": "OPEN"}));
    assert!(
        Upstream::new()
            .call("list_tickets", json!({"stage": "OPEN"}))
            .text
            .contains("Customer waits since")
    );
    assert!(!tickets.text.contains("Customer waits since"), "{}", tickets.text);
    assert!(
        !called
            .call("list_activities", json!({"take": 5}))
            .text
            .contains("COMMENT")
    );
}

#[test]
fn a_crm_record_links_to_its_page() {
    let called = Upstream::new().call("list_crm_records", json!({"take": 1}));
    assert!(
        called.text.contains("](https://acme.example/crm/records/"),
        "{}",
        called.text
    );
}

/// Conditions with these operators on custom fields match nothing.
fn custom_fields_without(operators: &'static [&'static str]) -> impl Fn(&str, &mut Pairs) + Send + Sync + 'static {
    move |_, pairs| {
        let fields: Vec<String> = pairs
            .iter()
            .filter(|(key, value)| key.ends_with("[field]") && value.starts_with("customFields."))
            .map(|(key, _)| key.replace("[field]", ""))
            .collect();
        for prefix in fields {
            let operator = format!("{prefix}[operator]");
            let is_one = pairs
                .iter()
                .any(|(key, value)| *key == operator && operators.contains(&value.as_str()));
            let value = pairs
                .iter_mut()
                .find(|(key, _)| is_one && *key == format!("{prefix}[value]"));
            if let Some((_, value)) = value {
                *value = "nothing has this".to_owned();
            }
        }
    }
}

#[test]
fn a_contact_is_found_by_number_or_address_whatever_custom_fields_filter_by() {
    let all: &[&str] = &["like", "contains", "eq"];
    for search in ["+420 999 200 100", "petr.dvorak@cyklomorava.example"] {
        let arguments = json!({"search": search});
        let good = Upstream::new().call("list_contacts", arguments.clone());
        assert!(good.text.contains("**contact_dvorak_petr**"), "{}", good.text);
        for (operators, mend) in [
            (&all[..2], "equal_spellings contacts customFields"),
            (all, "full_text_search contacts customFields"),
        ] {
            let upstream = Upstream::receiving(custom_fields_without(operators));
            let called = upstream.call("list_contacts", arguments.clone());
            assert!(called.text.contains("**contact_dvorak_petr**"), "{}", called.text);
            assert_eq!(mended(&called), [mend], "{search}");
            let calls = upstream.call("list_calls", json!({"contact": search, "take": 1}));
            assert!(
                !calls.is_error && calls.text.contains("was taken as the contact Petr"),
                "{}",
                calls.text
            );
        }
    }
    // Where nobody is found, the answer says where it was looked for.
    let called = Upstream::new().call("list_calls", json!({"contact": "+420 601 000 999"}));
    assert!(
        called
            .text
            .contains("No contact has the phone number \"+420 601 000 999\". Looked for in the custom fields number"),
        "{}",
        called.text
    );
}

#[test]
fn rights_and_absence_are_told_whatever_their_status() {
    let answering = |status: u16, error: Value| {
        Upstream::answering(move |said, answered, body| {
            if said.starts_with("tickets") {
                (*answered, *body) = (status, json!({"error": error, "result": null}));
            }
        })
    };
    for (status, error) in [
        (400, json!("Ticket not found")),
        (200, json!(["Object not exist"])),
        (410, json!({"message": "Not Found"})),
    ] {
        let called = answering(status, error).call("get_ticket", json!({"name": "787001"}));
        assert!(
            called
                .text
                .starts_with("No ticket \"787001\", or this Daktela account may not see it."),
            "{}",
            called.text
        );
        assert_eq!(called.requests.len(), 1, "{:?}", called.requests);
    }
    for (status, error) in [
        (200, json!("You have no permission to read this")),
        (400, json!({"form": {"queue": "Access denied"}})),
        (403, json!("x")),
    ] {
        let called = answering(status, error).call("list_tickets", json!({}));
        assert!(
            called.text.starts_with(&format!(
                "The Daktela account of this server may not read tickets (HTTP {status})."
            )),
            "{}",
            called.text
        );
        assert!(called.text.contains("Daktela's words:\n> "), "{}", called.text);
    }
}

#[test]
fn agents_without_a_name_and_lists_that_only_count_are_read_whole() {
    let good = Upstream::new().call("list_realtime_sessions", json!({}));
    let nameless = Upstream::receiving(|_, pairs| without_fields(pairs, |field| field.starts_with("id_agent.")));
    let called = nameless.call("list_realtime_sessions", json!({}));
    assert_eq!(called.text, good.text);
    assert_eq!(mended(&called), ["whole_relations realtimeSessions id_agent"]);
    let counting = Upstream::answering(|said, _, body| {
        if said.starts_with("realtimeSessions") && said.contains("fields") {
            body["result"]["data"] = json!([]);
        }
    });
    let called = counting.call("list_realtime_sessions", json!({}));
    assert_eq!(called.text, good.text);
    assert_eq!(mended(&called), ["unprojected realtimeSessions *"]);
}

#[test]
fn a_tool_fails_where_nothing_can_be_read() {
    let broken = Upstream::answering(|_, status, body| {
        *status = 500;
        *body = json!({"error": ["Internal error"]});
    });
    let fine: Vec<&str> = guest::catalog::tools()
        .map(|tool| tool.name)
        .filter(|tool| !broken.call(tool, json!({})).is_error)
        .collect();
    assert!(fine.is_empty(), "answer without an error: {fine:?}");
}

#[test]
fn a_wallboard_says_which_part_could_not_be_read() {
    let broken = Upstream::answering(|said, status, body| {
        if said.starts_with("activities ") || said.starts_with("activitiesCall ") {
            *status = 500;
            *body = json!({"error": ["Internal error"]});
        }
    });
    let called = broken.call("wallboard", json!({}));
    let board = called
        .text
        .lines()
        .filter(|line| line.starts_with("## "))
        .collect::<Vec<_>>();
    assert_eq!(
        board[1],
        "## Queues: who waits is not known; incoming calls today: not known"
    );
    assert!(
        board[2].starts_with("## Waiting longest: could not be read. "),
        "{}",
        board[2]
    );
}
