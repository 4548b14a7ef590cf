//! The protocol on stdin and stdout, byte by byte where clients differ.

use std::{
    io::Write,
    process, thread,
    time::{Duration, Instant},
};

use daktela_demo::{Action, Demo, Fault, TOKEN};
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
            json!({"name": "count_tickets", "arguments": [1]}),
            -32602,
            shape,
        );
        // The object as a text, and PHP's empty one, are what they mean.
        for arguments in [json!("{\"stage\": \"OPEN\"}"), json!([])] {
            let answer = program.request("tools/call", json!({"name": "count_tickets", "arguments": arguments}));
            assert_eq!(answer["result"]["isError"], false, "{answer}");
        }
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
fn a_message_has_as_many_values_as_a_request_can_mean() {
    served(|program| {
        let message = "A message has at most 5000 values; ask for less at once.";
        check(
            program,
            "tools/call",
            json!({"name": "count_tickets", "arguments": {"search": vec![0; 6_000]}}),
            -32600,
            message,
        );
        // A text is one value, whatever stands in it, and reaches the tool.
        let answer = program.call("count_tickets", &json!({"search": "0,[{".repeat(6_000)}));
        let told = "Wrong arguments:\n- search: the text is too long; at most 500 characters";
        assert_eq!(answer["content"][0]["text"], told);
    });
}

/// A client that asked for progress and is busy otherwise.
#[test]
fn a_call_goes_on_while_nobody_reads_its_progress() {
    const REQUESTS: usize = 300;
    let demo = Demo::start().expect("a demo instance");
    let mut program = Program::start(&[
        ("DAKTELA_URL", &demo.origin()),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ("DAKTELA_COMPONENT", daktela_test_guests::HOSTILE),
        ("DAKTELA_MAX_UPSTREAM_REQUESTS", &REQUESTS.to_string()),
    ]);
    // A few of them fill the pipe.
    let token = "p".repeat(30_000);
    program.send_request(
        "tools/call",
        json!({"name": "flood", "arguments": {}, "_meta": {"progressToken": token}}),
    );
    let (started, mut arrived) = (Instant::now(), 0);
    while arrived < REQUESTS {
        arrived += demo.take_requests().len();
        assert!(started.elapsed() < Duration::from_secs(25), "{arrived} requests");
        thread::sleep(Duration::from_millis(50));
    }
    let mut news = 0;
    let answer = loop {
        let message = program.receive_message();
        if message["method"] != "notifications/progress" {
            break message;
        }
        news += 1;
    };
    assert_eq!(
        answer["result"]["content"][0]["text"],
        format!("{REQUESTS} requests were answered")
    );
    assert!((1..REQUESTS / 2).contains(&news), "{news} of {REQUESTS} are told");
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
        for uri in ["daktela://user/x", "daktela://ticket/1"] {
            let answer = program.request("resources/read", json!({ "uri": uri }));
            let message = answer["error"]["message"].clone();
            let expected = json!({"error": {"code": -32002, "message": message, "data": {"uri": uri}}});
            assert_eq!(answer, expected);
            let modern = program.request("resources/read", json!({"uri": uri, "_meta": modern()}));
            let expected = json!({"error": {"code": -32602, "message": message, "data": {"uri": uri}}});
            assert_eq!(modern, expected);
        }
        check(
            program,
            "tools/list",
            json!({"cursor": "2"}),
            -32602,
            "Unknown cursor: this list is one page.",
        );
    });
}

/// What each request brings where there is no handshake.
fn modern() -> Value {
    json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}})
}

#[test]
fn what_is_no_message_is_answered_by_line() {
    let demo = Demo::start().expect("a demo instance");
    let log = program::log_file();
    let mut program = Program::start_with_log(
        &[("DAKTELA_URL", &demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)],
        log.try_clone().expect("a file"),
    );
    let long = vec![b' '; 9_000_000];
    let no_json = (-32700, "The message is not JSON.");
    let no_batch = (
        -32600,
        "One message at a time: only revision 2025-03-26 of MCP has batches.",
    );
    let no_message = (-32600, "The message is none of JSON-RPC 2.0.");
    let too_long = (-32600, "A message has at most 4000000 bytes.");
    let lines: [(&[u8], _, _); 10] = [
        (b"Jan Nov\xc3\xa1k", no_json, Value::Null),
        (b"{\"jsonrpc\": \"2.0\", \"id\": 3", no_json, Value::Null),
        (b"\xff\xfe", no_json, Value::Null),
        (b"[]", no_batch, Value::Null),
        (
            br#"[{"jsonrpc": "2.0", "id": 4, "method": "ping"}]"#,
            no_batch,
            Value::Null,
        ),
        (b"7", no_message, Value::Null),
        (br#"{"id": 7}"#, no_message, 7.into()),
        (br#"{"id": "x", "method": "ping"}"#, no_message, "x".into()),
        (
            br#"{"jsonrpc": "2.0", "id": 1.5, "method": "ping"}"#,
            no_message,
            json!(1.5),
        ),
        (&long, too_long, Value::Null),
    ];
    for (line, (code, message), id) in &lines {
        program.send_line(line);
        let expected = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
        assert_eq!(program.receive_message(), expected);
    }
    // Nobody waits for an answer to these.
    for line in [
        &b""[..],
        b" \r",
        br#"{"method": "notifications/other"}"#,
        br#"{"jsonrpc": "2.0", "method": "$/x"}"#,
    ] {
        program.send_line(line);
    }
    program.send_line(b"\xef\xbb\xbf{\"jsonrpc\": \"2.0\", \"id\": 8, \"method\": \"ping\"}\r");
    assert_eq!(
        program.receive_message(),
        json!({"jsonrpc": "2.0", "id": 8, "result": {}})
    );
    drop(program);
    let log = program::read_back(log);
    assert_eq!(
        log.matches("\"event\":\"unreadable\"").count(),
        lines.len() + 1,
        "{log}"
    );
    assert!(!log.contains("Novák"), "the log holds no text of clients");
}

/// Slower than what rmcp would wait for by itself when its client leaves.
fn ends_with_answers(end: impl FnOnce(&mut Program)) {
    const SLOW: Duration = Duration::from_secs(6);
    let demo = Demo::start().expect("a demo instance");
    let variables = [("DAKTELA_URL", &*demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)];
    let mut program = Program::start(&variables);
    program.call("count_tickets", &json!({}));
    demo.take_requests();
    demo.inject(Fault {
        delay: Some(SLOW),
        ..Fault::default()
    });
    let started = Instant::now();
    let id = program.send_request(
        "tools/call",
        json!({"name": "count_tickets", "arguments": {"stage": "OPEN"}}),
    );
    while demo.take_requests().is_empty() {
        assert!(started.elapsed() < SLOW, "the call is under way");
    }
    end(&mut program);
    let text = "104 tickets (stage OPEN · without merged tickets)";
    let fields = json!({"tickets": ["id_merge", "name", "stage"]});
    let observed = json!({"daktela/asked": fields, "daktela/came": fields, "daktela/total": 104});
    let result = json!({"content": [{"type": "text", "text": text}], "isError": false, "_meta": observed});
    assert_eq!(program.receive(), (id, json!({ "result": result })));
    assert_eq!(program.wait().code(), Some(0));
}

#[test]
fn a_client_that_leaves_gets_its_answers() {
    ends_with_answers(Program::close);
}

#[test]
fn a_supervisor_that_ends_the_program_waits_for_the_answers() {
    ends_with_answers(|program| program.terminate());
}

/// A client that reads no longer is not answered, and costs nothing.
#[test]
fn a_client_that_goes_away_ends_its_calls_at_once() {
    let demo = Demo::start().expect("a demo instance");
    demo.inject(Fault {
        action: Some(Action::Hang),
        ..Fault::default()
    });
    let origin = demo.origin();
    let mut child = program::command(&[("DAKTELA_URL", &origin), ("DAKTELA_ACCESS_TOKEN", TOKEN)])
        .stdin(process::Stdio::piped())
        .stdout(process::Stdio::piped())
        .stderr(process::Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut input = child.stdin.take().expect("a pipe");
    let client = json!({"name": "tests", "version": "0"});
    for message in [
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "count_tickets", "arguments": {}}}),
    ] {
        writeln!(input, "{message}").expect("the program reads");
    }
    while demo.take_requests().is_empty() {
        thread::sleep(Duration::from_millis(10));
    }
    let left = Instant::now();
    drop((input, child.stdout.take()));
    assert!(child.wait().expect("the program ends").success());
    // Whoever still read would have half a minute.
    assert!(left.elapsed() < Duration::from_secs(5), "{:?}", left.elapsed());
}

#[test]
fn with_nothing_under_way_the_end_is_at_once() {
    let started = Instant::now();
    served(|program| {
        program.terminate();
        assert_eq!(program.wait().code(), Some(0));
    });
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// A component keeps nothing: what it wants to know again travels through the client, signed.
#[test]
fn a_component_asks_back_and_its_state_is_its_own() {
    let demo = Demo::start().expect("a demo instance");
    let mut program = Program::start(&[
        ("DAKTELA_URL", &demo.origin()),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ("DAKTELA_COMPONENT", daktela_test_guests::CONFORMANCE),
    ]);
    let tool = "test_input_required_result_request_state";
    let mut call = |arguments: Value, more: Value| {
        let mut params = json!({"name": tool, "arguments": arguments, "_meta": modern()});
        for (key, value) in more.as_object().expect("an object") {
            params[key] = value.clone();
        }
        program.request("tools/call", params)
    };
    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]});
    let asks = |state: &Value| {
        let request = json!({"method": "elicitation/create", "params": {"mode": "form", "message": "Is that so?", "requestedSchema": schema}});
        json!({"result": {"resultType": "input_required", "inputRequests": {"confirm": request}, "requestState": state}})
    };
    let asked = call(json!({}), json!({}));
    let state = asked["result"]["requestState"].clone();
    assert_eq!(asked, asks(&state));
    let confirmed = json!({"confirm": {"action": "accept", "content": {"ok": true}}});
    assert_eq!(
        call(json!({}), json!({"inputResponses": confirmed, "requestState": state})),
        json!({"result": {"content": [{"type": "text", "text": "state-ok"}], "resultType": "complete"}})
    );
    let without = call(json!({}), json!({"inputResponses": confirmed}));
    assert_eq!(without, asks(&without["result"]["requestState"]));
    let message = "The requestState is over, or was not given for this request; send the request again without it.";
    let refused = json!({"error": {"code": -32602, "message": message}});
    for (arguments, state) in [
        (json!({"of": "another"}), state.clone()),
        (json!({}), json!("to be confirmed")),
        (json!({}), json!(format!("{}AAAA", state.as_str().expect("text")))),
    ] {
        assert_eq!(
            call(arguments, json!({"inputResponses": confirmed, "requestState": state})),
            refused
        );
    }
}

/// The last revision has no handshake: each request brings its own.
#[test]
fn a_client_without_a_handshake_is_served() {
    served(|program| {
        let meta = modern();
        let discovered = &program.request("server/discover", json!({"_meta": meta}))["result"];
        assert_eq!(
            discovered["supportedVersions"],
            json!(["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]),
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
    let refused =
        "Wrong arguments:\n- stage: expected one of OPEN, WAIT, CLOSE, ARCHIVE, or a list of them, not \"NEW\"\n"
            .to_owned();
    assert_eq!(
        call("count_tickets", r#"{"stage": "NEW"}"#),
        (Some(1), refused, String::new())
    );
    let unknown = "mcp-daktela: Unknown tool \"delete\". `mcp-daktela tools` lists them.\n".to_owned();
    assert_eq!(call("delete", "{}"), (Some(2), String::new(), unknown));
    assert_eq!(call("count_tickets", "stage").0, Some(2));
}
