//! Parser of JSON-RPC messages, with a limit on their number of values.

use daktela_protocol::{
    BATCH_MAX, BATCH_REVISION,
    code::{INVALID_REQUEST, PARSE_ERROR},
    json,
};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

use super::arguments;

/// Arguments have a dozen values, a long list of ids some hundred. Read, values take up to forty times the room that they
/// take as text.
const VALUES_MAX: usize = 5_000;

#[derive(Debug, PartialEq)]
pub(crate) struct InvalidMessage {
    pub(crate) code: i32,
    pub(crate) message: String,
    /// Null where the sender named none that could be repeated.
    pub(crate) id: Value,
    /// Nobody waits for an answer.
    pub(crate) is_notification: bool,
}

impl InvalidMessage {
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
    serde_json::json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})
}

/// What a client sends at once.
#[derive(Debug)]
pub(crate) enum Parsed {
    One(Box<ClientJsonRpcMessage>),
    /// Messages and, in their places, errors for those that are none.
    Batch(Vec<Result<ClientJsonRpcMessage, InvalidMessage>>),
}

/// Parses one message or a batch. Broken characters have to be repaired before ([`json::repair`]).
pub(crate) fn parse(bytes: &[u8]) -> Result<Parsed, InvalidMessage> {
    if count_values(bytes) > VALUES_MAX {
        return Err(too_many_values(bytes));
    }
    if let Ok(message) = serde_json::from_slice(bytes) {
        return Ok(Parsed::One(Box::new(arguments::repair(message))));
    }
    match serde_json::from_slice(bytes) {
        Err(_) => Err(InvalidMessage {
            id: json::find_id(bytes).unwrap_or_default(),
            ..InvalidMessage::new(PARSE_ERROR, "The message is not JSON.")
        }),
        Ok(Value::Array(messages)) if messages.len() <= BATCH_MAX => {
            Ok(Parsed::Batch(messages.into_iter().map(parse_value).collect()))
        }
        Ok(Value::Array(_)) => Err(batch_size()),
        Ok(other) => Err(not_a_message(&other)),
    }
}

/// Refuses a batch that is empty or too long.
pub(crate) fn batch_size() -> InvalidMessage {
    InvalidMessage::new(
        INVALID_REQUEST,
        format!("A batch has between 1 and {BATCH_MAX} messages."),
    )
}

/// Refuses a batch where the revision of the protocol has none.
pub(crate) fn no_batches() -> InvalidMessage {
    InvalidMessage::new(
        INVALID_REQUEST,
        format!("One message at a time: only revision {BATCH_REVISION} of MCP has batches."),
    )
}

fn parse_value(value: Value) -> Result<ClientJsonRpcMessage, InvalidMessage> {
    let invalid = not_a_message(&value);
    match serde_json::from_value(value) {
        Ok(JsonRpcMessage::Request(request)) if matches!(request.request, ClientRequest::InitializeRequest(_)) => {
            Err(InvalidMessage {
                message: "initialize is sent by itself, before any batch.".to_owned(),
                ..invalid
            })
        }
        Ok(message) => Ok(arguments::repair(message)),
        Err(_) => Err(invalid),
    }
}

fn not_a_message(value: &Value) -> InvalidMessage {
    InvalidMessage {
        id: id(value.get("id")),
        is_notification: value.get("id").is_none() && value.get("method").is_some_and(Value::is_string),
        ..InvalidMessage::new(INVALID_REQUEST, "The message is none of JSON-RPC 2.0.")
    }
}

/// How many values there are in JSON, keys aside, without making any of them: one before each comma, and one in each bracket.
fn count_values(bytes: &[u8]) -> usize {
    let (mut count, mut in_text, mut escaped) = (1, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b',' | b'[' | b'{' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

fn too_many_values(bytes: &[u8]) -> InvalidMessage {
    /// Who asks, and not what for: that is passed over.
    #[derive(Deserialize)]
    struct Head {
        id: Option<Value>,
        method: Option<IgnoredAny>,
    }
    let message = format!("A message has at most {VALUES_MAX} values; ask for less at once.");
    let invalid = InvalidMessage::new(INVALID_REQUEST, message);
    match serde_json::from_slice::<Head>(bytes) {
        Ok(head) => InvalidMessage {
            id: id(head.id.as_ref()),
            is_notification: head.id.is_none() && head.method.is_some(),
            ..invalid
        },
        Err(_) => invalid,
    }
}

fn id(given: Option<&Value>) -> Value {
    match given {
        Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_texts_are_one() {
        for (json, expected) in [
            ("7", 1),
            ("[]", 2),
            ("[1]", 2),
            (r#"{"a":1,"b":[2,3]}"#, 5),
            (r#""a, [b], {c}""#, 1),
            (r#"["\"[,", "\\", 1]"#, 4),
        ] {
            assert_eq!(count_values(json.as_bytes()), expected, "{json}");
        }
    }
}
