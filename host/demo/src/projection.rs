//! How a record is shown: wholly, with everything related embedded several levels deep, or as `fields` picked it.

use serde_json::{Map, Value, json};

use crate::{
    quirks::{DottedFields, EmailFiles, Item, Scheme, UnknownField},
    reply::{Refusal, bad},
    schema::{CHANNELS, Kind, Model, SCHEMA, model},
    store::{Reader, Record, Row, channel, each, internal_id},
};

/// Recordings go 14 levels deep until cycles end; that many would make a page of tickets hundreds of megabytes.
const MAX_DEPTH: usize = 4;
/// Of a chat, in builds that show them in it.
const MESSAGES: &str = "messages";

impl Reader<'_> {
    /// A record without `fields`. `single` adds what only single reads have.
    pub(crate) fn whole(&self, on: &'static Model, row: &Record, single: bool) -> Value {
        let mut shown = self.embed(on, row, 0);
        let map = shown.as_object_mut().expect("a record is an object");
        if on.name == "tickets" && single {
            map.insert("_access".into(), json!(true));
        }
        if on.name == "activities" && single && matches!(row["type"].as_str(), Some("" | "COMMENT")) {
            let files = self.value(on, row, "attachments", Kind::Many("activitiesAttachments"), 0);
            map.insert("attachments".into(), files);
        }
        if let Some(messages) = self.messages(on, row) {
            map.insert(MESSAGES.into(), messages);
        }
        shown
    }

    /// Those of a chat, where this build shows them in it.
    fn messages(&self, on: &Model, row: &Record) -> Option<Value> {
        let messages = SCHEMA.get(&*format!("{}Messages", on.name));
        let messages = messages.filter(|_| self.quirks.messages_in_chats)?;
        let names = [crate::value::text(&row["name"])];
        let rows = self.store.related(messages, "interaction", &names).into_iter();
        Some(rows.map(|row| self.embed(messages, row, MAX_DEPTH - 1)).collect())
    }

    /// Refuses or drops the entries of `fields` that this model, or this build, does not know.
    pub(crate) fn accept(&self, on: &'static Model, fields: Vec<String>) -> Result<Vec<String>, Refusal> {
        let mut accepted = Vec::new();
        for field in fields {
            let in_chat = self.quirks.messages_in_chats && field == MESSAGES;
            let known = field == "_sys" || in_chat || self.shows(on, &field);
            match (known, self.quirks.unknown_field, self.quirks.dotted_fields) {
                (false, UnknownField::Ignored, _) => {}
                (false, UnknownField::Refused, _) => {
                    return bad(json!({"primary": [format!("Unknown field {field}"), "error"]}));
                }
                (true, _, DottedFields::Refused) if field.contains('.') => {
                    return bad(json!({"primary": [format!("Unknown field {field}"), "error"]}));
                }
                (true, _, DottedFields::Absent) if field.contains('.') => {}
                (true, _, DottedFields::ToOne) if self.goes_deep(on, &field) => {}
                (true, ..) => accepted.push(field),
            }
        }
        Ok(accepted)
    }

    /// A record with accepted `fields`.
    pub(crate) fn picked(&self, on: &'static Model, row: &Record, fields: &[String]) -> Value {
        let paths: Vec<&str> = fields.iter().map(String::as_str).collect();
        let mut shown = self.pick(on, row, &paths, 0);
        if fields.iter().any(|field| field == "_sys") && self.quirks.sys_in_fields {
            shown.insert("_sys".into(), self.sys(on, row));
        }
        if fields.iter().any(|field| field == MESSAGES) {
            shown.extend(self.messages(on, row).map(|messages| (MESSAGES.to_owned(), messages)));
        }
        map_or_list(shown)
    }

    fn shows(&self, on: &'static Model, path: &str) -> bool {
        let (head, rest) = path
            .split_once('.')
            .map_or((path, None), |(head, rest)| (head, Some(rest)));
        match (self.field(on, head).map(|field| field.kind), rest) {
            (None | Some(Kind::Path(_)), _) => false,
            (Some(_), None) => true,
            (Some(Kind::One(other) | Kind::Many(other)), Some(rest)) => self.shows(model(other), rest),
            (Some(Kind::Item), Some(rest)) => CHANNELS.iter().any(|(_, channel)| self.shows(model(channel), rest)),
            (Some(Kind::Custom), Some(_)) => self.knows(on, path),
            _ => false,
        }
    }

    /// Whether a known path goes through several related records or two levels of them.
    fn goes_deep(&self, on: &'static Model, path: &str) -> bool {
        let mut parts = path.split('.');
        let head = parts.next().and_then(|head| self.field(on, head));
        let many = head.is_some_and(|field| matches!(field.kind, Kind::Many(_)));
        (many && path.contains('.')) || parts.count() > 1
    }

    fn pick(&self, on: &'static Model, row: &Record, paths: &[&str], depth: usize) -> Row {
        let mut shown = Map::new();
        for path in paths {
            let head = path.split('.').next().expect("split gives at least one part");
            let Some(field) = self.field(on, head).filter(|_| !shown.contains_key(head)) else {
                continue;
            };
            if paths.contains(&head) {
                shown.insert(head.into(), self.value(on, row, field.name, field.kind, depth));
                continue;
            }
            let rests: Vec<&str> = paths
                .iter()
                .filter_map(|path| path.strip_prefix(head)?.strip_prefix('.'))
                .collect();
            let at = &row[field.name];
            let one = |other, key| match self.store.get(other, key) {
                Some(row) => map_or_list(self.pick(model(other), row, &rests, depth + 1)),
                None => Value::Null,
            };
            let value = match field.kind {
                Kind::One(other) => one(other, at),
                Kind::Many(other) => each(at).map(|key| one(other, key)).collect(),
                Kind::Item => match (depth, self.quirks.item, channel(row)) {
                    (0, Item::Object, Some(other)) if embeds(other) => one(other, at),
                    _ => self.value(on, row, field.name, field.kind, depth),
                },
                Kind::Custom => map_or_list(
                    rests
                        .iter()
                        .map(|key| ((*key).to_owned(), at.get(key).cloned().unwrap_or(json!([]))))
                        .collect(),
                ),
                _ => unreachable!("accepted paths go through related records only"),
            };
            shown.insert(head.into(), value);
        }
        shown
    }

    fn embed(&self, on: &'static Model, row: &Record, depth: usize) -> Value {
        let mut shown = Map::new();
        for field in &on.fields {
            let hidden =
                matches!(field.kind, Kind::Path(_) | Kind::Hidden(_)) || self.quirks.lacks(on.name, field.name);
            if hidden || (on.name == "activities" && field.name == "attachments") {
                continue;
            }
            let files = on.name == "activitiesEmail" && field.name == "attachments";
            let name = if files && self.quirks.email_files == EmailFiles::Files {
                "files"
            } else {
                field.name
            };
            shown.insert(name.into(), self.value(on, row, field.name, field.kind, depth));
        }
        shown.insert("_sys".into(), self.sys(on, row));
        shown.insert("_rdata".into(), Value::Null);
        shown.insert("_guiData".into(), json!([]));
        Value::Object(shown)
    }

    fn value(&self, on: &Model, row: &Record, name: &str, kind: Kind, depth: usize) -> Value {
        let at = row.get(name).unwrap_or(&Value::Null);
        let one = |other, key| match self.store.get(other, key) {
            Some(row) if depth < MAX_DEPTH => self.embed(model(other), row, depth + 1),
            _ => Value::Null,
        };
        match kind {
            Kind::One(other) => one(other, at),
            Kind::Many(_) if depth == MAX_DEPTH => json!([]),
            Kind::Many(other) => each(at).map(|key| one(other, key)).collect(),
            Kind::Item => match (self.quirks.item, channel(row)) {
                (Item::Null, _) | (_, None) => Value::Null,
                // Back references, and channels for which no source shows an object, are internal numbers.
                (Item::Object, Some(other)) if depth == 0 && embeds(other) => one(other, at),
                _ => internal_id(at),
            },
            Kind::Custom => {
                let form = self.store.form(on.name, row).into_iter().flat_map(Map::keys);
                let filled = form.map(|key| (key.clone(), at.get(key).cloned().unwrap_or(json!([]))));
                map_or_list(filled.collect())
            }
            Kind::Map if on.name == "activitiesEmail" && self.quirks.header_case => as_sent(at),
            Kind::Map => at.as_object().cloned().map_or(Value::Null, map_or_list),
            _ => at.clone(),
        }
    }

    fn sys(&self, on: &Model, row: &Record) -> Value {
        let name = match on.name {
            "activitiesAttachments" => r"activities\Attachments",
            name => name,
        };
        let mut sys = Map::new();
        sys.insert("model".into(), json!(name));
        if let Some(form) = self.store.form(on.name, row).filter(|form| !form.is_empty()) {
            match self.quirks.custom_field_scheme {
                Scheme::Absent => {}
                Scheme::Map => {
                    sys.insert("cfScheme".into(), Value::Object(form.clone()));
                }
                Scheme::List => {
                    sys.insert("cfScheme".into(), form.iter().map(named).collect());
                }
                Scheme::Options => {
                    let fields = form.iter().map(|(key, field)| (key.clone(), with_options(field)));
                    sys.insert("cfScheme".into(), Value::Object(fields.collect()));
                }
            }
        }
        sys.insert("hash".into(), Value::Null);
        Value::Object(sys)
    }
}

/// Calls and e-mails are recorded as embedded in their activity.
fn embeds(channel: &str) -> bool {
    matches!(channel, "activitiesCall" | "activitiesEmail")
}

/// A custom field's definition as an entry of a list.
fn named((key, field): (&String, &Value)) -> Value {
    let mut field = field.clone();
    field["name"] = json!(key);
    field
}

/// A custom field's definition with its choices as a map from value to title.
fn with_options(field: &Value) -> Value {
    let mut field = field.clone();
    let map = field.as_object_mut().expect("a definition is an object");
    let items = map.remove("items").unwrap_or_default();
    let options = each(&items).map(|item| (crate::value::text(&item["value"]), item["title"].clone()));
    map.insert("options".into(), map_or_list(options.collect()));
    field
}

/// Headers in the spelling of the mail: `auto-submitted` is `Auto-Submitted`.
fn as_sent(options: &Value) -> Value {
    let capital = |word: &str| match word.split_at_checked(1) {
        Some((first, rest)) => first.to_uppercase() + rest,
        None => String::new(),
    };
    let mut options = options.clone();
    if let Some(headers) = options.get_mut("headers").and_then(Value::as_object_mut) {
        let sent = std::mem::take(headers).into_iter();
        *headers = sent
            .map(|(name, value)| (name.split('-').map(capital).collect::<Vec<_>>().join("-"), value))
            .collect();
    }
    options
}

/// PHP writes an empty map as an empty list.
fn map_or_list(map: Row) -> Value {
    if map.is_empty() { json!([]) } else { Value::Object(map) }
}
