//! Completion of arguments: of prompts by the names that the instance knows, or by what an enumeration allows.

use serde_json::{Value, json};

use crate::{
    daktela::{
        client::Client,
        hints::Hints,
        http::Http,
        query::{Filter, Query, TAKE_MAX},
    },
    model::param::{Kind, Param},
    render::markdown,
    text, value,
};

/// MCP allows no more values in one answer.
const VALUES_MAX: usize = 100;

/// Longer than Daktela's titles (255).
const VALUE_CHARS: usize = 300;

/// The CompleteResult for what was typed so far. Where the instance cannot be asked there is nothing to offer: a
/// completion is help with typing, not an answer.
pub fn values(http: &dyn Http, param: &Param, typed: &str) -> Value {
    let wanted = text::fold(typed);
    let known: Vec<String> = match param.kind {
        Kind::OneOf(values) => values.iter().map(|value| (*value).to_owned()).collect(),
        Kind::Named(source) => {
            let query = Query::new(source.endpoint, TAKE_MAX)
                .fields(&["name", "title"])
                .reference_data(source.small);
            // What is many is searched by the instance, so that the page holds what is wanted.
            let query = if source.small || typed.is_empty() {
                query
            } else {
                query.filter(Filter::contains("title", typed))
            };
            let hints = Hints::default();
            let client = Client::new(http, &hints);
            let page = if source.small {
                client.read_all(&query)
            } else {
                client.read_page(&query)
            };
            let rows = page.map(|page| page.rows).unwrap_or_default();
            rows.iter()
                .filter_map(|row| value::text_at(row, "title").or_else(|| value::text_at(row, "name")))
                .map(|title| markdown::inline(&title, VALUE_CHARS))
                .collect()
        }
        Kind::Text
        | Kind::Id
        | Kind::TicketNumber
        | Kind::Flag { .. }
        | Kind::YesNo
        | Kind::Number { .. }
        | Kind::Date(_) => Vec::new(),
    };
    let matching: Vec<&String> = known
        .iter()
        .filter(|value| text::fold(value).contains(&wanted))
        .collect();
    result(&matching)
}

pub fn none() -> Value {
    result(&[])
}

fn result(matching: &[&String]) -> Value {
    let shown = &matching[..matching.len().min(VALUES_MAX)];
    json!({"completion": {"values": shown, "total": matching.len(), "hasMore": matching.len() > shown.len()}})
}
