//! The network as a trait: GET requests to one origin, several at once.

use std::borrow::Cow;

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

/// Enough to hide the latency of a page of lookups; few enough that one call does not crowd out a tenant's other users.
pub const REQUESTS_AT_A_TIME: usize = 8;
