//! Lists by what Daktela neither filters nor sorts by: of all records that meet its own conditions the few fields are read that
//! the test and the order need, and then the page by its ids.

use std::cmp::Ordering;

use serde_json::Value;

use super::{
    filters::{Conditions, refuse_ignored, time_of, with_evidence},
    scan::{Scanned, Scanner},
};
use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Direction, Filter, Query},
    },
    model::{context::Context, entity::Entity, filter::FilterParam, measure::Measure},
    sort, text, value,
};

/// How many ids one filter names at most, so that the request line stays within what servers take (8 KB).
const IDS_PER_QUERY: usize = 40;

/// A record that matches: by what it is ordered, its place in Daktela's order, its id.
type Found = (Option<f64>, u64, String);

/// The page of a query after its computed conditions, in the order of a measure where one is given. Notes say how it was found.
pub(super) fn page(
    context: &Context,
    entity: &Entity,
    filters: &[FilterParam],
    conditions: &mut Conditions,
    by: Option<(&Measure, Direction)>,
    query: &Query,
) -> Result<Page, Error> {
    let wanted = query.skip.saturating_add(query.take);
    let keep = usize::try_from(wanted).unwrap_or(usize::MAX);
    let mut found: Vec<Found> = Vec::new();
    let mut matching = 0;
    let (scanned, scanner) = scan(
        context,
        entity,
        filters,
        conditions,
        by,
        query,
        &mut |measured, place, row| {
            matching += 1;
            found.push((measured, place, value::text_at(row, entity.key).unwrap_or_default()));
            // What cannot be on the page is forgotten now and then.
            if found.len() / 2 > keep.saturating_add(500) {
                order(&mut found, by.map(|(_, direction)| direction));
                found.truncate(keep);
            }
        },
    )?;
    order(&mut found, by.map(|(_, direction)| direction));
    let ids: Vec<String> = found
        .into_iter()
        .skip(usize::try_from(query.skip).unwrap_or(usize::MAX))
        .take(usize::try_from(query.take).unwrap_or(usize::MAX))
        .map(|(.., id)| id)
        .collect();
    let queries: Vec<Query> = ids
        .chunks(IDS_PER_QUERY)
        .map(|ids| Query {
            filters: vec![Filter::one_of(entity.key, ids.to_vec())],
            sort: Vec::new(),
            skip: 0,
            take: ids.len() as u64,
            fields: with_key(entity, &query.fields),
            ..query.clone()
        })
        .collect();
    let mut rows: Vec<Value> = Vec::new();
    for page in context.client.read_pages(&queries) {
        rows.extend(page?.rows);
    }
    let place = |row: &Value| {
        let id = value::text_at(row, entity.key);
        ids.iter().position(|known| Some(known) == id.as_ref())
    };
    sort::sort_by_key(&mut rows, |row| place(row).unwrap_or(usize::MAX));
    note(&scanner, &scanned, entity, conditions);
    Ok(Page {
        rows,
        total: Some(matching),
        ..Page::default()
    })
}

/// How many records meet all conditions, the computed ones too.
pub(super) fn count(
    context: &Context,
    entity: &Entity,
    filters: &[FilterParam],
    conditions: &mut Conditions,
    query: &Query,
) -> Result<u64, Error> {
    let mut matching = 0;
    let (scanned, scanner) = scan(context, entity, filters, conditions, None, query, &mut |_, _, _| {
        matching += 1
    })?;
    note(&scanner, &scanned, entity, conditions);
    Ok(matching)
}

/// Fields with the one that names a record, by which the page is put into its order.
fn with_key(entity: &Entity, fields: &[String]) -> Vec<String> {
    let key = (!fields.iter().any(|field| field == entity.key)).then(|| entity.key.to_owned());
    key.into_iter().chain(fields.iter().cloned()).collect()
}

/// Reads what is needed of all records, and hands over those that pass with what they are ordered by.
fn scan<'a>(
    context: &'a Context<'a>,
    entity: &Entity,
    filters: &[FilterParam],
    conditions: &Conditions,
    by: Option<(&Measure, Direction)>,
    query: &Query,
    found: &mut dyn FnMut(Option<f64>, u64, &Value),
) -> Result<(Scanned, Scanner<'a>), Error> {
    let time = time_of(filters);
    let mut sort = match by {
        Some(_) => Vec::new(),
        None => query.sort.clone(),
    };
    if sort.is_empty() {
        sort.extend(time.map(|time| (time.to_owned(), Direction::Ascending)));
    }
    if !sort.iter().any(|(field, _)| field == entity.key) {
        sort.push((entity.key.to_owned(), Direction::Ascending));
    }
    let is_by_date = sort.first().map(|(field, direction)| (field.as_str(), *direction))
        == time.map(|time| (time, Direction::Ascending));
    let mut fields = vec![entity.key.to_owned()];
    let picks = conditions.tests.iter().flat_map(|(test, _)| test.picks);
    let measured = by.iter().flat_map(|(measure, _)| measure.picks);
    for pick in picks.chain(measured).copied().chain(time) {
        if !fields.iter().any(|field| field == pick) {
            fields.push(pick.to_owned());
        }
    }
    let query = Query {
        sort,
        fields: with_evidence(entity, fields, &query.filters),
        ..query.clone()
    };
    let mut scanner = Scanner::new(context);
    let first = scanner.first(&query)?;
    refuse_ignored(entity, &first.page)?;
    let clock = scanner.clock();
    conditions.check(&clock)?;
    let scanned = scanner.rest(first, time.filter(|_| is_by_date), &mut |place, row| {
        if conditions.passes(row, &clock) {
            found(by.and_then(|(measure, _)| measure.of(row, &clock)), place, row);
        }
    })?;
    Ok((scanned, scanner))
}

fn order(found: &mut Vec<Found>, direction: Option<Direction>) {
    sort::sort_by(found, |(a, place, _), (b, other, _)| {
        let by_measure = match (a, b) {
            // What has no value stands last in both directions.
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) if direction == Some(Direction::Ascending) => a.total_cmp(b),
            (Some(a), Some(b)) => b.total_cmp(a),
        };
        by_measure.then(place.cmp(other))
    });
}

fn note(scanner: &Scanner, scanned: &Scanned, entity: &Entity, conditions: &mut Conditions) {
    conditions.notes.push(format!(
        "Daktela has no such filter or order: {} were looked through in {}.",
        text::count(scanner.rows, entity.singular, entity.plural),
        text::count(scanner.requests, "request", "requests")
    ));
    conditions
        .notes
        .extend(scanner.left_out(scanned, entity.plural, scanned.until.is_some()));
    conditions.notes.extend(Scanner::changed(scanned));
}
