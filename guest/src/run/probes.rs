//! Probes: whether an instance heeds the conditions and orders of a list, and by which way contacts are found by number.
//!
//! Only a diagnosis asks for them: they tell nothing about records, and read a dozen pages of one row each. Results are wire
//! names and words of this program, for `_meta` under `daktela/probes`:
//!
//! | `probe` | members | `result` |
//! |---|---|---|
//! | `filter` | `model`, `field`, `operator`, `total` with the condition and `of` without | `works`, `ignored`, `refused`, `no_right`, `failed`, `unclear` |
//! | `sort` | `model`, `field`, `direction`, `of` | `works`, `empties`, `refused`, `no_right`, `failed` |
//! | `phone` | `model` | `by_pattern`, `by_equality`, `in_full_text`, `not_found`, `no_number`, `failed` |

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::contact_points::{self, Wanted};
use crate::{
    daktela::{
        client::Page,
        error::Error,
        observations::Mend,
        query::{Direction, Filter, Query},
    },
    model::{
        context::Context,
        custom_field,
        entity::CustomFields,
        filter::FilterOp,
        list::List,
        tool::{Run, Tool},
    },
    value,
};

/// A value that no field has.
const NOTHING: &str = "mcp_daktela_0000000000000";

/// How many contacts are looked at for a phone number.
const CONTACTS: u64 = 20;

/// What the probes of a tool's list showed; none where the tool is no list, or the list is empty.
pub(crate) fn probe(context: &Context, tool: &Tool) -> Vec<Value> {
    let Run::List(list) = &tool.run else {
        return Vec::new();
    };
    let base = Query::new(list.entity.endpoint, 1)
        .fields(&[list.entity.key])
        .reference_data(list.entity.is_reference_data);
    let of = match context.client.read_plain(std::slice::from_ref(&base)).pop() {
        Some(Ok(page)) if !page.rows.is_empty() => page.total,
        _ => return Vec::new(),
    };
    let filters = filters(list);
    let sorts = sorts(list);
    let queries: Vec<Query> = filters
        .iter()
        .map(|(_, _, filter)| base.clone().filter(filter.clone()))
        .chain(
            sorts
                .iter()
                .map(|(field, direction)| base.clone().sort(field, *direction)),
        )
        .collect();
    let mut pages = context.client.read_plain(&queries).into_iter();
    let model = list.entity.endpoint;
    let mut out = Vec::new();
    for ((field, operator, _), page) in filters.iter().zip(&mut pages) {
        let result = failure(&page).unwrap_or(match (&page, of) {
            (Ok(page), _) if page.rows.is_empty() => "works",
            (Ok(page), Some(_)) if page.total == of => "ignored",
            (Ok(_), None) => "ignored",
            _ => "unclear",
        });
        let total = page.ok().and_then(|page| page.total);
        out.push(json!({
            "probe": "filter", "model": model, "field": field, "operator": operator, "total": total, "of": of,
            "result": result,
        }));
    }
    for ((field, direction), page) in sorts.iter().zip(pages) {
        let result = failure(&page).unwrap_or(match &page {
            Ok(page) if page.rows.is_empty() => "empties",
            _ => "works",
        });
        let direction = match direction {
            Direction::Ascending => "asc",
            Direction::Descending => "desc",
        };
        out.push(json!({
            "probe": "sort", "model": model, "field": field, "direction": direction, "of": of, "result": result,
        }));
    }
    if list.entity.custom_fields == CustomFields::ContactPoints {
        out.push(json!({"probe": "phone", "model": model, "result": phone(context, list)}));
    }
    out
}

/// A word for a read that failed.
fn failure(page: &Result<Page, Error>) -> Option<&'static str> {
    page.as_ref().err().map(|error| match error {
        Error::Refused(_) => "refused",
        Error::NoRight(_) => "no_right",
        _ => "failed",
    })
}

/// A condition that nothing meets for each filter that is one on a field: field, operator, condition.
fn filters(list: &List) -> Vec<(&'static str, &'static str, Filter)> {
    let mut seen = BTreeSet::new();
    let conditions = list.filters.iter().filter_map(|filter| {
        Some(match filter.how {
            FilterOp::Eq(field) => (field, "eq", NOTHING),
            FilterOp::Contains(field) => (field, "contains", NOTHING),
            FilterOp::From(field) => (field, "gte", "2999-01-01 00:00:00"),
            FilterOp::Until(field) => (field, "lte", "1970-01-02 00:00:00"),
            FilterOp::YesNo(field) => (field, "eq", "2"),
            FilterOp::OnlyNull { .. } | FilterOp::When { .. } | FilterOp::Computed(_) | FilterOp::Custom(_) => {
                return None;
            }
        })
    });
    conditions
        .filter(|(field, operator, _)| seen.insert((*field, *operator)))
        .map(|(field, operator, value)| match operator {
            "contains" => (field, operator, Filter::contains(field, value)),
            _ => (field, operator, Filter::new(field, operator, value)),
        })
        .collect()
}

fn sorts(list: &List) -> Vec<(&'static str, Direction)> {
    let default = list.sort.map(|(field, _)| field);
    let fields: BTreeSet<&'static str> = list.entity.sort.iter().copied().chain(default).collect();
    let both = |field| [Direction::Ascending, Direction::Descending].map(|direction| (field, direction));
    fields.into_iter().flat_map(both).collect()
}

/// By which way a contact is found whose number is known.
fn phone(context: &Context, list: &List) -> &'static str {
    let query = Query::new(list.entity.endpoint, CONTACTS).fields(&[list.entity.key, "customFields"]);
    let rows = context
        .client
        .read_page(&query)
        .map(|page| page.rows)
        .unwrap_or_default();
    let texts = |value: &Value| -> Vec<String> {
        match value {
            Value::Array(items) => items.iter().filter_map(value::text).collect(),
            other => value::text(other).into_iter().collect(),
        }
    };
    let mut numbers = rows.iter().filter_map(|row| {
        let name = value::text_at(row, list.entity.key)?;
        let mut wanted = custom_field::fields_of(row)
            .flat_map(|(_, value)| texts(value))
            .filter_map(|text| contact_points::wanted(&text));
        Some((name, wanted.find(|wanted| matches!(wanted, Wanted::Number(_)))?))
    });
    let Some((name, wanted)) = numbers.next() else {
        return "no_number";
    };
    let before = context.client.observed().mended;
    match contact_points::find(context, &wanted) {
        Err(_) => "failed",
        Ok(search) if !search.found.iter().any(|found| found.name == name) => "not_found",
        Ok(_) => {
            let after = context.client.observed().mended;
            let used = |mend: Mend| {
                after
                    .iter()
                    .any(|one| one.mend == mend && one.found && !before.contains(one))
            };
            if used(Mend::FullTextSearch) {
                "in_full_text"
            } else if used(Mend::EqualSpellings) {
                "by_equality"
            } else {
                "by_pattern"
            }
        }
    }
}
