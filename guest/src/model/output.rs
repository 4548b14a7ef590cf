//! Results of tools, before they are rendered.

use serde_json::{Value, json};

/// What a tool answers.
#[derive(Debug, PartialEq)]
pub struct Output {
    pub text: String,
    /// The ids of the first record, for programs that want to read on.
    pub first_record: Option<Value>,
}

impl Output {
    pub fn text(text: impl Into<String>) -> Self {
        Output {
            text: text.into(),
            first_record: None,
        }
    }

    /// The CallToolResult of MCP.
    pub fn to_json(&self) -> Value {
        let mut out = json!({"content": [{"type": "text", "text": self.text}], "isError": false});
        if let Some(first) = &self.first_record {
            out["_meta"] = json!({"daktela/first": first});
        }
        out
    }
}

/// A long text in full, and how much of it shows unless something else is asked for.
pub struct Text {
    pub label: String,
    pub body: String,
    pub chars: usize,
    /// What was left out of it, e.g. quoted mail.
    pub note: Option<String>,
}

/// What belongs to a record beside its fields: more facts, remarks, and a long text.
#[derive(Default)]
pub struct Related {
    pub facts: Vec<(String, String)>,
    pub lines: Vec<String>,
    pub text: Option<Text>,
}

impl Related {
    /// Why there is nothing to show.
    pub fn remark(line: impl Into<String>) -> Self {
        Related {
            lines: vec![line.into()],
            ..Related::default()
        }
    }

    /// What was said, line by line; `remark` where nothing was.
    pub fn conversation(label: &str, lines: &[String], remark: &str) -> Self {
        if lines.is_empty() {
            return Related::remark(remark);
        }
        let text = Text {
            label: label.to_owned(),
            body: lines.join("\n"),
            chars: usize::MAX,
            note: None,
        };
        Related {
            text: Some(text),
            ..Related::default()
        }
    }
}
