//! What MCP's official conformance suite expects of a server: tools, prompts and resources with names that it knows.

use bindings::exports::daktela::mcp::server::{Guest, RpcError};
use daktela_wasi_http::WasiHttp;
use guest::http::{Http, Request};
use serde_json::{Value, json};
use std::time::Duration;

#[expect(unsafe_code, clippy::allow_attributes_without_reason, reason = "generated from wit/")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "plugin",
        with: {
            "wasi:cli/environment@0.2.12": wasip2::cli::environment,
            "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
            "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
            "wasi:http/types@0.2.12": wasip2::http::types,
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
    });

    export!(Conformance with_types_in self);

    use super::Conformance;
}

struct Conformance;

type Result<T> = std::result::Result<T, RpcError>;

/// A red pixel, and one sample of silence.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";
const WAV: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA==";

const INVALID_PARAMS: i32 = -32602;
const RESOURCE_NOT_FOUND: i32 = -32002;
const MISSING_CLIENT_CAPABILITY: i32 = -32021;

/// What a tool is called, and what it does with its arguments and the context of the request.
type Tool = (&'static str, fn(&Value, &Value) -> Result<Value>);

const TOOLS: &[Tool] = &[
    ("test_simple_text", |_, _| said("A simple text.")),
    ("test_image_content", |_, _| contents(&[image()])),
    ("test_audio_content", |_, _| {
        contents(&[json!({"type": "audio", "data": WAV, "mimeType": "audio/wav"})])
    }),
    ("test_embedded_resource", |_, _| {
        contents(&[embedded(
            "test://embedded-resource",
            "text/plain",
            "A text in a resource.",
        )])
    }),
    ("test_multiple_content_types", |_, _| {
        let resource = embedded("test://mixed-content-resource", "application/json", "{\"test\": true}");
        contents(&[text("One of each:"), image(), resource])
    }),
    ("test_error_handling", |_, _| {
        Ok(json!({"content": [text("This tool fails, as it should.")], "isError": true}))
    }),
    ("test_tool_with_progress", |_, _| with_progress()),
    // Has a log of its own, which is none of the client's.
    ("test_logging_tool", |_, _| said("Nothing is logged to a client.")),
    ("json_schema_2020_12_tool", |arguments, _| said(&arguments.to_string())),
    ("test_header", |arguments, _| said(&arguments.to_string())),
    ("test_missing_capability", |_, context| {
        if context["clientCapabilities"]["sampling"].is_object() {
            return said("The client could be asked.");
        }
        Err(RpcError {
            code: MISSING_CLIENT_CAPABILITY,
            message: "This tool asks the client's model.".to_owned(),
            data: Some(json!({"requiredCapabilities": {"sampling": {}}}).to_string()),
        })
    }),
    ("test_streaming_elicitation", |_, context| {
        once(context, &[("user_name", name())], None)
    }),
    ("test_input_required_result_elicitation", |_, context| {
        match content(context, "user_name", "name") {
            Some(name) => said(&format!("Hello, {name}!")),
            None => ask(&[("user_name", name())], None),
        }
    }),
    ("test_input_required_result_sampling", |_, context| {
        once(
            context,
            &[("capital_question", sample("What is the capital of France?"))],
            None,
        )
    }),
    ("test_input_required_result_list_roots", |_, context| {
        once(context, &[("client_roots", roots())], None)
    }),
    ("test_input_required_result_request_state", |_, context| {
        confirmed(context)
    }),
    ("test_input_required_result_tampered_state", |_, context| {
        confirmed(context)
    }),
    ("test_input_required_result_multiple_inputs", |_, context| {
        let asks = [
            ("user_name", name()),
            ("greeting", sample("Greet somebody.")),
            ("client_roots", roots()),
        ];
        once(context, &asks, Some("three at once"))
    }),
    ("test_input_required_result_multi_round", |_, context| {
        let state = context["requestState"].as_str();
        match (
            state,
            content(context, "step1", "name"),
            content(context, "step2", "color"),
        ) {
            (Some(first), _, Some(color)) => said(&format!("{first} likes {color}.")),
            (_, Some(name), None) => ask(&[("step2", elicit("Which colour?", "color", "string"))], Some(name)),
            _ => ask(&[("step1", name())], Some("nobody yet")),
        }
    }),
    ("test_input_required_result_capabilities", |_, context| {
        let can = |capability: &str| context["clientCapabilities"][capability].is_object();
        let asks: Vec<_> = [
            ("elicitation", "user_name", name()),
            ("sampling", "greeting", sample("Greet somebody.")),
            ("roots", "client_roots", roots()),
        ]
        .into_iter()
        .filter(|(capability, ..)| can(capability))
        .map(|(_, key, request)| (key, request))
        .collect();
        once(context, &asks, None)
    }),
];

fn schema(tool: &str) -> Value {
    match tool {
        "json_schema_2020_12_tool" => json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "$defs": {"address": {
                "$anchor": "addressDef",
                "type": "object",
                "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
            }},
            "properties": {
                "name": {"type": "string"},
                "address": {"$ref": "#/$defs/address"},
                "contactMethod": {"type": "string", "enum": ["phone", "email"]},
                "phone": {"type": "string"},
                "email": {"type": "string"},
            },
            "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
            "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
            "then": {"required": ["phone"]},
            "else": {"required": ["email"]},
            "additionalProperties": false,
        }),
        "test_header" => {
            json!({"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}})
        }
        _ => json!({"type": "object"}),
    }
}

/// Several answers of the instance, one after the other: what the host tells of a call under way.
fn with_progress() -> Result<Value> {
    let origin = std::env::var("DAKTELA_URL").unwrap_or_default();
    let http = WasiHttp::new(&origin, None).map_err(invalid)?;
    let mut answered = 0;
    for number in 1..=5 {
        // Another path each time, so that none is remembered.
        let path = format!("/api/v6/tickets.json?take={number}");
        answered += http
            .get_all(&[Request::live(path)])
            .iter()
            .filter(|answer| answer.is_ok())
            .count();
        std::thread::sleep(Duration::from_millis(20));
    }
    said(&format!("{answered} answers."))
}

// What tools answer with

fn text(text: &str) -> Value {
    json!({"type": "text", "text": text})
}

fn image() -> Value {
    json!({"type": "image", "data": PNG, "mimeType": "image/png"})
}

fn embedded(uri: &str, kind: &str, text: &str) -> Value {
    json!({"type": "resource", "resource": {"uri": uri, "mimeType": kind, "text": text}})
}

fn contents(contents: &[Value]) -> Result<Value> {
    Ok(json!({ "content": contents }))
}

fn said(words: &str) -> Result<Value> {
    contents(&[text(words)])
}

fn invalid(message: impl ToString) -> RpcError {
    RpcError {
        code: INVALID_PARAMS,
        message: message.to_string(),
        data: None,
    }
}

// What clients are asked

fn elicit(message: &str, property: &str, kind: &str) -> Value {
    let schema = json!({"type": "object", "properties": {property: {"type": kind}}, "required": [property]});
    json!({"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}})
}

fn name() -> Value {
    elicit("What is your name?", "name", "string")
}

fn sample(prompt: &str) -> Value {
    let messages = json!([{"role": "user", "content": text(prompt)}]);
    json!({"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": 100}})
}

fn roots() -> Value {
    json!({"method": "roots/list", "params": {}})
}

fn ask(asks: &[(&str, Value)], state: Option<&str>) -> Result<Value> {
    let asks: serde_json::Map<_, _> = asks
        .iter()
        .map(|(key, request)| ((*key).to_owned(), request.clone()))
        .collect();
    let mut result = json!({"resultType": "input_required", "inputRequests": asks});
    if let Some(state) = state {
        result["requestState"] = state.into();
    }
    Ok(result)
}

/// Asks until all is answered.
fn once(context: &Value, asks: &[(&str, Value)], state: Option<&str>) -> Result<Value> {
    let responses = &context["inputResponses"];
    let answered = asks.iter().all(|(key, _)| responses[key].is_object());
    if answered && context["requestState"].as_str() == state {
        said(&responses.to_string())
    } else {
        ask(asks, state)
    }
}

fn confirmed(context: &Value) -> Result<Value> {
    const STATE: &str = "to be confirmed";
    match (
        context["requestState"].as_str(),
        &context["inputResponses"]["confirm"]["content"]["ok"],
    ) {
        (Some(STATE), Value::Bool(true)) => said("state-ok"),
        _ => ask(&[("confirm", elicit("Is that so?", "ok", "boolean"))], Some(STATE)),
    }
}

/// A field of a form that its reader filled in.
fn content<'a>(context: &'a Value, key: &str, field: &str) -> Option<&'a str> {
    context["inputResponses"][key]["content"][field].as_str()
}

// Prompts and resources

const PROMPTS: &[(&str, &[&str])] = &[
    ("test_simple_prompt", &[]),
    ("test_prompt_with_arguments", &["arg1", "arg2"]),
    ("test_prompt_with_embedded_resource", &["resourceUri"]),
    ("test_prompt_with_image", &[]),
    ("test_input_required_result_prompt", &[]),
];

fn prompt(name: &str, arguments: &Value, context: &Value) -> Result<Value> {
    let messages = match name {
        "test_simple_prompt" => vec![text("A simple prompt.")],
        "test_prompt_with_arguments" => vec![text(&arguments.to_string())],
        "test_prompt_with_embedded_resource" => {
            let uri = arguments["resourceUri"]
                .as_str()
                .ok_or_else(|| invalid("resourceUri is missing"))?;
            vec![embedded(uri, "text/plain", "A text in a resource."), text("Read this.")]
        }
        "test_prompt_with_image" => vec![image(), text("Look at this.")],
        "test_input_required_result_prompt" => match content(context, "user_context", "context") {
            Some(given) => vec![text(given)],
            None => return ask(&[("user_context", elicit("About what?", "context", "string"))], None),
        },
        _ => return Err(invalid(format!("No prompt {name:?}."))),
    };
    let messages: Vec<_> = messages
        .iter()
        .map(|content| json!({"role": "user", "content": content}))
        .collect();
    Ok(json!({ "messages": messages }))
}

fn resource(uri: &str) -> Result<Value> {
    let template = uri
        .strip_prefix("test://template/")
        .and_then(|rest| rest.strip_suffix("/data"));
    let found = match (uri, template) {
        ("test://static-text", _) => json!({"uri": uri, "mimeType": "text/plain", "text": "A text that stays."}),
        ("test://static-binary", _) => json!({"uri": uri, "mimeType": "image/png", "blob": PNG}),
        (_, Some(id)) => {
            json!({"uri": uri, "mimeType": "application/json", "text": json!({"id": id}).to_string()})
        }
        _ => {
            return Err(RpcError {
                code: RESOURCE_NOT_FOUND,
                message: format!("No resource {uri:?}."),
                data: Some(json!({ "uri": uri }).to_string()),
            });
        }
    };
    Ok(json!({ "contents": [found] }))
}

fn first_page(cursor: Option<String>, page: &Value) -> Result<String> {
    match cursor {
        None => Ok(page.to_string()),
        Some(_) => Err(invalid("Unknown cursor.")),
    }
}

fn parsed(json: &str) -> Result<Value> {
    serde_json::from_str(json).map_err(invalid)
}

impl Guest for Conformance {
    fn describe() -> String {
        let capabilities = json!({"tools": {}, "resources": {}, "prompts": {}, "completions": {}});
        json!({"serverInfo": {"name": "conformance", "version": "0"}, "capabilities": capabilities}).to_string()
    }

    fn list_tools(cursor: Option<String>) -> Result<String> {
        let tool = |name| json!({"name": name, "description": "See the suite.", "inputSchema": schema(name)});
        let tools: Vec<_> = TOOLS.iter().map(|(name, _)| tool(name)).collect();
        first_page(cursor, &json!({ "tools": tools }))
    }

    fn call_tool(name: String, arguments: String, context: String) -> Result<String> {
        let (_, tool) = TOOLS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| invalid(format!("Unknown tool {name:?}.")))?;
        Ok(tool(&parsed(&arguments)?, &parsed(&context)?)?.to_string())
    }

    fn list_resources(cursor: Option<String>) -> Result<String> {
        let resource = |name| json!({"uri": format!("test://{name}"), "name": name});
        let resources = ["static-text", "static-binary"].map(resource);
        first_page(cursor, &json!({ "resources": resources }))
    }

    fn list_resource_templates(cursor: Option<String>) -> Result<String> {
        let template = json!({"uriTemplate": "test://template/{id}/data", "name": "template"});
        first_page(cursor, &json!({"resourceTemplates": [template]}))
    }

    fn read_resource(uri: String, _context: String) -> Result<String> {
        Ok(resource(&uri)?.to_string())
    }

    fn list_prompts(cursor: Option<String>) -> Result<String> {
        let argument = |name: &&str| json!({"name": name, "required": true});
        let prompts: Vec<_> = PROMPTS
            .iter()
            .map(|(name, arguments)| {
                let arguments: Vec<_> = arguments.iter().map(argument).collect();
                json!({"name": name, "description": "See the suite.", "arguments": arguments})
            })
            .collect();
        first_page(cursor, &json!({ "prompts": prompts }))
    }

    fn get_prompt(name: String, arguments: String, context: String) -> Result<String> {
        Ok(prompt(&name, &parsed(&arguments)?, &parsed(&context)?)?.to_string())
    }

    fn complete(params: String) -> Result<String> {
        let params = parsed(&params)?;
        let typed = params["argument"]["value"].as_str().unwrap_or_default();
        let values: Vec<_> = ["test one", "test two"]
            .into_iter()
            .filter(|value| value.starts_with(typed))
            .collect();
        Ok(json!({"completion": {"values": values, "total": values.len(), "hasMore": false}}).to_string())
    }
}
