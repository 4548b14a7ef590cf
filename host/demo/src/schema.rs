//! Schema of the fake API's models, parsed from `data/schema.txt`: the only definition of fields, for defaults, embedding and the
//! refusal of unknown names.

use std::{collections::HashMap, sync::LazyLock};

use serde_json::{Map, Value};

pub(crate) static SCHEMA: LazyLock<HashMap<&'static str, Model>> =
    LazyLock::new(|| parse(include_str!("../data/schema.txt")));

/// The channels, in the order in which one is looked for when a path goes through an activity's `item`.
pub(crate) const CHANNELS: [(&str, &str); 8] = [
    ("CALL", "activitiesCall"),
    ("EMAIL", "activitiesEmail"),
    ("CHAT", "activitiesWeb"),
    ("SMS", "activitiesSms"),
    ("FBM", "activitiesFbm"),
    ("IGDM", "activitiesIgdm"),
    ("WAP", "activitiesWap"),
    ("VBR", "activitiesVbr"),
];

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) key: &'static str,
    /// The role option and the bit of it that let a user read this model.
    pub(crate) right: Option<(&'static str, u64)>,
    /// What `q` looks at; empty where `q` is ignored.
    pub(crate) search: Vec<&'static str>,
    pub(crate) internal: bool,
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    default: Value,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Int,
    Number,
    Text,
    Bool,
    Date,
    List,
    Map,
    Any,
    /// Custom fields: `{key: [values]}`, whose keys depend on the record's form.
    Custom,
    /// The channel record behind an activity, whose model depends on the activity's type.
    Item,
    One(&'static str),
    Many(&'static str),
    /// Understood by filters, never shown.
    Path(&'static str),
    /// Membership, visible only through a relation.
    Hidden(&'static str),
}

impl Model {
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The position of a field in a record of this model.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name == name)
    }

    /// The values of a record of which nothing is written down.
    pub(crate) fn defaults(&self) -> Vec<Value> {
        self.fields.iter().map(|field| field.default.clone()).collect()
    }
}

pub(crate) fn model(name: &str) -> &'static Model {
    SCHEMA
        .get(name)
        .unwrap_or_else(|| panic!("schema.txt has no model {name}"))
}

fn parse(text: &'static str) -> HashMap<&'static str, Model> {
    let mut models: Vec<Model> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.strip_prefix("  ") {
            None => models.push(heading(line)),
            Some(line) => {
                let fields = match line.strip_prefix('&') {
                    Some(other) => models
                        .iter()
                        .find(|model| model.name == other)
                        .expect("defined above")
                        .fields
                        .clone(),
                    None => vec![field(line)],
                };
                models
                    .last_mut()
                    .expect("a model precedes its fields")
                    .fields
                    .extend(fields);
            }
        }
    }
    models.into_iter().map(|model| (model.name, model)).collect()
}

fn heading(line: &'static str) -> Model {
    let mut words = line.split_whitespace();
    let name = words.next().expect("a line that is not empty");
    let mut model = Model {
        name,
        key: "name",
        right: None,
        search: Vec::new(),
        internal: false,
        fields: Vec::new(),
    };
    for word in words {
        match word.split_once('=') {
            Some(("key", key)) => model.key = key,
            Some(("right", right)) => {
                let (option, bit) = right.split_once(':').expect("right=option:bit");
                model.right = Some((option, bit.parse().expect("a bit is a number")));
            }
            Some(("search", fields)) => model.search = fields.split(',').collect(),
            _ => model.internal = word == "internal",
        }
    }
    model
}

fn field(line: &'static str) -> Field {
    let (declared, default) = line.split_once(" = ").unwrap_or((line, ""));
    let (name, kind) = declared.split_once(' ').expect("a field has a kind");
    let kind = match kind.trim() {
        "int" => Kind::Int,
        "number" => Kind::Number,
        "text" => Kind::Text,
        "bool" => Kind::Bool,
        "date" => Kind::Date,
        "list" => Kind::List,
        "map" => Kind::Map,
        "any" => Kind::Any,
        "custom" => Kind::Custom,
        "item" => Kind::Item,
        kind => match kind.strip_prefix("hidden ") {
            Some(other) => Kind::Hidden(other.trim_matches(['[', ']'])),
            None if kind.starts_with('[') => Kind::Many(kind.trim_matches(['[', ']'])),
            None => kind.strip_prefix('~').map_or(Kind::One(kind), Kind::Path),
        },
    };
    let default = match kind {
        _ if !default.is_empty() => serde_json::from_str(default).expect("a default is JSON"),
        Kind::List | Kind::Many(_) | Kind::Hidden(_) => Value::Array(Vec::new()),
        Kind::Map | Kind::Custom => Value::Object(Map::new()),
        _ => Value::Null,
    };
    Field { name, kind, default }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_related_model_exists() {
        for model in SCHEMA.values() {
            for field in &model.fields {
                if let Kind::One(other) | Kind::Many(other) | Kind::Hidden(other) = field.kind {
                    assert!(
                        SCHEMA.contains_key(other),
                        "{}.{} leads to {other}",
                        model.name,
                        field.name
                    );
                }
            }
        }
    }
}
