//! Repair of arguments that are not a JSON object: some proxies and models send the object as a text, and PHP writes an
//! empty one as `[]`.

use rmcp::model::{ClientJsonRpcMessage, ClientRequest, JsonRpcMessage};
use serde_json::{Map, Value};

/// The message with its arguments as an object, where they are the text of one. Any other message is returned as it is.
pub(crate) fn repair(message: ClientJsonRpcMessage) -> ClientJsonRpcMessage {
    repaired(&message).unwrap_or(message)
}

/// rmcp takes a request whose parameters have another shape for one of an unknown method.
fn repaired(message: &ClientJsonRpcMessage) -> Option<ClientJsonRpcMessage> {
    let JsonRpcMessage::Request(request) = message else {
        return None;
    };
    let ClientRequest::CustomRequest(custom) = &request.request else {
        return None;
    };
    if !matches!(custom.method.as_str(), "tools/call" | "prompts/get") {
        return None;
    }
    let mut whole = serde_json::to_value(message).ok()?;
    let arguments = whole.pointer_mut("/params/arguments")?;
    *arguments = Value::Object(object(arguments)?);
    serde_json::from_value(whole).ok()
}

fn object(arguments: &Value) -> Option<Map<String, Value>> {
    match arguments {
        Value::Array(none) if none.is_empty() => Some(Map::new()),
        Value::String(text) if text.trim().is_empty() => Some(Map::new()),
        Value::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn arguments(given: Value) -> Option<Value> {
        let message = json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "count_things", "arguments": given}});
        let message = repair(serde_json::from_value(message).expect("a request"));
        let message = serde_json::to_value(message).expect("JSON");
        assert_eq!(message["id"], 7);
        message.pointer("/params/arguments").cloned()
    }

    #[test]
    fn an_object_as_a_text_is_read() {
        assert_eq!(arguments(json!("{\"stage\":\"OPEN\"}")), Some(json!({"stage": "OPEN"})));
        assert_eq!(arguments(json!({"stage": "OPEN"})), Some(json!({"stage": "OPEN"})));
        for none in [json!([]), json!(""), json!("{}")] {
            assert_eq!(arguments(none.clone()), Some(json!({})), "{none}");
        }
        for other in [json!("OPEN"), json!([1]), json!(7)] {
            assert_eq!(arguments(other.clone()), Some(other));
        }
    }
}
