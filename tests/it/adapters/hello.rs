//! The component that `docs/writing-components.md` starts from, and what the page shows of it.

use std::fs;

use serde_json::{Value, json};

use crate::{
    golden,
    program::{self, Program},
};

const HELLO: [&str; 3] = ["--demo", "--component", daktela_test_guests::HELLO];

#[test]
fn the_smallest_component_serves_a_client() {
    let mut command = program::command(&[]);
    command.args(HELLO);
    let mut program = Program::over(command, std::process::Stdio::null());
    let said = |text: &str, is_error: bool| json!({"content": [{"type": "text", "text": text}], "isError": is_error});
    let refused = |code: i32, message: &str| json!({"error": {"code": code, "message": message}});
    let call = |name: &str, arguments: Value| json!({"name": name, "arguments": arguments});
    let tool = json!({
        "name": "hello",
        "description": "Greets somebody by name.",
        "inputSchema": {
            "type": "object",
            "properties": {"name": {"type": "string", "description": "Whom to greet."}},
            "required": ["name"],
        },
        "annotations": {"readOnlyHint": true},
    });
    for (method, params, expected) in [
        (
            "tools/list",
            json!({}),
            json!({"result": {"ttlMs": 300_000, "cacheScope": "public", "tools": [tool]}}),
        ),
        (
            "tools/list",
            json!({"cursor": "x"}),
            refused(-32602, "There is one page only."),
        ),
        (
            "tools/call",
            call("hello", json!({"name": "Jana"})),
            json!({"result": said("Hello, Jana!", false)}),
        ),
        (
            "tools/call",
            call("hello", json!({})),
            json!({"result": said("name is missing: say whom to greet, as text.", true)}),
        ),
        (
            "tools/call",
            call("bye", json!({})),
            refused(-32602, "Unknown tool \"bye\"."),
        ),
        // The component does not claim to have any, and is not asked.
        ("prompts/list", json!({}), refused(-32601, "prompts/list")),
        ("resources/list", json!({}), refused(-32601, "resources/list")),
    ] {
        assert_eq!(program.request(method, params.clone()), expected, "{method} {params}");
    }
}

/// Blocks of the page that are marked as Rust are parts of the component, and those marked as console are what the program prints.
#[test]
fn the_page_for_authors_shows_what_is() {
    let read = |path: &str| fs::read_to_string(golden::folder().join("..").join(path)).expect("a file of the tree");
    let (page, code) = (read("docs/writing-components.md"), read("guest/hello/src/lib.rs"));
    let blocks = |language: &str| -> Vec<String> {
        let mark = format!("```{language}\n");
        let blocks = page.split(&mark).skip(1);
        blocks
            .map(|rest| rest.split_once("```").expect("its end").0.to_owned())
            .collect()
    };
    let rust = blocks("rust");
    assert!(!rust.is_empty(), "the page shows the component");
    for block in rust {
        assert!(code.contains(&block), "no longer in guest/hello/src/lib.rs:\n{block}");
    }
    let output = program::command(&[])
        .args(["call", "hello", r#"{"name": "Jana"}"#])
        .args(HELLO)
        .output()
        .expect("the program runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    assert_eq!(
        blocks("console"),
        [format!(
            "$ mcp-daktela call hello '{{\"name\": \"Jana\"}}' --demo --component hello.cwasm\n{printed}"
        )]
    );
}
