//! Reads Daktela, whatever build of it answers.
//!
//! Every read is projected: it names the fields that will be shown, because a raw record is 24 to 240 KB. How a build
//! takes a projection that it does not like is not documented, so [`Client::read_pages`] reacts to what comes back:
//!
//! - HTTP 400: a few raw records tell which fields this build has, and the read is repeated with those; then with whole
//!   related records instead of dotted picks.
//! - 200 without any trace of a related record whose fields were picked: repeated with the whole related record.
//! - 200 without a field that older builds call otherwise: repeated with its former name.
//! - Still HTTP 400: repeated without the second key of the order.

use std::{
    cell::{Cell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value};

pub use crate::daktela::envelope::Page;
use crate::{
    daktela::envelope::{self, Envelope},
    daktela::error::Error,
    daktela::http::{CacheControl, Failure, Http, Request, Response},
    daktela::normalize::{former_name, normalise},
    daktela::query::{self, Query, TAKE_MAX},
    value,
};

/// How many records one call reads at most where it promises the whole. It bounds memory and time; what lies beyond is
/// said in the answer. 20 full pages hold the contacts of a very large customer.
pub const WHOLE_MAX: u64 = 20 * TAKE_MAX;

/// What an answer lacks where the second read of a projection fails.
const RELATED: &str = "Related records (such as agent, queue or contact) may be missing";

/// How old an answer may be of what hardly changes: people, queues, categories and the like.
const MAX_AGE_SECONDS: u32 = 3600;

/// How many raw records show which fields a build has: some may lack those that are empty, and all are large.
const SAMPLE: u64 = 3;

/// How many pages that takes at most where an instance gives small ones.
const PAGES_MAX: usize = 200;

pub struct Client<'a> {
    http: &'a dyn Http,
    /// Whether caches are to be passed by.
    fresh: Cell<bool>,
    /// Whether an answer came out of a cache.
    aged: Cell<bool>,
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

impl<'a> Client<'a> {
    pub fn new(http: &'a dyn Http) -> Self {
        Client {
            http,
            fresh: Cell::default(),
            aged: Cell::default(),
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
    pub fn note_partial(&self, lacks: &str, error: &Error) {
        let missing = format!("{lacks}, since reading them failed. {}", error.text());
        let mut known = self.missing.borrow_mut();
        if !known.contains(&missing) {
            known.push(missing);
        }
    }

    /// What `read` finds where answers out of caches did not do: from Daktela itself. `None` where there were none.
    pub fn bypass_cache<T>(&self, read: impl FnOnce() -> T) -> Option<T> {
        let again = self.aged.get() && !self.fresh.get();
        again.then(|| {
            self.fresh.set(true);
            let found = read();
            self.fresh.set(false);
            found
        })
    }

    /// One page.
    pub fn read_page(&self, query: &Query) -> Result<Page, Error> {
        self.read_pages(std::slice::from_ref(query))
            .pop()
            .expect("one answer for one query")
    }

    /// Several pages at once, in order.
    pub fn read_pages(&self, queries: &[Query]) -> Vec<Result<Page, Error>> {
        self.mend_pages(queries, self.read_pages_once(queries))
    }

    /// Repeats what lacks a field that older builds call otherwise. Where that is refused, the build is not of those.
    fn mend_names(&self, queries: &[Query], answers: &mut [Result<Page, Error>]) {
        let former = |(i, query): (usize, &Query)| {
            let rows = &answers[i].as_ref().ok().filter(|page| !page.rows.is_empty())?.rows;
            let mut query = query.clone();
            let mut is_other = false;
            for field in &mut query.fields {
                if let Some(before) = former_name(&query.endpoint, field)
                    && !rows.iter().any(|row| has_root(row, field) || has_root(row, before))
                {
                    *field = before.to_owned();
                    is_other = true;
                }
            }
            is_other.then_some((i, query))
        };
        let changed: Vec<(usize, Query)> = queries.iter().enumerate().filter_map(former).collect();
        let again: Vec<Query> = changed.iter().map(|(_, query)| query.clone()).collect();
        for ((i, _), answer) in changed.iter().zip(self.read_pages_once(&again)) {
            match answer {
                Err(Error::Refused(_)) => {}
                Err(error) => self.note_partial(RELATED, &error),
                answer => answers[*i] = answer,
            }
        }
    }

    /// Repeats what a build refuses for the second key of its order, which only tells equal records apart.
    fn mend_order(&self, queries: &[Query], answers: &mut [Result<Page, Error>]) {
        let refused: Vec<usize> = (0..queries.len())
            .filter(|&i| queries[i].sort.len() > 1 && matches!(answers[i], Err(Error::Refused(_))))
            .collect();
        let simpler: Vec<Query> = refused
            .iter()
            .map(|&i| Query {
                sort: queries[i].sort[..1].to_vec(),
                ..queries[i].clone()
            })
            .collect();
        if !simpler.is_empty() {
            for (i, answer) in refused.into_iter().zip(self.read_pages(&simpler)) {
                answers[i] = answer;
            }
        }
    }

    /// Repeats what a build refused or left out on account of the projection.
    fn mend_pages(&self, queries: &[Query], mut answers: Vec<Result<Page, Error>>) -> Vec<Result<Page, Error>> {
        self.again(queries, &mut answers, Self::needs_known_fields, |client, query| {
            let known = client.known_fields(query)?;
            (known != query.fields).then(|| Query {
                fields: known,
                ..query.clone()
            })
        });
        self.again(queries, &mut answers, Self::needs_whole_relations, |client, query| {
            // Where nothing was refused, nobody asked which fields there are.
            let learnt = client.known.borrow().contains_key(&model(&query.endpoint));
            let fields = if learnt {
                client.known_fields(query)?
            } else {
                query.fields.clone()
            };
            Some(Query {
                fields: roots(&fields),
                ..query.clone()
            })
        });
        self.mend_names(queries, &mut answers);
        self.mend_order(queries, &mut answers);
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
        for ((i, _), answer) in changed.iter().zip(self.read_pages_once(&again)) {
            match answer {
                Ok(_) => answers[*i] = answer,
                Err(error) if answers[*i].is_ok() => self.note_partial(RELATED, &error),
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

    /// Those fields of a query that this build has, by the look of a few raw records. A field of a list without records
    /// is as good as none: then there is nothing to project.
    fn known_fields(&self, query: &Query) -> Option<Vec<String>> {
        let model = model(&query.endpoint);
        if !self.known.borrow().contains_key(&model) {
            let page = self
                .read_pages_once(&[Query::new(&query.endpoint, SAMPLE).reference_data(query.is_reference_data)])
                .pop()?;
            // Nothing to learn from; another record's relation of this kind may have more to show.
            if page.as_ref().is_ok_and(|page| page.rows.is_empty()) {
                return Some(Vec::new());
            }
            let keys = page.ok().map(|page| {
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
                .filter_map(|field| {
                    let names = [Some(field.as_str()), former_name(&query.endpoint, field)];
                    let is_known = |name: &&str| known.iter().any(|key| key == root(name));
                    names.into_iter().flatten().find(is_known).map(str::to_owned)
                })
                .collect(),
        )
    }

    fn request(&self, query: &Query) -> Request {
        let cache_control = match (query.is_reference_data, self.fresh.get()) {
            (true, false) => CacheControl::MaxAge(MAX_AGE_SECONDS),
            (true, true) => CacheControl::NoCache,
            (false, _) => CacheControl::Live,
        };
        Request {
            path: query.to_path(),
            cache_control,
        }
    }

    fn read_pages_once(&self, queries: &[Query]) -> Vec<Result<Page, Error>> {
        if queries.is_empty() {
            return Vec::new();
        }
        let requests: Vec<Request> = queries.iter().map(|query| self.request(query)).collect();
        self.http
            .get_all(&requests)
            .into_iter()
            .zip(queries)
            .map(|(response, query)| self.parse_page(response, query))
            .collect()
    }

    fn parse_page(&self, response: Result<Response, Failure>, query: &Query) -> Result<Page, Error> {
        let what = what(&query.endpoint);
        let response = response.map_err(|failure| Error::from_failure(&failure, &what))?;
        let mut page = envelope::page(self.result(&response, &what)?, &what)?;
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
    pub fn read_all(&self, query: &Query) -> Result<Page, Error> {
        self.read_all_of_each(std::slice::from_ref(query))
            .pop()
            .expect("one answer for one query")
    }

    /// The same for several queries, in order; their first pages are read at once.
    pub fn read_all_of_each(&self, queries: &[Query]) -> Vec<Result<Page, Error>> {
        let queries: Vec<Query> = queries
            .iter()
            .map(|query| Query {
                skip: 0,
                take: TAKE_MAX,
                ..query.clone()
            })
            .collect();
        let pages = self.read_pages(&queries);
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
            for page in self.read_pages(&rest.collect::<Vec<_>>()) {
                whole.rows.extend(page?.rows);
            }
            return Ok(whole);
        }
        // A build that gives no total is read until a page is short.
        while (whole.rows.len() as u64) < WHOLE_MAX {
            query.skip = whole.rows.len() as u64;
            let page = self.read_page(&query)?;
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
            .get_all(&[
                Request::live(query::record_path(endpoint, name, fields)),
                self.request(query),
            ])
            .into_iter();
        let mut next = || responses.next().expect("an answer for each path");
        let record = self.parse_record(next(), endpoint);
        let page = self.parse_page(next(), query);
        let record = self.mend_records(endpoint, &[name], fields, vec![record]).remove(0);
        let page = self.mend_pages(std::slice::from_ref(query), vec![page]).remove(0);
        (record, page)
    }

    /// One record, or `NotFound`. `fields` are what is needed of it; more may come.
    pub fn read_record(&self, endpoint: &str, name: &str, fields: &[String]) -> Result<Value, Error> {
        self.read_records(endpoint, &[name], fields)
            .pop()
            .expect("one answer for one name")
    }

    /// Several records of one model at once, in order.
    pub fn read_records(&self, endpoint: &str, names: &[&str], fields: &[String]) -> Vec<Result<Value, Error>> {
        self.mend_records(endpoint, names, fields, self.read_records_once(endpoint, names, fields))
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
                Ok(record) => fields.iter().any(|field| {
                    (field.contains('.') || former_name(endpoint, field).is_some()) && !has_root(record, field)
                }),
            })
            .collect();
        if !fields.is_empty() && !raw.is_empty() {
            let names: Vec<&str> = raw.iter().map(|&i| names[i]).collect();
            for (i, answer) in raw.iter().zip(self.read_records_once(endpoint, &names, &[])) {
                match answer {
                    Err(error) if answers[*i].is_ok() => self.note_partial(RELATED, &error),
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

    fn read_records_once(&self, endpoint: &str, names: &[&str], fields: &[String]) -> Vec<Result<Value, Error>> {
        let requests: Vec<Request> = names
            .iter()
            .map(|name| Request::live(query::record_path(endpoint, name, fields)))
            .collect();
        let what = what(endpoint);
        self.http
            .get_all(&requests)
            .into_iter()
            .map(|response| self.parse_record(response, &what))
            .collect()
    }

    fn parse_record(&self, response: Result<Response, Failure>, endpoint: &str) -> Result<Value, Error> {
        let what = what(endpoint);
        let response = response.map_err(|failure| Error::from_failure(&failure, &what))?;
        match self.result(&response, &what)? {
            Value::Object(record) if !record.is_empty() => Ok(Value::Object(record)),
            _ => Err(Error::NotFound(format!("Daktela has no such record in {what}."))),
        }
    }

    /// What an answer is about; what it says besides is kept.
    fn result(&self, response: &Response, what: &str) -> Result<Value, Error> {
        self.aged.set(self.aged.get() || response.is_aged);
        let Envelope { result, zone, warnings } = envelope::read(response, what)?;
        if zone.is_some() {
            *self.zone.borrow_mut() = zone;
        }
        let mut known = self.warnings.borrow_mut();
        for warning in warnings {
            if !known.contains(&warning) {
                known.push(warning);
            }
        }
        Ok(result)
    }
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

    /// Answers each path by a function.
    struct Fake(fn(&str) -> Value);

    impl Http for Fake {
        fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
            let answer = |request: &Request| Response {
                is_aged: false,
                status: 200,
                body: self.0(&request.path).to_string().into_bytes(),
            };
            requests.iter().map(|request| Ok(answer(request))).collect()
        }
    }

    #[test]
    fn an_error_with_a_status_of_success_is_an_error_in_daktela_s_words() {
        let fake = Fake(|_| json!({"error": ["No licence for this"], "result": null}));
        let client = Client::new(&fake);
        let error = client.read_page(&Query::new("contacts", 1)).expect_err("an error");
        assert!(error.text().ends_with("> No licence for this"), "{}", error.text());
        let error = client.read_record("contacts", "a", &[]).expect_err("an error");
        assert!(error.text().ends_with("> No licence for this"), "{}", error.text());
    }

    /// Remembers what was asked for, and answers out of a cache.
    #[derive(Default)]
    struct Cached(std::cell::RefCell<Vec<CacheControl>>);

    impl Http for Cached {
        fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
            let answer = |request: &Request| {
                self.0.borrow_mut().push(request.cache_control);
                let body = json!({"error": [], "result": {"data": [], "total": 0}});
                Ok(Response {
                    is_aged: true,
                    status: 200,
                    body: body.to_string().into_bytes(),
                })
            };
            requests.iter().map(answer).collect()
        }
    }

    #[test]
    fn caches_may_answer_for_reference_data_only() {
        let cached = Cached::default();
        let client = Client::new(&cached);
        let users = Query::new("users", 1).reference_data(true);
        client.read_page(&users).expect("a page");
        client.read_page(&Query::new("tickets", 1)).expect("a page");
        client
            .bypass_cache(|| client.read_page(&users))
            .expect("there was a cache")
            .expect("a page");
        assert_eq!(
            *cached.0.borrow(),
            [CacheControl::MaxAge(3600), CacheControl::Live, CacheControl::NoCache]
        );
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
        let page = Client::new(&fake).read_page(&query).expect("a page");
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
        let page = Client::new(&fake).read_page(&Query::new("groups", 2)).expect("a page");
        assert_eq!((page.rows.len(), page.total), (2, Some(3)));
        let page = Client::new(&fake).read_page(&Query::new("users", 3)).expect("a page");
        assert_eq!((page.rows.len(), page.total), (3, None));
    }

    #[test]
    fn no_data_is_no_rows_unless_there_should_be_some() {
        let fake =
            Fake(|path| json!({"error": [], "result": {"data": null, "total": i32::from(path.contains("users"))}}));
        let client = Client::new(&fake);
        assert_eq!(
            client.read_page(&Query::new("contacts", 1)).expect("a page").rows.len(),
            0
        );
        assert!(client.read_page(&Query::new("users", 1)).is_err());
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
        let page = Client::new(&fake).read_all(&Query::new("users", 0)).expect("a page");
        assert_eq!(page.rows, [0, 1, 2, 3, 4].map(|i| json!({"name": i})));
    }

    #[test]
    fn whole_related_records_replace_dotted_picks() {
        let fields = ["name", "user.name", "user.title", "title"].map(str::to_owned);
        assert_eq!(roots(&fields), ["name", "user", "title"]);
    }
}
