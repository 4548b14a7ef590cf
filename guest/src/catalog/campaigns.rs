//! Tools for outbound campaigns.

use crate::{
    daktela::query::Direction,
    model::{
        entity::{CustomFields, ENTITY, Entity},
        field::{coded, date_time, related, text, titled, word},
        filter::{eq, from, until},
        list::List,
        param::{self},
        tool::Tool,
    },
};

const ACTIONS: &[(&str, &str)] = &[
    ("0", "not assigned"),
    ("1", "ready"),
    ("2", "rescheduled by the dialler"),
    ("3", "call in progress"),
    ("4", "hung up"),
    ("5", "done"),
    ("6", "rescheduled"),
];

const RECORD: Entity = Entity {
    endpoint: "campaignsRecords",
    singular: "campaign record",
    plural: "campaign records",
    title: "",
    fields: &[
        titled("Campaign type", "record_type"),
        titled("Database", "database"),
        coded("Action", "action", ACTIONS),
        titled("Statuses", "statuses"),
        related("Agent", "user"),
        related("Contact", "contact"),
        word("Call", "call_id"),
        word("Activity", "activity"),
        date_time("Next call", "nextcall"),
        date_time("Created", "created"),
        date_time("Edited", "edited"),
    ],
    sort: &["edited", "created", "nextcall"],
    custom_fields: CustomFields::ContactPoints,
    ..ENTITY
};

const TYPE: Entity = Entity {
    endpoint: "campaignsTypes",
    singular: "campaign type",
    plural: "campaign types",
    fields: &[
        titled("Queue", "queue"),
        date_time("Created", "created"),
        text("Description", "description"),
    ],
    is_reference_data: true,
    ..ENTITY
};

const RECORDS: List = List {
    entity: &RECORD,
    filters: &[
        eq(&param::USER, "user"),
        eq(&param::CONTACT, "contact"),
        from(&param::DATE_FROM, "created"),
        until(&param::DATE_TO, "created"),
    ],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

const TYPES: List = List {
    entity: &TYPE,
    filters: &[],
    sort: None,
    take: (200, 1000),
};

pub const TOOLS: &[Tool] = &[
    Tool::list(
        "list_campaign_records",
        "List campaign records",
        &RECORDS,
        "List records of outbound campaigns with the state of their calls. Dates filter by creation.",
    ),
    Tool::list(
        "list_campaign_types",
        "List campaign types",
        &TYPES,
        "List the types of campaigns.",
    ),
];
