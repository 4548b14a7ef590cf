//! Tools for activities of every channel.

use serde_json::Value;

use super::{calls, chats, emails};
use crate::{
    daktela::{
        channels,
        error::Error,
        query::{Direction, Filter},
    },
    model::{
        context::Context,
        entity::{CustomFields, ENTITY, Entity, LongText, TextKind},
        field::{coded, computed, date_time, detail, number, only_yes, related, seconds, ticket, titled},
        filter::{Condition, custom, eq, from, until},
        list::List,
        measure::{self, Measure},
        output::{FactValue, Overflow},
        param::{self, Param},
        statistics::{self, Dimension, Source, Statistics},
        tool::{Example, Run, Tool},
    },
    tools::{activity_content, threads::conversations},
    value,
};

/// Activity states, and what agents call them.
const ACTIONS: &[(&str, &str)] = &[("WAIT", "WAIT (not taken yet)"), ("POSTPONE", "POSTPONE (later)")];
/// Kinds whose code does not say what they are.
const TYPES: &[(&str, &str)] = &[
    ("", "COMMENT (internal)"),
    ("COMMENT", "COMMENT (external)"),
    ("CHAT", "CHAT (web chat)"),
    ("FBM", "FBM (Messenger)"),
    ("IGDM", "IGDM (Instagram)"),
    ("WAP", "WAP (WhatsApp)"),
    ("VBR", "VBR (Viber)"),
];

pub const ACTIVITY: Entity = Entity {
    endpoint: "activities",
    singular: "activity",
    plural: "activities",
    fields: &[
        computed("Type", &["type"], kind),
        coded("State", "action", ACTIONS),
        titled("Queue", "queue"),
        related("Agent", "user"),
        ticket("Ticket", "ticket"),
        related("Contact", "contact"),
        date_time("Time", "time"),
        detail(date_time("Waiting since", "time_wait")),
        date_time("Opened", "time_open"),
        date_time("Closed", "time_close"),
        seconds("Duration", "duration"),
        detail(seconds("Ringing", "ringing_time")),
        detail(seconds("Wrap-up", "aaw")),
        titled("Statuses", "statuses"),
        only_yes("Important", "important"),
        detail(related("Created by", "created_by")),
        detail(number("NPS score", "survey.score")),
        computed("Attachments", &["attachments"], emails::attachments),
    ],
    texts: &[LongText {
        label: "",
        path: "description",
        kind: TextKind::Html,
        chars: 500,
    }],
    sort: &["time", "time_close", "duration", "ringing_time"],
    custom_fields: CustomFields::Fields,
    overflow: Overflow::Records,
    ..ENTITY
};

/// An activity whose channel's record is read: it names that, and shows nothing of it by itself.
pub const ACTIVITY_WITH_ITEM: Entity = Entity {
    leading_fields: &[computed("", activity_content::ITEM_FIELDS, |_| None)],
    ..ACTIVITY
};

/// One activity by itself shows what its channel holds.
const ACTIVITY_DETAIL: Entity = Entity {
    extra_params: &[param::FULL_MAIL],
    enrich: Some(|context, _, args, rows| activity_content::contents(context, args, rows, channel)),
    ..ACTIVITY_WITH_ITEM
};

const LIST: List = List {
    entity: &ACTIVITY,
    filters: &[
        custom(&param::ACTIVITY_TYPE, of_type),
        eq(&param::ACTION, "action"),
        eq(&param::QUEUE, "queue"),
        eq(&param::TICKET, "ticket"),
        eq(&param::USER, "user"),
        from(&param::DATE_FROM, "time"),
        until(&param::DATE_TO, "time"),
    ],
    sort: Some(("time", Direction::Descending)),
    take: (50, 200),
};

const DIMENSIONS: &[Dimension] = &[
    statistics::computed("type", "Type", &["type"], kind),
    statistics::HOUR,
    statistics::DAY,
    statistics::WEEKDAY,
    statistics::WEEK,
    statistics::MONTH,
    statistics::agent("user"),
    statistics::agent_group("user"),
    statistics::queue("queue"),
    statistics::coded(
        "action",
        "State",
        "action",
        &["OPEN", "WAIT", "POSTPONE", "CLOSE"],
        ACTIONS,
    ),
    statistics::category("ticket.category"),
    statistics::related("status", "Status", "statuses"),
    statistics::CONTACT,
    statistics::CONTACT_S_ACCOUNT,
    statistics::CUSTOM_FIELD,
];

const MEASURES: &[Measure] = &[
    measure::field("duration", "Duration", &["duration"]),
    measure::field("ringing", "Ringing", &["ringing_time"]),
    measure::field("wrap_up", "Wrap-up", &["aaw"]),
];

const STATISTICS: Statistics = Statistics {
    singular: "activity",
    plural: "activities",
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

pub const TOOLS: &[Tool] = &[
    Tool::list(
        "list_activities",
        "List activities",
        &LIST,
        "List activities of every channel: what was done when, by whom, on which ticket. Filter by dates. For the content use the tools of the \
         channel, get_activity or get_ticket_detail.",
    ),
    Tool::statistics(
        "activity_statistics",
        "Activity statistics",
        &STATISTICS,
        "Totals of activities of every channel in one answer: how much was done by whom, by type, agent, queue, day or hour, with times of work and wrap-up. Exact \
         over all activities of the period.",
    ),
    Tool {
        name: "list_conversations",
        title: "Conversations of a period",
        description: "The conversations of a period with all that was said: e-mails, calls with transcripts, chats, comments of any channel, newest first. For judging \
             many of them; continue goes on exactly where an answer ended.",
        run: Run::Custom {
            params: CONVERSATION_PARAMS,
            run: |context, args| conversations(context, args, &CONVERSATIONS, channel_with_transcript),
        },
        example: None,
    },
    Tool {
        name: "get_activity",
        title: "Activity",
        description: "One activity with its content: the e-mail's text, the call's facts, the chat's messages or the comment.",
        run: Run::Get(&ACTIVITY_DETAIL),
        example: Some(Example {
            tool: "list_activities",
            key: "name",
        }),
    },
];

/// An activity as the heading of what was said in it.
const CONVERSATION: Entity = Entity {
    plural: "conversations",
    fields: &[
        computed("Type", &["type"], kind),
        titled("Queue", "queue"),
        related("Agent", "user"),
        related("Contact", "contact"),
        ticket("Ticket", "ticket"),
        date_time("Time", "time"),
        titled("Statuses", "statuses"),
    ],
    texts: &[],
    custom_fields: CustomFields::No,
    ..ACTIVITY_WITH_ITEM
};

const CONVERSATIONS: List = List {
    entity: &CONVERSATION,
    filters: &[
        custom(&param::ACTIVITY_TYPE, of_type),
        eq(&param::QUEUE, "queue"),
        eq(&param::USER, "user"),
        eq(&param::CONTACT, "contact"),
        from(&param::DATE_FROM, "time"),
        until(&param::DATE_TO, "time"),
    ],
    ..LIST
};

const CONVERSATION_PARAMS: &[Param] = &[
    param::ACTIVITY_TYPE,
    param::QUEUE,
    param::USER,
    param::CONTACT,
    param::DATE_FROM,
    param::DATE_TO,
    param::sort(ACTIVITY.sort),
    param::SORT_DIR,
    param::CONTINUE,
    param::take(50, 200),
    param::FULL_MAIL,
    param::MAX_BYTES,
];

/// Comments within the company have an empty type, those for customers say what they are.
fn of_type(_: &Context, given: &str) -> Result<Condition, Error> {
    let filter = if given == "COMMENT" {
        Filter::Any(vec![Filter::eq("type", "COMMENT"), Filter::eq("type", "")])
    } else {
        Filter::eq("type", given)
    };
    Ok(filter.into())
}

pub(super) fn kind(activity: &Value) -> Option<FactValue> {
    // What does not say its type is no comment; a comment within the company has an empty one.
    let code = value::text(activity.get("type")?).unwrap_or_default();
    let known = TYPES.iter().find(|(known, _)| *known == code);
    let meaning = known.map_or_else(|| code.clone().into(), |(_, meaning)| (*meaning).into());
    let code = if code.is_empty() {
        "INTERNAL_COMMENT".to_owned()
    } else {
        code
    };
    Some(FactValue::Code { code, meaning })
}

/// The entity of an activity type's channel. Comments and custom activities have none: their text is their own.
pub(super) fn channel(kind: &str) -> Option<&'static Entity> {
    let endpoint = channels::of_kind(kind)?.endpoint;
    CHANNELS.iter().find(|entity| entity.endpoint == endpoint).copied()
}

/// As [`channel`], calls with their transcripts.
pub(super) fn channel_with_transcript(kind: &str) -> Option<&'static Entity> {
    match kind {
        "CALL" => Some(&calls::CALL_WITH_TRANSCRIPT),
        _ => channel(kind),
    }
}

const CHANNELS: &[&Entity] = &[
    &emails::EMAIL,
    &calls::CALL,
    &chats::WEB,
    &chats::SMS,
    &chats::MESSENGER,
    &chats::INSTAGRAM,
    &chats::WHATSAPP,
    &chats::VIBER,
];
