use serde_json::Value;

use super::{get, list};
use crate::{
    param,
    query::{Direction, Filter},
    tool::{Custom, ENTITY, Entity, List, LongText, TextKind, Tool, detail, eq, plain, related, shown, titled, with},
    value,
};

pub const CONTACT: Entity = Entity {
    endpoint: "contacts",
    one: "contact",
    many: "contacts",
    page: true,
    rows: &[
        related("Account", "account"),
        related("Owner", "user"),
        detail(titled("Database", "database")),
        detail(plain("First name", "firstname")),
        detail(plain("Last name", "lastname")),
        shown("NPS score", &["nps_score"], nps),
        plain("Created", "created"),
        plain("Edited", "edited"),
    ],
    texts: &[LongText {
        label: "",
        path: "description",
        kind: TextKind::Html,
        chars: 300,
    }],
    sort: &["edited", "created", "title", "lastname"],
    custom: Custom::Reach,
    ..ENTITY
};

/// One contact by itself says how much belongs to it.
const CONTACT_DETAIL: Entity = Entity {
    parts: Some(|call, entity, _, rows| {
        let belongings = [
            ("Tickets (list_tickets)", "tickets", "contact"),
            ("CRM records (list_crm_records)", "crmRecords", "contact"),
        ];
        super::counted(call, entity, rows, &belongings)
    }),
    ..CONTACT
};

const LIST: List = List {
    entity: &CONTACT,
    filters: &[with(&param::SEARCH_CONTACT, search), eq(&param::ACCOUNT, "account")],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

pub const TOOLS: &[Tool] = &[
    list(
        "list_contacts",
        "List contacts",
        &LIST,
        "Find contacts (people) by name, e-mail address or phone number, or list those of an account.",
    ),
    get(
        "get_contact",
        "Contact",
        &CONTACT_DETAIL,
        "list_contacts",
        "One contact with phone numbers, e-mail addresses and all custom fields.",
    ),
];

/// The national part of a phone number, which every spelling of it ends with (`00420…`, `+420…`).
const NATIONAL_DIGITS: usize = 9;
/// Fewer digits than this are no phone number.
const PHONE_DIGITS_MIN: usize = 6;

/// By name; what looks like an e-mail address or a phone number is also looked up in the fields that Daktela keeps
/// them in by default.
fn search(given: &str) -> Filter {
    let name = Filter::contains("title", given);
    if given.contains('@') {
        return Filter::Any(vec![Filter::contains("customFields.email", given), name]);
    }
    let digits: String = given.chars().filter(char::is_ascii_digit).collect();
    let is_phone =
        digits.len() >= PHONE_DIGITS_MIN && given.chars().all(|c| c.is_ascii_digit() || " +-()/.".contains(c));
    if is_phone {
        let national = &digits[digits.len().saturating_sub(NATIONAL_DIGITS)..];
        return Filter::Any(vec![Filter::contains("customFields.number", national), name]);
    }
    name
}

/// Daktela's default is 0, for those who were never asked.
fn nps(contact: &Value) -> Option<String> {
    value::first(contact, "nps_score")
        .filter(|score| value::number(score) != Some(0.0))
        .and_then(value::text)
}
