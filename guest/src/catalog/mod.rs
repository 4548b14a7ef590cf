//! The tools, as rows of constants: one file for each part of Daktela. Wire names occur here and nowhere else.

pub mod accounts;
pub mod activities;
pub mod calls;
pub mod campaigns;
pub mod chats;
pub mod contacts;
pub mod crm;
pub mod emails;
pub mod realtime;
pub mod reference;
pub mod tickets;

use crate::tool::{Entity, Example, List, Run, Tool};

/// All tools, in the order in which they are listed: the most useful first.
pub fn tools() -> impl Iterator<Item = &'static Tool> {
    PARTS.iter().flat_map(|part| part.iter())
}

const PARTS: &[&[Tool]] = &[
    tickets::TOOLS,
    activities::TOOLS,
    calls::TOOLS,
    emails::TOOLS,
    chats::TOOLS,
    contacts::TOOLS,
    accounts::TOOLS,
    crm::TOOLS,
    campaigns::TOOLS,
    reference::TOOLS,
    realtime::TOOLS,
];

pub fn find(name: &str) -> Option<&'static Tool> {
    tools().find(|tool| tool.name == name)
}

const fn list(name: &'static str, title: &'static str, list: &'static List, about: &'static str) -> Tool {
    Tool {
        name,
        title,
        about,
        run: Run::List(list),
        example: None,
    }
}

const fn get(
    name: &'static str,
    title: &'static str,
    entity: &'static Entity,
    from: &'static str,
    about: &'static str,
) -> Tool {
    Tool {
        name,
        title,
        about,
        run: Run::Get(entity),
        example: Some(Example {
            tool: from,
            key: "name",
        }),
    }
}
