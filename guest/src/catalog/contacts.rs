use serde_json::Value;

use crate::{
    daktela::query::Direction,
    model::{
        entity::{CustomFields, ENTITY, Entity, LongText, TextKind},
        field::{computed, detail, plain, related, titled},
        filter::{custom, eq},
        list::List,
        param::{self},
        tool::Tool,
    },
    tools::{contact_search, related_counts},
    value::{self},
};

pub const CONTACT: Entity = Entity {
    endpoint: "contacts",
    singular: "contact",
    plural: "contacts",
    fields: &[
        related("Account", "account"),
        related("Owner", "user"),
        detail(titled("Database", "database")),
        detail(plain("First name", "firstname")),
        detail(plain("Last name", "lastname")),
        computed("NPS score", &["nps_score"], nps),
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
    custom_fields: CustomFields::ContactPoints,
    ..ENTITY
};

/// One contact by itself says how much belongs to it.
const CONTACT_DETAIL: Entity = Entity {
    enrich: Some(|context, entity, _, rows| {
        let belongings = [
            ("Tickets (list_tickets)", "tickets", "contact"),
            ("CRM records (list_crm_records)", "crmRecords", "contact"),
        ];
        related_counts::counted(context, entity, rows, &belongings)
    }),
    ..CONTACT
};

const LIST: List = List {
    entity: &CONTACT,
    filters: &[
        custom(&param::SEARCH_CONTACT, |context, given| {
            contact_search::search(context, given, &CONTACT)
        }),
        eq(&param::ACCOUNT, "account"),
    ],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

pub const TOOLS: &[Tool] = &[
    Tool::list(
        "list_contacts",
        "List contacts",
        &LIST,
        "Find contacts (people) by name, e-mail address or phone number, or list those of an account.",
    ),
    Tool::get(
        "get_contact",
        "Contact",
        &CONTACT_DETAIL,
        "list_contacts",
        "One contact with phone numbers, e-mail addresses and all custom fields that Daktela does not hide.",
    ),
];

/// Daktela's default is 0, for those who were never asked.
fn nps(contact: &Value) -> Option<String> {
    value::first(contact, "nps_score")
        .filter(|score| value::number(score) != Some(0.0))
        .and_then(value::text)
}
