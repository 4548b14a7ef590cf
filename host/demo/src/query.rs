//! The parameters of a list: which are known, what they mean, and which are refused.

use serde_json::{Map, Value, json};

use crate::{
    filter::{self, Node},
    query_string,
    quirks::Quirks,
    reply::{Refusal, bad},
};

/// Without `take`. Not proven by any source: the vendor's examples show 20 and 25.
const DEFAULT_TAKE: usize = 20;
const MAX_TAKE: usize = 1000;

pub(crate) struct Query {
    pub(crate) filter: Option<Node>,
    /// Field and whether it descends.
    pub(crate) sort: Vec<(String, bool)>,
    pub(crate) fields: Option<Vec<String>>,
    pub(crate) skip: usize,
    pub(crate) take: usize,
    pub(crate) search: Option<String>,
    pub(crate) total: bool,
}

impl Query {
    pub(crate) fn list(parameters: &Map<String, Value>, quirks: &Quirks) -> Result<Query, Refusal> {
        known(
            parameters,
            &[
                "filter",
                "sort",
                "fields",
                "skip",
                "take",
                "page",
                "pageSize",
                "q",
                "total",
                "accessToken",
            ],
        )?;
        let mut skip = number(parameters, "skip")?;
        let mut take = number(parameters, "take")?;
        if let Some(size) = number(parameters, "pageSize")? {
            take = take.or(Some(size));
            skip = skip.or(Some(number(parameters, "page")?.unwrap_or(1).saturating_sub(1) * size));
        }
        let take = take.unwrap_or(DEFAULT_TAKE);
        if take > MAX_TAKE {
            return bad(json!(["Max defined take is 1000"]));
        }
        Ok(Query {
            filter: filter::parse(parameters.get("filter"), quirks)?,
            sort: sort(parameters.get("sort"))?,
            fields: fields(parameters)?,
            skip: skip.unwrap_or(0),
            take: take.min(quirks.max_page),
            search: text(parameters, "q")?.filter(|q| !q.is_empty()),
            total: text(parameters, "total")?.is_none_or(|total| !matches!(&*total, "false" | "0")),
        })
    }
}

/// A single record takes `fields` and nothing else.
pub(crate) fn single(parameters: &Map<String, Value>) -> Result<Option<Vec<String>>, Refusal> {
    known(parameters, &["fields", "accessToken"])?;
    fields(parameters)
}

fn known(parameters: &Map<String, Value>, names: &[&str]) -> Result<(), Refusal> {
    match parameters.keys().find(|name| !names.contains(&name.as_str())) {
        Some(name) => bad(json!({"primary": [format!("Unknown parameter {name}"), "error"]})),
        None => Ok(()),
    }
}

fn text(parameters: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match parameters.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => bad(json!({"form": {name: "Text expected"}})),
    }
}

fn number(parameters: &Map<String, Value>, name: &str) -> Result<Option<usize>, Refusal> {
    match text(parameters, name)?.map(|text| text.parse()) {
        None => Ok(None),
        Some(Ok(number)) => Ok(Some(number)),
        Some(Err(_)) => bad(json!({"form": {name: "Non-negative number expected"}})),
    }
}

fn fields(parameters: &Map<String, Value>) -> Result<Option<Vec<String>>, Refusal> {
    let Some(given) = parameters.get("fields") else {
        return Ok(None);
    };
    let names = query_string::list(given).and_then(|names| {
        names
            .into_iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect::<Option<Vec<_>>>()
    });
    match names {
        Some(names) => Ok(Some(names)),
        // Two clients send `fields=a,b`; nobody shows that it works.
        None => bad(json!("fields must be a list")),
    }
}

fn sort(given: Option<&Value>) -> Result<Vec<(String, bool)>, Refusal> {
    let Some(given) = given else { return Ok(Vec::new()) };
    let entries = match query_string::list(given) {
        Some(entries) => entries,
        None => vec![given],
    };
    entries
        .into_iter()
        .map(|entry| {
            let map = entry
                .as_object()
                .filter(|map| map.keys().all(|key| key == "field" || key == "dir"));
            let field = map.and_then(|map| map.get("field")).and_then(Value::as_str);
            let dir = map.map_or(Some("asc"), |map| map.get("dir").map_or(Some("asc"), Value::as_str));
            match (field, dir.map(str::to_ascii_lowercase).as_deref()) {
                (Some(field), Some("asc")) => Ok((field.to_owned(), false)),
                (Some(field), Some("desc")) => Ok((field.to_owned(), true)),
                _ => bad(json!(["Wrong sort"])),
            }
        })
        .collect()
}
