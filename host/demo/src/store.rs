//! The records in memory and the ways through them. Relations are stored as names and followed when asked for.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Index,
    sync::{Arc, Mutex, PoisonError},
};

use serde_json::{Map, Value, json};

use crate::{
    quirks::{EmailFiles, Quirks},
    schema::{CHANNELS, Field, Kind, Model, model},
};

pub(crate) type Row = Map<String, Value>;

/// A record: the values of its model's fields, by position. A map for each of a hundred thousand would be four times the memory.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    model: &'static Model,
    values: Box<[Value]>,
}

impl Record {
    /// What is not given is the field's default. Unknown names are mistakes in the data.
    fn new(model: &'static Model, given: impl IntoIterator<Item = (impl AsRef<str>, Value)>) -> Record {
        let mut record = Record {
            model,
            values: model.defaults().into(),
        };
        for (name, value) in given {
            record.set(name.as_ref(), value);
        }
        record
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.model.position(name).map(|at| &self.values[at])
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        let at = self.model.position(name);
        self.values[at.unwrap_or_else(|| panic!("{} has no {name}", self.model.name))] = value;
    }

    /// Every field with its value, as stored: relations as names.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &Value)> {
        let names = self.model.fields.iter().map(|field| field.name);
        names.zip(&self.values)
    }
}

impl Index<&str> for Record {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        self.get(name)
            .unwrap_or_else(|| panic!("{} has no {name}", self.model.name))
    }
}

#[derive(Default)]
pub(crate) struct Store {
    tables: HashMap<&'static str, Table>,
    /// Forms of custom fields: model → form → key → description.
    pub(crate) forms: Row,
}

#[derive(Default)]
struct Table {
    rows: Vec<Record>,
    index: HashMap<String, usize>,
    /// Field → name of the related record → positions of the rows that have it; made when first asked for.
    by_relation: Mutex<HashMap<&'static str, Arc<Positions>>>,
}

type Positions = HashMap<String, Vec<usize>>;

impl Store {
    pub(crate) fn add(&mut self, name: &'static str, given: Value) {
        let Value::Object(given) = given else {
            panic!("a record of {name} is an object")
        };
        self.put(name, given);
    }

    pub(crate) fn put(&mut self, name: &'static str, given: impl IntoIterator<Item = (impl AsRef<str>, Value)>) {
        let row = Record::new(model(name), given);
        let table = self.tables.entry(row.model.name).or_default();
        let key = row
            .get(row.model.key)
            .map_or(table.rows.len().to_string(), crate::value::text);
        let before = table.index.insert(key, table.rows.len());
        assert!(before.is_none(), "{name} has two records {:?}", row.get(row.model.key));
        table.rows.push(row);
    }

    pub(crate) fn rows(&self, model: &str) -> &[Record] {
        self.tables.get(model).map_or(&[], |table| &table.rows)
    }

    /// To change them while the store is built, before anybody asks.
    pub(crate) fn rows_mut(&mut self, model: &str) -> &mut [Record] {
        self.tables.get_mut(model).map_or(&mut [], |table| &mut table.rows)
    }

    pub(crate) fn get(&self, model: &str, key: &Value) -> Option<&Record> {
        let table = self.tables.get(model)?;
        let at = match key {
            Value::String(key) => table.index.get(key),
            key => table.index.get(&crate::value::text(key)),
        };
        at.map(|at| &table.rows[*at])
    }

    /// The rows whose `field`, a relation or the key, leads to one of `names`, in the order of the table.
    pub(crate) fn related(&self, on: &Model, field: &'static str, names: &[String]) -> Vec<&Record> {
        let Some(table) = self.tables.get(on.name) else {
            return Vec::new();
        };
        let mut known = table.by_relation.lock().unwrap_or_else(PoisonError::into_inner);
        let positions = Arc::clone(known.entry(field).or_insert_with(|| {
            let mut positions = Positions::new();
            for (at, row) in table.rows.iter().enumerate() {
                match &row[field] {
                    Value::Null => {}
                    Value::Array(keys) => keys
                        .iter()
                        .for_each(|key| positions.entry(crate::value::text(key)).or_default().push(at)),
                    key => positions.entry(crate::value::text(key)).or_default().push(at),
                }
            }
            Arc::new(positions)
        }));
        drop(known);
        let found: BTreeSet<usize> = names
            .iter()
            .filter_map(|name| positions.get(name))
            .flatten()
            .copied()
            .collect();
        found.into_iter().map(|at| &table.rows[at]).collect()
    }

    /// The custom fields that a record's form has.
    pub(crate) fn form(&self, model: &str, row: &Record) -> Option<&Row> {
        let chosen_by = match model {
            "contacts" | "accounts" => "database",
            "tickets" => "category",
            "crmRecords" => "type",
            "campaignsRecords" => "record_type",
            _ => return None,
        };
        self.forms.get(model)?.get(row.get(chosen_by)?.as_str()?)?.as_object()
    }

    fn has_custom_field(&self, model: &str, key: &str) -> bool {
        let forms = self.forms.get(model).and_then(Value::as_object);
        forms.is_some_and(|forms| forms.values().any(|form| form.get(key).is_some()))
    }
}

/// The store as one request sees it: with this build's quirks.
pub(crate) struct Reader<'a> {
    pub(crate) store: &'a Store,
    pub(crate) quirks: &'a Quirks,
}

impl<'a> Reader<'a> {
    /// A field by the name that this build gives it.
    pub(crate) fn field(&self, model: &'static Model, name: &str) -> Option<&'static Field> {
        let files = self.quirks.email_files == EmailFiles::Files && model.name == "activitiesEmail";
        let name = match name {
            "attachments" if files => return None,
            "files" if files => "attachments",
            name => name,
        };
        model
            .field(name)
            .filter(|field| !self.quirks.lacks(model.name, name) && !matches!(field.kind, Kind::Hidden(_)))
    }

    /// Whether filters and sorting understand this path.
    pub(crate) fn knows(&self, on: &Model, path: &str) -> bool {
        let on = model(on.name);
        let (head, rest) = path
            .split_once('.')
            .map_or((path, None), |(head, rest)| (head, Some(rest)));
        match (self.field(on, head).map(|field| field.kind), rest) {
            (Some(Kind::Path(other)), None) => self.knows(on, other),
            (Some(Kind::Path(other)), Some(rest)) => self.knows(on, &format!("{other}.{rest}")),
            (Some(Kind::One(other) | Kind::Many(other)), Some(rest)) => self.knows(model(other), rest),
            (Some(Kind::Custom), Some(key)) => self.store.has_custom_field(on.name, key),
            (Some(Kind::Item), Some(rest)) => CHANNELS.iter().any(|(_, channel)| self.knows(model(channel), rest)),
            (Some(Kind::List | Kind::Map | Kind::Any | Kind::Custom), None) => false,
            (Some(_), None) => true,
            _ => false,
        }
    }

    /// Every value at the end of a known path; a related record counts as its name.
    pub(crate) fn reach(&self, on: &Model, row: &'a Record, path: &str) -> Vec<&'a Value> {
        let (head, rest) = path
            .split_once('.')
            .map_or((path, None), |(head, rest)| (head, Some(rest)));
        let Some(field) = self.field(model(on.name), head) else {
            return Vec::new();
        };
        let at = || row.get(field.name).unwrap_or(&Value::Null);
        match (field.kind, rest) {
            (Kind::Path(other), None) => self.reach(on, row, other),
            (Kind::Path(other), Some(rest)) => self.reach(on, row, &format!("{other}.{rest}")),
            (Kind::One(other), Some(rest)) => self.through(other, at(), rest),
            (Kind::Many(other), Some(rest)) => each(at()).flat_map(|key| self.through(other, key, rest)).collect(),
            (Kind::Item, Some(rest)) => channel(row).map_or_else(Vec::new, |other| self.through(other, at(), rest)),
            (Kind::Custom, Some(key)) => at().get(key).into_iter().flat_map(each).collect(),
            (Kind::Many(_), None) => each(at()).collect(),
            _ => vec![at()],
        }
    }

    fn through(&self, other: &str, key: &Value, rest: &str) -> Vec<&'a Value> {
        self.store
            .get(other, key)
            .map_or_else(Vec::new, |row| self.reach(model(other), row, rest))
    }
}

/// The model of an activity's channel record.
pub(crate) fn channel(activity: &Record) -> Option<&'static str> {
    let kind = activity.get("type").and_then(Value::as_str)?;
    CHANNELS
        .iter()
        .find(|(name, _)| *name == kind)
        .map(|(_, channel)| *channel)
}

pub(crate) fn each(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().map_or(&[][..], Vec::as_slice).iter()
}

/// Some number for what the real instance numbers internally.
pub(crate) fn internal_id(key: &Value) -> Value {
    json!(crate::value::hash("internal", &crate::value::text(key)) % 900_000 + 1000)
}
