//! The smallest component of our world: one tool with one argument. `docs/writing-components.md` walks through it.

use bindings::exports::daktela::mcp::server::{Guest, RpcError};
use serde_json::{Value, json};

#[expect(unsafe_code, reason = "generated from wit/")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin", generate_all });

    export!(Hello with_types_in self);

    use super::Hello;
}

struct Hello;

const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;

fn error(code: i32, message: &str) -> RpcError {
    RpcError {
        code,
        message: message.to_owned(),
        data: None,
    }
}

fn text(text: &str, is_error: bool) -> String {
    json!({"content": [{"type": "text", "text": text}], "isError": is_error}).to_string()
}

impl Guest for Hello {
    fn describe() -> String {
        json!({
            "serverInfo": {"name": "hello", "version": "0.1.0"},
            "instructions": "Greets people.",
            "capabilities": {"tools": {}},
        })
        .to_string()
    }

    fn list_tools(cursor: Option<String>) -> Result<String, RpcError> {
        if cursor.is_some() {
            return Err(error(INVALID_PARAMS, "There is one page only."));
        }
        let schema = json!({
            "type": "object",
            "properties": {"name": {"type": "string", "description": "Whom to greet."}},
            "required": ["name"],
        });
        let tool = json!({
            "name": "hello",
            "description": "Greets somebody by name.",
            "inputSchema": schema,
            "annotations": {"readOnlyHint": true},
        });
        Ok(json!({"tools": [tool]}).to_string())
    }

    fn call_tool(name: String, arguments: String, _context: String) -> Result<String, RpcError> {
        if name != "hello" {
            return Err(error(INVALID_PARAMS, &format!("Unknown tool {name:?}.")));
        }
        let arguments: Value =
            serde_json::from_str(&arguments).map_err(|broken| error(INVALID_PARAMS, &broken.to_string()))?;
        Ok(match arguments["name"].as_str() {
            Some(name) => text(&format!("Hello, {name}!"), false),
            None => text("name is missing: say whom to greet, as text.", true),
        })
    }

    // The rest is for what `describe` does not claim; our host does not ask for it.

    fn list_resources(_cursor: Option<String>) -> Result<String, RpcError> {
        Err(error(METHOD_NOT_FOUND, "There are no resources."))
    }

    fn list_resource_templates(_cursor: Option<String>) -> Result<String, RpcError> {
        Err(error(METHOD_NOT_FOUND, "There are no resources."))
    }

    fn read_resource(_uri: String, _context: String) -> Result<String, RpcError> {
        Err(error(METHOD_NOT_FOUND, "There are no resources."))
    }

    fn list_prompts(_cursor: Option<String>) -> Result<String, RpcError> {
        Err(error(METHOD_NOT_FOUND, "There are no prompts."))
    }

    fn get_prompt(_name: String, _arguments: String, _context: String) -> Result<String, RpcError> {
        Err(error(METHOD_NOT_FOUND, "There are no prompts."))
    }

    fn complete(_params: String) -> Result<String, RpcError> {
        Err(error(METHOD_NOT_FOUND, "There is nothing to complete."))
    }
}
