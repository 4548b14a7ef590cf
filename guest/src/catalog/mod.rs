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

use serde_json::Value;

use crate::{
    daktela::query::{Filter, Query},
    model::tool::{Entity, Example, List, Related, Run, Tool},
    run::Context,
    text, value,
};

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

const fn list(name: &'static str, title: &'static str, list: &'static List, description: &'static str) -> Tool {
    Tool {
        name,
        title,
        description,
        run: Run::List(list),
        example: None,
    }
}

const fn get(
    name: &'static str,
    title: &'static str,
    entity: &'static Entity,
    from: &'static str,
    description: &'static str,
) -> Tool {
    Tool {
        name,
        title,
        description,
        run: Run::Get(entity),
        example: Some(Example {
            tool: from,
            key: "name",
        }),
    }
}

/// What belongs to a record elsewhere, counted: a label, the model and the field that points back at the record. The
/// label ends with the tool that shows more.
type Belongings = [(&'static str, &'static str, &'static str)];

/// One line for each of the belongings of each record.
fn counted(context: &Context, entity: &Entity, rows: &[Value], belongings: &Belongings) -> Vec<Related> {
    let part = |row: &Value| {
        let name = value::text_at(row, entity.key).unwrap_or_default();
        let query = |field: &str, model: &str| {
            Query::new(model, 1)
                .fields(&["name"])
                .filter(Filter::eq(field, name.as_str()))
        };
        let queries: Vec<Query> = belongings.iter().map(|(_, model, field)| query(field, model)).collect();
        let count = |((label, ..), page): (&(&str, &str, &str), _)| match page {
            Ok(crate::daktela::client::Page { total: Some(total), .. }) => {
                format!("{label}: {}", text::thousands(total))
            }
            Ok(_) => format!("{label}: the instance gives no number"),
            Err(error) => format!("{label}: {}", text::line(crate::daktela::error::Error::text(&error))),
        };
        Related {
            lines: belongings
                .iter()
                .zip(context.client.read_pages(&queries))
                .map(count)
                .collect(),
            ..Related::default()
        }
    };
    rows.iter().map(part).collect()
}
