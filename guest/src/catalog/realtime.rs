//! Tools for live agent status.

use crate::model::{
    entity::{ENTITY, Entity},
    field::{date_time, related, titled, word},
    list::List,
    tool::Tool,
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
    filters: &[],
    sort: None,
    take: (200, 1000),
};

pub const TOOLS: &[Tool] = &[Tool::list(
    "list_realtime_sessions",
    "Agents right now",
    &LIST,
    "Who is logged in right now and what they do: state, pause, current call. Never cached.",
)];
