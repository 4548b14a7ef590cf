//! Interpreter of count tools.

use super::{filters::conditions, records::warnings};
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

pub(super) fn count(context: &Context, list: &List, args: &Args) -> Result<Output, Error> {
    let conditions = conditions(context, list.filters, args)?;
    let query = Query {
        filters: conditions.filters,
        ..Query::new(list.entity.endpoint, 1)
            .reference_data(list.entity.is_reference_data)
            .fields(&[list.entity.key])
    };
    let page = context.client.read_page(&query)?;
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
