use serde_json::Value;

use super::{get, list};
use crate::{
    daktela::query::{self, Direction, Query, TAKE_MAX},
    model::args::Args,
    model::param,
    model::tool::{
        ENTITY, Entity, FieldSpec, FilterParam, List, Overflow, Related, Tool, coded, detail, eq, flag, from, plain,
        related, seconds, ticket, titled, until,
    },
    render::html,
    run::Context,
    text, value,
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
        plain("State", "state"),
        flag("Answered", "answered"),
        flag("Missed", "missed"),
        detail(plain("Missed at", "missed_time")),
        titled("Queue", "queue"),
        related("Agent", "user"),
        related("Contact", "contact"),
        ticket("Ticket", "activities.ticket"),
        plain("Time", "time"),
        seconds("Duration", "duration"),
        seconds("Wait", "wait_time"),
        coded("Ended by", "disconnection", ENDED_BY),
        detail(titled("Connector", "connector")),
        detail(plain("Activity", "activities.name")),
    ],
    sort: &["time", "duration", "wait_time"],
    overflow: Overflow::Records,
    extra_params: &[param::MESSAGES],
    enrich: Some(messages),
    ..ENTITY
};

const SENDER: FieldSpec = plain("Sender", "sender");
const DIRECTION: FieldSpec = plain("Direction", "direction");
const SOCIAL: &[FieldSpec] = &[SENDER, plain("Customer", "external_contact.full_name"), DIRECTION];

pub const WEB: Entity = Entity {
    endpoint: "activitiesWeb",
    singular: "web chat",
    plural: "web chats",
    leading_fields: &[plain("E-mail", "email"), plain("Phone", "phone")],
    ..CHAT
};
pub const SMS: Entity = Entity {
    endpoint: "activitiesSms",
    singular: "SMS chat",
    plural: "SMS chats",
    title: "",
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
        plain("Customer", "external_contact.full_name"),
        DIRECTION,
        plain("Type", "type"),
    ],
    ..CHAT
};
pub const WHATSAPP: Entity = Entity {
    endpoint: "activitiesWap",
    singular: "WhatsApp chat",
    plural: "WhatsApp chats",
    leading_fields: &[
        SENDER,
        plain("Number", "external_contact.number"),
        plain("Customer", "external_contact.full_name"),
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

/// Web chats have no direction: the visitor always opens them.
const WEB_FILTERS: &[FilterParam] = &[
    eq(&param::QUEUE, "queue"),
    eq(&param::USER, "user"),
    eq(&param::CONTACT, "contact"),
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
const SMS_LIST: List = of(&SMS, FILTERS);
const MESSENGER_LIST: List = of(&MESSENGER, FILTERS);
const INSTAGRAM_LIST: List = of(&INSTAGRAM, FILTERS);
const WHATSAPP_LIST: List = of(&WHATSAPP, FILTERS);
const VIBER_LIST: List = of(&VIBER, FILTERS);

pub const TOOLS: &[Tool] = &[
    list(
        "list_web_chats",
        "List web chats",
        &WEB_LIST,
        "List chats of the web widget with their messages.",
    ),
    get(
        "get_web_chat",
        "Web chat",
        &WEB,
        "list_web_chats",
        "One web chat with all its messages.",
    ),
    list(
        "list_sms_chats",
        "List SMS chats",
        &SMS_LIST,
        "List SMS conversations with their messages.",
    ),
    get(
        "get_sms",
        "SMS chat",
        &SMS,
        "list_sms_chats",
        "One SMS conversation with all its messages.",
    ),
    list(
        "list_messenger_chats",
        "List Messenger chats",
        &MESSENGER_LIST,
        "List Facebook Messenger chats with their messages.",
    ),
    get(
        "get_messenger_chat",
        "Messenger chat",
        &MESSENGER,
        "list_messenger_chats",
        "One Messenger chat with all its messages.",
    ),
    list(
        "list_instagram_chats",
        "List Instagram chats",
        &INSTAGRAM_LIST,
        "List Instagram chats (direct messages) with their messages.",
    ),
    get(
        "get_instagram_chat",
        "Instagram chat",
        &INSTAGRAM,
        "list_instagram_chats",
        "One Instagram chat with all its messages.",
    ),
    list(
        "list_whatsapp_chats",
        "List WhatsApp chats",
        &WHATSAPP_LIST,
        "List WhatsApp chats with their messages.",
    ),
    get(
        "get_whatsapp_chat",
        "WhatsApp chat",
        &WHATSAPP,
        "list_whatsapp_chats",
        "One WhatsApp chat with all its messages.",
    ),
    list(
        "list_viber_chats",
        "List Viber chats",
        &VIBER_LIST,
        "List Viber chats with their messages.",
    ),
    get(
        "get_viber_chat",
        "Viber chat",
        &VIBER,
        "list_viber_chats",
        "One Viber chat with all its messages.",
    ),
];

/// The conversations of these chats, in order: one request for each.
fn messages(context: &Context, entity: &Entity, args: &Args, chats: &[Value]) -> Vec<Related> {
    if !args.flag(&param::MESSAGES) {
        return Vec::new();
    }
    let names: Vec<Option<String>> = chats.iter().map(|chat| value::text_at(chat, entity.key)).collect();
    let queries: Vec<Query> = names
        .iter()
        .flatten()
        .map(|name| {
            Query::new(query::path(entity.endpoint, &[name, "messages"]), TAKE_MAX).fields(&[
                "time_created",
                "direction",
                "type",
                "from",
                "text",
                "user.title",
            ])
        })
        .collect();
    let mut pages = context.client.read_all_of_each(&queries).into_iter();
    names
        .iter()
        .map(|name| match name.as_ref().and_then(|_| pages.next()) {
            None => Related::remark("[no id, so no messages]"),
            Some(Err(error)) => Related::remark(format!(
                "[the messages could not be read: {}]",
                text::line(error.text())
            )),
            Some(Ok(page)) => {
                let mut part = conversation(&page.rows);
                let read = page.rows.len() as u64;
                if let Some(total) = page.total.filter(|total| *total > read) {
                    part.lines.push(format!(
                        "[only {} of {} messages could be read]",
                        text::thousands(read),
                        text::thousands(total)
                    ));
                }
                part
            }
        })
        .collect()
}

fn conversation(messages: &[Value]) -> Related {
    let time = |message: &Value| value::text_at(message, "time_created").unwrap_or_default();
    let mut messages: Vec<&Value> = messages.iter().collect();
    messages.sort_by_key(|message| time(message));
    let lines: Vec<String> = messages
        .into_iter()
        .map(|message| {
            let said = text::clean(&html::to_text(&value::text_at(message, "text").unwrap_or_default()));
            // Lines of one message after its first are set in, so that none can pass for a message.
            let said = said
                .lines()
                .map(str::trim)
                .filter(|line| !line.is_empty())
                .collect::<Vec<_>>()
                .join("\n    ");
            // A picture, say: the message was sent, though there is nothing of it to read.
            let said = if said.is_empty() { "[no text]" } else { &said };
            format!("{} {}: {said}", time(message), speaker(message))
                .trim_start()
                .to_owned()
        })
        .collect();
    Related::conversation("Messages", &lines, "[no messages]")
}

/// Who wrote a message. Names of agents are Daktela's own data, the customer's is not shown here.
fn speaker(message: &Value) -> String {
    let agent = value::text_at(message, "user.title").map(|title| text::line(&title));
    // In capitals here, but calls and e-mails have the same words in small letters.
    let direction = value::text_at(message, "direction")
        .unwrap_or_default()
        .to_ascii_uppercase();
    let who = match direction.as_str() {
        "IN" => "Customer".to_owned(),
        "BOT" => "Bot".to_owned(),
        "OUT" => agent.map_or_else(|| "Agent".to_owned(), |title| format!("Agent {title}")),
        _ if value::text_at(message, "from").as_deref() == Some("COWORKERS") => "AI coworker".to_owned(),
        _ => agent.map_or_else(|| "System".to_owned(), |title| format!("Agent {title}")),
    };
    match value::text_at(message, "type").as_deref() {
        Some("PRIVATE") => format!("{who} (internal note)"),
        Some("COMMAND") => format!("{who} (command)"),
        _ => who,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_message_shows_with_its_speaker() {
        let part = conversation(&[
            json!({"time_created": "2026-11-20 10:00:01", "direction": "out", "user": {"title": "Jan"}, "text": "Hi"}),
            json!({"time_created": "2026-11-20 10:00:00", "direction": "in", "text": "<p>Help"}),
            json!({"time_created": "2026-11-20 10:00:02", "direction": "IN", "text": null}),
        ]);
        assert_eq!(
            part.text.expect("messages").body,
            "2026-11-20 10:00:00 Customer: Help\n2026-11-20 10:00:01 Agent Jan: Hi\n2026-11-20 10:00:02 Customer: [no text]"
        );
    }
}
