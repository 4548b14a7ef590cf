//! The Daktela user behind the credential: name, role, profile, and what the user may read, tried out with one small read of each
//! kind of record, since rights are not readable as such.

use serde_json::Value;

use crate::{
    daktela::{
        error::Error,
        query::{Filter, Query},
    },
    model::{
        context::Context,
        output::{Content, Fact, FactValue, Key, Output, Record, RecordOutput, Reference, number_of},
    },
    run::records::warnings,
    text, value,
};

/// What is tried out: what it is called, its model, its key.
const MODELS: &[(&str, &str, &str)] = &[
    ("tickets", "tickets", "name"),
    ("activities", "activities", "name"),
    ("calls", "activitiesCall", "id_call"),
    ("transcript segments", "activitiesCallTranscripts", "name"),
    ("e-mails", "activitiesEmail", "name"),
    ("web chats", "activitiesWeb", "name"),
    ("SMS chats", "activitiesSms", "name"),
    ("Messenger chats", "activitiesFbm", "name"),
    ("Instagram chats", "activitiesIgdm", "name"),
    ("WhatsApp chats", "activitiesWap", "name"),
    ("Viber chats", "activitiesVbr", "name"),
    ("contacts", "contacts", "name"),
    ("accounts", "accounts", "name"),
    ("CRM records", "crmRecords", "name"),
    ("campaign records", "campaignsRecords", "name"),
    ("articles", "articles", "name"),
    ("users", "users", "name"),
    ("queues", "queues", "name"),
    ("agents right now", "realtimeSessions", "state"),
];

/// Of the user's record; what of it a build or the rights do not give is absent.
const USER_FIELDS: &[&str] = &[
    "name",
    "title",
    "type",
    "email",
    "timezone",
    "role.title",
    "profile.title",
    "description",
];

pub(crate) fn who_am_i(context: &Context) -> Result<Output, Error> {
    let whoim = context.client.read_single("whoim")?;
    // Without a valid token the answer has a version and no user.
    let user = whoim.get("user").filter(|user| user.is_object()).ok_or_else(|| {
        Error::Forbidden(
            "Daktela knows no user by this credential. Set a valid access token and call again.".to_owned(),
        )
    })?;
    let login = value::text_at(user, "name").unwrap_or_default();
    let mut queries: Vec<Query> = MODELS
        .iter()
        .map(|(_, model, key)| Query::new(*model, 1).fields(&[key]))
        .collect();
    queries.push(
        Query::new("users", 1)
            .fields(USER_FIELDS)
            .filter(Filter::eq("name", login.as_str())),
    );
    let mut pages = context.client.read_pages(&queries);
    let own = pages
        .pop()
        .and_then(Result::ok)
        .and_then(|page| page.rows.into_iter().next());
    let at = |path: &str| {
        let own = own.as_ref().and_then(|own| value::first(own, path));
        own.or_else(|| value::first(user, path))
            .filter(|value| value::is_filled(value))
    };
    let mut facts: Vec<Fact> = Vec::new();
    let mut add = |label: &'static str, value: Option<FactValue>| {
        facts.extend(value.map(|value| Fact {
            key: Key::Label,
            label: label.into(),
            provenance: value.provenance(),
            value,
            max_chars: 2_000,
        }));
    };
    let word = |value: &Value| value::text(value).map(FactValue::Word);
    let people = |value: &Value| value::text(value).map(FactValue::Text);
    add("Time now", context.client.now().map(FactValue::DateTime));
    add("Type", at("type").and_then(word));
    add("E-mail", at("email").and_then(people));
    add("Role", at("role.title").and_then(people));
    add("Rights profile", at("profile.title").and_then(people));
    let extensions = value::all(user, "extensions").into_iter().filter_map(people);
    add("Extensions", FactValue::from_values(extensions));
    add(
        "Time zone of the user",
        at("timezone")
            .and_then(word)
            .filter(|zone| *zone != FactValue::Word("_AUTOMATIC_".to_owned())),
    );
    let (mut readable, mut refused, mut unknown) = (Vec::new(), Vec::new(), Vec::new());
    for ((label, ..), page) in MODELS.iter().zip(pages) {
        match page {
            Ok(page) => readable.push(FactValue::Word(match page.total {
                Some(total) => format!("{label} {}", text::thousands(total)),
                None => (*label).to_owned(),
            })),
            Err(Error::NoRight(_)) => refused.push(FactValue::Word((*label).to_owned())),
            Err(Error::NotFound(_) | Error::Refused(_)) => unknown.push(FactValue::Word((*label).to_owned())),
            Err(error) => return Err(error),
        }
    }
    add("Sees", FactValue::from_values(readable));
    add("May not read", FactValue::from_values(refused));
    add("Not in this build", FactValue::from_values(unknown));
    // Builds differ in whether the version is a text or an object.
    let version = ["version.current", "version"]
        .iter()
        .find_map(|path| value::first(&whoim, path));
    add("Daktela version", version.and_then(number_of));
    add(
        "Instance",
        (!context.settings.origin.is_empty()).then(|| FactValue::Word(context.settings.origin.clone())),
    );
    let title = value::text_at(user, "title").map(|title| text::line(&title));
    let reference = Reference {
        id: Some(login.clone()),
        title: title.clone(),
        url: None,
    };
    let record = Record {
        singular: "user",
        id: reference.id,
        title: reference.title,
        url: None,
        facts,
        remarks: Vec::new(),
        texts: Vec::new(),
    };
    Ok(Output {
        content: Content::Record(RecordOutput {
            singular: "user",
            record,
            notes: warnings(context),
            zone: context.client.zone(),
            budget: crate::model::args::Budget {
                bytes: crate::model::param::MAX_BYTES_DEFAULT.min(context.settings.max_answer_bytes),
                is_server_limit: false,
            },
        }),
        first_record: None,
    })
}
