//! Records of a page: rows with all that belongs to them, ready to be rendered.

use serde_json::Value;

use super::{custom_fields, facts::Reader};
use crate::{
    model::{
        args::Args,
        context::Context,
        custom_field::CustomFieldSchema,
        entity::{CustomFields, Entity, TEXT},
        field::{Detail, Format},
        output::{Record, Related},
        param,
    },
    render::markdown,
};

/// For how many records what belongs to them is read at once; a page of default size takes two rounds.
const ENRICHED_AT_ONCE: usize = 25;

/// Rows ready to print, with all that belongs to them. Where that takes requests of its own, it is read for a few
/// records at a time, and no further than the answer has room: fewer records may come back than rows.
pub(crate) fn records(context: &Context, entity: &Entity, args: &Args, detail: Detail, rows: &[Value]) -> Vec<Record> {
    let only = args.texts(&param::FIELDS);
    let Some(enrich) = entity.enrich.filter(|_| only.is_empty() || only.contains(&TEXT)) else {
        return records_with(context, entity, args, detail, rows, Vec::new());
    };
    let room = args.budget(context.settings.max_answer_bytes).bytes;
    let mut records = Vec::new();
    let mut size = 0;
    for rows in rows.chunks(ENRICHED_AT_ONCE) {
        let new = records_with(context, entity, args, detail, rows, enrich(context, entity, args, rows));
        size += markdown::size_in_list(&new);
        records.extend(new);
        if size > room {
            break;
        }
    }
    records
}

/// The same with what belongs to them, read before.
pub(crate) fn records_with(
    context: &Context,
    entity: &Entity,
    args: &Args,
    detail: Detail,
    rows: &[Value],
    related: Vec<Related>,
) -> Vec<Record> {
    let schema = if entity.custom_fields != CustomFields::No {
        let schema = custom_fields::schema(context, entity, rows);
        custom_fields::note_undefined(context, entity, rows, &schema);
        schema
    } else {
        CustomFieldSchema::new()
    };
    let reader = Reader {
        settings: context.settings,
        schema: &schema,
        detail,
        full_mail: args.flag(&param::FULL_MAIL),
        only: args.texts(&param::FIELDS),
    };
    let mut related = related.into_iter();
    rows.iter()
        .map(|row| reader.record(entity, row, related.next().unwrap_or_default()))
        .collect()
}

/// Which flags of these rows are not known, where Daktela does not send them: as facts they show only when they are set.
pub(crate) fn unknown_flags(entity: &Entity, detail: Detail, asked: &[String], rows: &[Value]) -> Option<String> {
    let came = |path: &str| rows.iter().any(|row| row.get(path).is_some());
    let flags = entity
        .fields_at(detail)
        .filter(|spec| matches!(spec.format, Format::OnlyYes) && asked.iter().any(|field| field == spec.path));
    let unknown: Vec<&str> = flags.filter(|spec| !came(spec.path)).map(|spec| spec.label).collect();
    (!rows.is_empty() && !unknown.is_empty()).then(|| {
        format!(
            "Not known, since this Daktela does not send it: {}.",
            unknown.join(", ")
        )
    })
}

/// What could not be read, and what Daktela remarked on its answers, as data.
pub(crate) fn warnings(context: &Context) -> Vec<String> {
    let remarks = context.client.warnings();
    let remarks = remarks
        .iter()
        .map(|warning| format!("Daktela remarks: {}", markdown::inline(warning, 300)));
    context.client.missing().into_iter().chain(remarks).collect()
}
