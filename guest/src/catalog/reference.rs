//! Tools for reference data: queues, users, groups, pauses, statuses, templates, categories.

use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{self, Filter, Query, TAKE_MAX},
    },
    model::{
        context::Context,
        entity::{ENTITY, Entity, LongText, TextKind},
        field::{flag, number, only_yes, text, titled, word},
        filter::{Condition, contains, custom},
        list::List,
        param::{self},
        tool::{Run, Tool},
    },
    tools::{describe::describe, who_am_i::who_am_i},
    value,
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
const STATUSES: List = List {
    filters: &[custom(&param::CATEGORY, of_category)],
    ..all(&STATUS, 200)
};
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
        "List the workflow statuses of tickets and records; with category those that its tickets may have.",
    ),
    Tool::list(
        "list_templates",
        "List templates",
        &TEMPLATES,
        "List message templates with their content; text_chars=100000 shows it whole.",
    ),
    Tool::get(
        "get_template",
        "Template",
        &TEMPLATE,
        "list_templates",
        "One message template with its whole content.",
    ),
    Tool {
        name: "describe",
        title: "Custom fields",
        description: "The custom fields of tickets, contacts, accounts, CRM and campaign records: label, type, choices, and the forms (categories, databases, types) \
             that have them.",
        run: Run::Custom {
            params: &[param::ENTITY, param::SKIP, param::take(200, 1000), param::MAX_BYTES],
            run: |context, args| describe(context, args),
        },
        example: None,
    },
    Tool {
        name: "who_am_i",
        title: "Who am I",
        description: "The Daktela user whose rights this server has: name, role, profile, what of each kind of record the user may read, and the instance's time \
             now with its zone.",
        run: Run::Custom {
            params: &[],
            run: |context, _| who_am_i(context),
        },
        example: None,
    },
];

/// Statuses that tickets of a category may have: those of its relation, by name.
fn of_category(context: &Context, category: &str) -> Result<Condition, Error> {
    /// More names would not fit the line of a request.
    const NAMES_MAX: usize = 80;
    let Some(path) = query::path("ticketsCategories", &[category, "statuses"]) else {
        return Ok(Filter::eq("name", "").into());
    };
    let query = Query::new(path, TAKE_MAX).fields(&["name"]).reference_data(true);
    let page = match context.client.read_page(&query) {
        // The category itself was found: some builds answer so where a relation is empty.
        Err(Error::NotFound(_)) => Page::default(),
        page => page?,
    };
    let mut names: Vec<String> = page.rows.iter().filter_map(|row| value::text_at(row, "name")).collect();
    let mut notes = Vec::new();
    if names.is_empty() {
        notes.push("The category has no statuses of its own.".to_owned());
        names.push(String::new());
    }
    if names.len() > NAMES_MAX {
        notes.push(format!(
            "The category has {} statuses; the first {NAMES_MAX} are shown.",
            names.len()
        ));
        names.truncate(NAMES_MAX);
    }
    Ok(Condition {
        filter: Filter::one_of("name", names),
        notes,
    })
}
