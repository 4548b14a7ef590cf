//! Tools for contacts (people).

use serde_json::Value;

use crate::{
    daktela::query::Direction,
    model::{
        entity::{CustomFields, ENTITY, Entity, LongText, TextKind},
        field::{computed, date_time, detail, related, text, titled},
        filter::{custom, eq},
        list::List,
        output::{FactValue, number_of},
        param::{self},
        tool::Tool,
    },
    tools::{contact_search, related_counts},
    value,
};

pub const CONTACT: Entity = Entity {
    endpoint: "contacts",
    singular: "contact",
    plural: "contacts",
    fields: &[
        related("Account", "account"),
        related("Owner", "user"),
        detail(titled("Database", "database")),
        detail(text("First name", "firstname")),
        detail(text("Last name", "lastname")),
        computed("NPS score", &["nps_score"], nps),
        date_time("Created", "created"),
        date_time("Edited", "edited"),
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
        custom(&param::SEARCH_CONTACT, contact_search::search),
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
fn nps(contact: &Value) -> Option<FactValue> {
    let score = value::first(contact, "nps_score").filter(|score| value::number(score) != Some(0.0))?;
    number_of(score)
}
