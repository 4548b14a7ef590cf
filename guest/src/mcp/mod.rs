//! MCP server: requests as JSON text in and out. Adapters call these functions and nothing else.

pub mod completion;
pub mod prompts;
pub mod resources;
pub mod stateless_http;

use serde_json::{Value, json};

use self::resources::Target;
use crate::{
    catalog,
    daktela::{error::Error, http::Http},
    model::{output::Output, schema},
    render::markdown,
    run,
    settings::Settings,
};

/// A JSON-RPC error.
#[derive(Debug, PartialEq, Eq)]
pub struct RpcError {
    pub code: i32,
    pub message: String,
    pub data: Option<String>,
}

pub type RpcResult = Result<String, RpcError>;

/// JSON-RPC's "invalid params", which MCP uses for what does not exist.
const INVALID_PARAMS: i32 = -32602;
/// But for resources, up to 2025-11-25.
pub(crate) const RESOURCE_NOT_FOUND: i32 = -32002;

fn invalid(message: String) -> RpcError {
    RpcError {
        code: INVALID_PARAMS,
        message,
        data: None,
    }
}

fn no_resource(uri: &str, message: String) -> RpcError {
    RpcError {
        code: RESOURCE_NOT_FOUND,
        message,
        data: Some(json!({ "uri": uri }).to_string()),
    }
}

/// All lists are one page, so no cursor was ever given.
fn first_page(cursor: Option<&str>, page: Value) -> RpcResult {
    match cursor {
        None => Ok(page.to_string()),
        Some(_) => Err(invalid("Unknown cursor: this list is one page.".to_owned())),
    }
}

pub fn describe() -> String {
    json!({
        "serverInfo": {
            "name": "mcp-daktela",
            "title": "Daktela",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Read-only access to a Daktela contact centre: tickets, calls, e-mails, chats, contacts, CRM.",
            "websiteUrl": "https://www.daktela.com",
        },
        "instructions": include_str!("instructions.md").trim(),
        "capabilities": {"tools": {}, "resources": {}, "prompts": {}, "completions": {}},
    })
    .to_string()
}

pub fn list_tools(cursor: Option<&str>) -> RpcResult {
    first_page(
        cursor,
        json!({"tools": catalog::tools().map(schema::tool).collect::<Vec<_>>()}),
    )
}

pub fn call_tool(http: &dyn Http, settings: &Settings, name: &str, arguments: &str) -> RpcResult {
    let tool = catalog::find(name).ok_or_else(|| invalid(format!("Unknown tool {name:?}.")))?;
    let answer = match run::run(tool, http, settings, arguments) {
        Ok(output) => tool_result(&output),
        Err(error) => json!({"content": [{"type": "text", "text": error.text()}], "isError": true}),
    };
    Ok(answer.to_string())
}

/// The CallToolResult of MCP.
fn tool_result(output: &Output) -> Value {
    let mut out = json!({"content": [{"type": "text", "text": markdown::output(output)}], "isError": false});
    if let Some(first) = &output.first_record {
        out["_meta"] = json!({"daktela/first": first});
    }
    out
}

pub fn list_resources(cursor: Option<&str>) -> RpcResult {
    first_page(cursor, resources::list())
}

pub fn list_resource_templates(cursor: Option<&str>) -> RpcResult {
    first_page(cursor, resources::templates())
}

pub fn read_resource(http: &dyn Http, settings: &Settings, uri: &str) -> RpcResult {
    let text = match resources::target(uri) {
        None => return Err(no_resource(uri, format!("No resource {uri:?}."))),
        Some(Target::Guide) => include_str!("guide.md").to_owned(),
        Some(Target::Tool(tool, arguments)) => {
            let tool = catalog::find(tool).expect("templates name tools");
            run::run(tool, http, settings, &arguments)
                .map_err(|error| match error {
                    Error::NotFound(text) => no_resource(uri, text),
                    other => invalid(other.text().to_owned()),
                })
                .map(|output| markdown::output(&output))?
        }
    };
    Ok(resources::contents(uri, &text).to_string())
}

pub fn list_prompts(cursor: Option<&str>) -> RpcResult {
    first_page(cursor, prompts::list())
}

pub fn get_prompt(name: &str, arguments: &str) -> RpcResult {
    match prompts::get(name, arguments) {
        None => Err(invalid(format!("No prompt {name:?}."))),
        Some(Err(error)) => Err(invalid(error.text().to_owned())),
        Some(Ok(prompt)) => Ok(prompt.to_string()),
    }
}

pub fn complete(http: &dyn Http, params: &str) -> RpcResult {
    let params: Value = serde_json::from_str(params)
        .map_err(|_| invalid("The params of a completion must be a JSON object.".to_owned()))?;
    let text = |pointer: &str| params.pointer(pointer).and_then(Value::as_str);
    let (Some(argument), Some(typed)) = (text("/argument/name"), text("/argument/value")) else {
        return Err(invalid(
            "A completion needs argument.name and argument.value.".to_owned(),
        ));
    };
    let values = match (text("/ref/type"), text("/ref/name"), text("/ref/uri")) {
        (Some("ref/prompt"), Some(prompt), _) => match prompts::param(prompt, argument) {
            Some(param) => completion::values(http, param, typed),
            None => return Err(invalid(format!("No argument {argument:?} of a prompt {prompt:?}."))),
        },
        // Ids are not typed by hand.
        (Some("ref/resource"), _, Some(uri)) if resources::is_template(uri) => completion::none(),
        _ => {
            return Err(invalid(
                "A completion needs a ref to a prompt or a resource template of this server.".to_owned(),
            ));
        }
    };
    Ok(values.to_string())
}
