//! The endpoint of MCP: who asks, is it JSON-RPC, and is it their turn. Then rmcp takes over.

use super::{
    App, Peer, door,
    guess::guess,
    held, refusal,
    throttle::{self, TooMany},
    whole,
};
use crate::{
    credentials::{self, Presented},
    identity::{Caller, Identity},
    mcp::message,
    oauth,
};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts};
use serde_json::Value;
use std::{sync::Arc, time::Duration};

/// A third of what a client waits for: better told than left waiting.
const TURN_TIMEOUT: Duration = Duration::from_secs(10);

pub(super) async fn enter(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let identity = match identify(&app, &parts).await {
        Ok(identity) => identity,
        Err(refused) => return refusal::unread(*refused),
    };
    let body = if parts.method == Method::POST {
        match whole::read(body, app.settings.max_body_bytes).await {
            Ok(body) => match message::parse(&body) {
                Ok(_) => Body::from(body),
                // rmcp would answer what it cannot read in plain text.
                Err(unreadable) => return refusal::json_response(StatusCode::BAD_REQUEST, &unreadable.answer()),
            },
            Err((status, message)) => {
                return refusal::unread(refusal::rpc(status, refusal::REFUSED, &message, &Value::Null));
            }
        }
    } else {
        Body::empty()
    };
    // Their own turn first: whoever has too many requests waits without holding room that others could use.
    let Ok(Ok(turn)) = tokio::time::timeout(TURN_TIMEOUT, identity.room.clone().acquire_owned()).await else {
        let message = "Too many requests of yours at the same time; let some finish first.";
        return refusal::later(refusal::rpc(
            StatusCode::TOO_MANY_REQUESTS,
            refusal::REFUSED,
            message,
            &Value::Null,
        ));
    };
    let address = parts
        .extensions
        .get::<Peer>()
        .map(|peer| throttle::address(&app, *peer, &parts.headers));
    let guess = match address {
        Some(address) => guess(&app.throttle, &identity, address).await,
        None => Ok(None),
    };
    let guess = match guess {
        Ok(guess) => guess,
        Err(too_many) => return held_back(too_many),
    };
    let room = match door::room(&app) {
        Ok(room) => room,
        Err(refused) => return *refused,
    };
    let request_id = parts
        .extensions
        .get::<super::operations::RequestId>()
        .map(|id| id.0.clone())
        .unwrap_or_default();
    parts.extensions.insert(Caller {
        identity: identity.clone(),
        request_id,
    });
    // They are known now; nothing further in needs the secret again.
    for name in ["authorization", "x-daktela-password", "x-daktela-access-token"] {
        parts.headers.remove(name);
    }
    accept_both(&mut parts.headers);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    app.identities.remember(&identity);
    // rmcp's refusals in plain text do not say what they are.
    if response.status().is_client_error() {
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().entry(header::CONTENT_TYPE).or_insert(text);
    }
    // An answer in pieces is not over yet.
    held::until_sent(response, (turn, room, guess))
}

fn held_back(too_many: TooMany) -> Response {
    let message = match too_many {
        TooMany::After(_) => "Too many logins failed; come back in five minutes.",
        TooMany::AtOnce => "Too many logins at the same time; try again.",
    };
    let mut response = refusal::rpc(StatusCode::TOO_MANY_REQUESTS, refusal::REFUSED, message, &Value::Null);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, too_many.retry_after());
    response
}

/// rmcp wants both kinds of answers named. Whoever takes anything, or does not say, takes both.
fn accept_both(headers: &mut HeaderMap) {
    let mut given = headers.get_all(header::ACCEPT).iter();
    let anything = |value: &HeaderValue| {
        let mut kinds = value.to_str().unwrap_or_default().split(',');
        kinds.any(|kind| kind.split(';').next().map(str::trim) == Some("*/*"))
    };
    if !headers.contains_key(header::ACCEPT) || given.any(anything) {
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
    }
}

async fn identify(app: &App, parts: &Parts) -> Result<Arc<Identity>, Box<Response>> {
    let refuse = |message: &str, token_was_given| Err(Box::new(unauthorized(app, parts, message, token_was_given)));
    match credentials::read(&parts.headers, &app.settings.domains) {
        Ok(Presented::Daktela(origin, credential)) => Ok(app.identities.of(origin, credential)),
        Ok(Presented::Bearer(token)) => {
            let base = app.base(&parts.uri, &parts.headers);
            let found = match &app.oauth {
                Some(oauth) => oauth.bearer(&token, &base, &app.settings.domains).await,
                None => Ok(None),
            };
            let Ok(found) = found else {
                app.metrics.oauth("redis_away");
                let message = "Whether the token was revoked cannot be looked up just now; try again in a minute.";
                return Err(Box::new(refusal::later(refusal::rpc(
                    StatusCode::SERVICE_UNAVAILABLE,
                    refusal::REFUSED,
                    message,
                    &Value::Null,
                ))));
            };
            let identity = found.map(|(origin, credential)| app.identities.of(origin, credential));
            // A client renews a token that HTTP refuses; an error of a tool would not tell it to.
            match identity {
                Some(identity) if !identity.egress.is_still_refused().await => Ok(identity),
                _ => refuse("The token is over, revoked, or none of this server's.", true),
            }
        }
        Ok(Presented::Nothing) => match &app.anybody {
            Some(anybody) => Ok(anybody.clone()),
            None => refuse(
                "Whose Daktela? Log in through OAuth where it is on, or send X-Daktela-Url, and X-Daktela-Access-Token or \
                 X-Daktela-Username with X-Daktela-Password.",
                false,
            ),
        },
        Err(unclear) => {
            let message = format!("{unclear}.");
            Err(Box::new(refusal::rpc(
                StatusCode::BAD_REQUEST,
                refusal::REFUSED,
                &message,
                &Value::Null,
            )))
        }
    }
}

fn unauthorized(app: &App, parts: &Parts, message: &str, token_was_given: bool) -> Response {
    let challenge = match &app.oauth {
        Some(_) => {
            let path = if parts.uri.path() == "/mcp" { "/mcp" } else { "" };
            oauth::challenge(&app.base(&parts.uri, &parts.headers), path, token_was_given)
        }
        // Bearer would send a client looking for a login that there is not.
        None => "Daktela realm=\"mcp-daktela\"".to_owned(),
    };
    let mut response = refusal::rpc(StatusCode::UNAUTHORIZED, refusal::REFUSED, message, &Value::Null);
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
