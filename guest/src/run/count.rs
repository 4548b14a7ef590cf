//! Interpreter of count tools.

use super::{
    filters::{conditions, with_evidence},
    records::warnings,
};
use crate::{
    daktela::{error::Error, query::Query},
    model::{
        args::Args,
        context::Context,
        list::List,
        output::{Content, CountOutput, Output},
    },
    text,
};

/// How many records are compared with the conditions of a count.
const EVIDENCE: u64 = 5;

pub(super) fn count(context: &Context, list: &List, args: &Args) -> Result<Output, Error> {
    let conditions = conditions(context, list.filters, args)?;
    let key = vec![list.entity.key.to_owned()];
    let query = Query {
        // A few records show whether the conditions apply.
        take: if conditions.filters.is_empty() { 1 } else { EVIDENCE },
        fields: with_evidence(list.entity, key, &conditions.filters),
        filters: conditions.filters,
        ..Query::new(list.entity.endpoint, 1).reference_data(list.entity.is_reference_data)
    };
    let page = context.client.read_page(&query)?;
    if !page.ignored.is_empty() {
        return Err(Error::Refused(format!(
            "This Daktela does not filter {} by {}, so they cannot be counted under these conditions. Leave that condition out, or list them: lists leave out what does not fit.",
            list.entity.plural,
            page.ignored.join(", ")
        )));
    }
    let (total, note) = match page.total {
        Some(total) => (total, None),
        // A build that gives no total is counted record by record.
        None => {
            let whole = context.client.read_all(&query)?;
            let rows = whole.rows.len() as u64;
            (
                rows,
                whole.total.is_none().then(|| {
                    format!(
                        "The instance gives no total; counting stopped at {}, there may be more.",
                        text::thousands(rows)
                    )
                }),
            )
        }
    };
    Ok(Output {
        content: Content::Count(CountOutput {
            singular: list.entity.singular,
            plural: list.entity.plural,
            total,
            applied_filters: conditions.applied_filters,
            notes: conditions
                .notes
                .into_iter()
                .chain(note)
                .chain(warnings(context))
                .collect(),
        }),
        first_record: None,
    })
}
