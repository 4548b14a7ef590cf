//! Reads a request body under a size and a time limit.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::error::ApiError;

/// A body follows its head at once. A client that takes longer holds its connection on purpose.
const TIMEOUT: Duration = Duration::from_secs(15);

#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("A request has at most {0} bytes.")]
    TooLarge(usize),
    #[error("The body broke off.")]
    BrokeOff,
    #[error("The body took too long.")]
    TooSlow,
}

impl BodyError {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BrokeOff => StatusCode::BAD_REQUEST,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
        }
    }
}

/// The rest of the body was not read, so the connection cannot be used again.
impl From<BodyError> for ApiError {
    fn from(error: BodyError) -> Self {
        Self::new(error.status(), error.to_string()).with_connection_close()
    }
}

/// The whole body, of at most `bytes_max` bytes.
pub(crate) async fn read(body: Body, bytes_max: usize) -> Result<Bytes, BodyError> {
    match tokio::time::timeout(TIMEOUT, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge(bytes_max)),
        Ok(Err(_)) => Err(BodyError::BrokeOff),
        Err(_) => Err(BodyError::TooSlow),
    }
}
