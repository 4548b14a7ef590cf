//! Declarations of tools: name, texts for clients, what runs them.

use super::{
    args::Args, context::Context, entity::Entity, list::List, output::Output, param::Param, statistics::Statistics,
};
use crate::daktela::error::Error;

/// A tool as its callers see it.
pub struct Tool {
    pub name: &'static str,
    pub title: &'static str,
    pub description: &'static str,
    pub run: Run,
    /// Where a value for the required argument can be had from.
    pub example: Option<Example>,
}

/// `tool`'s answer names a record whose `key` does as the required argument.
pub struct Example {
    pub tool: &'static str,
    pub key: &'static str,
}

pub enum Run {
    List(&'static List),
    Count(&'static List),
    Statistics(&'static Statistics),
    Get(&'static Entity),
    /// A tool with logic of its own.
    Custom {
        params: &'static [Param],
        run: fn(&Context, &Args) -> Result<Output, Error>,
    },
}

impl Tool {
    pub const fn list(name: &'static str, title: &'static str, list: &'static List, description: &'static str) -> Tool {
        Tool {
            name,
            title,
            description,
            run: Run::List(list),
            example: None,
        }
    }

    pub const fn count(
        name: &'static str,
        title: &'static str,
        list: &'static List,
        description: &'static str,
    ) -> Tool {
        Tool {
            name,
            title,
            description,
            run: Run::Count(list),
            example: None,
        }
    }

    pub const fn statistics(
        name: &'static str,
        title: &'static str,
        statistics: &'static Statistics,
        description: &'static str,
    ) -> Tool {
        Tool {
            name,
            title,
            description,
            run: Run::Statistics(statistics),
            example: None,
        }
    }

    pub const fn get(
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

    /// The arguments, in the order of the schema.
    pub fn params(&self) -> Vec<Param> {
        match &self.run {
            Run::List(list) => list.params(),
            Run::Count(list) => list.filters.iter().map(|filter| filter.param).collect(),
            Run::Statistics(statistics) => statistics.params(),
            Run::Get(entity) => entity.get_params(),
            Run::Custom { params, .. } => params.to_vec(),
        }
    }

    /// The argument that the tool cannot do without.
    pub fn required(&self) -> Option<&'static str> {
        self.params()
            .iter()
            .find(|param| param.required)
            .map(|param| param.name)
    }
}

/// Tools that belong together: those of a part of Daktela.
pub struct Toolset {
    /// For settings: lower case, one word.
    pub id: &'static str,
    pub title: &'static str,
    /// What it is for.
    pub description: &'static str,
    pub tools: &'static [Tool],
}
