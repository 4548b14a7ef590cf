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

fn property(param: &Param) -> Value {
    let mut out = match param.kind {
        Kind::Text | Kind::Id | Kind::TicketNumber | Kind::Named(_) | Kind::Date(_) => json!({"type": "string"}),
        Kind::OneOf(values) => json!({"type": "string", "enum": values}),
        Kind::Flag { default } => json!({"type": "boolean", "default": default}),
        Kind::YesNo => json!({"type": "boolean"}),
        Kind::Number { default, min, max } => {
            let mut out = json!({"type": "integer", "minimum": min, "maximum": max});
            if let Some(default) = default {
                out["default"] = json!(default);
            }
            out
        }
    };
    if param.many {
        out = json!({"anyOf": [out.clone(), {"type": "array", "items": out}]});
    }
    out["description"] = json!(param.description);
    out
}
