//! The envelope around every answer, and the refusals, whose bodies are as uneven as the real ones: 400 has JSON in one of
//! four shapes, while 401, 403 and 404 have no body at all.

use serde_json::{Value, json};

use crate::quirks::{DataShape, Quirks, Refusals, Total};

/// The moment at which the sample company stands still.
pub const NOW: &str = "2026-11-20 16:30:00";

#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) error: Value,
}

pub(crate) fn bad<T>(error: Value) -> Result<T, Refusal> {
    Err(Refusal { status: 400, error })
}

pub(crate) fn status<T>(status: u16) -> Result<T, Refusal> {
    Err(Refusal {
        status,
        error: Value::Null,
    })
}

pub(crate) struct Page {
    /// Name and JSON; as text, since a page of whole records is large enough without the tree.
    pub(crate) rows: Vec<(String, String)>,
    pub(crate) total: Option<usize>,
}

pub(crate) fn list(page: Page, quirks: &Quirks) -> String {
    let mut data = String::new();
    let by_name = quirks.data == DataShape::ByName && !page.rows.is_empty();
    for (name, row) in &page.rows {
        if !data.is_empty() {
            data.push(',');
        }
        if by_name {
            data.push_str(&format!("{}:", json!(name)));
        }
        data.push_str(row);
    }
    let (open, close) = if by_name { ('{', '}') } else { ('[', ']') };
    let total = match (page.total, quirks.total) {
        (None, _) | (_, Total::Absent) => String::new(),
        (Some(total), Total::Integer) => format!(r#","total":{total}"#),
        (Some(total), Total::Text) => format!(r#","total":"{total}""#),
        (_, Total::Null) => r#","total":null"#.to_owned(),
    };
    envelope(&json!([]), &format!(r#"{{"data":{open}{data}{close}{total}}}"#), quirks)
}

pub(crate) fn single(result: &Value, quirks: &Quirks) -> String {
    envelope(&json!([]), &result.to_string(), quirks)
}

/// `(status, body)`; an empty body where the real one is empty.
pub(crate) fn refusal(refusal: &Refusal, quirks: &Quirks) -> (u16, String) {
    let words = match refusal.status {
        404 => json!("Object not found"),
        403 => json!({"form": {"right": "You have no permission to read this"}}),
        _ => refusal.error.clone(),
    };
    match (refusal.status, quirks.refusals) {
        (400 | 403 | 404, Refusals::With200) => (200, envelope(&words, "null", quirks)),
        (400, _) | (404, Refusals::NotFoundInWords) | (403, Refusals::RightsInWords) => {
            (400, envelope(&words, "null", quirks))
        }
        (other, _) => (other, String::new()),
    }
}

fn envelope(error: &Value, result: &str, quirks: &Quirks) -> String {
    let zone = json!(quirks.time_zone);
    match quirks.server_time {
        true => {
            format!(r#"{{"error":{error},"result":{result},"_serverTime":"{NOW}","_time":"{NOW}","_timezone":{zone}}}"#)
        }
        // Recordings of 2021 and 2022 have `_time` alone.
        false => format!(r#"{{"error":{error},"result":{result},"_time":"{NOW}"}}"#),
    }
}
