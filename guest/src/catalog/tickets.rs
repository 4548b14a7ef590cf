//! Tools for tickets.

use std::cmp::Ordering;

use serde_json::Value;

use super::activities;
use crate::{
    daktela::query::{Direction, Filter},
    model::{
        args::Args,
        entity::{CustomFields, ENTITY, Entity, LongText, TICKET_PAGE, TextKind},
        field::{computed, date_time, detail, number, only_yes, related, seconds, text, ticket, titled, word},
        filter::{self, Clock, RowTest, contains, custom, eq, from, only_null, until, when},
        list::List,
        measure::{self, Measure},
        output::FactValue,
        param::{self, Param},
        statistics::{self, Dimension, Source, Statistics},
        tool::{Example, Run, Tool},
    },
    time,
    tools::{
        account_tickets::account_tickets, contact_search, threads::ticket_threads,
        ticket_conversation::ticket_conversation, ticket_views,
    },
    value,
};

pub const TICKET: Entity = Entity {
    endpoint: "tickets",
    singular: "ticket",
    plural: "tickets",
    id_param: param::TICKET_NAME,
    page: TICKET_PAGE,
    fields: &[
        word("Stage", "stage"),
        word("Priority", "priority"),
        titled("Category", "category"),
        related("Assigned to", "user"),
        related("Contact", "contact"),
        detail(related("Account", "contact.account")),
        detail(text("E-mail", "email")),
        titled("Statuses", "statuses"),
        detail(word("Category id", "category.name")),
        detail(word("Status ids", "statuses.name")),
        ticket("Merged into", "id_merge"),
        ticket("Parent", "parentTicket"),
        only_yes("Has child tickets", "isParent"),
        computed("SLA deadline", &["stage", "sla_deadtime", "sla_overdue"], sla),
        detail(date_time("Closing deadline", "sla_close_deadline")),
        date_time("Created", "created"),
        detail(related("Created by", "created_by")),
        detail(date_time("First answer", "first_answer")),
        detail(seconds("First answer after", "first_answer_duration")),
        detail(date_time("First answer deadline", "first_answer_deadline")),
        detail(computed("First answer late by", &["first_answer_overdue"], |ticket| {
            late_by(ticket, "first_answer_overdue").map(FactValue::Duration)
        })),
        date_time("Edited", "edited"),
        detail(related("Edited by", "edited_by")),
        detail(date_time("Last activity", "last_activity")),
        computed(
            "Customer waits since",
            &["stage", "last_activity_client", "last_activity_operator"],
            waiting,
        ),
        detail(date_time("Last move of the customer", "last_activity_client")),
        detail(date_time("Last move of an agent", "last_activity_operator")),
        detail(number("Reopens", "reopen")),
        date_time("Closed", "closed"),
        only_yes("Unread", "unread"),
        only_yes("Attachments", "has_attachment"),
        detail(number("Activities", "interaction_activity_count")),
        detail(related("Followers", "followers")),
    ],
    texts: &[LongText {
        label: "",
        path: "description",
        kind: TextKind::Html,
        chars: 300,
    }],
    sort: &[
        "edited",
        "created",
        "last_activity",
        "last_activity_operator",
        "last_activity_client",
        "sla_deadtime",
        "sla_close_deadline",
        "priority",
        "stage",
        "first_answer",
        "closed",
        "name",
        "title",
    ],
    computed_sort: SORTS,
    list_sort: &[
        "edited",
        "created",
        "last_activity",
        "last_activity_operator",
        "last_activity_client",
        "sla_deadtime",
        "sla_close_deadline",
        "overdue",
        "waiting",
        "priority",
        "stage",
        "first_answer",
        "closed",
        "name",
        "title",
    ],
    custom_fields: CustomFields::Fields,
    ..ENTITY
};

/// What the records of other tools that show tickets are written over.
pub(super) const FOUND: Entity = Entity {
    endpoint: "tickets",
    singular: "ticket",
    plural: "tickets",
    page: TICKET_PAGE,
    ..ENTITY
};

const OVERDUE: Measure = measure::computed("overdue", "Overdue", &["sla_overdue"], |ticket, _| {
    late_by(ticket, "sla_overdue")
});
const WAITING: Measure = measure::computed(
    "waiting",
    "Customer waits",
    &["stage", "last_activity_client", "last_activity_operator"],
    waits_for,
);
const SORTS: &[Measure] = &[OVERDUE, WAITING];

const LIST: List = List {
    entity: &TICKET,
    filters: &[
        eq(&param::VIEW, "_ticketView"),
        eq(&param::CATEGORY, "category"),
        eq(&param::STAGE, "stage"),
        eq(&param::PRIORITY, "priority"),
        eq(&param::USER, "user"),
        eq(&param::CONTACT, "contact"),
        custom(&param::ADDRESS, |_, given| {
            Ok(contact_search::with_address(given, "email"))
        }),
        contains(&param::SEARCH_TITLE, "title"),
        eq(&param::STATUS, "statuses"),
        filter::computed(&param::WAITING_FOR, &WHOSE_MOVE),
        filter::computed(&param::OVERDUE, &IS_OVERDUE),
        filter::computed(&param::DUE_WITHIN, &IS_DUE),
        when(
            &param::FIRST_ANSWER_MISSING,
            || Filter::is_null("first_answer"),
            "without a first answer",
        ),
        only_null(&param::INCLUDE_MERGED, "id_merge", "without merged tickets"),
        from(&param::DATE_FROM, "created"),
        until(&param::DATE_TO, "created"),
    ],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

const VIEW: Entity = Entity {
    endpoint: "ticketsViews",
    singular: "ticket view",
    plural: "ticket views",
    fields: &[
        number("Tickets", "count"),
        titled("Below", "parentView"),
        computed("Conditions", &["filter"], ticket_views::conditions),
        computed("Order", &["sort"], ticket_views::order),
        text("Description", "description"),
    ],
    ..ENTITY
};

const VIEWS: List = List {
    entity: &VIEW,
    filters: &[],
    sort: None,
    take: (200, 1000),
};

const WHOSE_MOVE: RowTest = RowTest {
    picks: &["stage", "last_activity_client", "last_activity_operator"],
    narrows: unsolved,
    needs_now: false,
    passes: |ticket, given, clock| match given.as_str() {
        Some("us") => waits_since(ticket, clock.zone.as_deref()).is_some(),
        _ => waits_for_customer(ticket, clock.zone.as_deref()),
    },
    said: |given| match given.as_str() {
        Some("us") => "waiting for us (the customer moved last)".to_owned(),
        _ => "waiting for the customer (an agent moved last)".to_owned(),
    },
};

const IS_OVERDUE: RowTest = RowTest {
    picks: &["sla_overdue"],
    narrows: unsolved,
    needs_now: false,
    passes: |ticket, _, _| late_by(ticket, "sla_overdue").is_some(),
    said: |_| "overdue".to_owned(),
};

const IS_DUE: RowTest = RowTest {
    picks: &["stage", "sla_overdue", "sla_deadtime"],
    narrows: unsolved,
    needs_now: true,
    passes: |ticket, hours, clock| {
        let left = value::text_at(ticket, "sla_deadtime")
            .zip(clock.now.as_ref())
            .and_then(|(at, now)| time::between(now, &at, clock.zone.as_deref()));
        let within = hours.as_i64().unwrap_or(0) * 3_600;
        let is_ahead = left.is_some_and(|left| (0..=within).contains(&left));
        is_unsolved(ticket) && late_by(ticket, "sla_overdue").is_none() && is_ahead
    },
    said: |hours| format!("due within {hours} h"),
};

/// Stages of tickets that are not solved, unless the caller names one.
fn unsolved(args: &Args) -> Vec<(Filter, &'static str)> {
    if args.value(&param::STAGE).is_some() {
        return Vec::new();
    }
    let stages = UNSOLVED.map(str::to_owned).to_vec();
    vec![(Filter::one_of("stage", stages), "stage OPEN or WAIT")]
}

const DIMENSIONS: &[Dimension] = &[
    statistics::HOUR,
    statistics::DAY,
    statistics::WEEKDAY,
    statistics::WEEK,
    statistics::MONTH,
    statistics::agent("user"),
    statistics::agent_group("user"),
    statistics::category("category"),
    statistics::word("stage", "Stage", "stage", param::STAGES),
    statistics::word("priority", "Priority", "priority", &["HIGH", "MEDIUM", "LOW"]),
    statistics::related("status", "Status", "statuses"),
    statistics::CONTACT,
    statistics::CONTACT_S_ACCOUNT,
    statistics::CUSTOM_FIELD,
];

const MEASURES: &[Measure] = &[
    measure::field("first_answer", "First answer after", &["first_answer_duration"]),
    measure::computed("solution", "Solved after", &["created", "closed"], solved_after),
    OVERDUE,
    WAITING,
];

const STATISTICS: Statistics = Statistics {
    singular: "ticket",
    plural: "tickets",
    sources: &[Source {
        channel: "",
        list: &LIST,
        lacks: &[],
    }],
    filters: LIST.filters,
    channel: None,
    dimensions: DIMENSIONS,
    group_by: &statistics::names::<{ DIMENSIONS.len() }>(DIMENSIONS),
    measures: MEASURES,
    of: &measure::names::<{ MEASURES.len() }>(MEASURES),
};

/// The same of one account; the account itself is looked up by the tool.
const OF_ACCOUNT: List = List {
    filters: &[
        eq(&param::PRIORITY, "priority"),
        eq(&param::USER, "user"),
        eq(&param::CATEGORY, "category"),
        only_null(&param::INCLUDE_MERGED, "id_merge", "without merged tickets"),
        from(&param::DATE_FROM, "created"),
        until(&param::DATE_TO, "created"),
    ],
    ..LIST
};

pub const TOOLS: &[Tool] = &[
    Tool::list(
        "list_tickets",
        "List tickets",
        &LIST,
        "List tickets, last edited first. For \"what is open\" filter by stage, not by dates: OPEN is in work, WAIT waits for the customer, unsolved is both. \
         Dates filter by creation. Merged tickets are left out unless asked for.",
    ),
    Tool::count(
        "count_tickets",
        "Count tickets",
        &LIST,
        "Count tickets by the same conditions as list_tickets, without reading them. Prefer it for \"how many\".",
    ),
    Tool::list(
        "list_ticket_views",
        "Saved ticket views",
        &VIEWS,
        "The saved views of tickets that the user sees in Daktela, with their conditions; list_tickets and count_tickets take one as view.",
    ),
    Tool::statistics(
        "ticket_statistics",
        "Ticket statistics",
        &STATISTICS,
        "Totals of tickets in one answer: how many, by category, stage, priority, status, agent, account, day or a custom field, with times to the first answer and to \
         the solution, overdue and waiting. Exact over all tickets that match. Dates and times are of the creation.",
    ),
    Tool::get(
        "get_ticket",
        "Ticket",
        &TICKET,
        "list_tickets",
        "One ticket with all its fields and its whole description.",
    ),
    Tool {
        name: "get_ticket_detail",
        title: "Ticket with its conversation",
        description: "One ticket and what happened on it, oldest first: e-mails with their text, call facts, chat messages, comments, attachments by name.",
        run: Run::Custom {
            params: &[
                param::TICKET_NAME,
                param::SKIP,
                param::take(50, 100),
                param::FULL_MAIL,
                param::MAX_BYTES,
            ],
            run: |context, args| {
                ticket_conversation(
                    context,
                    args,
                    &TICKET,
                    &activities::ACTIVITY_WITH_ITEM,
                    activities::channel,
                )
            },
        },
        example: Some(Example {
            tool: "list_tickets",
            key: "name",
        }),
    },
    Tool {
        name: "list_ticket_threads",
        title: "Tickets with their conversations",
        description: "Many tickets, each with all that was said on it: e-mails, comments, chats, call transcripts, oldest first. For reviews of a pipeline or backlog; \
             filters are those of list_tickets, and continue goes on exactly where an answer ended.",
        run: Run::Custom {
            params: THREAD_PARAMS,
            run: |context, args| {
                ticket_threads(
                    context,
                    args,
                    &THREADS,
                    &activities::ACTIVITY_WITH_ITEM,
                    activities::channel_with_transcript,
                )
            },
        },
        example: None,
    },
    Tool {
        name: "list_account_tickets",
        title: "Tickets of an account",
        description: "All tickets of a company (account), through all of its contacts, in one list. Stage OPEN unless another is given. Dates filter by creation.",
        run: Run::Custom {
            params: OF_ACCOUNT_PARAMS,
            run: |context, args| account_tickets(context, args, &OF_ACCOUNT),
        },
        example: Some(Example {
            tool: "list_accounts",
            key: "name",
        }),
    },
];

/// Tickets as headings of what was said on them.
const THREAD: Entity = Entity {
    fields: &[
        word("Stage", "stage"),
        word("Priority", "priority"),
        titled("Category", "category"),
        related("Assigned to", "user"),
        related("Contact", "contact"),
        titled("Statuses", "statuses"),
        computed("SLA deadline", &["stage", "sla_deadtime", "sla_overdue"], sla),
        date_time("Created", "created"),
        date_time("Edited", "edited"),
        computed(
            "Customer waits since",
            &["stage", "last_activity_client", "last_activity_operator"],
            waiting,
        ),
    ],
    ..TICKET
};

const THREADS: List = List {
    entity: &THREAD,
    take: (20, 100),
    ..LIST
};

const THREAD_PARAMS: &[Param] = &[
    param::VIEW,
    param::CATEGORY,
    param::STAGE,
    param::PRIORITY,
    param::USER,
    param::CONTACT,
    param::SEARCH_TITLE,
    param::STATUS,
    param::INCLUDE_MERGED,
    param::DATE_FROM,
    param::DATE_TO,
    param::sort(TICKET.sort),
    param::SORT_DIR,
    param::CONTINUE,
    param::take(20, 100),
    param::FULL_MAIL,
    param::MAX_BYTES,
];

const OF_ACCOUNT_PARAMS: &[Param] = &[
    param::ACCOUNT.required(),
    param::STAGE_OR_ALL,
    param::PRIORITY,
    param::CATEGORY,
    param::USER,
    param::DATE_FROM,
    param::DATE_TO,
    param::INCLUDE_MERGED,
    param::sort(TICKET.sort),
    param::SORT_DIR,
    param::SKIP,
    param::take(50, 200),
    param::FIELDS,
    param::TEXT_CHARS,
    param::MAX_BYTES,
];

/// The deadline of a ticket that is not solved, and how far any ticket is beyond its own.
fn sla(ticket: &Value) -> Option<FactValue> {
    let overdue = late_by(ticket, "sla_overdue");
    let at = value::text_at(ticket, "sla_deadtime").filter(|_| overdue.is_some() || is_unsolved(ticket));
    (at.is_some() || overdue.is_some()).then_some(FactValue::Deadline { at, overdue })
}

/// By how many seconds a deadline was missed; nothing where it was kept.
fn late_by(ticket: &Value, field: &str) -> Option<f64> {
    value::first(ticket, field)
        .and_then(value::number)
        .filter(|seconds| *seconds > 0.0)
}

const UNSOLVED: [&str; 2] = ["OPEN", "WAIT"];

fn is_unsolved(ticket: &Value) -> bool {
    value::text_at(ticket, "stage").is_some_and(|stage| UNSOLVED.contains(&stage.as_str()))
}

/// Whose move it is on a ticket that is not solved: the customer's came last, so they wait for us. Nothing where the clock
/// does not tell which came last.
fn waiting(ticket: &Value) -> Option<FactValue> {
    waits_since(ticket, None).map(FactValue::DateTime)
}

fn waits_since(ticket: &Value, zone: Option<&str>) -> Option<String> {
    let client = value::text_at(ticket, "last_activity_client")?;
    // Whether an agent wrote since is not known where Daktela does not send the field.
    ticket.get("last_activity_operator")?;
    let unanswered = value::text_at(ticket, "last_activity_operator")
        .is_none_or(|operator| time::compare(&operator, &client, zone) == Some(Ordering::Less));
    (is_unsolved(ticket) && unanswered).then_some(client)
}

/// An agent's move came last, so that it is the customer's.
fn waits_for_customer(ticket: &Value, zone: Option<&str>) -> bool {
    let Some(operator) = value::text_at(ticket, "last_activity_operator") else {
        return false;
    };
    let answered = value::text_at(ticket, "last_activity_client").is_none_or(|client| {
        matches!(
            time::compare(&client, &operator, zone),
            Some(Ordering::Less | Ordering::Equal)
        )
    });
    is_unsolved(ticket) && answered
}

/// For how long a customer has been waiting for us.
fn waits_for(ticket: &Value, clock: &Clock) -> Option<f64> {
    let zone = clock.zone.as_deref();
    let passed = time::between(&waits_since(ticket, zone)?, clock.now.as_ref()?, zone)?;
    Some(passed.max(0) as f64)
}

fn solved_after(ticket: &Value, clock: &Clock) -> Option<f64> {
    let (created, closed) = (value::text_at(ticket, "created")?, value::text_at(ticket, "closed")?);
    Some(time::between(&created, &closed, clock.zone.as_deref())?.max(0) as f64)
}
