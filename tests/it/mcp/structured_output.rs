//! Structured output through the program: off, by the operator's setting, by a header, and by what a client declares, over HTTP and
//! stdio and in both protocol eras.

use daktela_demo::{Demo, TOKEN};
use serde_json::{Value, json};

use crate::{
    program::Program,
    server_harness::{Ask, Reply, Served},
};

const HEADER: &str = "x-mcp-structured-output";

fn views() -> Value {
    json!({"extensions": {"io.modelcontextprotocol/ui": {"mimeTypes": ["text/html;profile=mcp-app"]}}})
}

fn call(demo: &Demo) -> Ask<'static> {
    Ask::call("count_tickets", json!({})).read_as(&demo.origin(), TOKEN)
}

/// Of a call and of a list: whether there is structured content, and whether all tools have a schema for it.
fn is_structured(answer: &Value) -> bool {
    let result = &answer["result"];
    match result["tools"].as_array() {
        Some(tools) => {
            let with_schema = tools
                .iter()
                .filter(|tool| tool["outputSchema"]["type"] == "object")
                .count();
            assert!(
                [0, tools.len()].contains(&with_schema),
                "{with_schema} of {}",
                tools.len()
            );
            with_schema > 0
        }
        None => {
            assert_eq!(result["isError"], false, "{answer}");
            result["structuredContent"]["kind"] == "count"
        }
    }
}

fn stateless(ask: Ask<'static>, method: &'static str, capabilities: Value) -> Ask<'static> {
    let mut message: Value = serde_json::from_str(&ask.body).expect("JSON");
    message["params"]["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": capabilities,
    });
    let ask = Ask {
        body: message.to_string(),
        ..ask
    };
    let ask = ask
        .with("mcp-protocol-version", "2026-07-28")
        .with("mcp-method", method);
    if method == "tools/call" {
        ask.with("mcp-name", "count_tickets")
    } else {
        ask
    }
}

#[test]
fn over_http_a_header_or_the_client_s_capabilities_turn_it_on() {
    let demo = Demo::start().expect("a demo instance");
    let server = Served::start(&[]);
    let list = || Ask::mcp("tools/list", json!({})).read_as(&demo.origin(), TOKEN);
    let plain = server.ask(&call(&demo));
    for ask in [call(&demo), list()] {
        assert!(!is_structured(&server.ask(&ask).json()));
        assert!(is_structured(&server.ask(&ask.clone().with(HEADER, "true")).json()));
        assert!(!is_structured(&server.ask(&ask.clone().with(HEADER, "false")).json()));
    }
    // The text is the same.
    assert_eq!(server.ask(&call(&demo).with(HEADER, "true")).text(), plain.text());
    let wrong = server.ask(&call(&demo).with(HEADER, "maybe")).json();
    assert!(wrong.to_string().contains("expected true or false"), "{wrong}");

    for (method, ask) in [("tools/call", call(&demo)), ("tools/list", list())] {
        let asked = |capabilities| stateless(ask.clone(), method, capabilities);
        assert!(!is_structured(&server.ask(&asked(json!({}))).json()));
        assert!(is_structured(&server.ask(&asked(views())).json()));
        let refused = asked(views()).with(HEADER, "false");
        assert!(!is_structured(&server.ask(&refused).json()));
    }

    let begin = |capabilities: Value| -> Reply {
        let client = json!({"name": "tests", "version": "0"});
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client});
        server.ask(&Ask::mcp("initialize", params).read_as(&demo.origin(), TOKEN))
    };
    assert_eq!(begin(json!({})).header("mcp-session-id"), None);
    let session = begin(views());
    let id = session.header("mcp-session-id").expect("a session").to_owned();
    for ask in [call(&demo), list()] {
        assert!(is_structured(
            &server.ask(&ask.with("mcp-session-id", id.clone())).json()
        ));
    }
    let other = server.ask(&call(&demo).with("mcp-session-id", "another"));
    assert!(!is_structured(&other.json()));
}

#[test]
fn the_operator_s_setting_counts_before_the_request() {
    let demo = Demo::start().expect("a demo instance");
    let always = Served::start(&[("DAKTELA_STRUCTURED_OUTPUT", "always")]);
    assert!(is_structured(&always.ask(&call(&demo)).json()));
    assert!(is_structured(&always.ask(&call(&demo).with(HEADER, "false")).json()));
    let never = Served::start(&[("DAKTELA_STRUCTURED_OUTPUT", "never")]);
    assert!(!is_structured(&never.ask(&call(&demo).with(HEADER, "true")).json()));
    let asked = stateless(call(&demo), "tools/call", views());
    assert!(!is_structured(&never.ask(&asked).json()));
}

#[test]
fn over_stdio_the_session_s_capabilities_turn_it_on() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let variables = [("DAKTELA_URL", origin.as_str()), ("DAKTELA_ACCESS_TOKEN", TOKEN)];
    for (capabilities, expected) in [(json!({}), false), (views(), true)] {
        let mut program = Program::launch(&variables);
        let client = json!({"name": "tests", "version": "0"});
        program.request(
            "initialize",
            json!({"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": client}),
        );
        program.notify("notifications/initialized", json!({}));
        let call = program.request("tools/call", json!({"name": "count_tickets", "arguments": {}}));
        assert_eq!(is_structured(&call), expected);
        assert_eq!(is_structured(&program.request("tools/list", json!({}))), expected);
    }
}
