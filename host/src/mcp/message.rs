//! One message of JSON-RPC, or what there is to say of bytes that are none.

use rmcp::model::ClientJsonRpcMessage;
use serde_json::{Value, json};

/// JSON-RPC's own numbers.
pub(crate) const PARSE_ERROR: i32 = -32700;
pub(crate) const INVALID_REQUEST: i32 = -32600;

#[derive(Debug, PartialEq)]
pub(crate) struct Unreadable {
    pub(crate) code: i32,
    pub(crate) message: String,
    /// Null where the sender named none that could be repeated.
    pub(crate) id: Value,
    /// Nobody waits for an answer.
    pub(crate) is_notification: bool,
}

impl Unreadable {
    pub(crate) fn new(code: i32, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            id: Value::Null,
            is_notification: false,
        }
    }

    pub(crate) fn answer(&self) -> Value {
        error(self.code, &self.message, &self.id)
    }
}

/// rmcp leaves out an id that is null, which JSON-RPC wants to be there.
pub(crate) fn error(code: i32, message: &str, id: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

pub(crate) fn read(bytes: &[u8]) -> Result<ClientJsonRpcMessage, Unreadable> {
    serde_json::from_slice(bytes).map_err(|_| match serde_json::from_slice::<Value>(bytes) {
        Err(_) => Unreadable::new(PARSE_ERROR, "The message is not JSON."),
        Ok(Value::Array(_)) => Unreadable::new(INVALID_REQUEST, "One message at a time: MCP has no batches."),
        Ok(other) => Unreadable {
            id: id(&other),
            is_notification: other.get("id").is_none() && other.get("method").is_some_and(Value::is_string),
            ..Unreadable::new(INVALID_REQUEST, "The message is none of JSON-RPC 2.0.")
        },
    })
}

fn id(message: &Value) -> Value {
    match message.get("id") {
        Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
        _ => Value::Null,
    }
}
