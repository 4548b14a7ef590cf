//! Tool catalogue: every tool as a row of constants, one file for each part of Daktela.

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

use crate::model::tool::Tool;

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
