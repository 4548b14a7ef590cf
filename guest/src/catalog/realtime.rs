use crate::model::{
    entity::{ENTITY, Entity},
    field::{plain, related, titled},
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
        plain("State", "state"),
        titled("Pause", "id_pause"),
        plain("Paused since", "onpause"),
        plain("In this state since", "statetime"),
        plain("Extension", "exten"),
        plain("Device", "exten_status"),
        plain("Presence", "presence_status"),
        plain("Call", "id_call"),
        related("Last queue", "lastqueue"),
        plain("Last call", "lastcalltime"),
        plain("Logged in", "logintime"),
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
