//! Errors of tool calls: each kind says who can act on it, each text what to do.

use crate::{daktela::http::Failure, text};

/// A failed call. The text is for the model and its user: what is wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The caller can mend it: arguments, or a name that nothing or too much answers to.
    Argument(String),
    /// The record does not exist, or the account may not see it.
    NotFound(String),
    /// Daktela refused the query itself (HTTP 400): a build without this field, filter or relation.
    Refused(String),
    /// The user can mend it: credentials, or what lies between them and Daktela.
    Forbidden(String),
    /// An administrator can mend it: the account may not read this.
    NoRight(String),
    /// Nobody here can mend it: the instance or the way to it.
    Upstream(String),
}

impl Error {
    /// The kind as one word, for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Error::Argument(_) => "argument",
            Error::NotFound(_) => "not_found",
            Error::Refused(_) => "refused",
            Error::Forbidden(_) => "forbidden",
            Error::NoRight(_) => "no_right",
            Error::Upstream(_) => "upstream",
        }
    }

    pub fn text(&self) -> &str {
        match self {
            Error::Argument(text)
            | Error::NotFound(text)
            | Error::Refused(text)
            | Error::Forbidden(text)
            | Error::NoRight(text)
            | Error::Upstream(text) => text,
        }
    }

    /// As a remark in an answer: `what` could not be read, and why. Daktela's own words stay a quote on lines of their own.
    pub fn remark(&self, what: &str) -> Vec<String> {
        let (quoted, ours): (Vec<&str>, Vec<&str>) = self.text().lines().partition(|line| line.starts_with('>'));
        let mut lines = vec![format!("[{what}: {}]", text::line(&ours.join(" ")))];
        lines.extend(quoted.into_iter().map(str::to_owned));
        lines
    }

    pub fn from_failure(failure: &Failure, what: &str) -> Self {
        match failure {
            Failure::Denied => Error::Forbidden(format!(
                "The sandbox's policy refused to read {what}. Grant this component the host of DAKTELA_URL for GET requests."
            )),
            Failure::Timeout => Error::Upstream(format!(
                "Daktela did not answer in time for {what}. Try again, or narrow the call (dates, a smaller take)."
            )),
            Failure::Unreachable(why) => Error::Upstream(format!(
                "Daktela cannot be reached for {what}: {}. Check DAKTELA_URL and the network.",
                text::line(why)
            )),
            Failure::TooLarge => Error::Upstream(format!(
                "Daktela's answer for {what} is larger than the limit. Narrow the call with a smaller take or a shorter range of dates."
            )),
            Failure::Host(why) => Error::Forbidden(text::clean(why)),
        }
    }

    /// For an answer that says that a right is missing, by its status or its words.
    pub(crate) fn no_right(status: u16, words: &[String], what: &str) -> Self {
        Error::NoRight(format!(
            "The Daktela account of this server may not read {what} (HTTP {status}). An administrator of Daktela can grant the access in the user's rights.{}",
            said(words)
        ))
    }

    /// For a status that is not a success. `words` is what Daktela said of it, cleaned: data, not ours.
    pub fn from_status(status: u16, words: &[String], what: &str) -> Self {
        let said = said(words);
        match status {
            // Daktela may tell of an error with a status of success.
            200..=299 => Error::Refused(format!("Daktela answered for {what} with an error.{said}")),
            400 | 422 => Error::Refused(format!("Daktela refused the query for {what} (HTTP {status}).{said}")),
            401 => Error::Forbidden(
                "Daktela did not accept the credentials (HTTP 401): the access token is wrong, expired or revoked. Set a valid one and call again.".to_owned(),
            ),
            403 => Error::no_right(status, words, what),
            404 => Error::NotFound(format!("Daktela does not know {what} (HTTP 404): its build may lack them, or DAKTELA_URL is not the instance's own address (one below a path, as https://example.com/daktela, is not supported).{said}")),
            429 => Error::Upstream(format!("Daktela has too many requests to answer for {what} right now (HTTP 429). Wait a minute and call again.")),
            300..=399 => Error::Upstream(format!("DAKTELA_URL redirects elsewhere (HTTP {status}), and redirects are not followed. Set it to the address that the instance really has.")),
            _ => Error::Upstream(format!("Daktela failed to answer for {what} (HTTP {status}). Try again later.{said}")),
        }
    }
}

/// Daktela's own words as a quote.
fn said(words: &[String]) -> String {
    if words.is_empty() {
        return String::new();
    }
    format!(" Daktela's words:\n{}", text::quote(&words.join("\n"), ""))
}
