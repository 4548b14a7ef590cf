//! Tools for e-mails.

use serde_json::Value;

use crate::{
    daktela::query::Direction,
    model::{
        entity::{ENTITY, Entity, LongText, TextKind},
        field::{computed, date_time, detail, flag, related, seconds, text, ticket, titled, word},
        filter::{custom, eq, from, until},
        list::List,
        output::{FactValue, Overflow},
        param::{self},
        tool::Tool,
    },
    tools::{attachments, contact_search},
    value,
};

pub const EMAIL: Entity = Entity {
    endpoint: "activitiesEmail",
    singular: "e-mail",
    plural: "e-mails",
    fields: &[
        text("Address", "address"),
        word("Direction", "direction"),
        word("State", "state"),
        flag("Answered", "answered"),
        titled("Queue", "queue"),
        related("Agent", "user"),
        related("Contact", "contact"),
        ticket("Ticket", "activities.ticket"),
        date_time("Time", "time"),
        seconds("Duration", "duration"),
        seconds("Wait", "wait_time"),
        computed("Automatic", &["options"], automatic),
        detail(word("Activity", "activities.name")),
        detail(computed("From", &["options"], |mail| people(mail, "from"))),
        detail(computed("To", &["options"], |mail| people(mail, "to"))),
        detail(computed("Cc", &["options"], |mail| people(mail, "cc"))),
        computed("Attachments", &["attachments"], attachments),
        detail(computed("Within the text", &["inlineAttachments"], |mail| {
            FactValue::from_values(attachments::only_inline(mail))
        })),
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
        custom(&param::ADDRESS, |_, given| {
            Ok(contact_search::with_address(given, "address"))
        }),
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
        "List e-mails with their text, newest first; quoted mail and signatures are folded. Filter by dates and direction, and page through all with \
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

/// The headers by which mail programs mark what no human wrote.
pub(super) fn automatic(mail: &Value) -> Option<FactValue> {
    let mark = header(mail, "auto-submitted")
        .filter(|mark| mark != "no")
        .or_else(|| header(mail, "x-auto-response-suppress").map(|_| "yes".to_owned()))?;
    Some(FactValue::Text(if mark == "yes" {
        mark
    } else {
        format!("yes ({mark})")
    }))
}

/// A header by its name, which keeps the spelling of the sender's program.
fn header(mail: &Value, name: &str) -> Option<String> {
    let headers = value::first(mail, "options.headers")?.as_object()?;
    let (_, value) = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    value::text(value)
}

/// The people in a header.
fn people(mail: &Value, header: &str) -> Option<FactValue> {
    let people = value::all(mail, &format!("options.headers.{header}"));
    FactValue::from_values(people.into_iter().filter_map(|person| {
        let (name, address) = (value::text_at(person, "display"), value::text_at(person, "address"));
        let address = match (&name, address) {
            (None, None) => Some(value::text(person)?),
            (_, address) => address,
        };
        Some(FactValue::Mailbox { name, address })
    }))
}

/// Attachments by name, type and size; those within the text as such.
pub(super) fn attachments(record: &Value) -> Option<FactValue> {
    FactValue::from_values(attachments::files(record))
}
