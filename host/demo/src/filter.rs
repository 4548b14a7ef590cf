//! Filters in the three spellings that the server takes, and what their operators mean.
//!
//! Where no source says how SQL shows through, the stricter reading is taken: `eq` minds case and accents, and nothing
//! but `isnull` matches what is null.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::{
    query_string,
    quirks::{DottedFilters, Quirks},
    reply::{Refusal, bad},
    schema::{CHANNELS, Kind, Model},
    store::{Reader, Record},
    value::text,
};

pub(crate) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Leaf {
        field: String,
        operator: Operator,
        values: Vec<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Operator {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Like,
    NotLike,
    Contains,
    DoesNotContain,
    StartsWith,
    EndsWith,
    In,
    NotIn,
    IsNull,
    IsNotNull,
    Between,
}

const OPERATORS: [(&str, Operator); 17] = [
    ("eq", Operator::Eq),
    ("neq", Operator::Neq),
    ("lt", Operator::Lt),
    ("lte", Operator::Lte),
    ("gt", Operator::Gt),
    ("gte", Operator::Gte),
    ("like", Operator::Like),
    ("notlike", Operator::NotLike),
    ("contains", Operator::Contains),
    ("doesnotcontain", Operator::DoesNotContain),
    ("startswith", Operator::StartsWith),
    ("endswith", Operator::EndsWith),
    ("in", Operator::In),
    ("notin", Operator::NotIn),
    ("isnull", Operator::IsNull),
    ("isnotnull", Operator::IsNotNull),
    ("between", Operator::Between),
];

impl Operator {
    pub(crate) fn name(self) -> &'static str {
        OPERATORS
            .iter()
            .find(|(_, operator)| *operator == self)
            .expect("every operator is listed")
            .0
    }
}

pub(crate) fn parse(given: Option<&Value>, quirks: &Quirks) -> Result<Option<Node>, Refusal> {
    let Some(given) = given else { return Ok(None) };
    match given.as_object() {
        Some(map) if map.contains_key("field") => leaf(map).map(Some),
        Some(map) if map.contains_key("filters") => group(map, quirks).map(Some),
        _ => {
            let leaves = query_string::list(given).unwrap_or_default();
            if leaves.is_empty() {
                return bad(json!(["Wrong filter"]));
            }
            let nodes: Result<_, _> = leaves
                .iter()
                .map(|entry| entry.as_object().map_or(bad(json!(["Wrong filter"])), leaf))
                .collect();
            Ok(Some(Node::All(nodes?)))
        }
    }
}

fn group(map: &Map<String, Value>, quirks: &Quirks) -> Result<Node, Refusal> {
    if map.keys().any(|key| key != "logic" && key != "filters") {
        return bad(json!(["Wrong filter"]));
    }
    let entries = map
        .get("filters")
        .and_then(query_string::list)
        .filter(|entries| !entries.is_empty());
    let Some(entries) = entries else {
        return bad(json!(["Wrong filter"]));
    };
    let nodes: Result<Vec<_>, _> = entries
        .into_iter()
        .map(|entry| match entry.as_object() {
            Some(map) if map.contains_key("field") => leaf(map),
            Some(map) if map.contains_key("filters") => group(map, quirks),
            _ => bad(json!(["Wrong filter"])),
        })
        .collect();
    match map.get("logic").map_or(Some("and"), Value::as_str) {
        Some("and") => Ok(Node::All(nodes?)),
        Some("or") if quirks.or_groups => Ok(Node::Any(nodes?)),
        _ => bad(json!("Unknown logic")),
    }
}

fn leaf(map: &Map<String, Value>) -> Result<Node, Refusal> {
    const KEYS: [&str; 5] = ["field", "operator", "value", "ignoreCase", "type"];
    let operator = map.get("operator").and_then(Value::as_str).unwrap_or_default();
    let Some((_, operator)) = OPERATORS.iter().find(|(name, _)| *name == operator) else {
        return bad(json!(format!("Unknown operator {operator}")));
    };
    let values = match map.get("value") {
        None => Vec::new(),
        Some(Value::String(value)) => vec![value.clone()],
        Some(list) => {
            let values = query_string::list(list)
                .and_then(|list| list.into_iter().map(|v| v.as_str().map(str::to_owned)).collect());
            values.map_or(bad(json!(["Wrong filter"])), Ok::<Vec<String>, _>)?
        }
    };
    let is_list = map.get("value").is_some_and(Value::is_object);
    let fits = match operator {
        Operator::In | Operator::NotIn => is_list && !values.is_empty(),
        Operator::Between => is_list && values.len() == 2,
        Operator::IsNull | Operator::IsNotNull => {
            !is_list && values.iter().all(|value| value.is_empty() || value == "true")
        }
        _ => !is_list && values.len() == 1,
    };
    let field = map.get("field").and_then(Value::as_str).unwrap_or_default();
    if !fits || field.is_empty() || map.keys().any(|key| !KEYS.contains(&key.as_str())) {
        return bad(json!([format!("Wrong filter of {field}")]));
    }
    Ok(Node::Leaf {
        field: field.to_owned(),
        operator: *operator,
        values,
    })
}

/// A stored filter with its lists as a query string has them: maps from numbers.
fn as_in_a_query(filter: &Value) -> Value {
    match filter {
        Value::Array(items) => {
            let items = items.iter().enumerate();
            Value::Object(items.map(|(at, item)| (at.to_string(), as_in_a_query(item))).collect())
        }
        Value::Object(map) => Value::Object(
            map.iter()
                .map(|(key, value)| (key.clone(), as_in_a_query(value)))
                .collect(),
        ),
        scalar => scalar.clone(),
    }
}

/// Filters tickets by a saved view. No field: records do not show it.
const VIEW: &str = "_ticketView";

impl Node {
    /// The same with the conditions of each saved view in place of its name.
    pub(crate) fn with_views(self, reader: &Reader<'_>, model: &Model) -> Result<Node, Refusal> {
        let each = |nodes: Vec<Node>| -> Result<Vec<Node>, Refusal> {
            nodes.into_iter().map(|node| node.with_views(reader, model)).collect()
        };
        match self {
            Node::All(nodes) => Ok(Node::All(each(nodes)?)),
            Node::Any(nodes) => Ok(Node::Any(each(nodes)?)),
            Node::Leaf { field, values, .. } if field == VIEW && model.name == "tickets" => {
                let views = values.iter().map(|name| {
                    let Some(view) = reader.store.get("ticketsViews", &json!(name)) else {
                        return bad(json!(["Object not exist"]));
                    };
                    let filter = as_in_a_query(&view["filter"]);
                    let filter = parse(Some(&filter).filter(|filter| !filter.is_null()), reader.quirks)?;
                    Ok(filter.unwrap_or(Node::All(Vec::new())))
                });
                Ok(Node::Any(views.collect::<Result<_, _>>()?))
            }
            leaf => Ok(leaf),
        }
    }

    /// Refuses what this model, or this build, does not understand.
    pub(crate) fn check(&self, reader: &Reader<'_>, model: &Model) -> Result<(), Refusal> {
        match self {
            Node::All(nodes) | Node::Any(nodes) => nodes.iter().try_for_each(|node| node.check(reader, model)),
            Node::Leaf { field, operator, .. } => {
                let list_of_calls = model.name == "activitiesCallTranscripts" && *operator == Operator::In;
                let refused = !reader.knows(model, field)
                    || (crosses(field) && reader.quirks.dotted_filters == DottedFilters::Refused)
                    || (list_of_calls && !reader.quirks.transcripts_in);
                if refused {
                    bad(json!([format!("Unknown field {field}")]))
                } else {
                    Ok(())
                }
            }
        }
    }

    /// A condition that has to hold and names related records, or the record itself: which field, and which names.
    pub(crate) fn anchor<'n>(
        &'n self,
        reader: &Reader<'_>,
        model: &'static Model,
    ) -> Option<(&'static str, &'n [String])> {
        match self {
            Node::All(nodes) => nodes.iter().find_map(|node| node.anchor(reader, model)),
            Node::Leaf {
                field,
                operator: Operator::Eq | Operator::In,
                values,
            } if !reader.quirks.ignores(model.name, field) => {
                let mut field = reader.field(model, field)?;
                if let Kind::Path(other) = field.kind {
                    field = reader.field(model, other)?;
                }
                let leads = matches!(field.kind, Kind::One(_) | Kind::Many(_)) || field.name == model.key;
                leads.then_some((field.name, values.as_slice()))
            }
            _ => None,
        }
    }

    pub(crate) fn matches(&self, reader: &Reader<'_>, model: &Model, row: &Record) -> bool {
        match self {
            Node::All(nodes) => nodes.iter().all(|node| node.matches(reader, model, row)),
            Node::Any(nodes) => nodes.iter().any(|node| node.matches(reader, model, row)),
            Node::Leaf {
                field,
                operator,
                values,
            } => {
                let quirks = reader.quirks;
                if quirks.ignores(model.name, field) {
                    return true;
                }
                let nothing = (!quirks.back_references && leads_back(model, field))
                    || (!quirks.transcripts_by_activity && model.name == "activitiesCallTranscripts")
                    || (!quirks.custom_field_patterns
                        && field.starts_with("customFields.")
                        && *operator == Operator::Like);
                if nothing {
                    return false;
                }
                match quirks.dotted_filters {
                    DottedFilters::MatchNothing if crosses(field) => return false,
                    DottedFilters::Ignored if crosses(field) => return true,
                    _ => {}
                }
                let mut found = reader.reach(model, row, field);
                found.retain(|value| !value.is_null());
                match operator {
                    Operator::IsNull => found.is_empty(),
                    Operator::IsNotNull => !found.is_empty(),
                    _ => found.iter().any(|value| holds(*operator, value, values)),
                }
            }
        }
    }
}

/// Whether a path leads from a channel record to its activities.
fn leads_back(model: &Model, field: &str) -> bool {
    let head = field.split('.').next().unwrap_or_default();
    CHANNELS.iter().any(|(_, channel)| *channel == model.name) && matches!(head, "activities" | "activity" | "ticket")
}

/// Whether a path goes through a relation. Custom fields belong to the record itself, and every build filters on them.
fn crosses(field: &str) -> bool {
    field.contains('.') && !field.starts_with("customFields.")
}

fn holds(operator: Operator, value: &Value, wanted: &[String]) -> bool {
    let first = wanted.first().map_or("", String::as_str);
    let text = || text(value).to_lowercase();
    match operator {
        Operator::Eq => equals(value, first),
        Operator::Neq => !equals(value, first),
        Operator::In => wanted.iter().any(|wanted| equals(value, wanted)),
        Operator::NotIn => !wanted.iter().any(|wanted| equals(value, wanted)),
        Operator::Lt => compare(value, first) == Some(Ordering::Less),
        Operator::Lte => compare(value, first).is_some_and(Ordering::is_le),
        Operator::Gt => compare(value, first) == Some(Ordering::Greater),
        Operator::Gte => compare(value, first).is_some_and(Ordering::is_ge),
        Operator::Between => {
            compare(value, first).is_some_and(Ordering::is_ge)
                && compare(value, &wanted[1]).is_some_and(Ordering::is_le)
        }
        Operator::Like => like(&text(), &first.to_lowercase()),
        Operator::NotLike => !like(&text(), &first.to_lowercase()),
        Operator::Contains => text().contains(&first.to_lowercase()),
        Operator::DoesNotContain => !text().contains(&first.to_lowercase()),
        Operator::StartsWith => text().starts_with(&first.to_lowercase()),
        Operator::EndsWith => text().ends_with(&first.to_lowercase()),
        Operator::IsNull | Operator::IsNotNull => unreachable!("asked of the whole field"),
    }
}

fn equals(value: &Value, wanted: &str) -> bool {
    match (value, wanted) {
        (Value::Bool(value), "1" | "true") => *value,
        (Value::Bool(value), "0" | "false") => !*value,
        (Value::String(value), _) => *value == midnight(value, wanted),
        _ => text(value) == wanted,
    }
}

fn compare(value: &Value, wanted: &str) -> Option<Ordering> {
    let text = text(value);
    match (text.parse::<f64>(), wanted.parse::<f64>()) {
        (Ok(value), Ok(wanted)) => value.partial_cmp(&wanted),
        _ if value.is_string() => Some(text.as_str().cmp(&midnight(&text, wanted))),
        _ => None,
    }
}

/// A bare date beside a time is its midnight.
fn midnight(value: &str, wanted: &str) -> String {
    let is_time = value.len() == 19 && value.as_bytes()[10] == b' ' && value.as_bytes()[4] == b'-';
    if is_time && wanted.len() == 10 {
        format!("{wanted} 00:00:00")
    } else {
        wanted.to_owned()
    }
}

/// SQL's LIKE: `%` is any run, `_` one character, `\` takes the next as it is.
fn like(text: &str, pattern: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('%') => {
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.into_iter().any(|at| like(&text[at..], rest.as_str()))
        }
        Some('_') => next(text).is_some_and(|(_, text)| like(text, rest.as_str())),
        Some('\\') if !rest.as_str().is_empty() => {
            let literal = rest.next();
            next(text).is_some_and(|(c, text)| Some(c) == literal && like(text, rest.as_str()))
        }
        Some(literal) => next(text).is_some_and(|(c, text)| c == literal && like(text, rest.as_str())),
    }
}

fn next(text: &str) -> Option<(char, &str)> {
    let mut chars = text.chars();
    chars.next().map(|first| (first, chars.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn like_is_the_one_of_sql() {
        for (text, pattern, wanted) in [
            ("baterie", "baterie", true),
            ("baterie", "bat", false),
            ("baterie", "bat%", true),
            ("baterie", "%ter%", true),
            ("baterie", "_aterie", true),
            ("100 %", "100 \\%", true),
            ("100 km", "100 \\%", false),
            ("", "%", true),
        ] {
            assert_eq!(like(text, pattern), wanted, "{text} like {pattern}");
        }
    }
}
