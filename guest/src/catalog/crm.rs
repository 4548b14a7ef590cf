//! Tools for CRM records.

use crate::{
    daktela::query::Direction,
    model::{
        entity::{CustomFields, ENTITY, Entity, LongText, TextKind},
        field::{date_time, related, ticket, titled, word},
        filter::{eq, from, until},
        list::List,
        param::{self},
        statistics::{self, Dimension, Source, Statistics},
        tool::Tool,
    },
};

const RECORD: Entity = Entity {
    endpoint: "crmRecords",
    singular: "CRM record",
    plural: "CRM records",
    page: "crm/records/{type.name}/update/{name}",
    fields: &[
        titled("Type", "type"),
        word("Stage", "stage"),
        titled("Status", "status"),
        related("Owner", "user"),
        related("Contact", "contact"),
        related("Account", "account"),
        ticket("Ticket", "ticket"),
        date_time("Created", "created"),
        date_time("Edited", "edited"),
    ],
    texts: &[LongText {
        label: "",
        path: "description",
        kind: TextKind::Html,
        chars: 300,
    }],
    sort: &["edited", "created", "title", "stage"],
    custom_fields: CustomFields::Fields,
    ..ENTITY
};

const LIST: List = List {
    entity: &RECORD,
    filters: &[
        eq(&param::USER, "user"),
        eq(&param::CONTACT, "contact"),
        eq(&param::ACCOUNT, "account"),
        eq(&param::CRM_STAGE, "stage"),
        from(&param::DATE_FROM, "created"),
        until(&param::DATE_TO, "created"),
    ],
    sort: Some(("edited", Direction::Descending)),
    take: (50, 200),
};

const DIMENSIONS: &[Dimension] = &[
    statistics::related("type", "Type", "type"),
    statistics::word("stage", "Stage", "stage", &["OPEN", "CLOSE"]),
    statistics::related("status", "Status", "status"),
    statistics::agent("user"),
    statistics::agent_group("user"),
    statistics::CONTACT,
    statistics::ACCOUNT,
    statistics::CUSTOM_FIELD,
    statistics::HOUR,
    statistics::DAY,
    statistics::WEEKDAY,
    statistics::WEEK,
    statistics::MONTH,
];

const STATISTICS: Statistics = Statistics {
    singular: "CRM record",
    plural: "CRM records",
    sources: &[Source {
        channel: "",
        list: &LIST,
        lacks: &[],
    }],
    filters: LIST.filters,
    channel: None,
    dimensions: DIMENSIONS,
    group_by: &statistics::names::<{ DIMENSIONS.len() }>(DIMENSIONS),
    measures: &[],
    of: &[],
};

pub const TOOLS: &[Tool] = &[
    Tool::statistics(
        "crm_statistics",
        "CRM statistics",
        &STATISTICS,
        "Totals of CRM records (deals, contracts and the like) in one answer: how many, by type, stage, status, owner (agent), account, custom field or month of \
         creation. Exact over all that match.",
    ),
    Tool::list(
        "list_crm_records",
        "List CRM records",
        &LIST,
        "List CRM records (deals, contracts and the like), last edited first. Dates filter by creation. text_chars=100000 shows whole descriptions.",
    ),
    Tool::get(
        "get_crm_record",
        "CRM record",
        &RECORD,
        "list_crm_records",
        "One CRM record with its whole description and all custom fields.",
    ),
];
