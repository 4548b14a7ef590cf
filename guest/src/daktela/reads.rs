//! Single reads of the API: requests out, envelopes in, each answer with its notes.

use serde_json::Value;

use super::{
    envelope::{self, Envelope, Page},
    error::Error,
    http::{CacheControl, Failure, Http, Request, Response},
    observations::{Observations, root},
    query::{self, Query},
};
use crate::value;

/// How old an answer may be of what hardly changes: people, queues, categories and the like.
const MAX_AGE_SECONDS: u32 = 3600;

/// What a read found, and what is to be said of it.
pub(crate) struct Read<T> {
    pub(crate) result: Result<T, Error>,
    pub(crate) notes: Notes,
}

/// What answers say besides their records.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    /// The instance's time zone.
    pub(crate) zone: Option<String>,
    /// The instance's time when it answered, local time of that zone.
    pub(crate) now: Option<String>,
    /// Remarks of Daktela on answers that it gave nevertheless.
    pub(crate) warnings: Vec<String>,
    /// Parts of answers that could not be read.
    pub(crate) missing: Vec<String>,
    /// An answer came out of a cache.
    pub(crate) is_aged: bool,
    /// What the read showed of the instance.
    pub(crate) observed: Observations,
}

impl Notes {
    /// Adds other notes. The later zone counts; what was said before is not said again.
    pub(crate) fn merge(&mut self, other: Notes) {
        let add = |known: &mut Vec<String>, more: Vec<String>| {
            for note in more {
                if !known.contains(&note) {
                    known.push(note);
                }
            }
        };
        self.zone = other.zone.or(self.zone.take());
        self.now = other.now.or(self.now.take());
        add(&mut self.warnings, other.warnings);
        add(&mut self.missing, other.missing);
        self.is_aged |= other.is_aged;
        self.observed.merge(other.observed);
    }

    /// Says that a read which would have completed an answer failed, and what the answer may lack for it.
    pub(crate) fn partial(lacks: &str, error: &Error) -> Self {
        Notes {
            missing: vec![format!("{lacks}, since reading them failed. {}", error.text())],
            ..Notes::default()
        }
    }
}

/// Reads without a memory: each call is one round of requests.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    pub(crate) http: &'a dyn Http,
    /// Ask Daktela itself also where a cache may answer.
    pub(crate) bypass_caches: bool,
}

impl Reader<'_> {
    /// Several pages at once, in order.
    pub(crate) fn pages(&self, queries: &[Query]) -> Vec<Read<Page>> {
        if queries.is_empty() {
            return Vec::new();
        }
        let requests: Vec<Request> = queries.iter().map(|query| self.request(query)).collect();
        let responses = self.http.get_all(&requests).into_iter();
        responses
            .zip(queries)
            .map(|(response, query)| page(response, query))
            .collect()
    }

    /// Several pages, each handed over as it comes, with its index and its size in bytes; see [`Http::get_each`].
    pub(crate) fn each_page(&self, queries: &[Query], take: &mut dyn FnMut(usize, Read<Page>, usize) -> bool) {
        let requests: Vec<Request> = queries.iter().map(|query| self.request(query)).collect();
        self.http.get_each(&requests, &mut |i, response| {
            let bytes = response.as_ref().map_or(0, |response| response.body.len());
            take(i, page(response, &queries[i]), bytes)
        });
    }

    /// Several records of one model at once, in order.
    pub(crate) fn records(&self, endpoint: &str, names: &[&str], fields: &[String]) -> Vec<Read<Value>> {
        if names.is_empty() {
            return Vec::new();
        }
        let paths: Vec<Option<String>> = names
            .iter()
            .map(|name| query::record_path(endpoint, name, fields))
            .collect();
        let requests: Vec<Request> = paths.iter().flatten().map(Request::live).collect();
        let mut responses = self.http.get_all(&requests).into_iter();
        paths
            .iter()
            .map(|path| {
                let response = path.as_ref().and_then(|_| responses.next());
                record(response.unwrap_or_else(|| Err(no_path())), endpoint)
            })
            .collect()
    }

    /// The one record of an endpoint that is no list.
    pub(crate) fn single(&self, endpoint: &str) -> Read<Value> {
        let path = query::single_path(endpoint);
        let response = self.http.get_all(&[Request::live(path)]).pop();
        record(response.expect("an answer for each request"), endpoint)
    }

    /// A record and a list that belongs to it, at once.
    pub(crate) fn record_and_page(
        &self,
        endpoint: &str,
        name: &str,
        fields: &[String],
        query: &Query,
    ) -> (Read<Value>, Read<Page>) {
        let path = query::record_path(endpoint, name, fields);
        let is_asked = path.is_some();
        let requests: Vec<Request> = path
            .map(Request::live)
            .into_iter()
            .chain([self.request(query)])
            .collect();
        let mut responses = self.http.get_all(&requests).into_iter();
        let mut next = || responses.next().expect("an answer for each request");
        let record = record(if is_asked { next() } else { Err(no_path()) }, endpoint);
        (record, page(next(), query))
    }

    fn request(&self, query: &Query) -> Request {
        let cache_control = match (query.is_reference_data, self.bypass_caches) {
            (true, false) => CacheControl::MaxAge(MAX_AGE_SECONDS),
            (true, true) => CacheControl::NoCache,
            (false, _) => CacheControl::Live,
        };
        Request {
            path: query.to_path(),
            cache_control,
        }
    }
}

/// Why a record is not asked for.
fn no_path() -> Failure {
    Failure::Host("The name of the record could lead to another path, so it was not asked for.".to_owned())
}

/// What a read is called in an error: its model, or the relation of one.
fn what(endpoint: &str) -> String {
    match endpoint.split('/').collect::<Vec<_>>()[..] {
        [model, _, relation] => format!("{relation} of {model}"),
        [model, ..] => model.to_owned(),
        [] => endpoint.to_owned(),
    }
}

/// Reads the envelope, and its content by `read`.
fn answer<T>(
    response: Result<Response, Failure>,
    endpoint: &str,
    read: impl FnOnce(Value, &str) -> Result<T, Error>,
) -> Read<T> {
    let what = what(endpoint);
    let mut notes = Notes::default();
    let response = response.map_err(|failure| Error::from_failure(&failure, &what));
    let result = response.and_then(|response| {
        notes.is_aged = response.is_aged;
        let Envelope {
            result,
            zone,
            now,
            warnings,
        } = envelope::read(&response, &what)?;
        notes.zone = zone;
        notes.now = now;
        notes.warnings = warnings;
        read(result, &what)
    });
    Read { result, notes }
}

fn page(response: Result<Response, Failure>, query: &Query) -> Read<Page> {
    answer(response, &query.endpoint, |result, what| {
        let mut page = envelope::page(result, what)?;
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
    })
}

fn record(response: Result<Response, Failure>, endpoint: &str) -> Read<Value> {
    answer(response, endpoint, |result, what| match result {
        Value::Object(record) if !record.is_empty() => Ok(Value::Object(record)),
        _ => Err(Error::NotFound(format!("Daktela has no such record in {what}."))),
    })
}

/// Whether a row has something to show in a field, or in the related record that a dotted pick is of.
pub(crate) fn is_root_filled(row: &Value, field: &str) -> bool {
    [root(field), field]
        .iter()
        .any(|key| row.get(key).is_some_and(value::is_filled))
}
