//! Tools for e-mails.

use serde_json::Value;

use crate::{
    daktela::query::{Direction, Filter},
    model::{
        entity::{ENTITY, Entity, LongText, TextKind},
        field::{computed, date_time, detail, flag, related, seconds, text, ticket, titled, word},
        filter::{custom, eq, from, until, when},
        list::List,
        measure::{self, Measure},
        output::{FactValue, Overflow},
        param::{self},
        statistics::{self, Dimension, Source, Statistics},
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
        when(&param::UNANSWERED, unanswered, "incoming and not answered"),
        from(&param::DATE_FROM, "time"),
        until(&param::DATE_TO, "time"),
    ],
    sort: Some(("time", Direction::Descending)),
    take: (50, 200),
};

const DIMENSIONS: &[Dimension] = &[
    statistics::HOUR,
    statistics::DAY,
    statistics::WEEKDAY,
    statistics::WEEK,
    statistics::MONTH,
    statistics::agent("user"),
    statistics::agent_group("user"),
    statistics::queue("queue"),
    statistics::word("direction", "Direction", "direction", &["in", "out"]),
    statistics::yes_no("answered", "Answered", "answered"),
    statistics::word("state", "State", "state", &[]),
    statistics::computed("address", "Address", &["address"], address),
    statistics::CONTACT,
    statistics::CONTACT_S_ACCOUNT,
];

const MEASURES: &[Measure] = &[
    measure::field("duration", "Duration", &["duration"]),
    measure::field("waiting", "Wait", &["wait_time"]),
];

const STATISTICS: Statistics = Statistics {
    singular: "e-mail",
    plural: "e-mails",
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
        "list_emails",
        "List e-mails",
        &LIST,
        "List e-mails with their text, newest first; quoted mail and signatures are folded. Filter by dates and direction, and page through all with \
         skip before concluding.",
    ),
    Tool::statistics(
        "email_statistics",
        "E-mail statistics",
        &STATISTICS,
        "Totals of e-mails in one answer: how many, by day, agent, queue, direction or address, with times of work and waiting. Exact over all e-mails of the \
         period; unanswered=true counts what nobody has answered.",
    ),
    Tool::get(
        "get_email",
        "E-mail",
        &EMAIL,
        "list_emails",
        "One e-mail with its whole text, its recipients and the names of its attachments.",
    ),
];

/// Builds write an e-mail that waits for its answer as 0 or as nothing.
fn unanswered() -> Filter {
    let open = vec![Filter::eq("answered", "0"), Filter::is_null("answered")];
    Filter::All(vec![Filter::eq("direction", "in"), Filter::Any(open)])
}

/// In lower case, as addresses mean the same in any.
fn address(mail: &Value) -> Option<FactValue> {
    Some(FactValue::Text(value::text_at(mail, "address")?.to_lowercase()))
}

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

/// The people in a header, whose name keeps the spelling of the sender's program.
fn people(mail: &Value, header: &str) -> Option<FactValue> {
    let headers = value::first(mail, "options.headers").and_then(Value::as_object);
    let spelt = headers.and_then(|headers| headers.keys().find(|key| key.eq_ignore_ascii_case(header)));
    let people = spelt.map_or_else(Vec::new, |header| {
        value::all(mail, &format!("options.headers.{header}"))
    });
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
