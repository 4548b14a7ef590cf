//! A ticket and what happened on it: the ticket as the heading, its activities with their content below.

use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Direction, Filter, Query},
    },
    model::{
        args::{Args, Budget},
        context::Context,
        entity::Entity,
        field::Detail,
        output::{Content, ListOutput, Output, RecordOutput},
        param,
    },
    run::{
        self,
        filters::ignored,
        records::{records_with, warnings},
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
    let id = args.required(&ticket.id_param);
    let take = args.number(&param::take(50, 100)).unwrap_or(50);
    let activities = Query {
        fields: activity.projection(Detail::Summary),
        skip: args.skip(),
        take,
        ..Query::new("activities", take)
            .filter(Filter::eq("ticket", id))
            .sort("time", Direction::Ascending)
    };
    let (record, page) =
        context
            .client
            .record_and_page(ticket.endpoint, id, &ticket.projection(Detail::Full), &activities);
    let record = record.map_err(|error| run::not_found(ticket, id, error))?;
    let shown = run::one_record(context, ticket, args, &record);
    let first_record = Some(run::first_ids(ticket, &record));
    let budget = args.budget(context.settings.max_answer_bytes);
    let head = |notes, zone, budget| RecordOutput {
        singular: ticket.singular,
        record: shown,
        notes,
        zone,
        budget,
    };
    let content = match page {
        Ok(page) => {
            // The ticket is the heading of its conversation; what room it leaves is for the activities.
            let half = Budget {
                bytes: budget.bytes / 2,
                ..budget
            };
            let conversation = conversation(context, activity, channel, args, &activities, &page);
            Content::Conversation(Box::new(head(Vec::new(), None, half)), conversation)
        }
        // The ticket itself is worth showing.
        Err(error) => {
            let mut notes = vec![format!(
                "The activities of this ticket could not be read. {}",
                error.text()
            )];
            notes.extend(warnings(context));
            Content::Record(head(notes, context.client.zone(), budget))
        }
    };
    Ok(Output { content, first_record })
}

/// A ticket's activities with their content.
fn conversation(
    context: &Context,
    activity: &Entity,
    channel: ChannelOf,
    args: &Args,
    query: &Query,
    page: &Page,
) -> ListOutput {
    let contents = activity_content::contents(context, args, &page.rows, channel);
    let records = records_with(context, activity, args, Detail::Summary, &page.rows, contents);
    ListOutput {
        singular: activity.singular,
        plural: activity.plural,
        records: records.into_iter().map(|record| record.without("Ticket")).collect(),
        rows: page.rows.len(),
        left_out: (!page.ignored.is_empty()).then_some(page.left_out),
        skip: query.skip,
        take: query.take,
        total: page.total,
        applied_filters: vec!["oldest first".to_owned()],
        notes: ignored(page).into_iter().chain(warnings(context)).collect(),
        zone: context.client.zone(),
        overflow: activity.overflow,
        text_chars: Some(usize::MAX),
        budget: args.budget(context.settings.max_answer_bytes),
    }
}
