//! The two tools that ChatGPT's connectors ask for: `search` names records, `fetch` shows one whole, both as JSON of a set shape.

use serde_json::{Value, json};

use super::{
    contact_search,
    find::{self, Search},
    words::Wanted,
};
use crate::{
    daktela::{
        client::Page,
        error::Error,
        query::{Direction, Filter, Query},
    },
    model::{
        args::Args,
        context::Context,
        field::Detail,
        output::{Content, Output, Record},
        param,
    },
    render::markdown,
    run::contact_points,
    value,
};

/// How many records of each kind are named.
const EACH_MAX: usize = 10;
/// Longer than Daktela's titles (255).
const TITLE_CHARS: usize = 300;
/// Shorter words of a question say little.
const WORD_MIN: usize = 4;

/// What is searched beside contacts and accounts.
pub(crate) struct Searched<'a> {
    pub(crate) tickets: &'a Search<'a>,
    pub(crate) articles: &'a Search<'a>,
}

/// `{"results": [{"id", "title", "url"}]}`: records that hold all words of the query, or where none does, some of them.
pub(crate) fn search(context: &Context, args: &Args, of: &Searched) -> Result<Output, Error> {
    let query = args.required(&param::QUERY);
    let mut results = matches(context, &[query], query, of)?;
    if results.is_empty() {
        let words: Vec<&str> = query
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| word.chars().count() >= WORD_MIN)
            .collect();
        if words.len() > 1 {
            results = matches(context, &words, query, of)?;
        }
    }
    Ok(Output {
        first_record: None,
        content: Content::Json(json!({"results": results})),
    })
}

fn matches(context: &Context, words: &[&str], query: &str, of: &Searched) -> Result<Vec<Value>, Error> {
    let mut results = Vec::new();
    let mut failed = None;
    let mut add = |kind: &str, page: Result<Vec<Value>, Error>| match page {
        Ok(rows) => results.extend(rows.iter().take(EACH_MAX).filter_map(|row| result(context, kind, row))),
        // What the account may not read is not found.
        Err(Error::NoRight(_) | Error::NotFound(_)) => {}
        Err(error) => failed = Some(error),
    };
    let number = crate::model::args::ticket_id(query.trim());
    if number.bytes().all(|b| b.is_ascii_digit()) {
        let by_number = Query::new("tickets", 1)
            .fields(&["name", "title"])
            .filter(Filter::eq("name", number));
        add("ticket", context.client.read_page(&by_number).map(|page| page.rows));
    }
    if let Ok(wanted) = Wanted::parse(words) {
        for (kind, search) in [("ticket", of.tickets), ("article", of.articles)] {
            let query = Query {
                fields: search.entity.projection(Detail::Summary),
                ..Query::new(search.entity.endpoint, 0)
            }
            .sort("edited", Direction::Descending);
            let found = find::records(context, search, &wanted, words, &query);
            add(
                kind,
                found.map(|(hits, _)| hits.into_iter().map(|hit| hit.row).collect()),
            );
        }
    }
    let titled = |endpoint: &str, filter: Filter| {
        let query = Query::new(endpoint, EACH_MAX as u64)
            .fields(&["name", "title"])
            .filter(filter);
        context.client.read_page(&query).map(|Page { rows, .. }| rows)
    };
    match contact_search::search(context, query) {
        Ok(condition) => add("contact", titled("contacts", condition.filter)),
        Err(error) => add("contact", Err(error)),
    }
    add("account", titled("accounts", contact_points::named("title", query)));
    match failed {
        Some(error) if results.is_empty() => Err(error),
        _ => Ok(results),
    }
}

fn result(context: &Context, kind: &str, row: &Value) -> Option<Value> {
    let name = value::text_at(row, "name")?;
    let title = value::text_at(row, "title").map(|title| markdown::inline(&title, TITLE_CHARS));
    Some(json!({
        "id": format!("{kind}:{name}"),
        "title": title.filter(|title| !title.is_empty()).unwrap_or_else(|| name.clone()),
        "url": url(context, kind, &name),
    }))
}

/// The page of a record in Daktela where that is known, else the address of this server's resource.
fn url(context: &Context, kind: &str, name: &str) -> String {
    let path = match kind {
        "ticket" => crate::daktela::query::path("tickets/update", &[name]),
        "article" => crate::daktela::query::path("articles/update", &[name]),
        _ => None,
    };
    match path {
        Some(path) => format!("{}/{}", context.settings.origin, path.replace("%2E", ".")),
        None => format!(
            "daktela://{}",
            crate::daktela::query::path(kind, &[name]).unwrap_or_else(|| kind.to_owned())
        ),
    }
}

/// The kind and the id of what `search` names. A bare number is a ticket.
pub(crate) fn kind_and_id(given: &str) -> Option<(&str, &str)> {
    match given.split_once(':') {
        Some((kind, id)) => Some((kind.trim(), id.trim())),
        None => given
            .trim()
            .bytes()
            .all(|b| b.is_ascii_digit())
            .then(|| ("ticket", given.trim())),
    }
}

/// `{"id", "title", "text", "url", "metadata"}` of what a tool shows of a record.
pub(crate) fn document(context: &Context, kind: &str, id: &str, shown: &Output) -> Output {
    let record: Option<&Record> = match &shown.content {
        Content::Record(one) => Some(&one.record),
        Content::Conversation(one, _) => Some(&one.record),
        _ => None,
    };
    let title = record
        .and_then(|record| record.title.as_deref())
        .map(|title| markdown::inline(title, TITLE_CHARS));
    let url = record.and_then(|record| record.url.clone());
    Output {
        first_record: None,
        content: Content::Json(json!({
            "id": format!("{kind}:{id}"),
            "title": title.unwrap_or_else(|| id.to_owned()),
            "text": markdown::output(shown),
            "url": url.unwrap_or_else(|| self::url(context, kind, id)),
            "metadata": {"kind": kind, "instance": context.settings.origin},
        })),
    }
}
