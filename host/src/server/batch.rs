//! JSON-RPC batches of MCP 2025-03-26: each message is served by itself, and the answers go out as one JSON array.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    middleware::Next,
    response::Response,
};
use daktela_protocol::{BATCH_REVISION, code::INVALID_REQUEST};
use http::{HeaderMap, StatusCode, header, request::Parts};
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage};
use serde_json::{Value, json};

use crate::{
    mcp::message::{self, Parsed},
    web::error::json_response,
};

/// The answer of one message. The component's own limit (`--max-answer-bytes`) is far below.
const ANSWER_BYTES_MAX: usize = 256 * 1024 * 1024;

/// Whether a request may be a batch: the one revision that has them needs no header, and later ones always send theirs.
pub(super) fn is_allowed(headers: &HeaderMap) -> bool {
    headers
        .get("mcp-protocol-version")
        .is_none_or(|version| *version == BATCH_REVISION)
}

/// Splits a batch, which [`is_allowed`] was asked of before, and passes everything else on.
pub(super) async fn serve_batch(request: Request, next: Next) -> Response {
    if request.extensions().get::<IsBatch>().is_none() {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    // It was read and limited before.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let messages = match message::parse(&body) {
        Ok(Parsed::Batch(messages)) => messages,
        Ok(Parsed::One(message)) => vec![Ok(*message)],
        Err(invalid) => vec![Err(invalid)],
    };
    let mut answers = Vec::with_capacity(messages.len());
    for message in messages {
        match message {
            Ok(message) => answers.extend(serve_one(&parts, message, next.clone()).await),
            Err(invalid) if invalid.is_notification => {}
            Err(invalid) => answers.push(invalid.answer()),
        }
    }
    if answers.is_empty() {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::ACCEPTED;
        return response;
    }
    json_response(StatusCode::OK, &Value::Array(answers))
}

/// Marks a request whose body is a batch.
#[derive(Clone, Copy)]
pub(super) struct IsBatch;

/// The answer to one message; none for a notification.
async fn serve_one(parts: &Parts, message: ClientJsonRpcMessage, next: Next) -> Option<Value> {
    let id = match &message {
        JsonRpcMessage::Request(request) => json!(request.id),
        _ => Value::Null,
    };
    let failed = |reason: &str| Some(message::error(INVALID_REQUEST, reason, &id));
    let Ok(mut body) = serde_json::to_value(&message) else {
        return failed("The message cannot be passed on.");
    };
    // An answer in pieces has no place in an array.
    if let Some(meta) = body.pointer_mut("/params/_meta").and_then(Value::as_object_mut) {
        meta.remove("progressToken");
    }
    let mut parts = parts.clone();
    parts.headers.remove(header::CONTENT_LENGTH);
    let response = next.run(Request::from_parts(parts, Body::from(body.to_string()))).await;
    let answer = to_bytes(response.into_body(), ANSWER_BYTES_MAX)
        .await
        .unwrap_or_default();
    if id.is_null() {
        return None;
    }
    match serde_json::from_slice(&answer) {
        Ok(answer) => Some(answer),
        // rmcp's refusals are plain text.
        Err(_) => failed(&String::from_utf8_lossy(&answer)),
    }
}
