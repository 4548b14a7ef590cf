//! Tools for reference data: queues, users, groups, pauses, statuses, templates, categories.

use crate::model::{
    entity::{ENTITY, Entity, LongText, TextKind},
    field::{flag, number, only_yes, text, titled, word},
    filter::contains,
    list::List,
    param::{self},
    tool::Tool,
};

const CATEGORY: Entity = Entity {
    endpoint: "ticketsCategories",
    singular: "ticket category",
    plural: "ticket categories",
    fields: &[titled("SLA", "sla"), text("Description", "description")],
    is_reference_data: true,
    ..ENTITY
};

const QUEUE: Entity = Entity {
    endpoint: "queues",
    singular: "queue",
    plural: "queues",
    fields: &[
        word("Type", "type"),
        word("Direction", "direction"),
        only_yes("Deactivated", "deactivated"),
        text("Description", "description"),
    ],
    is_reference_data: true,
    ..ENTITY
};

const USER: Entity = Entity {
    endpoint: "users",
    singular: "user",
    plural: "users",
    fields: &[
        word("Type", "type"),
        text("E-mail", "email"),
        only_yes("Deactivated", "deactivated"),
        text("Description", "description"),
    ],
    is_reference_data: true,
    ..ENTITY
};

const GROUP: Entity = Entity {
    endpoint: "groups",
    singular: "group",
    plural: "groups",
    fields: &[word("Type", "type"), text("Description", "description")],
    is_reference_data: true,
    ..ENTITY
};

const PAUSE: Entity = Entity {
    endpoint: "pauses",
    singular: "pause",
    plural: "pauses",
    fields: &[
        word("Type", "type"),
        flag("Paid", "paid"),
        number("At most (minutes)", "max_duration"),
        number("At most (times)", "max_amount"),
    ],
    is_reference_data: true,
    ..ENTITY
};

const STATUS: Entity = Entity {
    endpoint: "statuses",
    singular: "status",
    plural: "statuses",
    fields: &[
        only_yes("Asks for a callback", "nextcall"),
        text("Description", "description"),
    ],
    is_reference_data: true,
    ..ENTITY
};

const TEMPLATE: Entity = Entity {
    endpoint: "templates",
    singular: "template",
    plural: "templates",
    fields: &[
        word("Used for", "usingtype"),
        word("Format", "format"),
        text("Subject", "subject"),
        text("Description", "description"),
    ],
    texts: &[LongText {
        label: "",
        path: "content",
        kind: TextKind::Html,
        chars: 300,
    }],
    is_reference_data: true,
    ..ENTITY
};

const fn all(entity: &'static Entity, take: u64) -> List {
    List {
        entity,
        filters: &[],
        sort: None,
        take: (take, 1000),
    }
}

const CATEGORIES: List = all(&CATEGORY, 200);
const QUEUES: List = all(&QUEUE, 1000);
const USERS: List = List {
    filters: &[contains(&param::SEARCH_NAME, "title")],
    ..all(&USER, 200)
};
const GROUPS: List = all(&GROUP, 200);
const PAUSES: List = all(&PAUSE, 200);
const STATUSES: List = all(&STATUS, 200);
const TEMPLATES: List = all(&TEMPLATE, 200);

pub const TOOLS: &[Tool] = &[
    Tool::list(
        "list_ticket_categories",
        "List ticket categories",
        &CATEGORIES,
        "List the categories of tickets.",
    ),
    Tool::list(
        "list_queues",
        "List queues",
        &QUEUES,
        "List the queues of every channel.",
    ),
    Tool::list(
        "list_users",
        "List users",
        &USERS,
        "List users (agents) with login and name.",
    ),
    Tool::list(
        "list_groups",
        "List groups",
        &GROUPS,
        "List the groups of users, queues, categories or profiles.",
    ),
    Tool::list(
        "list_pauses",
        "List pauses",
        &PAUSES,
        "List the kinds of pauses that agents take.",
    ),
    Tool::list(
        "list_statuses",
        "List statuses",
        &STATUSES,
        "List the workflow statuses of tickets and records.",
    ),
    Tool::list(
        "list_templates",
        "List templates",
        &TEMPLATES,
        "List message templates with their content; text_chars=100000 shows it whole.",
    ),
];
