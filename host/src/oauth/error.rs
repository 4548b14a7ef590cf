//! Errors of the endpoints that answer clients in JSON (RFC 6749, 5.2; RFC 7591, 3.2.2).

use std::{borrow::Cow, time::Duration};

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use super::store::StoreUnavailable;
use crate::{
    limits::RateLimited,
    web::{
        error::{json_response, retry_after},
        params::ParamsError,
    },
};

/// A status, an error code of OAuth's, and a text for developers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OAuthError {
    status: StatusCode,
    code: &'static str,
    description: Cow<'static, str>,
    retry_after: Option<Duration>,
}

impl OAuthError {
    pub(super) fn new(status: StatusCode, code: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            code,
            description: description.into(),
            retry_after: None,
        }
    }

    pub(super) fn invalid_request(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    pub(super) fn invalid_grant(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_grant", description)
    }

    /// Nothing is wrong with the request.
    pub(super) fn unavailable(description: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", description)
    }

    /// The system has no random numbers to give.
    pub(super) fn no_random() -> Self {
        Self::unavailable("The server has no random numbers to give; try again.")
    }

    pub(super) fn description(&self) -> &str {
        &self.description
    }
}

impl From<StoreUnavailable> for OAuthError {
    fn from(StoreUnavailable: StoreUnavailable) -> Self {
        Self::unavailable("The server cannot look up what was used before; try again in a minute.")
    }
}

impl From<RateLimited> for OAuthError {
    fn from(limited: RateLimited) -> Self {
        Self {
            retry_after: Some(limited.retry_after()),
            ..Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "temporarily_unavailable",
                "Too many requests; come back later.",
            )
        }
    }
}

impl From<ParamsError> for OAuthError {
    fn from(error: ParamsError) -> Self {
        Self::invalid_request(error.to_string())
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = json!({"error": self.code, "error_description": self.description});
        let mut response = json_response(self.status, &body);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, retry_after(wait));
        }
        response
    }
}
