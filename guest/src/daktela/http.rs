//! What the guest needs of the network: GET, and several at once.

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
    /// Sends all requests at once and returns the answers in the order of the requests. A path starts with `/api/v6/`
    /// and holds its query. With `fresh`, caches on the way are to ask Daktela anew.
    fn get_all(&self, paths: &[String], fresh: bool) -> Vec<Result<Response, Failure>>;
}
