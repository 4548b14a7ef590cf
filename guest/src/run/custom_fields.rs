//! Custom-field labels: reads the schema of the custom fields that rows use.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    daktela::query::{Filter, Query},
    model::{
        context::Context,
        custom_field::{self, CustomFieldSchema, EMAIL, PHONE},
        entity::{CustomFields, Entity},
    },
    render::markdown::inline,
    value,
};

/// Records that are read for the definitions of custom fields: one for each form in use, and pages mix few forms.
const SCHEME_RECORDS_MAX: usize = 20;
/// The same where only whole records show them, which are large.
const WHOLE_RECORDS_MAX: usize = 3;

/// The definitions of the custom fields that these rows use. A projected row comes without them, so they are read
/// from as few records as show all the keys in use: one, in most cases.
pub(crate) fn schema(context: &Context, entity: &Entity, rows: &[Value]) -> CustomFieldSchema {
    let mut scheme: CustomFieldSchema = rows.iter().flat_map(custom_field::schema_of).collect();
    let mut open: Vec<&str> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for row in rows {
        let Some(fields) = row.get("customFields").and_then(Value::as_object) else {
            continue;
        };
        let used: Vec<&str> = fields
            .iter()
            .filter(|(_, v)| value::is_filled(v))
            .map(|(k, _)| k.as_str())
            .collect();
        if used.iter().any(|key| !scheme.contains_key(*key) && !open.contains(key)) && names.len() < SCHEME_RECORDS_MAX
        {
            // A record's scheme holds the whole form, so its empty fields are covered as well.
            open.extend(fields.keys().map(String::as_str));
            names.extend(value::text_at(row, entity.key));
        }
    }
    if names.is_empty() {
        return scheme;
    }
    let query = Query::new(entity.endpoint, names.len() as u64)
        .fields(&[entity.key, "_sys"])
        .filter(Filter::one_of(entity.key, names.clone()));
    let before = scheme.len();
    let projected = context.client.read_page(&query);
    scheme.extend(
        projected
            .iter()
            .flat_map(|page| &page.rows)
            .flat_map(custom_field::schema_of),
    );
    if scheme.len() == before {
        // Builds that drop the definitions from every projection show them on the whole record.
        let names: Vec<&str> = names.iter().take(WHOLE_RECORDS_MAX).map(String::as_str).collect();
        let whole = context.client.read_records(entity.endpoint, &names, &[]);
        scheme.extend(whole.iter().flatten().flat_map(custom_field::schema_of));
    }
    if let Err(error) = projected
        && scheme.len() == before
    {
        context.client.note_partial("Custom fields are missing", &error);
    }
    scheme
}

/// How many keys a note names.
const NAMED_MAX: usize = 10;

/// Notes which custom fields of these rows do not show, since nobody knows whether Daktela hides them from people.
pub(crate) fn note_undefined(context: &Context, entity: &Entity, rows: &[Value], schema: &CustomFieldSchema) {
    let is_shown = |key: &str| {
        let is_point = [PHONE, EMAIL].iter().any(|point| point.is(key, schema));
        (entity.custom_fields == CustomFields::ContactPoints && is_point)
            || schema.get(key).is_some_and(|field| field.hidden.is_some())
    };
    let filled = rows
        .iter()
        .flat_map(custom_field::fields_of)
        .filter(|(_, values)| value::is_filled(values));
    let keys: BTreeSet<&str> = filled
        .map(|(key, _)| key.as_str())
        .filter(|key| !is_shown(key))
        .collect();
    if keys.is_empty() {
        return;
    }
    let named: Vec<String> = keys.iter().take(NAMED_MAX).map(|key| inline(key, KEY_CHARS)).collect();
    let more = keys.len() - named.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    context.client.note(&format!(
        "Custom fields of which this Daktela does not say whether it hides them do not show: {}{more}.",
        named.join(", ")
    ));
}

/// A key is a word.
const KEY_CHARS: usize = 60;
