//! Tools for chats: web, SMS, Messenger, Instagram, WhatsApp, Viber.

use crate::{
    daktela::query::Direction,
    model::{
        entity::{ENTITY, Entity},
        field::{FieldSpec, coded, date_time, detail, flag, related, seconds, text, ticket, titled, word},
        filter::{FilterParam, custom, eq, from, until},
        list::List,
        measure::{self, Measure},
        output::Overflow,
        param::{self, Param},
        statistics::{self, Dimension, Source, Statistics},
        tool::Tool,
    },
    tools::{chat_messages::messages, contact_search},
};

const ENDED_BY: &[(&str, &str)] = &[
    ("USER", "the agent"),
    ("CLIENT", "the customer"),
    ("TIMEOUT", "timeout"),
    ("NOT_AVAIL", "nobody was available"),
    ("OUT_OF_TIME", "outside business hours"),
    ("DECISION_TREE", "the decision tree"),
    ("BAN", "ban"),
];

/// What all channels share; each leads with what only it has.
const CHAT: Entity = Entity {
    singular: "chat",
    plural: "chats",
    fields: &[
        word("State", "state"),
        flag("Answered", "answered"),
        flag("Missed", "missed"),
        detail(date_time("Missed at", "missed_time")),
        titled("Queue", "queue"),
        related("Agent", "user"),
        related("Contact", "contact"),
        ticket("Ticket", "activities.ticket"),
        date_time("Time", "time"),
        seconds("Duration", "duration"),
        seconds("Wait", "wait_time"),
        coded("Ended by", "disconnection", ENDED_BY),
        detail(titled("Connector", "connector")),
        detail(word("Activity", "activities.name")),
    ],
    sort: &["time", "duration", "wait_time"],
    overflow: Overflow::Records,
    extra_params: &[param::MESSAGES],
    enrich: Some(messages),
    ..ENTITY
};

const SENDER: FieldSpec = text("Sender", "sender");
const DIRECTION: FieldSpec = word("Direction", "direction");
const SOCIAL: &[FieldSpec] = &[SENDER, text("Customer", "external_contact.full_name"), DIRECTION];

pub const WEB: Entity = Entity {
    endpoint: "activitiesWeb",
    singular: "web chat",
    plural: "web chats",
    leading_fields: &[text("E-mail", "email"), text("Phone", "phone")],
    ..CHAT
};
pub const SMS: Entity = Entity {
    endpoint: "activitiesSms",
    singular: "SMS chat",
    plural: "SMS chats",
    leading_fields: &[SENDER, DIRECTION],
    ..CHAT
};
pub const MESSENGER: Entity = Entity {
    endpoint: "activitiesFbm",
    singular: "Messenger chat",
    plural: "Messenger chats",
    leading_fields: SOCIAL,
    ..CHAT
};
pub const INSTAGRAM: Entity = Entity {
    endpoint: "activitiesIgdm",
    singular: "Instagram chat",
    plural: "Instagram chats",
    leading_fields: &[
        SENDER,
        text("Customer", "external_contact.full_name"),
        DIRECTION,
        word("Type", "type"),
    ],
    ..CHAT
};
pub const WHATSAPP: Entity = Entity {
    endpoint: "activitiesWap",
    singular: "WhatsApp chat",
    plural: "WhatsApp chats",
    leading_fields: &[
        SENDER,
        text("Number", "external_contact.number"),
        text("Customer", "external_contact.full_name"),
        DIRECTION,
    ],
    ..CHAT
};
pub const VIBER: Entity = Entity {
    endpoint: "activitiesVbr",
    singular: "Viber chat",
    plural: "Viber chats",
    leading_fields: SOCIAL,
    ..CHAT
};

const FILTERS: &[FilterParam] = &[
    eq(&param::QUEUE, "queue"),
    eq(&param::USER, "user"),
    eq(&param::CONTACT, "contact"),
    eq(&param::CHAT_DIRECTION, "direction"),
    from(&param::DATE_FROM, "time"),
    until(&param::DATE_TO, "time"),
];

/// Of channels whose senders are phone numbers.
const NUMBERED_FILTERS: &[FilterParam] = &[
    eq(&param::QUEUE, "queue"),
    eq(&param::USER, "user"),
    eq(&param::CONTACT, "contact"),
    custom(&param::NUMBER, |_, given| {
        Ok(contact_search::with_number(given, &["sender"]))
    }),
    eq(&param::CHAT_DIRECTION, "direction"),
    from(&param::DATE_FROM, "time"),
    until(&param::DATE_TO, "time"),
];

/// Web chats have no direction: the visitor always opens them, and may type a number and an address.
const WEB_FILTERS: &[FilterParam] = &[
    eq(&param::QUEUE, "queue"),
    eq(&param::USER, "user"),
    eq(&param::CONTACT, "contact"),
    custom(&param::NUMBER, |_, given| {
        Ok(contact_search::with_typed_number(given, "phone"))
    }),
    custom(&param::ADDRESS, |_, given| {
        Ok(contact_search::with_address(given, "email"))
    }),
    from(&param::DATE_FROM, "time"),
    until(&param::DATE_TO, "time"),
];

const fn of(entity: &'static Entity, filters: &'static [FilterParam]) -> List {
    List {
        entity,
        filters,
        sort: Some(("time", Direction::Descending)),
        take: (50, 200),
    }
}

const WEB_LIST: List = of(&WEB, WEB_FILTERS);
const SMS_LIST: List = of(&SMS, NUMBERED_FILTERS);
const MESSENGER_LIST: List = of(&MESSENGER, FILTERS);
const INSTAGRAM_LIST: List = of(&INSTAGRAM, FILTERS);
const WHATSAPP_LIST: List = of(&WHATSAPP, NUMBERED_FILTERS);
const VIBER_LIST: List = of(&VIBER, FILTERS);

const DIMENSIONS: &[Dimension] = &[
    statistics::CHANNEL,
    statistics::HOUR,
    statistics::DAY,
    statistics::WEEKDAY,
    statistics::WEEK,
    statistics::MONTH,
    statistics::agent("user"),
    statistics::agent_group("user"),
    statistics::queue("queue"),
    statistics::word("direction", "Direction", "direction", &[]),
    statistics::yes_no("answered", "Answered", "answered"),
    statistics::yes_no("missed", "Missed", "missed"),
    statistics::CONTACT,
    statistics::CONTACT_S_ACCOUNT,
    statistics::coded("ended_by", "Ended by", "disconnection", &[], ENDED_BY),
];

const MEASURES: &[Measure] = &[
    measure::field("duration", "Duration", &["duration"]),
    measure::field("waiting", "Wait", &["wait_time"]),
];

const CHANNEL: Param = param::channel(&["web", "sms", "messenger", "instagram", "whatsapp", "viber"]);

const fn channel(channel: &'static str, list: &'static List) -> Source {
    Source {
        channel,
        list,
        lacks: &[],
    }
}

const STATISTICS: Statistics = Statistics {
    singular: "chat",
    plural: "chats",
    sources: &[
        Source {
            lacks: &["direction"],
            ..channel("web", &WEB_LIST)
        },
        channel("sms", &SMS_LIST),
        channel("messenger", &MESSENGER_LIST),
        channel("instagram", &INSTAGRAM_LIST),
        channel("whatsapp", &WHATSAPP_LIST),
        channel("viber", &VIBER_LIST),
    ],
    filters: FILTERS,
    channel: Some(CHANNEL),
    dimensions: DIMENSIONS,
    group_by: &statistics::names::<{ DIMENSIONS.len() }>(DIMENSIONS),
    measures: MEASURES,
    of: &measure::names::<{ MEASURES.len() }>(MEASURES),
};

pub const TOOLS: &[Tool] = &[
    Tool::statistics(
        "chat_statistics",
        "Chat statistics",
        &STATISTICS,
        "Totals of chats over all channels (web, SMS, Messenger, Instagram, WhatsApp, Viber) in one answer: how many, by channel, day, agent or queue, answered or \
         missed, with times of work and waiting. Exact over all chats of the period.",
    ),
    Tool::list(
        "list_web_chats",
        "List web chats",
        &WEB_LIST,
        "List chats of the web widget with their messages.",
    ),
    Tool::get(
        "get_web_chat",
        "Web chat",
        &WEB,
        "list_web_chats",
        "One web chat with all its messages.",
    ),
    Tool::list(
        "list_sms_chats",
        "List SMS chats",
        &SMS_LIST,
        "List SMS conversations with their messages.",
    ),
    Tool::get(
        "get_sms",
        "SMS chat",
        &SMS,
        "list_sms_chats",
        "One SMS conversation with all its messages.",
    ),
    Tool::list(
        "list_messenger_chats",
        "List Messenger chats",
        &MESSENGER_LIST,
        "List Facebook Messenger chats with their messages. Daktela keeps no phone number for them: filter by contact.",
    ),
    Tool::get(
        "get_messenger_chat",
        "Messenger chat",
        &MESSENGER,
        "list_messenger_chats",
        "One Messenger chat with all its messages.",
    ),
    Tool::list(
        "list_instagram_chats",
        "List Instagram chats",
        &INSTAGRAM_LIST,
        "List Instagram chats (direct messages) with their messages. Daktela keeps no phone number for them: filter by contact.",
    ),
    Tool::get(
        "get_instagram_chat",
        "Instagram chat",
        &INSTAGRAM,
        "list_instagram_chats",
        "One Instagram chat with all its messages.",
    ),
    Tool::list(
        "list_whatsapp_chats",
        "List WhatsApp chats",
        &WHATSAPP_LIST,
        "List WhatsApp chats with their messages.",
    ),
    Tool::get(
        "get_whatsapp_chat",
        "WhatsApp chat",
        &WHATSAPP,
        "list_whatsapp_chats",
        "One WhatsApp chat with all its messages.",
    ),
    Tool::list(
        "list_viber_chats",
        "List Viber chats",
        &VIBER_LIST,
        "List Viber chats with their messages. Daktela keeps no phone number for them: filter by contact.",
    ),
    Tool::get(
        "get_viber_chat",
        "Viber chat",
        &VIBER,
        "list_viber_chats",
        "One Viber chat with all its messages.",
    ),
];
