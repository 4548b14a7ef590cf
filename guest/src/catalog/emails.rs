use serde_json::Value;

use crate::{
    daktela::query::Direction,
    model::{
        entity::{ENTITY, Entity, LongText, Overflow, TextKind},
        field::{computed, detail, flag, plain, related, seconds, ticket, titled},
        filter::{eq, from, until},
        list::List,
        param::{self},
        tool::Tool,
    },
    value,
};

pub const EMAIL: Entity = Entity {
    endpoint: "activitiesEmail",
    singular: "e-mail",
    plural: "e-mails",
    fields: &[
        plain("Address", "address"),
        plain("Direction", "direction"),
        plain("State", "state"),
        flag("Answered", "answered"),
        titled("Queue", "queue"),
        related("Agent", "user"),
        related("Contact", "contact"),
        ticket("Ticket", "activities.ticket"),
        plain("Time", "time"),
        seconds("Duration", "duration"),
        seconds("Wait", "wait_time"),
        computed("Automatic", &["options"], automatic),
        detail(plain("Activity", "activities.name")),
        detail(computed("From", &["options"], |mail| people(mail, "from"))),
        detail(computed("To", &["options"], |mail| people(mail, "to"))),
        detail(computed("Cc", &["options"], |mail| people(mail, "cc"))),
        computed("Attachments", &["attachments"], attachments),
    ],
    texts: &[LongText {
        label: "",
        path: "text",
        kind: TextKind::Mail,
        chars: 1500,
    }],
    sort: &["time", "duration", "wait_time"],
    overflow: Overflow::Records,
    extra_params: &[param::FULL_MAIL],
    ..ENTITY
};

const LIST: List = List {
    entity: &EMAIL,
    filters: &[
        eq(&param::QUEUE, "queue"),
        eq(&param::USER, "user"),
        eq(&param::CONTACT, "contact"),
        eq(&param::EMAIL_DIRECTION, "direction"),
        from(&param::DATE_FROM, "time"),
        until(&param::DATE_TO, "time"),
    ],
    sort: Some(("time", Direction::Descending)),
    take: (50, 200),
};

pub const TOOLS: &[Tool] = &[
    Tool::list(
        "list_emails",
        "List e-mails",
        &LIST,
        "List e-mails with their text, the last first; quoted mail and signatures are folded. Narrow by dates and direction, and page through all with \
         skip before concluding.",
    ),
    Tool::get(
        "get_email",
        "E-mail",
        &EMAIL,
        "list_emails",
        "One e-mail with its whole text, its recipients and the names of its attachments.",
    ),
];

/// The header by which mail programs mark what no human wrote.
fn automatic(mail: &Value) -> Option<String> {
    value::text_at(mail, "options.headers.auto-submitted")
        .filter(|mark| mark != "no")
        .map(|mark| if mark == "yes" { mark } else { format!("yes ({mark})") })
}

/// `Jan Novák <jan@b.cz>`, of a header that holds a list of people.
fn people(mail: &Value, header: &str) -> Option<String> {
    let shown: Vec<String> = value::all(mail, &format!("options.headers.{header}"))
        .into_iter()
        .filter_map(
            |person| match (value::text_at(person, "display"), value::text_at(person, "address")) {
                (Some(display), Some(address)) if display != address => Some(format!("{display} <{address}>")),
                (display, address) => address.or(display).or_else(|| value::text(person)),
            },
        )
        .collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

/// Attachments by name, type and size. Pictures within the text are none.
pub fn attachments(record: &Value) -> Option<String> {
    let shown: Vec<String> = value::all(record, "attachments")
        .into_iter()
        .filter(|file| value::first(file, "inline").and_then(value::yes_no) != Some(true))
        .map(|file| {
            let title = value::text_at(file, "title").unwrap_or_else(|| "without a name".to_owned());
            let facts: Vec<String> = [
                value::text_at(file, "type"),
                value::text_at(file, "size").map(|size| format!("{size} bytes")),
            ]
            .into_iter()
            .flatten()
            .collect();
            if facts.is_empty() {
                title
            } else {
                format!("{title} ({})", facts.join(", "))
            }
        })
        .collect();
    (!shown.is_empty()).then(|| shown.join("; "))
}
