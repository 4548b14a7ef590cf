//! Counts of what belongs to a record elsewhere, e.g. the tickets of a contact.

use serde_json::Value;

use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Filter, Query},
    },
    model::{context::Context, entity::Entity, output::Related},
    text, value,
};

/// How many records are compared with the condition of a count.
const EVIDENCE: u64 = 5;

/// What belongs to a record elsewhere, counted: a label, the model and the field that points back at the record. The
/// label ends with the tool that shows more.
pub(crate) type Belongings = [(&'static str, &'static str, &'static str)];

/// One line for each of the belongings of each record.
pub(crate) fn counted(context: &Context, entity: &Entity, rows: &[Value], belongings: &Belongings) -> Vec<Related> {
    let part = |row: &Value| {
        let name = value::text_at(row, entity.key).unwrap_or_default();
        let query = |field: &str, model: &str| {
            Query::new(model, EVIDENCE)
                .fields(&["name", &format!("{field}.name")])
                .filter(Filter::eq(field, name.as_str()))
        };
        let queries: Vec<Query> = belongings.iter().map(|(_, model, field)| query(field, model)).collect();
        let count = |((label, ..), page): (&(&str, &str, &str), Result<Page, Error>)| match page {
            Ok(Page { total: Some(total), .. }) => vec![format!("{label}: {}", text::thousands(total))],
            Ok(page) if !page.ignored.is_empty() => {
                vec![format!("{label}: not known, since this Daktela does not filter by it")]
            }
            Ok(_) => vec![format!("{label}: the instance gives no number")],
            Err(error) => error.remark(label),
        };
        Related {
            remarks: belongings
                .iter()
                .zip(context.client.read_pages(&queries))
                .flat_map(count)
                .collect(),
            ..Related::default()
        }
    };
    rows.iter().map(part).collect()
}
