//! A ticket and what happened on it: the ticket as the heading, its activities with their content below.

use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Direction, Filter, Query},
    },
    model::{
        args::{self, Args, Budget},
        context::Context,
        entity::Entity,
        field::Detail,
        output::{Output, Related},
        param,
    },
    render::listing,
    run::{
        self,
        records::{records, records_with, warnings},
    },
    tools::activity_content::{self, ChannelOf},
};

pub(crate) fn ticket_conversation(
    context: &Context,
    args: &Args,
    ticket: &Entity,
    activity: &Entity,
    channel: ChannelOf,
) -> Result<Output, Error> {
    let id = args::ticket_id(args.required(&param::TICKET_NAME));
    let take = args.number(&param::take(50, 100)).unwrap_or(50);
    let activities = Query {
        fields: activity.projection(Detail::Summary),
        skip: args.skip(),
        take,
        ..Query::new("activities", take)
            .filter(Filter::eq("ticket", id.as_str()))
            .sort("time", Direction::Ascending)
    };
    let (record, page) =
        context
            .client
            .record_and_page(ticket.endpoint, &id, &ticket.projection(Detail::Full), &activities);
    let record = record.map_err(|error| run::not_found(ticket, &id, error))?;
    let shown = records(context, ticket, args, Detail::Full, std::slice::from_ref(&record))
        .pop()
        .expect("one record");
    let budget = args.budget(context.settings.max_answer_bytes);
    let first = Some(run::first_ids(ticket, &record));
    let page = match page {
        Ok(page) => page,
        // The ticket itself is worth showing.
        Err(error) => {
            let notes = [
                vec![format!(
                    "The activities of this ticket could not be read. {}",
                    error.text()
                )],
                warnings(context),
            ]
            .concat();
            let text = listing::detail(
                ticket.singular,
                &shown,
                &notes,
                context.client.zone().as_deref(),
                budget,
            );
            return Ok(Output {
                text,
                first_record: first,
            });
        }
    };
    // The ticket is the heading of its conversation; what room it leaves is for the activities.
    let half = Budget {
        bytes: budget.bytes / 2,
        ..budget
    };
    let head = listing::detail(ticket.singular, &shown, &[], None, half);
    let conversation = conversation(context, activity, channel, args, &activities, &page, head.len());
    Ok(Output {
        text: format!("{head}\n\n{conversation}"),
        first_record: first,
    })
}

/// A ticket's activities with their content, in what room the ticket leaves before them.
fn conversation(
    context: &Context,
    entity: &Entity,
    channel: ChannelOf,
    args: &Args,
    query: &Query,
    page: &Page,
    before: usize,
) -> String {
    let parts: Vec<Related> = activity_content::contents(context, args, &page.rows, channel);
    let records = records_with(context, entity, args, Detail::Summary, &page.rows, parts)
        .into_iter()
        .map(|record| record.without("Ticket"))
        .collect();
    listing::Listing {
        singular: entity.singular,
        plural: entity.plural,
        records,
        rows: page.rows.len(),
        skip: query.skip,
        take: query.take,
        total: page.total,
        applied_filters: vec!["oldest first".to_owned()],
        notes: warnings(context),
        zone: context.client.zone(),
        overflow: entity.overflow,
        text_chars: Some(usize::MAX),
        budget: args.budget(context.settings.max_answer_bytes),
        before,
    }
    .print()
}
