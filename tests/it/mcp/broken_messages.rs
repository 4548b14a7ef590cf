//! Messages that are not clean JSON, ids that are used twice, and batches: each request is answered by its id.

use std::io::Write;

use daktela_demo::{Action, Demo, Fault, TOKEN, reader_token};
use serde_json::{Value, json};

use crate::{
    program::Program,
    server_harness::{self, Ask, Reply, Served},
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

/// A message of whatever bytes.
fn post(served: &Served, origin: &str, body: &[u8]) -> Reply {
    let mut stream = served.connect();
    let head = format!(
        "POST /mcp HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\naccept: application/json\r\n\
         mcp-protocol-version: 2025-11-25\r\nx-daktela-url: {origin}\r\nx-daktela-access-token: {TOKEN}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        served.address,
        body.len()
    );
    let message = [head.as_bytes(), body].concat();
    stream.write_all(&message).expect("a connection");
    server_harness::read(stream)
}

#[test]
fn broken_characters_become_readable_over_http() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let post = |body: &[u8]| post(&served, &demo.origin(), body);
    for (id, (search, readable)) in (7..).zip(BROKEN) {
        check_found(&post(&call(id, search)).json(), id, readable);
    }
    // A byte order mark in front, and a NUL within, which is left out as any control character.
    let marked = [b"\xEF\xBB\xBF".as_slice(), &call(20, b"ahoj")].concat();
    check_found(&post(&marked).json(), 20, "ahoj");
    check_found(&post(&call(21, b"a\0hoj")).json(), 21, "ahoj");
    for (body, id) in [
        (b"\xFF\xFE\x00".as_slice(), Value::Null),
        (
            b"\xEF\xBB\xBF{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"p\xFFng",
            json!("a"),
        ),
    ] {
        let refused = post(body);
        let answer = refused.json();
        assert_eq!(
            (refused.status, &answer["id"], &answer["error"]["code"]),
            (400, &id, &json!(-32700))
        );
    }
}

/// What instances, and what stands in front of them, send in spite of JSON.
#[test]
fn bad_bytes_of_an_instance_are_read_or_named() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[]);
    let group = |title: &[u8]| {
        let head = br#"{"error":[],"result":{"data":[{"name":"group_1","title":""#;
        [head.as_slice(), title, br#""}],"total":1}}"#].concat()
    };
    let whole = group(b"Podpora");
    let behind = |head: &[u8]| [head, whole.as_slice()].concat();
    let warning = b"<br />\n<b>Warning</b>:  Undefined index in <b>/var/www/x.php</b> on line <b>7</b><br />\n";
    let rows: [(Vec<u8>, &str); 10] = [
        (behind(b"\xEF\xBB\xBF"), "Podpora"),
        (behind(b" \r\n\xEF\xBB\xBF\n"), "Podpora"),
        (group(b"P\xF8\xEDjem"), "P\u{FFFD}\u{FFFD}jem"),
        (group(br"cut \ud83d"), "cut \u{FFFD}"),
        (group(br"a\u0000b"), "ab"),
        (behind(warning), "begins with a message of PHP"),
        (
            behind(b"PHP Notice:  x in /var/www/x.php on line 7\n"),
            "begins with a message of PHP",
        ),
        (whole[..whole.len() - 9].to_vec(), "ends in its middle"),
        (group(b"a\0b"), "is no valid JSON"),
        (Vec::new(), "is not Daktela's API"),
    ];
    for (number, (bytes, expected)) in (1..).zip(rows) {
        demo.inject(Fault {
            matches: "groups".to_owned(),
            times: usize::MAX,
            delay: None,
            action: Some(Action::Body {
                content_type: "application/json".to_owned(),
                bytes,
            }),
        });
        // Another reader each time, so that no cache answers.
        let call = Ask::call("list_groups", json!({})).read_as(&demo.origin(), &reader_token(number));
        let text = served.ask(&call).text();
        assert!(text.contains(expected), "{number}: {text}");
        demo.clear_faults();
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
