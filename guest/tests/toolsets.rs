//! Toolsets and single-tool mode: what is not served is in no list and no text, cannot be called or read, and no request widens
//! what the operator serves.

use guest::{
    Settings,
    catalog::{TOOLSETS, selection::named, tools},
    http::{Failure, Http, Request, Response},
    mcp::{RpcError, Server},
};
use serde_json::{Value, json};

/// A third of this is what one tool of a usual catalogue takes; a token has some four bytes.
const SINGLE_TOOL_BYTES_MAX: usize = 1_050 * 4;

/// What needs the instance fails, so that an answer without that failure came before any read.
struct NoNetwork;

impl Http for NoNetwork {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        requests.iter().map(|_| Err(Failure::Denied)).collect()
    }
}

fn settings(variables: &[(&str, &str)]) -> Settings {
    let variable = |name: &str| {
        let found = variables.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::from_env(variable).expect("settings")
}

fn with<T>(variables: &[(&str, &str)], ask: impl FnOnce(&Server) -> T) -> T {
    ask(&Server::new(&settings(variables), Ok(&NoNetwork)))
}

fn json(answer: Result<String, RpcError>) -> Value {
    serde_json::from_str(&answer.expect("an answer")).expect("JSON")
}

fn names(server: &Server) -> Vec<String> {
    let list = json(server.list_tools(None));
    let tools = list["tools"].as_array().expect("tools");
    tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// All that a server says to clients without being asked for records.
fn texts(server: &Server) -> String {
    let prompts = json(server.list_prompts(None));
    let filled = prompts["prompts"].as_array().expect("prompts").iter().map(|prompt| {
        let arguments = prompt["arguments"].as_array().expect("arguments").iter();
        let value = |name: &str| if name.starts_with("date") { "2026-11-02" } else { "1" };
        let given = arguments.filter_map(|argument| argument["name"].as_str());
        let given: serde_json::Map<String, Value> = given.map(|name| (name.to_owned(), value(name).into())).collect();
        let name = prompt["name"].as_str().expect("a name");
        server
            .get_prompt(name, &Value::Object(given).to_string())
            .expect("a prompt")
    });
    let filled: Vec<String> = filled.collect();
    [
        server.describe(),
        server.list_tools(None).expect("tools"),
        server.list_resource_templates(None).expect("templates"),
        server.read_resource("daktela://guide").expect("the guide"),
        filled.join("\n"),
    ]
    .join("\n")
    // In JSON the line break before a name would be a letter of it.
    .replace("\\n", " ")
}

#[test]
fn no_text_names_a_tool_that_is_not_served() {
    for toolset in TOOLSETS {
        let (served, text) = with(&[("DAKTELA_TOOLSETS", toolset.id)], |server| {
            (names(server), texts(server))
        });
        let own: Vec<&str> = toolset.tools.iter().map(|tool| tool.name).collect();
        assert_eq!(served, own);
        let mut hidden: Vec<&str> = text
            .split(|c: char| !(c.is_ascii_alphanumeric() || "_*".contains(c)))
            .filter(|word| named(word, |tool| own.contains(&tool.name)) == Some(false))
            .collect();
        hidden.sort_unstable();
        hidden.dedup();
        assert!(hidden.is_empty(), "{}: {hidden:?}", toolset.id);
    }
}

#[test]
fn a_hidden_tool_is_an_unknown_tool() {
    with(
        &[("DAKTELA_EXCLUDE_TOOLS", "get_ticket_detail,list_emails")],
        |server| {
            let refused = server
                .call_tool("get_ticket_detail", r#"{"name": "1"}"#)
                .expect_err("hidden");
            let unknown = server
                .call_tool("get_ticket_details", r#"{"name": "1"}"#)
                .expect_err("unknown");
            assert_eq!(refused.message.replace("detail", "details"), unknown.message);
            assert_eq!(refused.code, unknown.code);
            assert!(server.read_resource("daktela://ticket/1").is_err());
            assert!(
                server
                    .get_prompt("email_audit", r#"{"date_from": "2026-11-02"}"#)
                    .is_err()
            );
            let reference = |kind: &str, key: &str, value: &str, argument: &str| {
                json!({"ref": {"type": kind, key: value}, "argument": {"name": argument, "value": ""}}).to_string()
            };
            let complete = |params: String| server.complete(&params);
            assert!(complete(reference("ref/prompt", "name", "email_audit", "user")).is_err());
            assert!(complete(reference("ref/resource", "uri", "daktela://ticket/{id}", "id")).is_err());
            assert!(complete(reference("ref/resource", "uri", "daktela://call/{id}", "id")).is_ok());
        },
    );
}

#[test]
fn no_request_widens_what_the_operator_serves() {
    let operator = [
        ("DAKTELA_TOOLSETS", "contacts,tickets"),
        ("DAKTELA_EXCLUDE_TOOLS", "list_tickets"),
    ];
    let served = with(&operator, names);
    for wanted in [
        [("DAKTELA_REQUEST_TOOLSETS", "all"), ("DAKTELA_REQUEST_TOOLS", "")],
        [
            ("DAKTELA_REQUEST_TOOLSETS", "calls,tickets"),
            ("DAKTELA_REQUEST_TOOLS", "list_tickets,list_calls"),
        ],
        [
            ("DAKTELA_REQUEST_TOOLS", "list_tickets"),
            ("DAKTELA_REQUEST_SINGLE_TOOL", "false"),
        ],
        [
            ("DAKTELA_REQUEST_EXCLUDE_TOOLS", "get_contact"),
            ("DAKTELA_REQUEST_SINGLE_TOOL", "true"),
        ],
    ] {
        with(&[&operator[..], &wanted].concat(), |server| {
            let listed = names(server);
            let is_single = wanted.contains(&("DAKTELA_REQUEST_SINGLE_TOOL", "true"));
            assert!(
                is_single || listed.iter().all(|name| served.contains(name)),
                "{wanted:?}: {listed:?}"
            );
            for tool in tools().filter(|tool| !served.iter().any(|name| name == tool.name)) {
                assert!(server.call_tool(tool.name, "{}").is_err(), "{wanted:?}: {}", tool.name);
                let call = json!({"name": tool.name, "arguments": {}}).to_string();
                match server.call_tool("call_tool", &call) {
                    Ok(answer) => assert!(answer.contains("Unknown tool"), "{answer}"),
                    Err(error) => assert!(error.message.contains("Unknown tool"), "{error:?}"),
                }
            }
        });
    }
    with(&[("DAKTELA_REQUEST_TOOLSETS", "nothing")], |server| {
        let error = server.list_tools(None).expect_err("unknown");
        assert!(
            error
                .message
                .contains("X-MCP-Toolsets: no toolset is called \"nothing\""),
            "{}",
            error.message
        );
        assert!(server.call_tool("list_tickets", "{}").is_err());
    });
    // What is malformed elsewhere widens nothing either.
    let variables = [("DAKTELA_MAX_ANSWER_BYTES", "x"), ("DAKTELA_TOOLSETS", "contacts")];
    let of_tools = Settings::of_tools(|name| {
        variables
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| (*value).to_owned())
    });
    assert_eq!(
        names(&Server::new(&of_tools, Ok(&NoNetwork))),
        ["list_contacts", "get_contact"]
    );
}

#[test]
fn three_tools_stand_for_all() {
    with(&[("DAKTELA_SINGLE_TOOL", "true")], |server| {
        assert_eq!(names(server), ["search_tools", "describe_tool", "call_tool"]);
        let bytes = server.list_tools(None).expect("tools").len();
        assert!(bytes <= SINGLE_TOOL_BYTES_MAX, "{bytes}");
        let text = |name: &str, arguments: Value| {
            let answer = json(server.call_tool(name, &arguments.to_string()));
            answer["content"][0]["text"].as_str().expect("a text").to_owned()
        };
        for tool in tools() {
            let found = text("search_tools", json!({"query": tool.title}));
            assert!(found.contains(tool.name), "{}: {found}", tool.name);
            let described: Value =
                serde_json::from_str(&text("describe_tool", json!({"name": tool.name}))).expect("JSON");
            assert_eq!(described["name"], tool.name);
            // As the real tool checks them.
            let wrong = json!({"no such argument": 1});
            let direct = with(&[], |server| server.call_tool(tool.name, &wrong.to_string())).expect("an answer");
            let through = server.call_tool("call_tool", &json!({"name": tool.name, "arguments": wrong}).to_string());
            assert_eq!(through.as_deref(), Ok(direct.as_str()), "{}", tool.name);
        }
    });
    with(&[], |server| assert!(server.call_tool("call_tool", "{}").is_err()));
}
