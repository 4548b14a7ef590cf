//! Tool schemas: name, title, description, JSON Schema of the arguments and hints, as MCP shows them.

use serde_json::{Map, Value, json};

use crate::{
    model::param::{Kind, Param},
    model::tool::Tool,
};

/// The Tool object of MCP.
pub fn tool(tool: &Tool) -> Value {
    let params = tool.params();
    let properties: Map<String, Value> = params
        .iter()
        .map(|param| (param.name.to_owned(), property(param)))
        .collect();
    let mut schema = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if let Some(required) = tool.required() {
        schema["required"] = json!([required]);
    }
    let mut out = json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.description,
        "inputSchema": schema,
        "annotations": {
            "title": tool.title,
            "readOnlyHint": true,
            "destructiveHint": false,
            "idempotentHint": true,
            // What the records hold was written by people outside.
            "openWorldHint": true,
        },
    });
    if let (Some(example), Some(argument)) = (&tool.example, tool.required()) {
        out["_meta"] = json!({"daktela/example": {"argument": argument, "tool": example.tool, "key": example.key}});
    }
    out
}

/// What a caller has to know of an argument. Bounds that nobody meets by accident are left out, since a catalogue is read before each
/// conversation; a call beyond them is told what they are.
fn property(param: &Param) -> Value {
    let mut out = match param.kind {
        Kind::OneOf(values) if !param.is_prose => json!({"type": "string", "enum": values}),
        Kind::Text | Kind::Id | Kind::TicketNumber | Kind::Named(_) | Kind::Date(_) | Kind::OneOf(_) => {
            json!({"type": "string"})
        }
        Kind::Flag { default: true } => json!({"type": "boolean", "default": true}),
        Kind::Flag { default: false } | Kind::YesNo => json!({"type": "boolean"}),
        Kind::Number {
            default: Some(default),
            max,
            ..
        } if max <= BOUND_MAX => json!({"type": "integer", "maximum": max, "default": default}),
        Kind::Number { .. } => json!({"type": "integer"}),
    };
    out["description"] = json!(param.description);
    out
}

/// The largest bound that a caller may well ask beyond: the size of a page.
const BOUND_MAX: u64 = 1_000;

#[cfg(test)]
mod tests {
    use crate::catalog;

    use super::*;

    #[test]
    fn choices_that_a_schema_does_not_list_are_in_the_description() {
        for param in catalog::tools().flat_map(Tool::params) {
            let Kind::OneOf(values) = param.kind else { continue };
            let refers = param.description.contains("as group_by");
            assert!(
                !param.is_prose || refers || values.iter().all(|value| param.description.contains(value)),
                "{}: {}",
                param.name,
                param.description
            );
        }
    }
}
