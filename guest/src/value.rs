//! Reading Daktela's JSON leniently: builds differ in types, and an empty map arrives as an empty list.

use std::cmp::Ordering;

use serde_json::Value;

/// The values at a dotted path. A list on the way is walked through, so `activities.ticket.name` finds the names of all
/// tickets.
pub fn all<'a>(record: &'a Value, path: &str) -> Vec<&'a Value> {
    let mut found = Vec::new();
    walk(record, path, &mut found);
    found
}

fn walk<'a>(value: &'a Value, path: &str, found: &mut Vec<&'a Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, path, found)),
        Value::Object(map) => {
            if let Some(value) = map.get(path) {
                match value {
                    Value::Null => {}
                    Value::Array(items) => found.extend(items.iter().filter(|item| !item.is_null())),
                    value => found.push(value),
                }
            } else if let Some((head, rest)) = path.split_once('.')
                && let Some(value) = map.get(head)
            {
                walk(value, rest, found);
            }
        }
        // Some builds name a related record where others embed it.
        Value::String(_) if matches!(path, "name" | "id_call") => found.push(value),
        _ => {}
    }
}

/// The first value at a dotted path.
pub fn first<'a>(record: &'a Value, path: &str) -> Option<&'a Value> {
    all(record, path).into_iter().next()
}

/// How a database writes that there is no date.
const NO_DATE: [&str; 2] = ["0000-00-00", "0000-00-00 00:00:00"];

/// The text of a scalar; `None` for nothing, for an empty text or date and for a structure.
pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.trim().is_empty() || NO_DATE.contains(&text.as_str()) => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(if *flag { "yes" } else { "no" }.to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text at a path.
pub fn text_at(record: &Value, path: &str) -> Option<String> {
    first(record, path).and_then(text)
}

/// A whole or broken number, also one written as text.
pub fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok().filter(|n: &f64| n.is_finite()),
        _ => None,
    }
}

/// Three-valued: what is empty or unknown is neither yes nor no.
pub fn yes_no(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(_) => number(value).map(|n| n != 0.0),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" => Some(true),
            "0" | "false" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// Whether a flag is set. For flags that say nothing while they are off.
pub fn only_yes(record: &Value, path: &str) -> bool {
    first(record, path).and_then(yes_no) == Some(true)
}

/// The order of two values of one field: nothing first, numbers by size, the rest as text.
pub fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a.and_then(number), b.and_then(number)) {
        (Some(a), Some(b)) => a.total_cmp(&b),
        _ => a.and_then(text).cmp(&b.and_then(text)),
    }
}

/// Whether there is anything to show in a value: a list of nulls is as empty as none, and so is an object of them.
pub fn is_filled(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_filled),
        Value::Object(map) => map.values().any(is_filled),
        scalar => text(scalar).is_some(),
    }
}

/// The name of a related record: of an object its `name` (a call's is `id_call`), of a scalar itself.
pub fn name_of(related: &Value) -> Option<String> {
    match related {
        Value::Object(_) => text_at(related, "name").or_else(|| text_at(related, "id_call")),
        scalar => text(scalar),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_path_goes_through_objects_and_lists() {
        let record = json!({"a": [{"t": null}, {"t": {"n": 1}}, {"t": {"n": 2}}], "user": {"title": "Jan"}, "tags": ["x", null, "y"]});
        assert_eq!(all(&record, "a.t.n"), [&json!(1), &json!(2)]);
        assert_eq!(text_at(&record, "user.title").as_deref(), Some("Jan"));
        assert_eq!(all(&record, "tags"), [&json!("x"), &json!("y")]);
        assert_eq!(first(&record, "a.x"), None);
        // A related record that is only named.
        assert_eq!(text_at(&record, "tags.name").as_deref(), Some("x"));
        assert_eq!(text_at(&record, "tags.title"), None);
    }

    #[test]
    fn the_database_s_way_to_write_no_date_is_no_date() {
        assert_eq!(text(&json!("0000-00-00 00:00:00")), None);
        assert!(!is_filled(&json!("0000-00-00")));
    }

    #[test]
    fn flags_have_three_values() {
        for (value, expected) in [
            (json!(true), Some(true)),
            (json!(1), Some(true)),
            (json!("1"), Some(true)),
            (json!("YES"), Some(true)),
            (json!(0), Some(false)),
            (json!("0"), Some(false)),
            (json!("NO"), Some(false)),
            (json!(""), None),
            (json!(null), None),
            (json!([]), None),
        ] {
            assert_eq!(yes_no(&value), expected, "{value}");
        }
    }

    #[test]
    fn the_name_of_a_related_record_is_found_in_every_shape() {
        assert_eq!(name_of(&json!({"name": 5000, "title": "x"})).as_deref(), Some("5000"));
        assert_eq!(name_of(&json!("jan")).as_deref(), Some("jan"));
        assert_eq!(name_of(&json!({"title": "x"})), None);
        assert_eq!(name_of(&json!([])), None);
    }
}
