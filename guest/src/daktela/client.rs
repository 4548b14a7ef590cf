//! API client: pages, whole lists and records of whatever build of Daktela answers.
//!
//! A client lives for one call. It gathers the notes that its reads return, for the answer to tell.

use std::cell::{Cell, RefCell};

use serde_json::Value;

pub use super::envelope::Page;
use super::{
    compat::{Compat, Learnt},
    error::Error,
    hints::Hints,
    http::Http,
    normalize::normalise,
    observations::{Mend, Observations},
    query::{Query, TAKE_MAX},
    reads::{Notes, Read, Reader},
    verify,
};

/// How many records one call reads at most where it promises the whole. It bounds memory and time; what lies beyond is
/// said in the answer. 20 full pages hold the contacts of a very large customer.
pub const WHOLE_MAX: u64 = 20 * TAKE_MAX;

/// How many pages that takes at most where an instance gives small ones.
const PAGES_MAX: usize = 200;

pub struct Client<'a> {
    http: &'a dyn Http,
    hints: &'a Hints,
    /// Whether caches are bypassed.
    bypass_caches: Cell<bool>,
    learnt: RefCell<Learnt>,
    /// What all reads of this call said.
    notes: RefCell<Notes>,
}

impl<'a> Client<'a> {
    /// `hints` say what earlier calls learnt of the build, and take what this one learns.
    pub fn new(http: &'a dyn Http, hints: &'a Hints) -> Self {
        Client {
            http,
            hints,
            bypass_caches: Cell::default(),
            learnt: RefCell::default(),
            notes: RefCell::default(),
        }
    }

    /// The instance's time zone, as answers said it.
    pub fn zone(&self) -> Option<String> {
        self.notes.borrow().zone.clone()
    }

    /// The instance's time, local time of its zone, as the last answer said it.
    pub fn now(&self) -> Option<String> {
        self.notes.borrow().now.clone()
    }

    /// Remarks of Daktela on answers that it gave nevertheless.
    pub fn warnings(&self) -> Vec<String> {
        self.notes.borrow().warnings.clone()
    }

    /// Parts of answers that could not be read.
    pub fn missing(&self) -> Vec<String> {
        self.notes.borrow().missing.clone()
    }

    /// Remembers that a read which would have completed an answer failed, and what the answer may lack for it.
    pub fn note_partial(&self, lacks: &str, error: &Error) {
        self.notes.borrow_mut().merge(Notes::partial(lacks, error));
    }

    /// Adds what an answer lacks, for the answer to tell once.
    pub(crate) fn note(&self, lacks: &str) {
        self.notes.borrow_mut().merge(Notes {
            missing: vec![lacks.to_owned()],
            ..Notes::default()
        });
    }

    /// What the reads of this call showed of the instance.
    pub fn observed(&self) -> Observations {
        self.notes.borrow().observed.clone()
    }

    /// Remembers the use of a mend beyond single reads: of which `endpoint` and fields, and whether it gave what was missing.
    pub(crate) fn note_mend(&self, mend: Mend, endpoint: &str, fields: &[&str], found: bool) {
        let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
        self.notes.borrow_mut().observed.mend(mend, endpoint, &fields, found);
    }

    /// Remembers, also for later calls, that the usual way of reading a model is refused and a mend gives what is wanted.
    pub(crate) fn learn(&self, mend: Mend, endpoint: &str) {
        self.hints.learn(mend, endpoint, []);
    }

    /// Remembers, also for later calls, that a mend by this field is refused.
    pub(crate) fn learn_refused(&self, mend: Mend, endpoint: &str, field: &str) {
        self.hints.learn_useless(mend, endpoint, &[field.to_owned()]);
    }

    /// Whether that is known, so that the mend need not be tried.
    pub(crate) fn refuses(&self, mend: Mend, endpoint: &str, field: &str) -> bool {
        self.hints.is_useless(mend, endpoint, field)
    }

    /// Whether a mend is known to be needed, so that the usual way need not be tried.
    pub(crate) fn needs(&self, mend: Mend, endpoint: &str) -> bool {
        self.hints.has(mend, endpoint)
    }

    /// What `read` finds where answers out of caches did not do: from Daktela itself. `None` where there were none.
    pub fn bypass_cache<T>(&self, read: impl FnOnce() -> T) -> Option<T> {
        let is_aged = self.notes.borrow().is_aged;
        (is_aged && !self.bypass_caches.get()).then(|| {
            self.bypass_caches.set(true);
            let found = read();
            self.bypass_caches.set(false);
            found
        })
    }

    fn compat(&self) -> Compat<'_> {
        Compat {
            reader: Reader {
                http: self.http,
                bypass_caches: self.bypass_caches.get(),
            },
            learnt: &self.learnt,
            hints: self.hints,
        }
    }

    fn gather<T>(&self, read: Read<T>) -> Result<T, Error> {
        self.notes.borrow_mut().merge(read.notes);
        read.result
    }

    /// One page.
    pub fn read_page(&self, query: &Query) -> Result<Page, Error> {
        self.read_pages(std::slice::from_ref(query))
            .pop()
            .expect("one answer for one query")
    }

    /// Several pages at once, in order.
    pub fn read_pages(&self, queries: &[Query]) -> Vec<Result<Page, Error>> {
        let (possible, impossible): (Vec<&Query>, Vec<&Query>) =
            queries.iter().partition(|query| !verify::is_impossible(query));
        let asked: Vec<Query> = possible.into_iter().cloned().collect();
        let mut reads = self.compat().pages(&asked).into_iter().map(|read| self.gather(read));
        if impossible.is_empty() {
            return reads.collect();
        }
        let nothing = || Page {
            total: Some(0),
            ..Page::default()
        };
        let answer = |query: &Query| match verify::is_impossible(query) {
            true => Ok(nothing()),
            false => reads.next().expect("one answer for one query"),
        };
        queries.iter().map(answer).collect()
    }

    /// Several pages, each handed over as it comes and dropped before the next, with its index and its size in bytes, and without
    /// fallbacks. Once `take` returns false no further page is asked for, and those under way are still handed over.
    pub fn read_each(&self, queries: &[Query], take: &mut dyn FnMut(usize, Result<Page, Error>, usize) -> bool) {
        let compat = self.compat();
        let queries: Vec<Query> = queries.iter().map(|query| compat.hinted(query)).collect();
        compat.reader.each_page(&queries, &mut |i, read, bytes| {
            let page = self.gather(read).map(|mut page| {
                let endpoint = &queries[i].endpoint;
                page.rows.iter_mut().for_each(|row| normalise(endpoint, row));
                page
            });
            take(i, page, bytes)
        });
    }

    /// A first page, and whether the build took its query as it is, so that [`Client::read_each`] does for those that follow.
    pub fn read_first(&self, query: &Query) -> (Result<Page, Error>, bool) {
        let compat = self.compat();
        let read = compat.pages(std::slice::from_ref(query)).pop();
        let read = read.expect("one answer for one query");
        let is_plain = read.notes.observed.mended.is_empty() && compat.hinted(query).fields == query.fields;
        (self.gather(read), is_plain)
    }

    /// Several pages as the instance answers them, without fallbacks: what a diagnosis looks at.
    pub(crate) fn read_plain(&self, queries: &[Query]) -> Vec<Result<Page, Error>> {
        let reads = self.compat().reader.pages(queries).into_iter();
        reads.map(|read| self.gather(read)).collect()
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
        let first = whole.received() as u64;
        if first == 0 || whole.total.map_or(first < TAKE_MAX, |total| total <= first) {
            whole.total = whole.total.or(Some(whole.rows.len() as u64));
            return Ok(whole);
        }
        if let Some(total) = whole.total {
            // An instance may give less at once than was asked for.
            let rest = (first..total.min(WHOLE_MAX))
                .step_by(first as usize)
                .take(PAGES_MAX)
                .map(|skip| Query { skip, ..query.clone() });
            for page in self.read_pages(&rest.collect::<Vec<_>>()) {
                add(&mut whole, page?);
            }
            return Ok(whole);
        }
        // A build that gives no total is read until a page is short.
        while (whole.received() as u64) < WHOLE_MAX {
            query.skip = whole.received() as u64;
            let page = self.read_page(&query)?;
            let read = page.received() as u64;
            add(&mut whole, page);
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
        let (record, page) = self.compat().record_and_page(endpoint, name, fields, query);
        (self.gather(record), self.gather(page))
    }

    /// One record, or `NotFound`. `fields` are what is needed of it; more may come.
    pub fn read_record(&self, endpoint: &str, name: &str, fields: &[String]) -> Result<Value, Error> {
        self.read_records(endpoint, &[name], fields)
            .pop()
            .expect("one answer for one name")
    }

    /// The one record of an endpoint that is no list, such as `whoim`.
    pub fn read_single(&self, endpoint: &str) -> Result<Value, Error> {
        let read = self.compat().reader.single(endpoint);
        self.gather(read)
    }

    /// Several records of one model at once, in order.
    pub fn read_records(&self, endpoint: &str, names: &[&str], fields: &[String]) -> Vec<Result<Value, Error>> {
        let reads = self.compat().records(endpoint, names, fields).into_iter();
        reads.map(|read| self.gather(read)).collect()
    }
}

/// Adds a later page to a list.
fn add(whole: &mut Page, page: Page) {
    whole.rows.extend(page.rows);
    whole.left_out += page.left_out;
    for field in page.ignored {
        if !whole.ignored.contains(&field) {
            whole.ignored.push(field);
        }
        // What was counted is not what was asked for.
        whole.total = None;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        daktela::http::{CacheControl, Failure, Request, Response},
        value,
    };

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
        let hints = Hints::default();
        let client = Client::new(&fake, &hints);
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
        let hints = Hints::default();
        let client = Client::new(&cached, &hints);
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
        let page = Client::new(&fake, &Hints::default()).read_page(&query).expect("a page");
        assert_eq!(value::text_at(&page.rows[0], "user.title").as_deref(), Some("Jan"));
    }

    #[test]
    fn more_rows_than_asked_for_are_the_next_page_s_and_a_total_below_them_is_none() {
        let fake = Fake(|path| {
            let total = if path.contains("users") { json!(1) } else { Value::Null };
            json!({"error": [], "result": {"data": [{"name": 1}, {"name": 2}, {"name": 3}], "total": total}})
        });
        let page = Client::new(&fake, &Hints::default())
            .read_page(&Query::new("groups", 2))
            .expect("a page");
        assert_eq!((page.rows.len(), page.total), (2, Some(3)));
        let page = Client::new(&fake, &Hints::default())
            .read_page(&Query::new("users", 3))
            .expect("a page");
        assert_eq!((page.rows.len(), page.total), (3, None));
    }

    #[test]
    fn no_data_is_no_rows_unless_there_should_be_some() {
        let fake =
            Fake(|path| json!({"error": [], "result": {"data": null, "total": i32::from(path.contains("users"))}}));
        let hints = Hints::default();
        let client = Client::new(&fake, &hints);
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
        let page = Client::new(&fake, &Hints::default())
            .read_all(&Query::new("users", 0))
            .expect("a page");
        assert_eq!(page.rows, [0, 1, 2, 3, 4].map(|i| json!({"name": i})));
    }
}
