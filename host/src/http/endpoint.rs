//! The endpoint of MCP: who asks, is it JSON-RPC, and is it their turn. Then rmcp takes over.

use super::{App, held, refusal};
use crate::{
    credentials::{self, Presented},
    identity::{Caller, Identity},
};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header, request::Parts};
use http_body_util::{BodyExt, Limited};
use rmcp::model::ClientJsonRpcMessage;
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// A body comes at the heels of its head. Whoever takes longer does so on purpose.
const BODY_TIMEOUT: Duration = Duration::from_secs(15);

/// A third of what a client waits for: better told than left waiting.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn enter(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let identity = match identify(&app, &parts) {
        Ok(identity) => identity,
        Err(refused) => return *refused,
    };
    let body = if parts.method == Method::POST {
        match read(body, app.settings.max_body_bytes).await.and_then(json_rpc) {
            Ok(body) => Body::from(body),
            Err(refused) => return *refused,
        }
    } else {
        Body::empty()
    };
    let Ok(Ok(room)) = tokio::time::timeout(TURN_TIMEOUT, identity.room.clone().acquire_owned()).await else {
        let message = "Too many requests of yours at the same time; let some finish first.";
        return refusal::later(refusal::rpc(
            StatusCode::TOO_MANY_REQUESTS,
            refusal::REFUSED,
            message,
            &Value::Null,
        ));
    };
    let request_id = parts
        .extensions
        .get::<super::operations::RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    parts.extensions.insert(Caller { identity, request_id });
    // They are known now; nothing further in needs the secret again.
    for name in ["authorization", "x-daktela-password", "x-daktela-access-token"] {
        parts.headers.remove(name);
    }
    held::until_sent(next.run(Request::from_parts(parts, body)).await, room)
}

fn identify(app: &App, parts: &Parts) -> Result<Arc<Identity>, Box<Response>> {
    match credentials::read(&parts.headers, &app.settings.domains) {
        Ok(Presented::Daktela(origin, credential)) => Ok(app.identities.of(origin, credential)),
        Ok(Presented::Bearer(_)) => Err(Box::new(unauthorized("Bearer tokens are not issued here. Send X-Daktela-Url, and X-Daktela-Access-Token or X-Daktela-Username with X-Daktela-Password."))),
        Ok(Presented::Nothing) => app.anybody.clone().ok_or_else(|| {
            Box::new(unauthorized("Whose Daktela? Send X-Daktela-Url, and X-Daktela-Access-Token or X-Daktela-Username with X-Daktela-Password."))
        }),
        Err(unclear) => Err(Box::new(refusal::rpc(
            StatusCode::BAD_REQUEST,
            refusal::REFUSED,
            &format!("{unclear}."),
            &Value::Null,
        ))),
    }
}

fn unauthorized(message: &str) -> Response {
    let mut response = refusal::rpc(StatusCode::UNAUTHORIZED, refusal::REFUSED, message, &Value::Null);
    response.headers_mut().insert(
        header::WWW_AUTHENTICATE,
        HeaderValue::from_static("Daktela realm=\"mcp-daktela\""),
    );
    response
}

/// The whole body, of bounded size and in bounded time.
async fn read(body: Body, bytes_max: usize) -> Result<Bytes, Box<Response>> {
    let refuse = |status, message: &str| Box::new(refusal::rpc(status, refusal::REFUSED, message, &Value::Null));
    match tokio::time::timeout(BODY_TIMEOUT, Limited::new(body, bytes_max).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(refuse(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("A request has at most {bytes_max} bytes."),
        )),
        Ok(Err(_)) => Err(refuse(StatusCode::BAD_REQUEST, "The body broke off.")),
        Err(_) => Err(refuse(StatusCode::REQUEST_TIMEOUT, "The body took too long.")),
    }
}

/// rmcp would answer what it cannot read in plain text.
fn json_rpc(body: Bytes) -> Result<Bytes, Box<Response>> {
    if serde_json::from_slice::<ClientJsonRpcMessage>(&body).is_ok() {
        return Ok(body);
    }
    let (code, message, id) = match serde_json::from_slice::<Value>(&body) {
        Err(_) => (refusal::PARSE_ERROR, "The body is not JSON.", Value::Null),
        Ok(Value::Array(_)) => (
            refusal::INVALID_REQUEST,
            "One message at a time: MCP has no batches.",
            Value::Null,
        ),
        Ok(other) => (
            refusal::INVALID_REQUEST,
            "The body is no message of JSON-RPC 2.0.",
            id(&other),
        ),
    };
    Err(Box::new(refusal::rpc(StatusCode::BAD_REQUEST, code, message, &id)))
}

fn id(message: &Value) -> Value {
    match message.get("id") {
        Some(id @ (Value::String(_) | Value::Number(_))) => id.clone(),
        _ => Value::Null,
    }
}
