//! The network as a trait: GET requests to one origin, several at once.

use std::{borrow::Cow, cell::Cell};

/// A GET request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Path and query; starts with `/api/v6/`.
    pub path: String,
    pub cache_control: CacheControl,
}

impl Request {
    /// A request for live data.
    pub fn live(path: impl Into<String>) -> Self {
        Request {
            path: path.into(),
            cache_control: CacheControl::Live,
        }
    }
}

/// What caches between here and Daktela may do, as the `cache-control` header of the request says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CacheControl {
    /// Live data, never to be answered from a cache: no header.
    #[default]
    Live,
    /// Reference data: an answer of at most this age in seconds does.
    MaxAge(u32),
    /// Reference data of which an answer from a cache did not do.
    NoCache,
}

impl CacheControl {
    /// The value of the header, if one is sent.
    pub fn header(self) -> Option<Cow<'static, str>> {
        match self {
            CacheControl::Live => None,
            CacheControl::MaxAge(seconds) => Some(format!("max-age={seconds}").into()),
            CacheControl::NoCache => Some("no-cache".into()),
        }
    }
}

/// An answer of any status.
pub struct Response {
    pub status: u16,
    pub body: Vec<u8>,
    /// From a cache between here and Daktela, so that it may be out of date.
    pub is_aged: bool,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The host's policy refused the request.
    Denied,
    Timeout,
    /// The instance cannot be reached, or the connection broke.
    Unreachable(String),
    /// The body is larger than the host lets through.
    TooLarge,
    /// The host's own words for its user, e.g. why a login failed.
    Host(String),
}

/// The network, as far as the guest sees it: one origin, chosen by whoever implements this.
pub trait Http {
    /// Sends all requests at once and returns the answers in the order of the requests.
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>>;

    /// Sends all requests, several at once, and hands each answer over as soon as it is there, with the index of its request:
    /// what is not kept is freed before the next one is looked at. Once `take` returns false no further request is sent; those
    /// under way are still handed over, so that the requests that were sent are the first ones.
    fn get_each(&self, requests: &[Request], take: &mut dyn FnMut(usize, Result<Response, Failure>) -> bool) {
        for (round, chunk) in requests.chunks(REQUESTS_AT_A_TIME).enumerate() {
            let mut goes_on = true;
            for (i, answer) in self.get_all(chunk).into_iter().enumerate() {
                goes_on &= take(round * REQUESTS_AT_A_TIME + i, answer);
            }
            if !goes_on {
                return;
            }
        }
    }
}

/// Counts what passes through another network.
pub(super) struct Counted<'a> {
    http: &'a dyn Http,
    requests: Cell<u64>,
    bytes: Cell<u64>,
}

impl<'a> Counted<'a> {
    pub(super) fn new(http: &'a dyn Http) -> Self {
        Counted {
            http,
            requests: Cell::default(),
            bytes: Cell::default(),
        }
    }

    /// How many requests were answered or failed, and the bytes of the bodies that came.
    pub(super) fn so_far(&self) -> (u64, u64) {
        (self.requests.get(), self.bytes.get())
    }

    fn count(&self, answer: &Result<Response, Failure>) {
        let bytes = answer.as_ref().map_or(0, |response| response.body.len() as u64);
        self.requests.update(|requests| requests + 1);
        self.bytes.update(|so_far| so_far + bytes);
    }
}

impl Http for Counted<'_> {
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        let answers = self.http.get_all(requests);
        answers.iter().for_each(|answer| self.count(answer));
        answers
    }

    fn get_each(&self, requests: &[Request], take: &mut dyn FnMut(usize, Result<Response, Failure>) -> bool) {
        self.http.get_each(requests, &mut |i, answer| {
            self.count(&answer);
            take(i, answer)
        });
    }
}

/// Enough to hide the latency of a page of lookups; few enough that one call does not crowd out a tenant's other users.
pub const REQUESTS_AT_A_TIME: usize = 8;
