//! A request's body, whole.

use axum::body::Body;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use std::time::Duration;

/// A body comes at the heels of its head. Whoever takes longer does so on purpose.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Of bounded size and in bounded time, or why not.
pub(super) async fn read(body: Body, bytes_max: usize) -> Result<Bytes, (StatusCode, String)> {
    match tokio::time::timeout(TIMEOUT, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err((
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("A request has at most {bytes_max} bytes."),
        )),
        Ok(Err(_)) => Err((StatusCode::BAD_REQUEST, "The body broke off.".to_owned())),
        Err(_) => Err((StatusCode::REQUEST_TIMEOUT, "The body took too long.".to_owned())),
    }
}
