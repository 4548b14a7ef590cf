//! Checks that every tool, argument, value and label that a text for clients names exists.

use std::collections::BTreeSet;

use super::prompts;
use crate::{
    catalog,
    model::{
        field::Detail,
        param::{Kind, Param},
        tool::Run,
    },
};

fn params() -> impl Iterator<Item = Param> {
    catalog::tools().flat_map(|tool| tool.params())
}

fn is_argument(name: &str) -> bool {
    params().any(|param| param.name == name)
}

/// `stage=OPEN`: an argument that takes the value.
fn takes(name: &str, value: &str) -> bool {
    params()
        .filter(|param| param.name == name)
        .any(|param| match param.kind {
            Kind::OneOf(values) => values.contains(&value),
            Kind::Number { min, max, .. } => value.parse().is_ok_and(|number| (min..=max).contains(&number)),
            Kind::Flag { .. } | Kind::YesNo => ["true", "false"].contains(&value),
            _ => false,
        })
}

fn is_tool(name: &str) -> bool {
    match name.split_once('*') {
        Some((start, end)) => catalog::tools().any(|tool| tool.name.starts_with(start) && tool.name.ends_with(end)),
        // All tools of a kind, e.g. `get_`.
        None if name.ends_with('_') => catalog::tools().any(|tool| tool.name.starts_with(name)),
        None => catalog::find(name).is_some(),
    }
}

fn labels() -> BTreeSet<&'static str> {
    catalog::tools()
        .filter_map(|tool| match &tool.run {
            Run::List(list) | Run::Count(list) => Some(list.entity),
            Run::Get(entity) => Some(*entity),
            Run::Statistics(_) | Run::Custom { .. } => None,
        })
        .flat_map(|entity| entity.fields_at(Detail::Full))
        .map(|field| field.label)
        .collect()
}

fn is_known(name: &str) -> bool {
    match name.split_once('=') {
        Some((name, value)) => takes(name, value),
        // The beginning of an activity's id.
        None => is_tool(name) || is_argument(name) || name == "activities_",
    }
}

/// The names in a text: what has an underscore or an equals sign.
fn names(text: &str) -> Vec<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || "_=*{}".contains(c)))
        .filter(|word| word.contains(['_', '=']) && !word.contains(['{', '}']))
        .collect()
}

#[test]
fn the_guide_names_what_exists() {
    let labels = labels();
    let guide = include_str!("guide.md");
    let unknown: Vec<&str> = guide
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|quoted| !is_known(quoted))
        // A label of an answer, perhaps with its value.
        .filter(|quoted| {
            let label = quoted.split([':', '…']).next().unwrap_or_default().trim();
            !labels.contains(label)
        })
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn instructions_prompts_and_descriptions_name_what_exists() {
    let instructions = [include_str!("instructions.md")].into_iter();
    let tools = catalog::tools().map(|tool| tool.description);
    let arguments = params().map(|param| param.description);
    for text in instructions.chain(prompts::texts()).chain(tools).chain(arguments) {
        for name in names(text) {
            assert!(is_known(name), "{name:?} in {text:?}");
        }
    }
}

/// Clients that show less than the whole cut at 512 characters.
#[test]
fn the_first_paragraph_of_the_instructions_stands_alone() {
    let first = include_str!("instructions.md").split("\n\n").next().unwrap_or_default();
    let length = first.chars().count();
    assert!((300..=512).contains(&length), "{length}");
    assert!(first.ends_with('.'), "{first}");
}

#[test]
fn the_first_tools_exist() {
    for name in catalog::FIRST {
        assert!(catalog::find(name).is_some(), "{name}");
    }
}

#[test]
fn what_does_not_exist_is_found() {
    for name in ["list_ticket", "stage=NEW", "take=0", "sort_direction", "list_*_faxes"] {
        assert!(!is_known(name), "{name}");
    }
}
