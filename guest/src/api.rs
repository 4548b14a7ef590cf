//! Daktela's answers, whatever build gives them.
//!
//! Every read is projected: it names the fields that will be shown, because a raw record is 24 to 240 KB. How a build
//! takes a projection that it does not like is not documented, so [`Api::lists`] reacts to what comes back:
//!
//! - HTTP 400: a few raw records tell which fields this build has, and the read is repeated with those; then with whole
//!   related records instead of dotted picks.
//! - 200 without any trace of a related record whose fields were picked: repeated with the whole related record.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value};

use crate::{
    error::Error,
    http::{Failure, Http, Response},
    query::{self, Query, TAKE_MAX},
    text, value,
};

/// A page of records.
#[derive(Debug, Default)]
pub struct Page {
    pub rows: Vec<Value>,
    /// How many records match in all, where the build says so.
    pub total: Option<u64>,
}

/// Fields that older builds call otherwise: model, name now, name before. Records are read with the names of now.
const RENAMED: &[(&str, &str, &str)] = &[
    ("activitiesEmail", "attachments", "files"),
    ("activitiesEmail", "state", "result"),
    ("activitiesSms", "sender", "clid"),
    ("users", "deactivated", "deleted"),
];

/// How many records one call reads at most where it promises the whole. It bounds memory and time; what lies beyond is
/// said in the answer. 20 full pages hold the contacts of a very large customer.
pub const WHOLE_MAX: u64 = 20 * TAKE_MAX;

/// What an answer lacks where the second read of a projection fails.
const RELATED: &str = "Related records (such as agent, queue or contact) may be missing";

/// How many raw records show which fields a build has: some may lack those that are empty, and all are large.
const SAMPLE: u64 = 3;

/// How many pages that takes at most where an instance gives small ones.
const PAGES_MAX: usize = 200;

pub struct Api<'a> {
    http: &'a dyn Http,
    /// What the answers said of the instance's time zone.
    zone: RefCell<Option<String>>,
    /// Remarks of Daktela on answers that it gave nevertheless.
    warnings: RefCell<Vec<String>>,
    /// Parts of answers that could not be read.
    missing: RefCell<Vec<String>>,
    /// The fields of models that refused a projection, by model (and relation); `None` where they cannot be learnt.
    known: RefCell<BTreeMap<String, Option<Vec<String>>>>,
}

/// The model of an endpoint, with the relation: `activitiesWeb/messages` for `activitiesWeb/web_1/messages`.
fn model(endpoint: &str) -> String {
    let parts: Vec<&str> = endpoint.split('/').collect();
    if parts.len() == 3 {
        format!("{}/{}", parts[0], parts[2])
    } else {
        endpoint.to_owned()
    }
}

/// What a read is called in an error: its model, or the relation of one.
fn what(endpoint: &str) -> String {
    match endpoint.split('/').collect::<Vec<_>>()[..] {
        [model, _, relation] => format!("{relation} of {model}"),
        [model, ..] => model.to_owned(),
        [] => endpoint.to_owned(),
    }
}

impl<'a> Api<'a> {
    pub fn new(http: &'a dyn Http) -> Self {
        Api {
            http,
            zone: RefCell::default(),
            warnings: RefCell::default(),
            missing: RefCell::default(),
            known: RefCell::default(),
        }
    }

    pub fn zone(&self) -> Option<String> {
        self.zone.borrow().clone()
    }

    pub fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    pub fn missing(&self) -> Vec<String> {
        self.missing.borrow().clone()
    }

    /// Remembers that a read which would have completed an answer failed, and what the answer may lack for it.
    pub fn incomplete(&self, lacks: &str, error: &Error) {
        let missing = format!("{lacks}, since reading them failed. {}", error.text());
        let mut known = self.missing.borrow_mut();
        if !known.contains(&missing) {
            known.push(missing);
        }
    }

    /// One page.
    pub fn list(&self, query: &Query) -> Result<Page, Error> {
        self.lists(std::slice::from_ref(query))
            .pop()
            .expect("one answer for one query")
    }

    /// Several pages at once, in order.
    pub fn lists(&self, queries: &[Query]) -> Vec<Result<Page, Error>> {
        self.mend_pages(queries, self.lists_once(queries))
    }

    /// Repeats what a build refused or left out on account of the projection.
    fn mend_pages(&self, queries: &[Query], mut answers: Vec<Result<Page, Error>>) -> Vec<Result<Page, Error>> {
        self.again(queries, &mut answers, Self::needs_known_fields, |api, query| {
            let known = api.known_fields(query)?;
            (known.len() < query.fields.len()).then(|| Query {
                fields: known,
                ..query.clone()
            })
        });
        self.again(queries, &mut answers, Self::needs_whole_relations, |api, query| {
            // Where nothing was refused, nobody asked which fields there are.
            let learnt = api.known.borrow().contains_key(&model(&query.endpoint));
            let fields = if learnt {
                api.known_fields(query)?
            } else {
                query.fields.clone()
            };
            Some(Query {
                fields: roots(&fields),
                ..query.clone()
            })
        });
        for (query, page) in queries.iter().zip(&mut answers) {
            if let Ok(page) = page {
                page.rows.iter_mut().for_each(|row| normalise(&query.endpoint, row));
            }
        }
        answers
    }

    /// Repeats the queries whose answer asks for it, all at once, and keeps an answer that is better.
    fn again(
        &self,
        queries: &[Query],
        answers: &mut [Result<Page, Error>],
        needs: impl Fn(&Query, &Result<Page, Error>) -> bool,
        change: impl Fn(&Self, &Query) -> Option<Query>,
    ) {
        let changed: Vec<(usize, Query)> = (0..queries.len())
            .filter(|&i| needs(&queries[i], &answers[i]))
            .filter_map(|i| change(self, &queries[i]).map(|query| (i, query)))
            .collect();
        let again: Vec<Query> = changed.iter().map(|(_, query)| query.clone()).collect();
        for ((i, _), answer) in changed.iter().zip(self.lists_once(&again)) {
            match answer {
                Ok(_) => answers[*i] = answer,
                Err(error) if answers[*i].is_ok() => self.incomplete(RELATED, &error),
                Err(_) => {}
            }
        }
    }

    fn needs_known_fields(query: &Query, answer: &Result<Page, Error>) -> bool {
        !query.fields.is_empty() && matches!(answer, Err(Error::Refused(_)))
    }

    fn needs_whole_relations(query: &Query, answer: &Result<Page, Error>) -> bool {
        match answer {
            Err(Error::Refused(_)) => query.fields.iter().any(|field| field.contains('.')),
            Err(_) => false,
            Ok(page) => {
                !page.rows.is_empty()
                    && (picks_nothing(&query.fields, &page.rows)
                        || query
                            .fields
                            .iter()
                            .any(|field| field.contains('.') && !page.rows.iter().any(|row| has_root(row, field))))
            }
        }
    }

    /// Those fields of a query that this build has, by the look of a few raw records.
    fn known_fields(&self, query: &Query) -> Option<Vec<String>> {
        let model = model(&query.endpoint);
        if !self.known.borrow().contains_key(&model) {
            let page = self.lists_once(&[Query::new(&query.endpoint, SAMPLE)]).pop()?;
            let keys = page.ok().filter(|page| !page.rows.is_empty()).map(|page| {
                let keys = page
                    .rows
                    .iter()
                    .filter_map(Value::as_object)
                    .flat_map(Map::keys)
                    .cloned();
                keys.collect::<BTreeSet<String>>().into_iter().collect()
            });
            self.known.borrow_mut().insert(model.clone(), keys);
        }
        let known = self.known.borrow();
        let known = known.get(&model)?.as_ref()?;
        Some(
            query
                .fields
                .iter()
                .filter(|field| known.iter().any(|key| key == root(field)))
                .cloned()
                .collect(),
        )
    }

    fn lists_once(&self, queries: &[Query]) -> Vec<Result<Page, Error>> {
        if queries.is_empty() {
            return Vec::new();
        }
        let paths: Vec<String> = queries.iter().map(Query::to_path).collect();
        self.http
            .get_all(&paths)
            .into_iter()
            .zip(queries)
            .map(|(response, query)| self.read_page(response, query))
            .collect()
    }

    fn read_page(&self, response: Result<Response, Failure>, query: &Query) -> Result<Page, Error> {
        let what = what(&query.endpoint);
        let response = response.map_err(|failure| Error::from_failure(&failure, &what))?;
        let mut page = self.page(self.envelope(&response, &what)?, &what)?;
        let read = page.rows.len() as u64;
        if read > query.take {
            // A build that does not page here sends all there is.
            page.total = page.total.or(Some(query.skip + read));
            page.rows.truncate(query.take as usize);
        }
        // Records came and went while they were counted, or the build counts something else.
        let end = query.skip + page.rows.len() as u64;
        page.total = page.total.filter(|total| page.rows.is_empty() || *total >= end);
        Ok(page)
    }

    /// All records that match, page after page, up to [`WHOLE_MAX`]; the total says whether some are missing.
    pub fn whole(&self, query: &Query) -> Result<Page, Error> {
        self.wholes(std::slice::from_ref(query))
            .pop()
            .expect("one answer for one query")
    }

    /// The same for several queries, in order; their first pages are read at once.
    pub fn wholes(&self, queries: &[Query]) -> Vec<Result<Page, Error>> {
        let queries: Vec<Query> = queries
            .iter()
            .map(|query| Query {
                skip: 0,
                take: TAKE_MAX,
                ..query.clone()
            })
            .collect();
        let pages = self.lists(&queries);
        pages
            .into_iter()
            .zip(queries)
            .map(|(page, query)| self.rest(page?, query))
            .collect()
    }

    /// What follows a first page.
    fn rest(&self, mut whole: Page, mut query: Query) -> Result<Page, Error> {
        let first = whole.rows.len() as u64;
        if first == 0 || whole.total.map_or(first < TAKE_MAX, |total| total <= first) {
            whole.total = whole.total.or(Some(first));
            return Ok(whole);
        }
        if let Some(total) = whole.total {
            // An instance may give less at once than was asked for.
            let rest = (first..total.min(WHOLE_MAX))
                .step_by(first as usize)
                .take(PAGES_MAX)
                .map(|skip| Query { skip, ..query.clone() });
            for page in self.lists(&rest.collect::<Vec<_>>()) {
                whole.rows.extend(page?.rows);
            }
            return Ok(whole);
        }
        // A build that gives no total is read until a page is short.
        while (whole.rows.len() as u64) < WHOLE_MAX {
            query.skip = whole.rows.len() as u64;
            let page = self.list(&query)?;
            let read = page.rows.len() as u64;
            whole.rows.extend(page.rows);
            if read < TAKE_MAX {
                whole.total = Some(whole.rows.len() as u64);
                break;
            }
        }
        Ok(whole)
    }

    /// A record and a list that belongs to it, read at once.
    pub fn record_and_page(
        &self,
        endpoint: &str,
        name: &str,
        fields: &[String],
        query: &Query,
    ) -> (Result<Value, Error>, Result<Page, Error>) {
        let mut responses = self
            .http
            .get_all(&[query::record_path(endpoint, name, fields), query.to_path()])
            .into_iter();
        let mut next = || responses.next().expect("an answer for each path");
        let record = self.read_record(next(), endpoint);
        let page = self.read_page(next(), query);
        let record = self.mend_records(endpoint, &[name], fields, vec![record]).remove(0);
        let page = self.mend_pages(std::slice::from_ref(query), vec![page]).remove(0);
        (record, page)
    }

    /// One record, or `NotFound`. `fields` are what is needed of it; more may come.
    pub fn get(&self, endpoint: &str, name: &str, fields: &[String]) -> Result<Value, Error> {
        self.gets(endpoint, &[name], fields)
            .pop()
            .expect("one answer for one name")
    }

    /// Several records of one model at once, in order.
    pub fn gets(&self, endpoint: &str, names: &[&str], fields: &[String]) -> Vec<Result<Value, Error>> {
        self.mend_records(endpoint, names, fields, self.gets_once(endpoint, names, fields))
    }

    fn mend_records(
        &self,
        endpoint: &str,
        names: &[&str],
        fields: &[String],
        mut answers: Vec<Result<Value, Error>>,
    ) -> Vec<Result<Value, Error>> {
        // The whole record is the answer to every projection that a build does not take.
        let raw: Vec<usize> = (0..names.len())
            .filter(|&i| match &answers[i] {
                Err(Error::Refused(_)) => true,
                Err(_) => false,
                Ok(record) if picks_nothing(fields, std::slice::from_ref(record)) => true,
                Ok(record) => fields
                    .iter()
                    .any(|field| (field.contains('.') || is_renamed(endpoint, field)) && !has_root(record, field)),
            })
            .collect();
        if !fields.is_empty() && !raw.is_empty() {
            let names: Vec<&str> = raw.iter().map(|&i| names[i]).collect();
            for (i, answer) in raw.iter().zip(self.gets_once(endpoint, &names, &[])) {
                match answer {
                    Err(error) if answers[*i].is_ok() => self.incomplete(RELATED, &error),
                    answer => answers[*i] = answer,
                }
            }
        }
        answers
            .iter_mut()
            .flatten()
            .for_each(|record| normalise(endpoint, record));
        answers
    }

    fn gets_once(&self, endpoint: &str, names: &[&str], fields: &[String]) -> Vec<Result<Value, Error>> {
        let paths: Vec<String> = names
            .iter()
            .map(|name| query::record_path(endpoint, name, fields))
            .collect();
        let what = what(endpoint);
        self.http
            .get_all(&paths)
            .into_iter()
            .map(|response| self.read_record(response, &what))
            .collect()
    }

    fn read_record(&self, response: Result<Response, Failure>, endpoint: &str) -> Result<Value, Error> {
        let what = what(endpoint);
        let response = response.map_err(|failure| Error::from_failure(&failure, &what))?;
        let mut envelope = self.envelope(&response, &what)?;
        match envelope["result"].take() {
            Value::Object(record) if !record.is_empty() => Ok(Value::Object(record)),
            _ => Err(Error::NotFound(format!("Daktela has no such record in {what}."))),
        }
    }

    /// The outer object of an answer.
    fn envelope(&self, response: &Response, what: &str) -> Result<Value, Error> {
        let parsed: Option<Value> = serde_json::from_slice(&response.body).ok();
        let words = parsed.as_ref().map(|body| words(&body["error"])).unwrap_or_default();
        let success = (200..=299).contains(&response.status);
        let nothing = parsed.as_ref().is_none_or(|body| match &body["result"] {
            Value::Array(rows) => rows.is_empty(),
            result => result.is_null(),
        });
        if !success || (nothing && !words.is_empty()) {
            let absent = words.iter().any(|word| word.to_lowercase().contains("not exist"));
            let status = if (success || response.status == 400) && absent {
                404
            } else {
                response.status
            };
            return Err(Error::from_status(status, &words, what));
        }
        let envelope = parsed.filter(|body| body.get("result").is_some()).ok_or_else(|| {
            Error::Upstream(format!("What answered for {what} is not Daktela's API (no JSON with a result). Check that DAKTELA_URL is the instance's own address."))
        })?;
        if let Some(zone) = envelope["_timezone"].as_str() {
            *self.zone.borrow_mut() = Some(text::line(zone));
        }
        let mut warnings = self.warnings.borrow_mut();
        for word in words {
            if !warnings.contains(&word) {
                warnings.push(word);
            }
        }
        Ok(envelope)
    }

    fn page(&self, mut envelope: Value, what: &str) -> Result<Page, Error> {
        let mut result = envelope["result"].take();
        let total = result
            .get("total")
            .and_then(value::number)
            .filter(|n| *n >= 0.0)
            .map(|n| n as u64);
        let data = match &mut result {
            Value::Object(map) => map.get_mut("data").map(Value::take),
            Value::Array(_) => Some(result),
            _ => None,
        };
        let rows: Option<Vec<Value>> = match data {
            Some(Value::Array(rows)) => Some(rows),
            // Some sources show the records keyed by their name.
            Some(Value::Object(rows)) => Some(rows.into_iter().map(|(_, row)| row).collect()),
            // No rows, as long as nothing says that there are some.
            Some(Value::Null) if total.unwrap_or(0) == 0 => Some(Vec::new()),
            None if total == Some(0) => Some(Vec::new()),
            _ => None,
        };
        let rows = match rows {
            Some(rows) if rows.iter().all(Value::is_object) => rows,
            _ => {
                return Err(Error::Upstream(format!(
                    "Daktela's answer for {what} holds no list of records. Its build may differ from what this server knows."
                )));
            }
        };
        Ok(Page { rows, total })
    }
}

/// The sentences in the `error` of an answer: a list, a bare text, or a map of the fields of a form.
fn words(error: &Value) -> Vec<String> {
    /// More than this is no message for a reader.
    const WORDS_MAX: usize = 5;
    const CHARS_MAX: usize = 300;
    fn collect(error: &Value, key: &str, out: &mut Vec<String>) {
        match error {
            Value::String(word) if !word.trim().is_empty() => {
                let word = text::cut(&text::line(word), CHARS_MAX);
                out.push(if key.is_empty() {
                    word
                } else {
                    format!("{}: {word}", text::line(key))
                });
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, key, out)),
            Value::Object(map) => map
                .iter()
                .for_each(|(k, item)| collect(item, if k == "form" || k == "primary" { "" } else { k }, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    collect(error, "", &mut out);
    out.truncate(WORDS_MAX);
    out
}

fn is_renamed(endpoint: &str, field: &str) -> bool {
    RENAMED
        .iter()
        .any(|(model, now, _)| *model == endpoint && *now == field)
}

/// One shape for all builds: fields by their names of now, custom fields as a map, and picked fields of related records
/// within an object even where a build answers `{"user.title": …}`.
fn normalise(endpoint: &str, row: &mut Value) {
    let Some(row) = row.as_object_mut() else { return };
    for (_, now, before) in RENAMED.iter().filter(|(model, ..)| *model == endpoint) {
        if !row.contains_key(*now)
            && let Some(value) = row.shift_remove(*before)
        {
            row.insert((*now).to_owned(), value);
        }
    }
    if let Some(Value::Array(fields)) = row.get("customFields") {
        let named = |field: &Value| {
            let value = field.get("value").or_else(|| field.get("values"))?;
            Some((value::text_at(field, "name")?, value.clone()))
        };
        let fields = fields.iter().filter_map(named).collect();
        row.insert("customFields".to_owned(), Value::Object(fields));
    }
    let dotted: Vec<String> = row.keys().filter(|key| key.contains('.')).cloned().collect();
    for key in dotted {
        let value = row.shift_remove(&key).unwrap_or_default();
        let parts: Vec<&str> = key.split('.').collect();
        match value {
            // Of a list of related records.
            Value::Array(values) => {
                let related = row.entry(parts[0]).or_insert_with(|| Value::Array(Vec::new()));
                if !related.is_array() {
                    *related = Value::Array(Vec::new());
                }
                let related = related.as_array_mut().expect("made above");
                related.resize_with(related.len().max(values.len()), || Value::Object(Map::new()));
                for (one, value) in related.iter_mut().zip(values) {
                    if let Some(one) = one.as_object_mut() {
                        put(one, &parts[1..], value);
                    }
                }
            }
            value => put(row, &parts, value),
        }
    }
}

/// Sets what is at a path, through objects that are made where there are none.
fn put(mut at: &mut Map<String, Value>, path: &[&str], value: Value) {
    let Some((last, path)) = path.split_last() else { return };
    for part in path {
        let inner = at.entry(*part).or_insert_with(|| Value::Object(Map::new()));
        if !inner.is_object() {
            *inner = Value::Object(Map::new());
        }
        at = inner.as_object_mut().expect("made above");
    }
    at.insert((*last).to_owned(), value);
}

fn root(field: &str) -> &str {
    field.split('.').next().unwrap_or(field)
}

fn roots(fields: &[String]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for field in fields {
        if !out.iter().any(|have| have == root(field)) {
            out.push(root(field).to_owned());
        }
    }
    out
}

fn has_root(row: &Value, field: &str) -> bool {
    row.get(root(field)).is_some() || row.get(field).is_some()
}

/// Whether a build answers to dotted picks with nothing but nulls: of several related records at least one is there
/// as a rule, and what went through a channel always has its activity.
fn picks_nothing(fields: &[String], rows: &[Value]) -> bool {
    let picks: Vec<&str> = fields.iter().map(String::as_str).filter(|f| f.contains('.')).collect();
    let is_filled = |pick: &str| {
        rows.iter().any(|row| {
            [root(pick), pick]
                .iter()
                .any(|key| row.get(key).is_some_and(value::is_filled))
        })
    };
    let several = picks.iter().any(|pick| root(pick) != root(picks[0]));
    // Not of their tickets: whole pages of chats have none, and reading them again would be a hundred times as much.
    let of_activities = picks.contains(&"activities.name") && !is_filled("activities.name");
    (several && !picks.iter().any(|pick| is_filled(pick))) || of_activities
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn errors_are_read_in_every_shape() {
        assert_eq!(words(&json!([])), [""; 0]);
        assert_eq!(words(&json!("Object not exist")), ["Object not exist"]);
        assert_eq!(words(&json!(["a", "b\nc"])), ["a", "b c"]);
        assert_eq!(
            words(
                &json!({"form": {"lastname": "required", "customFields": {"email": ["bad"]}}, "primary": ["No device", "error"]})
            ),
            ["lastname: required", "email: bad", "No device", "error"]
        );
    }

    #[test]
    fn records_have_one_shape() {
        let mut row =
            json!({"user.name": "jan", "user.title": "Jan", "contact.account.title": "Acme", "files": [1], "name": 1});
        normalise("activitiesEmail", &mut row);
        assert_eq!(
            row,
            json!({"name": 1, "attachments": [1], "user": {"name": "jan", "title": "Jan"}, "contact": {"account": {"title": "Acme"}}})
        );
    }

    #[test]
    fn picks_of_a_list_of_related_records_stay_with_their_record() {
        let mut row = json!({"statuses.name": ["a", "b"], "statuses.title": ["A", "B"], "activities.ticket.name": [1]});
        normalise("tickets", &mut row);
        assert_eq!(
            row,
            json!({"statuses": [{"name": "a", "title": "A"}, {"name": "b", "title": "B"}], "activities": [{"ticket": {"name": 1}}]})
        );
    }

    #[test]
    fn custom_fields_are_a_map() {
        let mut row = json!({"customFields": [{"name": "number", "title": "Phone", "value": ["777"]}, {"name": "x"}]});
        normalise("contacts", &mut row);
        assert_eq!(row, json!({"customFields": {"number": ["777"]}}));
    }

    /// Answers each path by a function.
    struct Fake(fn(&str) -> Value);

    impl Http for Fake {
        fn get_all(&self, paths: &[String]) -> Vec<Result<Response, Failure>> {
            let answer = |path: &String| Response {
                status: 200,
                body: self.0(path).to_string().into_bytes(),
            };
            paths.iter().map(|path| Ok(answer(path))).collect()
        }
    }

    #[test]
    fn an_error_with_a_status_of_success_is_an_error_in_daktela_s_words() {
        let fake = Fake(|_| json!({"error": ["No licence for this"], "result": null}));
        let api = Api::new(&fake);
        let error = api.list(&Query::new("contacts", 1)).expect_err("an error");
        assert!(error.text().ends_with("> No licence for this"), "{}", error.text());
        let error = api.get("contacts", "a", &[]).expect_err("an error");
        assert!(error.text().ends_with("> No licence for this"), "{}", error.text());
    }

    #[test]
    fn picks_that_give_only_nulls_are_read_as_whole_records() {
        let fake = Fake(|path| {
            let picked = path.contains("user.title");
            let row = if picked {
                json!({"name": 1, "user.title": null, "queue": {}, "activities": null})
            } else {
                json!({"name": 1, "user": {"title": "Jan"}, "queue": null, "activities": [{"name": "a"}]})
            };
            json!({"error": [], "result": {"data": [row], "total": 1}})
        });
        let query = Query::new("activitiesEmail", 1).fields(&["name", "user.title", "queue.title", "activities.name"]);
        let page = Api::new(&fake).list(&query).expect("a page");
        assert_eq!(value::text_at(&page.rows[0], "user.title").as_deref(), Some("Jan"));
        // Records without a related record are no reason to read them again.
        let fields = ["user.title".to_owned(), "user.name".to_owned()];
        assert!(!picks_nothing(&fields, &[json!({"user": null})]));
    }

    #[test]
    fn more_rows_than_asked_for_are_the_next_page_s_and_a_total_below_them_is_none() {
        let fake = Fake(|path| {
            let total = if path.contains("users") { json!(1) } else { Value::Null };
            json!({"error": [], "result": {"data": [{"name": 1}, {"name": 2}, {"name": 3}], "total": total}})
        });
        let page = Api::new(&fake).list(&Query::new("groups", 2)).expect("a page");
        assert_eq!((page.rows.len(), page.total), (2, Some(3)));
        let page = Api::new(&fake).list(&Query::new("users", 3)).expect("a page");
        assert_eq!((page.rows.len(), page.total), (3, None));
    }

    #[test]
    fn no_data_is_no_rows_unless_there_should_be_some() {
        let fake =
            Fake(|path| json!({"error": [], "result": {"data": null, "total": i32::from(path.contains("users"))}}));
        let api = Api::new(&fake);
        assert_eq!(api.list(&Query::new("contacts", 1)).expect("a page").rows.len(), 0);
        assert!(api.list(&Query::new("users", 1)).is_err());
    }

    #[test]
    fn the_whole_is_read_from_an_instance_with_small_pages() {
        let fake = Fake(|path| {
            let skip: usize = path
                .split("skip=")
                .nth(1)
                .and_then(|s| s.split('&').next()?.parse().ok())
                .unwrap_or(0);
            let rows: Vec<Value> = (skip..5).take(2).map(|i| json!({"name": i})).collect();
            json!({"error": [], "result": {"data": rows, "total": 5}})
        });
        let page = Api::new(&fake).whole(&Query::new("users", 0)).expect("a page");
        assert_eq!(page.rows, [0, 1, 2, 3, 4].map(|i| json!({"name": i})));
    }

    #[test]
    fn whole_related_records_replace_dotted_picks() {
        let fields = ["name", "user.name", "user.title", "title"].map(str::to_owned);
        assert_eq!(roots(&fields), ["name", "user", "title"]);
    }
}
