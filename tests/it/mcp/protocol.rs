//! Session-based and stateless revisions of MCP on stdio; progress and cancellation.

use std::{thread, time::Duration};

use daktela_demo::{Action, Demo, Fault, TOKEN};
use guest::catalog;
use serde_json::{Value, json};

use crate::program::Program;

fn launch(demo: &Demo) -> Program {
    Program::launch(&[("DAKTELA_URL", &demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)])
}

fn start(demo: &Demo) -> Program {
    Program::start(&[("DAKTELA_URL", &demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)])
}

#[test]
fn a_session_of_an_older_revision_is_served() {
    let demo = Demo::start().expect("a demo instance");
    let mut client = launch(&demo);
    let params =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
    let hello = client.request("initialize", params);
    assert_eq!(hello["result"]["protocolVersion"], "2025-06-18");
    assert_eq!(hello["result"]["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
    client.notify("notifications/initialized", json!({}));
    let tools = client.request("tools/list", json!({}));
    let listed = tools["result"]["tools"].as_array().expect("tools").len();
    assert_eq!(listed, catalog::tools().count());
    assert_eq!(tools["result"]["resultType"], Value::Null);
    let unknown = client.request("tools/call", json!({"name": "no_such_tool"}));
    assert_eq!(unknown["error"]["code"], -32602);
    let cursor = client.request("tools/list", json!({"cursor": "mine"}));
    assert_eq!(cursor["error"]["code"], -32602);
}

#[test]
fn stateless_requests_stand_alone() {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"}
    });
    let demo = Demo::start().expect("a demo instance");
    let mut client = launch(&demo);
    let found = client.request("server/discover", json!({"_meta": meta}));
    assert_eq!(
        found["result"]["supportedVersions"],
        json!(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
    );
    for method in [
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
    ] {
        let list = client.request(method, json!({"_meta": meta}));
        let result = &list["result"];
        assert_eq!(
            (&result["resultType"], &result["cacheScope"]),
            (&json!("complete"), &json!("public")),
            "{method}"
        );
        assert!(result["ttlMs"].as_u64().expect("milliseconds") > 0, "{method}");
    }
    let call = client.request(
        "tools/call",
        json!({"_meta": meta, "name": "count_tickets", "arguments": {}}),
    );
    assert_eq!(call["result"]["resultType"], "complete");
    assert!(!call["result"]["isError"].as_bool().unwrap_or_default(), "{call}");
}

#[test]
fn lists_are_stable_and_need_no_upstream_request() {
    let demo = Demo::start().expect("a demo instance");
    let mut client = start(&demo);
    for method in ["tools/list", "prompts/list", "resources/list"] {
        let first = client.request(method, json!({}));
        assert_eq!(client.request(method, json!({})), first, "{method}");
    }
    assert_eq!(demo.take_requests().len(), 0);
}

#[test]
fn progress_counts_the_answers_from_the_second_on() {
    let demo = Demo::start().expect("a demo instance");
    // Apart in time, so that each is seen.
    for step in 1..=3 {
        let delay = Some(Duration::from_millis(150 * step));
        demo.inject(Fault {
            matches: String::new(),
            times: 1,
            delay,
            action: None,
        });
    }
    let mut client = start(&demo);
    let params =
        json!({"name": "list_account_tickets", "arguments": {"account": "a"}, "_meta": {"progressToken": "mine"}});
    let call = client.send_request("tools/call", params);
    let mut counts = Vec::new();
    loop {
        let message = client.receive_message();
        if message["id"] == call {
            break;
        }
        assert_eq!(message["params"]["progressToken"], "mine");
        counts.push(message["params"]["progress"].as_f64().expect("a number"));
    }
    assert!(
        !counts.is_empty() && counts[0] >= 2.0 && counts.is_sorted(),
        "{counts:?}"
    );
}

#[test]
fn progress_tells_what_a_call_waits_for() {
    let demo = Demo::start().expect("a demo instance");
    demo.inject(Fault {
        matches: "tickets".to_owned(),
        action: Some(Action::Status {
            code: 429,
            headers: vec![("Retry-After".to_owned(), "1".to_owned())],
            body: String::new(),
        }),
        ..Fault::default()
    });
    let mut client = start(&demo);
    let params = json!({"name": "count_tickets", "arguments": {}, "_meta": {"progressToken": 7}});
    client.send_request("tools/call", params);
    let told = client.receive_message();
    assert_eq!(
        (&told["params"]["progressToken"], &told["id"]),
        (&json!(7), &Value::Null),
        "{told}"
    );
    let message = told["params"]["message"].as_str().expect("a message");
    assert!(message.starts_with("Asking again in 1."), "{message}");
    assert!(message.ends_with(" s: Daktela has too many requests"), "{message}");
    let answer = client.receive_message();
    assert_eq!(answer["result"]["isError"], false, "{answer}");
}

#[test]
fn a_cancelled_call_releases_its_upstream_request() {
    let demo = Demo::start().expect("a demo instance");
    demo.inject(Fault {
        matches: "tickets".to_owned(),
        times: 1,
        delay: None,
        action: Some(Action::Hang),
    });
    let mut client = start(&demo);
    let arguments = json!({"name": "count_tickets", "arguments": {}});
    let cancelled = client.send_request("tools/call", arguments.clone());
    while demo.take_requests().is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    client.notify("notifications/cancelled", json!({"requestId": cancelled}));
    // No answer to the cancelled one comes before the next one's.
    let call = client.send_request("tools/call", arguments);
    let next = client.receive_message();
    assert_eq!(next["id"], call, "{next}");
    assert!(next["result"]["content"][0]["text"].is_string(), "{next}");
}
