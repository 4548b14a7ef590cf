//! Messages that are not clean JSON, ids that are used twice, and batches: each request is answered by its id.

use daktela_demo::{Demo, TOKEN};
use serde_json::{Value, json};

use crate::{
    program::Program,
    server_harness::{Ask, Served},
};

fn with_session(revision: &str, check: impl FnOnce(&mut Program)) {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let mut program = Program::launch(&[("DAKTELA_URL", origin.as_str()), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let client = r#"{"name":"cut \ud83d","version":"0"}"#;
    program.send_line(
        format!(
            r#"{{"jsonrpc":"2.0","id":"start","method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{client}}}}}"#
        )
        .as_bytes(),
    );
    let answer = program.receive_message();
    assert_eq!(
        (&answer["id"], &answer["result"]["protocolVersion"]),
        (&json!("start"), &json!(revision))
    );
    program.notify("notifications/initialized", json!({}));
    check(&mut program);
}

/// A call whose search is given as JSON's own bytes.
fn call(id: u64, search: &[u8]) -> Vec<u8> {
    let head = format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"count_tickets","arguments":{{"search":""#
    );
    [head.as_bytes(), search, br#""}}}"#].concat()
}

const BROKEN: [(&[u8], &str); 3] = [
    (br"ahoj \ud83d", "ahoj \u{FFFD}"),
    (br"\udc00 \ud83d\ude00", "\u{FFFD} \u{1F600}"),
    (b"p\xF8\xEDli\x9A", "p\u{FFFD}\u{FFFD}li\u{FFFD}"),
];

#[track_caller]
fn check_found(answer: &Value, id: u64, search: &str) {
    let text = format!("0 tickets (title holds \"{search}\" · without merged tickets)");
    assert_eq!(
        (&answer["id"], &answer["result"]["content"][0]["text"]),
        (&json!(id), &json!(text)),
        "{answer}"
    );
}

#[test]
fn broken_characters_become_readable_over_stdio() {
    with_session("2025-11-25", |program| {
        for (id, (search, readable)) in (7..).zip(BROKEN) {
            program.send_line(&call(id, search));
            check_found(&program.receive_message(), id, readable);
        }
    });
}

#[test]
fn broken_characters_become_readable_over_http() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    for (id, (search, readable)) in (7..).zip(BROKEN) {
        // The harness sends text only; the other encodings have their test on stdio.
        let Ok(body) = String::from_utf8(call(id, search)) else {
            continue;
        };
        let ask = Ask::raw_mcp(&body).read_as(&demo.origin(), TOKEN);
        check_found(&served.ask(&ask).json(), id, readable);
    }
}

#[test]
fn what_is_beyond_repair_is_refused_by_its_id() {
    with_session("2025-11-25", |program| {
        let refused = |id: Value| json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32700, "message": "The message is not JSON."}});
        program.send_line(br#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"x":NaN}}"#);
        assert_eq!(program.receive_message(), refused(json!(7)));
        program.send_line(br#"{"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"cou"#);
        assert_eq!(program.receive_message(), refused(json!("a")));
        let long = format!(
            r#"{{"jsonrpc":"2.0","id":9,"method":"x","params":"{}"}}"#,
            "x".repeat(5_000_000)
        );
        program.send_line(long.as_bytes());
        let message = "A message has at most 4000000 bytes.";
        let expected = json!({"jsonrpc": "2.0", "id": 9, "error": {"code": -32600, "message": message}});
        assert_eq!(program.receive_message(), expected);
    });
}

#[test]
fn two_requests_with_one_id_are_both_answered() {
    with_session("2025-11-25", |program| {
        program.send_line(&call(7, b"one"));
        program.send_line(&call(7, b"two"));
        let mut texts = [program.receive_message(), program.receive_message()].map(|answer| {
            assert_eq!(answer["id"], 7, "{answer}");
            answer["result"]["content"][0]["text"]
                .as_str()
                .expect("text")
                .to_owned()
        });
        texts.sort();
        assert!(
            texts[0].contains("\"one\"") && texts[1].contains("\"two\""),
            "{texts:?}"
        );
    });
}

const BATCH: &str = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"},7,
    {"jsonrpc":"2.0","id":"b","method":"tools/call","params":{"name":"count_tickets","arguments":{}}}]"#;

#[track_caller]
fn check_batch(answer: &Value) {
    let mut ids: Vec<String> = answer
        .as_array()
        .expect("an array")
        .iter()
        .map(|answer| answer["id"].to_string())
        .collect();
    ids.sort();
    assert_eq!(ids, ["\"b\"", "1", "null"], "{answer}");
    assert!(answer.to_string().contains("244 tickets"), "{answer}");
}

#[test]
fn a_batch_is_answered_as_one_over_stdio() {
    let one_line = BATCH.replace('\n', "");
    with_session("2025-03-26", |program| {
        program.send_line(one_line.as_bytes());
        check_batch(&program.receive_message());
        program.send_line(br#"[{"jsonrpc":"2.0","method":"notifications/x"}]"#);
        program.send_line(b"[]");
        assert_eq!(
            program.receive_message()["error"]["message"],
            "A batch has between 1 and 50 messages."
        );
    });
    with_session("2025-06-18", |program| {
        program.send_line(one_line.as_bytes());
        let message = "One message at a time: only revision 2025-03-26 of MCP has batches.";
        assert_eq!(program.receive_message()["error"]["message"], message);
    });
}

#[test]
fn a_batch_is_answered_as_one_over_http() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let ask = |body: &str| Ask::raw_mcp(body).read_as(&demo.origin(), TOKEN);
    for ask in [ask(BATCH), ask(BATCH).with("mcp-protocol-version", "2025-03-26")] {
        let reply = served.ask(&ask);
        assert_eq!(reply.status, 200);
        check_batch(&reply.json());
    }
    assert_eq!(
        served
            .ask(&ask(r#"[{"jsonrpc":"2.0","method":"notifications/x"}]"#))
            .status,
        202
    );
    assert_eq!(served.ask(&ask("[]")).status, 400);
    assert_eq!(
        served
            .ask(&ask(BATCH).with("mcp-protocol-version", "2025-06-18"))
            .status,
        400
    );
}
