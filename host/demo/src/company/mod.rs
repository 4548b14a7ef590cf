//! Stoupák s.r.o. of Brno, makers of electric bicycles: its people, customers and half a year of their conversations.
//!
//! What is interesting is written by hand under `data/`; the bulk is made of the word lists there, the same on every run:
//! chance is a hash of what is being decided. Everything that follows from something else (a ticket's last activity, a
//! contact's account) is computed at the end, so that the records agree with each other.

mod calls;
mod chats;
mod clock;
mod crm;
mod emails;
mod extended;
mod people;
mod tickets;
mod volume;

use std::{
    collections::BTreeMap,
    sync::{LazyLock, Mutex, OnceLock, PoisonError},
};

use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use crate::{
    store::{Row, Store},
    value::hash,
};

/// The companies that were asked for so far, by scale and whether with the extended records. They live as long as the program:
/// a demonstration has one, and tests share theirs.
static STORES: Mutex<BTreeMap<(usize, bool), &'static OnceLock<Store>>> = Mutex::new(BTreeMap::new());

/// The company's records, `scale` times as many, perhaps with the ones that few instances have.
pub(crate) fn store(scale: usize, extended: bool) -> &'static Store {
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    let store = *stores
        .entry((scale, extended))
        .or_insert_with(|| Box::leak(Box::default()));
    drop(stores);
    store.get_or_init(|| {
        let mut company = build(scale);
        if extended {
            extended::add(&mut company);
        }
        company.store
    })
}

fn build(scale: usize) -> Company {
    let mut company = Company::new();
    people::add(&mut company);
    let talks = tickets::add(&mut company);
    calls::add(&mut company, &talks);
    emails::add(&mut company, &talks);
    chats::add(&mut company, &talks);
    crm::add(&mut company);
    tickets::external_comment(&mut company);
    if scale > 1 {
        volume::add(&mut company, scale);
    }
    tickets::finish(&mut company);
    tickets::count_views(&mut company);
    company
}

/// A number below `sides`, decided by what is asked and for which record.
fn roll(what: &str, which: impl ToString, sides: usize) -> usize {
    (hash(what, &which.to_string()) % sides as u64) as usize
}

fn pick<'a, T>(list: &'a [T], what: &str, which: impl ToString) -> &'a T {
    &list[roll(what, which, list.len())]
}

/// A name as the instance makes them: prefix, 13 hexadecimal digits, a few decimal ones.
fn id(prefix: &str, which: impl ToString) -> String {
    let number = hash(prefix, &which.to_string());
    format!("{prefix}_69{:011x}{:06}", number >> 20, number % 1_000_000)
}

/// One exchange with a customer, from which a call, an e-mail or a chat is made.
struct Talk {
    number: usize,
    ticket: Value,
    title: String,
    contact: Value,
    user: Value,
    at: DateTime,
    topic: &'static Value,
    bike: &'static str,
}

/// How a customer got in touch about a ticket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Channel {
    Email,
    Call,
    Chat,
    /// Somebody wrote the ticket down.
    None,
}

impl Talk {
    fn channel(&self) -> Channel {
        channel_of(roll("channel", self.number, 20))
    }
}

/// The channel of a number below 20.
fn channel_of(number: usize) -> Channel {
    match number {
        0..9 => Channel::Email,
        9..15 => Channel::Call,
        15..19 => Channel::Chat,
        _ => Channel::None,
    }
}

struct Company {
    store: Store,
    words: &'static Value,
    topics: &'static [Value],
    files: u64,
}

static WORDS: LazyLock<Value> = LazyLock::new(|| json_file("words.json", include_str!("../../data/words.json")));
static TOPICS: LazyLock<Value> = LazyLock::new(|| json_file("topics.json", include_str!("../../data/topics.json")));

impl Company {
    fn new() -> Company {
        let topics = TOPICS.as_array().expect("topics are a list");
        Company {
            store: Store::default(),
            words: &WORDS,
            topics,
            files: 700,
        }
    }

    /// Hand-written records of one model.
    fn add_all(&mut self, model: &'static str, rows: Value) {
        let Value::Array(rows) = rows else {
            panic!("the records of {model} are a list")
        };
        for row in rows {
            self.store.add(model, joined(row));
        }
    }

    fn words(&self, list: &str) -> &'static [Value] {
        self.words[list]
            .as_array()
            .unwrap_or_else(|| panic!("words.json has no list {list}"))
    }

    fn word(&self, list: &str, what: &str, which: impl ToString) -> &'static str {
        pick(self.words(list), what, which).as_str().expect("words are texts")
    }

    /// The activity of a channel record, or a comment for an empty `kind`.
    fn activity(&mut self, kind: &str, item: Value, fields: Value) -> String {
        let Value::Object(mut row) = joined(fields) else {
            panic!("an activity is an object")
        };
        let made = id(
            "activities",
            format!("{kind} {item} {}", self.store.rows("activities").len()),
        );
        let name = row.get("name").and_then(Value::as_str).map_or(made, str::to_owned);
        row.insert("name".into(), json!(name));
        row.insert("type".into(), json!(kind));
        row.insert("item".into(), item);
        self.store.add("activities", Value::Object(row));
        name
    }

    /// Files as e-mails and comments hold them: `[title, MIME type, size]` each. Gives their numbers.
    fn attach(&mut self, model: &'static str, files: &Value, time: &Value) -> Value {
        let numbers = files.as_array().into_iter().flatten().map(|file| {
            self.files += 1;
            let mut row = json!({
                "file": self.files, "title": file[0], "type": file[1], "size": file[2], "time": time,
                "inline": if file[3].is_string() { "1" } else { "0" },
                "cid": file[3].as_str().unwrap_or_default(),
            });
            if model == "activitiesEmailFiles" {
                row["email"] = json!(40_000 + self.files);
            }
            self.store.add(model, row);
            json!(self.files)
        });
        numbers.collect()
    }
}

/// A list of lines in place of a long text.
fn joined(row: Value) -> Value {
    let Value::Object(mut row) = row else { return row };
    for name in ["text", "description", "content"] {
        if let Some(Value::Array(lines)) = row.get(name) {
            let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
            row.insert(name.into(), json!(lines.join("\n")));
        }
    }
    Value::Object(row)
}

fn json_file(name: &str, text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("data/{name}: {error}"))
}

fn object(value: Value) -> Row {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Kind, SCHEMA};
    use crate::store::{channel, each};

    const SCALES: [usize; 2] = [1, 3];

    #[test]
    fn every_value_is_of_its_declared_kind() {
        for scale in SCALES {
            for model in SCHEMA.values() {
                for (row, field) in store(scale, false)
                    .rows(model.name)
                    .iter()
                    .flat_map(|row| model.fields.iter().map(move |f| (row, f)))
                {
                    let value = row.get(field.name).unwrap_or(&Value::Null);
                    let fits = match field.kind {
                        Kind::Int => value.is_i64() || value.is_u64(),
                        Kind::Number => {
                            value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok())
                        }
                        Kind::Text => value.is_string(),
                        Kind::Bool => value.is_boolean(),
                        Kind::Date => value.as_str().is_some_and(clock::is_time),
                        Kind::List | Kind::Many(_) | Kind::Hidden(_) => value.is_array(),
                        Kind::Map | Kind::Custom => value.is_object(),
                        Kind::One(_) | Kind::Item | Kind::Any | Kind::Path(_) => true,
                    };
                    assert!(fits || value.is_null(), "{}.{} = {value}", model.name, field.name);
                }
            }
        }
    }

    #[test]
    fn every_relation_leads_somewhere() {
        for scale in SCALES {
            for model in SCHEMA.values() {
                for (row, field) in store(scale, false)
                    .rows(model.name)
                    .iter()
                    .flat_map(|row| model.fields.iter().map(move |f| (row, f)))
                {
                    let value = &row.get(field.name).unwrap_or(&Value::Null);
                    let exists =
                        |other: &str, key: &Value| key.is_null() || store(scale, false).get(other, key).is_some();
                    let fits = match field.kind {
                        Kind::One(other) => exists(other, value),
                        Kind::Many(other) | Kind::Hidden(other) => each(value).all(|key| exists(other, key)),
                        Kind::Item => channel(row).is_none_or(|other| !value.is_null() && exists(other, value)),
                        _ => true,
                    };
                    assert!(fits, "{}.{} = {value}", model.name, field.name);
                }
            }
        }
    }

    #[test]
    fn custom_fields_are_those_of_the_form() {
        for scale in SCALES {
            for model in SCHEMA.values() {
                for row in store(scale, false).rows(model.name) {
                    let Some(fields) = row.get("customFields").and_then(Value::as_object) else {
                        continue;
                    };
                    let form = store(scale, false).form(model.name, row);
                    let unknown = fields
                        .keys()
                        .find(|key| !form.is_some_and(|form| form.contains_key(*key)));
                    assert!(
                        unknown.is_none() || model.name.ends_with("Snapshots"),
                        "{}: {unknown:?} of {row:?}",
                        model.name
                    );
                }
            }
        }
    }
}
