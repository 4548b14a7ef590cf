//! From a request to an answer: models, single records, related collections, login.

use std::{cmp::Ordering, slice};

use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::{
    login::{self, Sessions},
    query::{self, Query},
    query_string,
    quirks::{EmailFiles, Quirks, Relations, SingleFields},
    reply::{self, Page, Refusal, bad, status},
    schema::{Model, SCHEMA, model},
    store::{Reader, Record, Row, Store, each},
    value,
};

const PREFIX: &str = "/api/v6/";

/// Related collections: parent, relation, the model listed, and the path in that model which leads back to the parent.
/// A path that starts with `.` is the parent's own list instead.
const RELATIONS: [(&str, &str, &str, &str); 42] = [
    ("tickets", "activities", "activities", "ticket"),
    ("tickets", "records", "crmRecords", "ticket"),
    ("tickets", "statuses", "statuses", ".statuses"),
    ("tickets", "mergeTickets", "tickets", "id_merge"),
    ("ticketsCategories", "statuses", "statuses", ".statuses"),
    ("activities", "attachments", "activitiesAttachments", ".attachments"),
    ("activities", "statuses", "statuses", ".statuses"),
    ("activitiesCall", "activities", "activities", ".activities"),
    (
        "activitiesCall",
        "transcripts",
        "activitiesCallTranscripts",
        "activity.item.id_call",
    ),
    ("activitiesEmail", "activities", "activities", ".activities"),
    ("activitiesEmail", "attachments", "activitiesEmailFiles", ".attachments"),
    ("activitiesEmail", "files", "activitiesEmailFiles", ".attachments"),
    ("activitiesWeb", "activities", "activities", ".activities"),
    ("activitiesSms", "activities", "activities", ".activities"),
    ("activitiesFbm", "activities", "activities", ".activities"),
    ("activitiesIgdm", "activities", "activities", ".activities"),
    ("activitiesWap", "activities", "activities", ".activities"),
    ("activitiesVbr", "activities", "activities", ".activities"),
    ("activitiesWeb", "messages", "activitiesWebMessages", "interaction"),
    ("activitiesSms", "messages", "activitiesSmsMessages", "interaction"),
    ("activitiesFbm", "messages", "activitiesFbmMessages", "interaction"),
    ("activitiesIgdm", "messages", "activitiesIgdmMessages", "interaction"),
    ("activitiesWap", "messages", "activitiesWapMessages", "interaction"),
    ("activitiesVbr", "messages", "activitiesVbrMessages", "interaction"),
    ("contacts", "tickets", "tickets", "contact"),
    ("contacts", "crmRecords", "crmRecords", "contact"),
    ("contacts", "activities", "activities", "contact"),
    ("contacts", "attachments", "activitiesAttachments", ".none"),
    ("contacts", "snapshots", "contactsSnapshots", "contact"),
    ("accounts", "contacts", "contacts", "account"),
    ("accounts", "tickets", "tickets", "contact.account"),
    ("accounts", "records", "crmRecords", "account"),
    ("accounts", "snapshots", "accountsSnapshots", "account"),
    ("campaignsRecords", "activities", "activities", "record"),
    ("campaignsRecords", "statuses", "statuses", ".statuses"),
    ("users", "tickets", "tickets", "user"),
    ("users", "queues", "queues", "agents"),
    ("users", "groups", "groups", "members"),
    ("groups", "members", "users", ".members"),
    ("crmRecords", "attachments", "activitiesAttachments", ".none"),
    ("articles", "comments", "articlesComments", "article"),
    ("articles", "attachments", "activitiesAttachments", ".none"),
];

pub(crate) struct Request {
    pub(crate) method: String,
    /// As received, with the query.
    pub(crate) raw: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The decoded segments after `/api/v6/`; none for an address outside of it.
    pub(crate) fn segments(&self) -> Option<Vec<String>> {
        let path = self.raw.split('?').next()?.strip_prefix(PREFIX)?;
        let path = path.strip_suffix(".json").unwrap_or(path);
        path.split('/')
            .map(|part| percent_decode_str(part).decode_utf8().ok().map(Into::into))
            .collect()
    }

    pub(crate) fn parameters(&self) -> Row {
        query_string::tree(self.raw.split_once('?').map_or("", |(_, query)| query))
    }

    /// A token from the header, the query or the cookie, in this order.
    pub(crate) fn token(&self) -> Option<String> {
        let cookie = || {
            let mut pairs = self.header("cookie")?.split(';');
            pairs.find_map(|pair| pair.trim().strip_prefix("c_user=").map(str::to_owned))
        };
        let query = || {
            self.parameters()
                .get("accessToken")
                .and_then(Value::as_str)
                .map(str::to_owned)
        };
        self.header("x-auth-token")
            .map(str::to_owned)
            .or_else(query)
            .or_else(cookie)
    }
}

/// Status and body.
pub(crate) fn answer(request: &Request, store: &Store, quirks: &Quirks, sessions: &mut Sessions) -> (u16, String) {
    let reader = Reader { store, quirks };
    route(request, &reader, sessions).map_or_else(|refused| reply::refusal(&refused, quirks), |body| (200, body))
}

fn route(request: &Request, reader: &Reader<'_>, sessions: &mut Sessions) -> Result<String, Refusal> {
    let segments = request.segments().map_or_else(|| status(404), Ok)?;
    let parts: Vec<&str> = segments.iter().map(String::as_str).collect();
    let parameters = request.parameters();
    let token = request.token().unwrap_or_default();
    let login = sessions.user(&token);
    let reads = matches!(&*request.method, "GET");
    match (&*request.method, parts.as_slice()) {
        ("POST" | "PUT", ["login"]) => {
            let given = login::given(
                &request.body,
                request.header("content-type").unwrap_or_default(),
                parameters,
            );
            let (token, result) = match &*request.method {
                "POST" => sessions.log_in(&given, reader)?,
                _ => sessions.refresh(&given, reader)?,
            };
            let asked = given
                .get("only_token")
                .is_some_and(|only| matches!(&*value::text(only), "1" | "true"));
            let bare = match reader.quirks.login {
                crate::LoginAnswer::Object => false,
                crate::LoginAnswer::TokenWhenAsked => asked,
                crate::LoginAnswer::AlwaysToken => true,
            };
            Ok(reply::single(&if bare { json!(token) } else { result }, reader.quirks))
        }
        ("GET", ["whoim"]) => Ok(reply::single(
            &login::whoim(login.as_deref(), &token, reader),
            reader.quirks,
        )),
        (_, ["login" | "whoim"]) => status(405),
        _ if login.is_none() => status(401),
        _ if !reads => status(405),
        (_, [name, rest @ ..]) => {
            let login = login.unwrap_or_default();
            let name = match *name {
                "activitiesChat" if reader.quirks.old_web_chats => "activitiesWeb",
                "activitiesWeb" if reader.quirks.old_web_chats => return status(404),
                name => name,
            };
            let Some(on) = SCHEMA.get(name).filter(|model| !model.internal) else {
                return bad(json!("Model not exist"));
            };
            if !login::may_read(&login, on, reader) {
                return status(403);
            }
            match rest {
                [] => list(on, Rows::All, &parameters, &login, reader),
                [key] => single(on, key, &parameters, &login, reader),
                [key, relation] => related(on, key, relation, &parameters, &login, reader),
                _ => status(404),
            }
        }
        _ => status(404),
    }
}

fn find<'a>(on: &Model, key: &str, login: &str, reader: &Reader<'a>) -> Result<&'a Record, Refusal> {
    let row = reader
        .store
        .get(on.name, &json!(key))
        .filter(|row| login::sight(login, on, reader)(row));
    // Sessions have no name: there is no single one to read.
    row.filter(|_| on.key != "#").map_or_else(|| status(404), Ok)
}

fn single(on: &'static Model, key: &str, given: &Row, login: &str, reader: &Reader<'_>) -> Result<String, Refusal> {
    let fields = match (query::single(given)?, reader.quirks.single_fields) {
        (Some(_), SingleFields::Refused) => return bad(json!("Unknown parameter fields")),
        (_, SingleFields::Ignored) | (None, _) => None,
        (Some(fields), SingleFields::Honoured) => Some(reader.accept(on, fields)?),
    };
    let row = find(on, key, login, reader)?;
    let shown = fields.map_or_else(|| reader.whole(on, row, true), |fields| reader.picked(on, row, &fields));
    Ok(reply::single(&shown, reader.quirks))
}

fn related(
    on: &'static Model,
    key: &str,
    relation: &str,
    given: &Row,
    login: &str,
    reader: &Reader<'_>,
) -> Result<String, Refusal> {
    let row = find(on, key, login, reader)?;
    let files = if reader.quirks.email_files == EmailFiles::Files {
        "attachments"
    } else {
        "files"
    };
    let absent = reader.quirks.relations == Relations::Missing
        || (relation == "messages" && !reader.quirks.chat_messages)
        || (on.name == "activitiesEmail" && relation == files);
    let found = RELATIONS
        .iter()
        .find(|(parent, name, ..)| *parent == on.name && *name == relation);
    let Some((_, _, target, path)) = found.filter(|_| !absent) else {
        return status(404);
    };
    if reader.quirks.relations == Relations::RefuseFilters && given.contains_key("filter") {
        return bad(json!(["Wrong filter"]));
    }
    let target = model(target);
    if !login::may_read(login, target, reader) {
        return status(403);
    }
    let key = &row[on.key];
    let rows = match path.strip_prefix('.') {
        Some(own) => {
            let keys = row.get(own).into_iter().flat_map(each);
            keys.filter_map(|key| reader.store.get(target.name, key)).collect()
        }
        None => match target.field(path) {
            Some(field) => reader
                .store
                .related(target, field.name, slice::from_ref(&value::text(key))),
            None => {
                let leads = |row: &&Record| reader.reach(target, row, path).contains(&key);
                reader.store.rows(target.name).iter().filter(leads).collect()
            }
        },
    };
    if reader.quirks.relations == Relations::EmptyIsMissing && rows.is_empty() {
        return status(404);
    }
    list(target, Rows::These(rows), given, login, reader)
}

/// What a list is taken from.
enum Rows<'a> {
    All,
    These(Vec<&'a Record>),
}

fn list<'a>(
    on: &'static Model,
    from: Rows<'a>,
    given: &Row,
    login: &str,
    reader: &Reader<'a>,
) -> Result<String, Refusal> {
    let mut query = Query::list(given, reader.quirks)?;
    query.filter = query.filter.map(|filter| filter.with_views(reader, on)).transpose()?;
    if let Some(filter) = &query.filter {
        filter.check(reader, on)?;
    }
    let fields = query.fields.map(|fields| reader.accept(on, fields)).transpose()?;
    let mut rows = match (from, query.filter.as_ref().and_then(|filter| filter.anchor(reader, on))) {
        (Rows::These(rows), _) => rows,
        (Rows::All, Some((field, names))) => reader.store.related(on, field, names),
        (Rows::All, None) => reader.store.rows(on.name).iter().collect(),
    };
    if let Some(filter) = &query.filter {
        rows.retain(|row| filter.matches(reader, on, row));
    }
    if on.name == "activitiesCallTranscripts" && !reader.quirks.transcripts {
        rows.clear();
    }
    let seen = login::sight(login, on, reader);
    rows.retain(|row| seen(row));
    if let Some(wanted) = query.search.filter(|_| !on.search.is_empty()) {
        rows.retain(|row| mentions(on, row, &wanted, reader));
    }
    // The known trap: an unknown sort field is no error, it just leaves nothing.
    let sorts = |field: &str| reader.knows(on, field) && !reader.quirks.cannot_sort(on.name, field);
    if query.sort.iter().any(|(field, _)| !sorts(field)) {
        rows.clear();
    }
    let rows = sorted(rows, &query.sort, on, reader);
    let total = query.total.then_some(rows.len());
    // What cannot be projected is counted and not sent.
    let unsent = fields.is_some() && on.name == "realtimeSessions" && !reader.quirks.projected_sessions;
    let take = if unsent { 0 } else { query.take };
    let page = rows.into_iter().skip(query.skip).take(take).enumerate();
    let rows = page.map(|(at, row)| {
        let name = row.get(on.key).map_or(at.to_string(), value::text);
        let shown = match &fields {
            Some(fields) => reader.picked(on, row, fields),
            None => reader.whole(on, row, false),
        };
        (name, shown.to_string())
    });
    Ok(reply::list(
        Page {
            rows: rows.collect(),
            total,
        },
        reader.quirks,
    ))
}

/// `q`: each word somewhere in what the model lets search. Nobody shows more than that it finds things.
fn mentions(on: &Model, row: &Record, wanted: &str, reader: &Reader<'_>) -> bool {
    let texts = on.search.iter().flat_map(|field| match *field {
        "tags" => reader.reach(on, row, "tags.title"),
        "customFields" => row["customFields"]
            .as_object()
            .into_iter()
            .flat_map(|map| map.values().flat_map(each))
            .collect(),
        field => reader.reach(on, row, field),
    });
    let text = texts.map(value::text).collect::<Vec<_>>().join("\n").to_lowercase();
    wanted.to_lowercase().split_whitespace().all(|word| text.contains(word))
}

fn sorted<'a>(rows: Vec<&'a Record>, sort: &[(String, bool)], on: &Model, reader: &Reader<'a>) -> Vec<&'a Record> {
    let key = |row: &'a Record, field: &str| Key::new(reader.reach(on, row, field).first().copied());
    let mut keyed: Vec<(Vec<Key>, &Record)> = rows
        .into_iter()
        .map(|row| (sort.iter().map(|(field, _)| key(row, field)).collect(), row))
        .collect();
    keyed.sort_by(|(a, _), (b, _)| {
        let orders = a.iter().zip(b).zip(sort).map(|((a, b), (_, descending))| {
            let order = a.order(b);
            if *descending { order.reverse() } else { order }
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    keyed.into_iter().map(|(_, row)| row).collect()
}

/// A value to sort by, read once.
enum Key {
    Null,
    Number(f64, String),
    Text(String),
}

impl Key {
    fn new(value: Option<&Value>) -> Key {
        match value.filter(|value| !value.is_null()).map(value::text) {
            None => Key::Null,
            Some(text) => match text.parse() {
                Ok(number) => Key::Number(number, text),
                Err(_) => Key::Text(text),
            },
        }
    }

    /// As MySQL orders: null first, numbers by size, texts by code.
    fn order(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Null, Key::Null) => Ordering::Equal,
            (Key::Null, _) => Ordering::Less,
            (_, Key::Null) => Ordering::Greater,
            (Key::Number(a, _), Key::Number(b, _)) => a.total_cmp(b),
            (Key::Number(_, a) | Key::Text(a), Key::Number(_, b) | Key::Text(b)) => a.cmp(b),
        }
    }
}
