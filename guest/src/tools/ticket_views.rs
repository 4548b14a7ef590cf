//! Saved views of tickets: their conditions and order as text.

use serde_json::Value;

use crate::{model::output::FactValue, value};

/// Nesting beyond this is left out; no view that people make is so deep.
const DEPTH_MAX: usize = 5;

/// The conditions of a view: `stage eq OPEN and (user eq jan or user isnull)`.
pub(crate) fn conditions(view: &Value) -> Option<FactValue> {
    let filter = match view.get("filter")? {
        // Stored as the text of an object.
        Value::String(text) => &serde_json::from_str(text).ok()?,
        filter => filter,
    };
    group(filter, 0).map(FactValue::Text)
}

fn group(filter: &Value, depth: usize) -> Option<String> {
    let filters = match filter {
        Value::Array(filters) => filters,
        Value::Object(map) => match map.get("filters").and_then(Value::as_array) {
            Some(filters) => filters,
            None => return condition(filter),
        },
        _ => return None,
    };
    if depth > DEPTH_MAX {
        return Some("…".to_owned());
    }
    let parts: Vec<String> = filters.iter().filter_map(|filter| group(filter, depth + 1)).collect();
    let logic = value::text_at(filter, "logic").unwrap_or_else(|| "and".to_owned());
    let joined = parts.join(&format!(" {logic} "));
    match parts.len() {
        0 => None,
        1 => Some(joined),
        _ if depth > 0 => Some(format!("({joined})")),
        _ => Some(joined),
    }
}

fn condition(filter: &Value) -> Option<String> {
    let values: Vec<String> = value::all(filter, "value")
        .into_iter()
        .filter_map(value::text)
        .collect();
    let parts = [
        value::text_at(filter, "field"),
        value::text_at(filter, "operator"),
        (!values.is_empty()).then(|| values.join(", ")),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (parts.len() > 1).then(|| parts.join(" "))
}

/// The order of a view: `edited desc`.
pub(crate) fn order(view: &Value) -> Option<FactValue> {
    let sort = view.get("sort")?;
    let each = |by: &Value| {
        let field = value::text_at(by, "field")?;
        let direction = value::text_at(by, "dir").unwrap_or_else(|| "asc".to_owned());
        Some(format!("{field} {direction}"))
    };
    let by: Vec<String> = match sort {
        Value::Array(by) => by.iter().filter_map(each).collect(),
        by => each(by).into_iter().collect(),
    };
    (!by.is_empty()).then(|| FactValue::Text(by.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn conditions_read_as_they_are_written() {
        let filter = json!({"logic": "and", "filters": [
            {"field": "stage", "operator": "in", "value": ["OPEN", "WAIT"]},
            {"logic": "or", "filters": [
                {"field": "user", "operator": "eq", "value": "jan"},
                {"field": "user", "operator": "isnull"},
            ]},
        ]});
        let text = FactValue::Text("stage in OPEN, WAIT and (user eq jan or user isnull)".to_owned());
        assert_eq!(conditions(&json!({"filter": filter})), Some(text.clone()));
        assert_eq!(conditions(&json!({"filter": filter.to_string()})), Some(text));
        assert_eq!(conditions(&json!({"filter": []})), None);
        assert_eq!(conditions(&json!({"filter": null})), None);
        assert_eq!(
            order(&json!({"sort": [{"field": "edited", "dir": "desc"}, {"field": "name"}]})),
            Some(FactValue::Text("edited desc, name asc".to_owned()))
        );
    }
}
