//! Tools for accounts (companies).

use crate::{
    daktela::query::Direction,
    model::{
        entity::{CustomFields, ENTITY, Entity, LongText, TextKind},
        field::{date_time, detail, related, titled},
        filter::{contains, eq, from, until},
        list::List,
        param::{self},
        tool::Tool,
    },
    tools::related_counts,
};

const ACCOUNT: Entity = Entity {
    endpoint: "accounts",
    singular: "account",
    plural: "accounts",
    fields: &[
        related("Owner", "user"),
        titled("SLA", "sla"),
        detail(titled("Database", "database")),
        date_time("Created", "created"),
        date_time("Edited", "edited"),
    ],
    texts: &[LongText {
        label: "",
        path: "description",
        kind: TextKind::Html,
        chars: 300,
    }],
    sort: &["edited", "created", "title"],
    custom_fields: CustomFields::ContactPoints,
    ..ENTITY
};

/// One account by itself says how much belongs to it.
const ACCOUNT_DETAIL: Entity = Entity {
    enrich: Some(|context, entity, _, rows| {
        let belongings = [
            ("Contacts (list_contacts)", "contacts", "account"),
            ("CRM records (list_crm_records)", "crmRecords", "account"),
        ];
        related_counts::counted(context, entity, rows, &belongings)
    }),
    ..ACCOUNT
};

const LIST: List = List {
    entity: &ACCOUNT,
    filters: &[
        eq(&param::USER, "user"),
        contains(&param::SEARCH_NAME, "title"),
        from(&param::DATE_FROM, "created"),
        until(&param::DATE_TO, "created"),
    ],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

pub const TOOLS: &[Tool] = &[
    Tool::list(
        "list_accounts",
        "List accounts",
        &LIST,
        "List accounts (companies). list_contacts with account shows their people, list_account_tickets their tickets. Dates filter by creation.",
    ),
    Tool::get(
        "get_account",
        "Account",
        &ACCOUNT_DETAIL,
        "list_accounts",
        "One account with its whole description and all custom fields.",
    ),
];
