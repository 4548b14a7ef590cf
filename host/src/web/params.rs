//! Parameters of a query or a form. Guards against HTTP parameter pollution and against forms of very many parameters.

use axum::{
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http::{StatusCode, header};
use url::form_urlencoded;

use super::error::text_response;

/// An authorization request has about ten parameters. A form of many thousands would cost more to compare than to send.
const PARAMS_MAX: usize = 32;

/// The one parameter that may be repeated: a token may be for several servers (RFC 8707).
const REPEATABLE: &str = "resource";

/// As an extractor it reads a form; the body's size is limited before.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

#[derive(Debug, thiserror::Error)]
pub(crate) enum ParamsError {
    #[error("Expected application/x-www-form-urlencoded.")]
    NotAForm,
    #[error("The form is too long, or broke off.")]
    Unreadable,
    #[error("There are more than {PARAMS_MAX} parameters.")]
    TooMany,
    /// Client, proxy and server could each read another one of them.
    #[error("A parameter is there twice.")]
    Duplicate,
}

impl Params {
    /// Reads at most [`PARAMS_MAX`] parameters, in linear time. Empty ones count as absent, as OAuth has it.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, ParamsError> {
        let found: Vec<_> = form_urlencoded::parse(text)
            .take(PARAMS_MAX + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if found.len() > PARAMS_MAX {
            return Err(ParamsError::TooMany);
        }
        let is_repeated = |(at, (name, _)): (usize, &(String, String))| {
            name != REPEATABLE && found[..at].iter().any(|(known, _)| known == name)
        };
        if found.iter().enumerate().any(is_repeated) {
            return Err(ParamsError::Duplicate);
        }
        Ok(Self(found.into_iter().filter(|(_, value)| !value.is_empty()).collect()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(crate) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl IntoResponse for ParamsError {
    fn into_response(self) -> Response {
        text_response(StatusCode::BAD_REQUEST, &self.to_string())
    }
}

impl<S: Send + Sync> FromRequest<S> for Params {
    type Rejection = ParamsError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ParamsError> {
        let media_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok()?.split(';').next())
            .unwrap_or_default();
        if !media_type
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
        {
            return Err(ParamsError::NotAForm);
        }
        let body = Bytes::from_request(request, state)
            .await
            .map_err(|_| ParamsError::Unreadable)?;
        Self::parse(&body)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn parameters_are_read_once_and_few() {
        let read = |text: &str| Params::parse(text.as_bytes()).map(|params| params.get("a").map(str::to_owned));
        assert_eq!(read("a=1&b=2").unwrap().as_deref(), Some("1"));
        assert_eq!(read("a=&b=2").unwrap(), None);
        assert!(matches!(read("a=1&a=1"), Err(ParamsError::Duplicate)));
        assert!(matches!(read("a=&a=1"), Err(ParamsError::Duplicate)));
        assert_eq!(read("resource=x&resource=y&a=1").unwrap().as_deref(), Some("1"));
        let many = |count: usize| (0..count).map(|number| format!("p{number}=1&")).collect::<String>();
        assert!(read(&many(32)).is_ok());
        assert!(matches!(read(&many(33)), Err(ParamsError::TooMany)));
        assert!(matches!(read(&"resource=x&".repeat(33)), Err(ParamsError::TooMany)));
    }

    /// Twice the parameters may not cost four times the time, nor a long form more than a short one.
    #[test]
    fn time_to_refuse_does_not_grow_with_the_form() {
        let time = |count: usize| {
            let form: String = (0..count).map(|number| format!("{number}&")).collect();
            let best = (0..9).map(|_| {
                let start = Instant::now();
                assert!(matches!(Params::parse(form.as_bytes()), Err(ParamsError::TooMany)));
                start.elapsed()
            });
            best.min().unwrap_or_default()
        };
        for count in [1_000, 10_000, 100_000] {
            assert!(
                time(count) < Duration::from_millis(1),
                "{count} parameters: {:?}",
                time(count)
            );
        }
    }
}
