//! Interpreter of count tools.

use super::{
    filters::{conditions, refuse_ignored, with_evidence},
    matching,
    records::warnings,
};
use crate::{
    daktela::{client::Page, error::Error, query::Query},
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
    let mut conditions = conditions(context, list.filters, args)?;
    let key = vec![list.entity.key.to_owned()];
    let query = Query {
        // A few records show whether the conditions apply.
        take: if conditions.filters.is_empty() { 1 } else { EVIDENCE },
        fields: with_evidence(list.entity, key, &conditions.filters),
        filters: conditions.filters.clone(),
        ..Query::new(list.entity.endpoint, 1).reference_data(list.entity.is_reference_data)
    };
    let total = match conditions.tests.is_empty() {
        true => counted(list, context.client.read_page(&query)?)?,
        false => Some(matching::count(
            context,
            list.entity,
            list.filters,
            &mut conditions,
            &query,
        )?),
    };
    let (total, note) = match total {
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

/// How many records a page says that there are, if it filters by what was asked.
fn counted(list: &List, page: Page) -> Result<Option<u64>, Error> {
    refuse_ignored(list.entity, &page)?;
    Ok(page.total)
}
