//! How a request is turned away: with a status, and words that say what to do.

use crate::mcp::message;
use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use serde_json::Value;

/// One of JSON-RPC's free numbers, for what HTTP says better.
pub(super) const REFUSED: i32 = -32000;

/// A refusal at an endpoint of MCP, whose clients read JSON-RPC.
pub(super) fn rpc(status: StatusCode, code: i32, message: &str, id: &Value) -> Response {
    json_response(status, &message::error(code, message, id))
}

pub(crate) fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

pub(super) fn text(status: StatusCode, text: &str) -> Response {
    (
        status,
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8")],
        format!("{text}\n"),
    )
        .into_response()
}

/// Comes back in a second, as any passing trouble.
pub(super) fn later(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// Says that the connection ends, as it does where a body was not read to its end.
pub(super) fn unread(mut response: Response) -> Response {
    response
        .headers_mut()
        .insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

pub(super) async fn not_found() -> Response {
    text(StatusCode::NOT_FOUND, "There is nothing here; MCP is at /mcp.")
}
