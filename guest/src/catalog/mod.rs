//! Tool catalogue: every tool as a row of constants, one file for each part of Daktela.

pub mod accounts;
pub mod activities;
pub mod articles;
pub mod calls;
pub mod campaigns;
pub mod chats;
pub mod contacts;
pub mod crm;
pub mod emails;
pub mod find;
pub mod realtime;
pub mod reference;
pub mod tickets;

use crate::model::tool::{Tool, Toolset};

/// All tools, in the order in which they are listed.
pub fn tools() -> impl Iterator<Item = &'static Tool> {
    TOOLSETS.iter().flat_map(|toolset| toolset.tools)
}

/// The tools that a model needs first: clients that load tools on demand are asked to have these at hand.
pub const FIRST: &[&str] = &[
    "list_tickets",
    "get_ticket_detail",
    "find_in_conversations",
    "list_conversations",
    "list_contacts",
    "wallboard",
];

/// The tool of this name.
pub fn find(name: &str) -> Option<&'static Tool> {
    tools().find(|tool| tool.name == name)
}

/// The most useful first.
pub const TOOLSETS: &[Toolset] = &[
    Toolset {
        id: "tickets",
        title: "Tickets",
        description: "Tickets, their conversations, and how many there are.",
        tools: tickets::TOOLS,
    },
    Toolset {
        id: "find",
        title: "Finding",
        description: "Words in conversations, tickets and articles.",
        tools: find::TOOLS,
    },
    Toolset {
        id: "activities",
        title: "Activities",
        description: "What was done when, by whom, over every channel.",
        tools: activities::TOOLS,
    },
    Toolset {
        id: "calls",
        title: "Calls",
        description: "Phone calls and their transcripts.",
        tools: calls::TOOLS,
    },
    Toolset {
        id: "emails",
        title: "E-mails",
        description: "E-mails with their text.",
        tools: emails::TOOLS,
    },
    Toolset {
        id: "chats",
        title: "Chats",
        description: "Web chats, SMS, Messenger, Instagram, WhatsApp and Viber, with their messages.",
        tools: chats::TOOLS,
    },
    Toolset {
        id: "contacts",
        title: "Contacts",
        description: "People, by name, phone number or e-mail address.",
        tools: contacts::TOOLS,
    },
    Toolset {
        id: "accounts",
        title: "Accounts",
        description: "Companies.",
        tools: accounts::TOOLS,
    },
    Toolset {
        id: "crm",
        title: "CRM",
        description: "Deals, contracts and the like.",
        tools: crm::TOOLS,
    },
    Toolset {
        id: "campaigns",
        title: "Campaigns",
        description: "What outbound campaigns work through.",
        tools: campaigns::TOOLS,
    },
    Toolset {
        id: "articles",
        title: "Knowledge base",
        description: "Articles for agents, in folders.",
        tools: articles::TOOLS,
    },
    Toolset {
        id: "reference",
        title: "Reference data",
        description: "How the contact centre is set up: queues, categories, statuses, users, templates.",
        tools: reference::TOOLS,
    },
    Toolset {
        id: "realtime",
        title: "Right now",
        description: "Who is logged in and what they do.",
        tools: realtime::TOOLS,
    },
];
