//! The protocol on stdin and stdout, byte by byte where clients differ.

use daktela_demo::{Demo, TOKEN};
use serde_json::{Value, json};

use crate::program::{self, Program};

fn served(check: impl FnOnce(&mut Program)) {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    check(&mut Program::start(&[
        ("DAKTELA_URL", &origin),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
    ]));
}

#[track_caller]
fn check(program: &mut Program, method: &str, params: Value, code: i64, message: &str) {
    let answer = program.request(method, params);
    assert_eq!(
        (&answer["error"]["code"], &answer["error"]["message"]),
        (&code.into(), &message.into()),
        "{answer}"
    );
}

#[test]
fn params_of_another_shape_are_told_what_theirs_is() {
    served(|program| {
        let shape = "The params of tools/call must be {\"name\": string, \"arguments\": object}.";
        check(program, "tools/call", json!({}), -32602, shape);
        check(
            program,
            "tools/call",
            json!({"name": "count_tickets", "arguments": []}),
            -32602,
            shape,
        );
        check(
            program,
            "prompts/get",
            json!({"name": 1}),
            -32602,
            "The params of prompts/get must be {\"name\": string, \"arguments\": object of strings}.",
        );
        check(program, "tools/run", json!({}), -32601, "tools/run");
    });
}

#[test]
fn what_does_not_exist_is_told_so() {
    served(|program| {
        check(
            program,
            "tools/call",
            json!({"name": "delete_ticket", "arguments": {}}),
            -32602,
            "Unknown tool \"delete_ticket\".",
        );
        check(
            program,
            "prompts/get",
            json!({"name": "poem"}),
            -32602,
            "No prompt \"poem\".",
        );
        check(
            program,
            "resources/read",
            json!({"uri": "daktela://user/x"}),
            -32602,
            "No resource \"daktela://user/x\".",
        );
        check(
            program,
            "tools/list",
            json!({"cursor": "2"}),
            -32602,
            "Unknown cursor: this list is one page.",
        );
    });
}

/// The last revision has no handshake: each request brings its own.
#[test]
fn a_client_without_a_handshake_is_served() {
    served(|program| {
        let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
        let discovered = &program.request("server/discover", json!({"_meta": meta}))["result"];
        assert_eq!(
            discovered["supportedVersions"],
            json!(["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]),
            "{discovered}"
        );
        let called = &program.request(
            "tools/call",
            json!({"name": "count_tickets", "arguments": {"stage": "OPEN"}, "_meta": meta}),
        )["result"];
        assert_eq!(
            (&called["resultType"], &called["content"][0]["text"]),
            (
                &"complete".into(),
                &"104 tickets (stage OPEN · without merged tickets)".into()
            ),
            "{called}"
        );
    });
}

/// The command line's way to a tool: its text on stdout whatever it says, and a code that tells which it was.
#[test]
fn a_call_prints_its_answer_and_tells_by_its_exit_code() {
    let call = |tool: &str, arguments: &str| {
        let output = program::command(&[])
            .args(["--demo", "call", tool, arguments])
            .output()
            .expect("the program runs");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        (output.status.code(), text(output.stdout), text(output.stderr))
    };
    let counted = "104 tickets (stage OPEN · without merged tickets)\n".to_owned();
    assert_eq!(
        call("count_tickets", r#"{"stage": "OPEN"}"#),
        (Some(0), counted, String::new())
    );
    let refused = "Wrong arguments:\n- stage: expected one of OPEN, WAIT, CLOSE, ARCHIVE, not \"NEW\"\n".to_owned();
    assert_eq!(
        call("count_tickets", r#"{"stage": "NEW"}"#),
        (Some(1), refused, String::new())
    );
    let unknown = "mcp-daktela: Unknown tool \"delete\". `mcp-daktela tools` lists them.\n".to_owned();
    assert_eq!(call("delete", "{}"), (Some(2), String::new(), unknown));
    assert_eq!(call("count_tickets", "stage").0, Some(2));
}
