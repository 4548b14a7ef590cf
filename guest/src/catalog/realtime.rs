//! Tools for live agent status.

use crate::{
    model::{
        entity::{ENTITY, Entity, TICKET_PAGE},
        field::{date_time, related, ticket, titled, word},
        filter::eq,
        list::List,
        param,
        tool::{Run, Tool},
    },
    tools::wallboard::{Entities, wallboard},
};

/// Sessions have no name and no known order: they are read as Daktela sends them.
const SESSION: Entity = Entity {
    endpoint: "realtimeSessions",
    singular: "agent session",
    plural: "agent sessions",
    key: "id_agent.name",
    title: "id_agent.title",
    fields: &[
        word("State", "state"),
        titled("Pause", "id_pause"),
        date_time("Paused since", "onpause"),
        date_time("In this state since", "statetime"),
        word("Extension", "exten"),
        word("Device", "exten_status"),
        word("Presence", "presence_status"),
        word("Call", "id_call"),
        related("Last queue", "lastqueue"),
        date_time("Last call", "lastcalltime"),
        date_time("Logged in", "logintime"),
    ],
    ..ENTITY
};

const LIST: List = List {
    entity: &SESSION,
    filters: &[eq(&param::AGENT_STATE, "state")],
    sort: None,
    take: (200, 1000),
};

/// What the board says of an agent: since when and what, no devices.
const AGENT: Entity = Entity {
    fields: &[
        word("State", "state"),
        titled("Pause", "id_pause"),
        date_time("Since", "statetime"),
        word("Call", "id_call"),
        titled("Last queue", "lastqueue"),
    ],
    ..SESSION
};

const WAITING: Entity = Entity {
    endpoint: "activities",
    singular: "activity",
    plural: "activities",
    fields: &[
        word("Type", "type"),
        related("Queue", "queue"),
        date_time("Time", "time"),
        date_time("Waiting since", "time_wait"),
        related("Contact", "contact"),
        ticket("Ticket", "ticket"),
    ],
    ..ENTITY
};

const DUE: Entity = Entity {
    endpoint: "tickets",
    singular: "ticket",
    plural: "tickets",
    page: TICKET_PAGE,
    fields: &[
        word("Stage", "stage"),
        word("Priority", "priority"),
        titled("Category", "category"),
        related("Assigned to", "user"),
        date_time("SLA deadline", "sla_deadtime"),
    ],
    ..ENTITY
};

pub const TOOLS: &[Tool] = &[
    Tool {
        name: "wallboard",
        title: "Wallboard",
        description: "The contact centre right now in one call: agents by state and since when, queues with who waits and today's answered calls, the longest \
             waiting, tickets overdue or due today.",
        run: Run::Custom {
            params: &[param::MAX_BYTES],
            run: |context, args| {
                let entities = Entities {
                    agent: &AGENT,
                    waiting: &WAITING,
                    ticket: &DUE,
                };
                wallboard(context, args, &entities)
            },
        },
        example: None,
    },
    Tool::list(
        "list_realtime_sessions",
        "Agents right now",
        &LIST,
        "Who is logged in right now and what they do: state, pause, current call. Never cached.",
    ),
];
