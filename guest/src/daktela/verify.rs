//! Verification of filters: rows are compared with the conditions of their query, since a build may pass over a condition
//! without a word, and what it then sends would be told as fact.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    observations::root,
    query::{Filter, Query},
    reads::is_root_filled,
};
use crate::{text, value};

/// What rows say of the conditions of their query.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The fields of conditions that some row contradicts.
    pub(crate) ignored: Vec<String>,
    /// For each row whether it contradicts none.
    pub(crate) fits: Vec<bool>,
}

/// Compares rows with the conditions of their query. What a row does not say is taken to fit.
pub(crate) fn verify(query: &Query, rows: &[Value]) -> Verdict {
    let mut verdict = Verdict {
        ignored: Vec::new(),
        fits: vec![true; rows.len()],
    };
    for filter in &query.filters {
        let held: Vec<Option<bool>> = rows.iter().map(|row| holds(filter, row, query, rows)).collect();
        // How a database compares letters is not known in all cases; a condition of patterns that finds anything works.
        if !held.contains(&Some(false)) || (has_pattern(filter) && held.contains(&Some(true))) {
            continue;
        }
        for (fits, held) in verdict.fits.iter_mut().zip(held) {
            *fits &= held != Some(false);
        }
        name_fields(filter, &mut verdict.ignored);
    }
    verdict
}

/// Whether no record can match: a condition asks for one of nothing. Some builds refuse it, to others it is no condition.
pub(crate) fn is_impossible(query: &Query) -> bool {
    let of_nothing = |filter: &Filter| matches!(filter, Filter::Is { operator: "in", values, .. } if values.is_empty());
    query.filters.iter().any(of_nothing)
}

fn name_fields(filter: &Filter, out: &mut Vec<String>) {
    match filter {
        Filter::Is { field, .. } if !out.contains(field) => out.push(field.clone()),
        Filter::Is { .. } => {}
        Filter::Any(filters) | Filter::All(filters) => filters.iter().for_each(|filter| name_fields(filter, out)),
    }
}

fn has_pattern(filter: &Filter) -> bool {
    match filter {
        Filter::Is { operator, .. } => matches!(*operator, "like" | "contains" | "startswith" | "endswith"),
        Filter::Any(filters) | Filter::All(filters) => filters.iter().any(has_pattern),
    }
}

/// Whether a row fulfils a condition; `None` where it does not say.
fn holds(filter: &Filter, row: &Value, query: &Query, rows: &[Value]) -> Option<bool> {
    match filter {
        Filter::Any(filters) => {
            let held: Vec<Option<bool>> = filters.iter().map(|filter| holds(filter, row, query, rows)).collect();
            match held.contains(&Some(true)) {
                true => Some(true),
                false if held.contains(&None) => None,
                false => Some(false),
            }
        }
        Filter::All(filters) => {
            let held: Vec<Option<bool>> = filters.iter().map(|filter| holds(filter, row, query, rows)).collect();
            match held.contains(&Some(false)) {
                true => Some(false),
                false if held.contains(&None) => None,
                false => Some(true),
            }
        }
        Filter::Is {
            field,
            operator,
            values,
        } => {
            row.get(root(field))?;
            let found: Vec<String> = value::all(row, field).into_iter().filter_map(value::name_of).collect();
            let held = match *operator {
                "isnull" => return Some(!is_root_filled(row, field)),
                _ if found.is_empty() => {
                    let asks_for_nothing = *operator == "eq" && values.iter().all(String::is_empty);
                    return if asks_for_nothing {
                        Some(true)
                    } else {
                        is_null(field, row, query, rows)
                    };
                }
                "eq" | "in" => found
                    .iter()
                    .any(|found| values.iter().any(|wanted| equals(found, wanted))),
                "gte" => order(&found, values)?.is_some_and(Ordering::is_ge),
                "lte" => order(&found, values)?.is_some_and(Ordering::is_le),
                "like" => found
                    .iter()
                    .any(|found| values.iter().any(|pattern| like(found, pattern))),
                "contains" => found
                    .iter()
                    .any(|found| values.iter().any(|part| text::fold(found).contains(&text::fold(part)))),
                "startswith" => found.iter().any(|found| {
                    values
                        .iter()
                        .any(|part| text::fold(found).starts_with(&text::fold(part)))
                }),
                "endswith" => found
                    .iter()
                    .any(|found| values.iter().any(|part| text::fold(found).ends_with(&text::fold(part)))),
                _ => return None,
            };
            // Numbers in custom fields are written in many ways, and Daktela may know them all.
            (held || root(field) != "customFields").then_some(held)
        }
    }
}

/// An empty related record contradicts a condition where related records come at all; other empty fields say nothing.
fn is_null(field: &str, row: &Value, query: &Query, rows: &[Value]) -> Option<bool> {
    let picks: Vec<&String> = query.fields.iter().filter(|pick| pick.contains('.')).collect();
    let is_related = picks.iter().any(|pick| root(pick) == root(field)) && !is_root_filled(row, field);
    let come = picks
        .iter()
        .any(|pick| rows.iter().any(|row| is_root_filled(row, pick)));
    (is_related && come).then_some(false)
}

/// As databases compare: without case and accents, numbers by value, flags in every form.
fn equals(found: &str, wanted: &str) -> bool {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let flag = |text: &str| value::yes_no(&Value::String(text.to_owned()));
    text::fold(found.trim()) == text::fold(wanted.trim())
        || number(found).is_some_and(|found| number(wanted) == Some(found))
        || (matches!(wanted, "0" | "1") && flag(found) == flag(wanted))
}

/// Times by their text, as far as both go; numbers by value. `None` where they cannot be compared.
fn order(found: &[String], wanted: &[String]) -> Option<Option<Ordering>> {
    let (found, wanted) = (found.first()?, wanted.first()?);
    if let (Ok(found), Ok(wanted)) = (found.parse::<f64>(), wanted.parse::<f64>()) {
        return Some(found.partial_cmp(&wanted));
    }
    let time = |text: &str| {
        let is_time = text.len() >= 10 && text.is_ascii() && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
        is_time.then(|| text.replace('T', " "))
    };
    let (found, wanted) = (time(found)?, time(wanted)?);
    let both = found.len().min(wanted.len()).min(19);
    Some(Some(found[..both].cmp(&wanted[..both])))
}

/// SQL's LIKE without escapes: `%` is any run of characters, `_` one.
fn like(found: &str, pattern: &str) -> bool {
    let letters = |text: &str| text::fold(text).chars().collect::<Vec<char>>();
    let (found, pattern) = (letters(found), letters(pattern));
    let begins = |text: &[char], part: &[char]| {
        text.len() >= part.len() && text.iter().zip(part).all(|(c, wanted)| *wanted == '_' || c == wanted)
    };
    let mut parts = pattern.split(|c| *c == '%');
    let first = parts.next().unwrap_or_default();
    if !begins(&found, first) {
        return false;
    }
    let mut rest = &found[first.len()..];
    let mut last: Option<&[char]> = None;
    for part in parts {
        if let Some(middle) = last.replace(part) {
            match (0..=rest.len()).find(|at| begins(&rest[*at..], middle)) {
                Some(at) => rest = &rest[at + middle.len()..],
                None => return false,
            }
        }
    }
    match last {
        None => rest.is_empty(),
        Some(last) => rest.len() >= last.len() && begins(&rest[rest.len() - last.len()..], last),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn ignored(filter: Filter, rows: Value) -> Vec<String> {
        let query = Query::new("tickets", 9)
            .fields(&["name", "stage", "user.name", "queue.name", "created"])
            .filter(filter);
        verify(&query, rows.as_array().expect("rows")).ignored
    }

    #[test]
    fn a_row_that_contradicts_a_condition_tells_that_it_is_ignored() {
        for (filter, rows) in [
            (
                Filter::eq("stage", "OPEN"),
                json!([{"stage": "OPEN"}, {"stage": "CLOSE"}]),
            ),
            (Filter::eq("user", "jan"), json!([{"user": {"name": "eva"}}])),
            (Filter::eq("user", "jan"), json!([{"user": null, "queue": {"name": 1}}])),
            (Filter::eq("statuses", "a"), json!([{"statuses": [{"name": "b"}]}])),
            (Filter::eq("answered", "1"), json!([{"answered": false}])),
            (
                Filter::new("created", "gte", "2030-01-01 00:00:00"),
                json!([{"created": "2026-11-20 10:00:00"}]),
            ),
            (
                Filter::new("created", "lte", "2026-11-20 09:59:59"),
                json!([{"created": "2026-11-20T10:00:00"}]),
            ),
            (
                Filter::one_of("name", vec!["1".into(), "2".into()]),
                json!([{"name": 3}]),
            ),
            (Filter::is_null("id_merge"), json!([{"id_merge": {"name": 7}}])),
            (Filter::contains("title", "kolo"), json!([{"title": "Brzda"}])),
            (
                Filter::Any(vec![Filter::eq("clid", "1"), Filter::eq("did", "1")]),
                json!([{"clid": "2", "did": "3"}]),
            ),
        ] {
            assert!(!ignored(filter.clone(), rows.clone()).is_empty(), "{filter:?} {rows}");
        }
    }

    #[test]
    fn what_fits_or_does_not_say_is_kept() {
        for (filter, rows) in [
            (Filter::eq("title", "Jan Novák"), json!([{"title": "JAN NOVAK "}])),
            (
                Filter::eq("user", "jan"),
                json!([{"user": "jan"}, {"user": {"name": "Jan"}}, {"name": 1}]),
            ),
            (Filter::eq("queue", "5"), json!([{"queue": {"name": 5}}, {"name": 1}])),
            (
                Filter::eq("answered", "0"),
                json!([{"answered": "NO"}, {"answered": null}]),
            ),
            (Filter::eq("type", ""), json!([{"type": ""}, {"type": null}])),
            (
                Filter::new("created", "gte", "2026-11-20"),
                json!([{"created": "2026-11-20 00:00:00"}]),
            ),
            (
                Filter::is_null("id_merge"),
                json!([{"id_merge": null}, {"id_merge": {"name": null}}]),
            ),
            // Where no related record comes, none tells anything.
            (Filter::eq("user", "jan"), json!([{"user": null, "queue": null}])),
            // A pattern that finds anything is not ignored, whatever the database takes for the same letter.
            (
                Filter::contains("title", "kolo"),
                json!([{"title": "Kolo"}, {"title": "K0lo"}]),
            ),
            (Filter::new("clid", "like", "%123"), json!([{"clid": "+420123"}])),
            (
                Filter::eq("customFields.number", "+420 777"),
                json!([{"customFields": {"number": ["00420777"]}}]),
            ),
        ] {
            assert_eq!(ignored(filter.clone(), rows), [""; 0], "{filter:?}");
        }
    }

    #[test]
    fn a_pattern_is_anchored_where_it_has_no_percent_sign() {
        assert!(like("abcabd", "%ab%d") && like("abc", "abc") && like("abc", "a%") && like("abc", "%"));
        assert!(like("záruka", "%z_r%") && like("abc", "a_c") && !like("abc", "_bcd") && !like("abc", "a_"));
        assert!(!like("abc", "ab") && !like("abc", "%b") && !like("aba", "ab%ba"));
    }
}
