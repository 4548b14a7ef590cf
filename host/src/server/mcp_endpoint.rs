//! Layers in front of the MCP server: authentication, message size and form, limits with load shedding, and removal of
//! credentials and normalization of headers before rmcp.

use std::{borrow::Cow, sync::Arc, time::Duration};

use axum::{
    Extension, Router,
    body::Body,
    extract::{Request, State},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use daktela_protocol::json;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use serde_json::Value;

use super::{
    ServerState,
    batch::{self, IsBatch},
    request_id::RequestId,
};
use crate::{
    auth::{Caller, Credentials, Identity, read_credentials},
    egress::Credential,
    limits::{RateLimited, login_attempts},
    mcp::message::{self, Parsed},
    oauth,
    web::{
        base_url::BaseUrl,
        body, body_guard,
        client_ip::ClientIp,
        error::{ApiError, json_response},
    },
};

/// A third of what a client waits for: an answer that says to come back is better than none.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Who makes the request, and what still has to be found out. A request extension.
#[derive(Clone)]
struct Authenticated {
    identity: Arc<Identity>,
    how: How,
}

#[derive(Clone)]
enum How {
    /// The sample company's, for everybody.
    Anonymous,
    /// By an access token of ours, which only a login at Daktela brings.
    Bearer,
    /// By Daktela's own credential, which anybody can make up. With the account of a password.
    Headers { account: Option<String> },
}

/// Wraps the routes of MCP into the layers, the outermost last.
pub(super) fn guarded(routes: Router, state: &Arc<ServerState>) -> Router {
    routes
        .layer(middleware::from_fn(present_to_rmcp))
        .layer(middleware::from_fn(batch::serve_batch))
        .layer(middleware::from_fn_with_state(state.clone(), admit))
        .layer(middleware::from_fn_with_state(state.clone(), read_message))
        .layer(middleware::from_fn_with_state(state.clone(), authenticate))
}

/// Finds out who makes the request, without asking Daktela.
async fn authenticate(
    State(state): State<Arc<ServerState>>,
    Extension(base): Extension<BaseUrl>,
    mut request: Request,
    next: Next,
) -> Response {
    match identify(&state, &base, request.uri(), request.headers()).await {
        Ok(authenticated) => {
            request.extensions_mut().insert(authenticated);
            next.run(request).await
        }
        // The body is not read.
        Err(error) => error.with_connection_close().into_response(),
    }
}

async fn identify(
    state: &ServerState,
    base: &BaseUrl,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Authenticated, ApiError> {
    let credentials = read_credentials(headers, &state.settings.domains)
        .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, format!("{error}.")))?;
    match credentials {
        Credentials::Daktela(..) if state.oauth.as_ref().is_some_and(|oauth| oauth.is_only()) => Err(ApiError::new(
            StatusCode::UNAUTHORIZED,
            "This server takes no credentials in headers; log in through OAuth.",
        )
        .with_challenge(challenge(state, base, uri, false))),
        Credentials::Daktela(origin, credential) => {
            let account = match &credential {
                Credential::Login { username, .. } => Some(login_attempts::account(&origin, username)),
                Credential::Token(_) => None,
            };
            Ok(Authenticated {
                identity: state.identities.of(origin, credential),
                how: How::Headers { account },
            })
        }
        Credentials::Bearer(token) => {
            let opened = match &state.oauth {
                Some(oauth) => oauth.open_bearer(&token, base).await,
                None => Ok(None),
            };
            match opened {
                Ok(Some((origin, credential))) => Ok(Authenticated {
                    identity: state.identities.of(origin, credential),
                    how: How::Bearer,
                }),
                Ok(None) => Err(invalid_token(state, base, uri)),
                Err(oauth::StoreUnavailable) => {
                    state.metrics.oauth("redis_away");
                    Err(ApiError::new(
                        StatusCode::SERVICE_UNAVAILABLE,
                        "Whether the token was revoked cannot be looked up just now; try again in a minute.",
                    )
                    .with_retry_after(Duration::from_secs(1)))
                }
            }
        }
        Credentials::None => match &state.anonymous_identity {
            Some(identity) => Ok(Authenticated {
                identity: identity.clone(),
                how: How::Anonymous,
            }),
            None => Err(ApiError::new(
                StatusCode::UNAUTHORIZED,
                "No credentials. Log in through OAuth where it is on, or send X-Daktela-Url, and X-Daktela-Access-Token or \
                 X-Daktela-Username with X-Daktela-Password.",
            )
            .with_challenge(challenge(state, base, uri, false))),
        },
    }
}

fn invalid_token(state: &ServerState, base: &BaseUrl, uri: &Uri) -> ApiError {
    ApiError::new(
        StatusCode::UNAUTHORIZED,
        "The token is expired, revoked, or was not issued by this server.",
    )
    .with_challenge(challenge(state, base, uri, true))
}

fn challenge(state: &ServerState, base: &BaseUrl, uri: &Uri, token_was_given: bool) -> String {
    match &state.oauth {
        Some(_) => oauth::challenge(base, uri.path(), token_was_given),
        // Bearer would send a client looking for a login that there is not.
        None => "Daktela realm=\"mcp-daktela\"".to_owned(),
    }
}

/// Reads the body, repairs broken characters, and refuses what is no message of JSON-RPC, which rmcp would answer in plain text.
async fn read_message(State(state): State<Arc<ServerState>>, mut request: Request, next: Next) -> Response {
    if request.method() == Method::POST {
        let (parts, body) = request.into_parts();
        let body = match body::read(body, state.settings.max_body_bytes).await {
            Ok(body) => body,
            Err(error) => return ApiError::from(error).into_response(),
        };
        let repaired = json::repair(&body);
        let mut is_batch = false;
        let invalid = match message::parse(&repaired) {
            Ok(Parsed::One(_)) => None,
            Ok(Parsed::Batch(messages)) if messages.is_empty() && batch::is_allowed(&parts.headers) => {
                Some(message::batch_size())
            }
            Ok(Parsed::Batch(_)) if batch::is_allowed(&parts.headers) => {
                is_batch = true;
                None
            }
            Ok(Parsed::Batch(_)) => Some(message::no_batches()),
            Err(invalid) => Some(invalid),
        };
        if let Some(invalid) = invalid {
            return json_response(StatusCode::BAD_REQUEST, &invalid.answer());
        }
        let without_progress = match accepts_event_stream(&parts.headers) {
            true => None,
            false => without_progress(&repaired),
        };
        let body = match (without_progress, repaired) {
            (Some(body), _) | (None, Cow::Owned(body)) => body.into(),
            // Without the byte order mark in front.
            (None, Cow::Borrowed(text)) => body.slice_ref(text),
        };
        request = Request::from_parts(parts, Body::from(body));
        if is_batch {
            request.extensions_mut().insert(IsBatch);
        }
    }
    next.run(request).await
}

/// Whether the client can read an answer in pieces. One that does not say so can.
fn accepts_event_stream(headers: &HeaderMap) -> bool {
    let media_types = || {
        headers
            .get_all(header::ACCEPT)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or_default().split(','))
            .map(|entry| entry.split(';').next().unwrap_or_default().trim())
            .filter(|entry| !entry.is_empty())
    };
    media_types().next().is_none() || media_types().any(|entry| matches!(entry, "*/*" | "text/*" | "text/event-stream"))
}

/// The message without its progress token: what asks for no progress is answered in one piece. `None` where it has none.
fn without_progress(body: &[u8]) -> Option<Vec<u8>> {
    let mut message: Value = serde_json::from_slice(body).ok()?;
    message
        .pointer_mut("/params/_meta")?
        .as_object_mut()?
        .remove("progressToken")?;
    serde_json::to_vec(&message).ok()
}

/// Waits for the permits of a request, and holds them until its response is sent.
async fn admit(
    State(state): State<Arc<ServerState>>,
    Extension(client): Extension<ClientIp>,
    Extension(base): Extension<BaseUrl>,
    Extension(authenticated): Extension<Authenticated>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let Authenticated { identity, how } = authenticated;
    let is_verified = || identity.egress.was_answered();
    let mut unverified = None;
    if matches!(how, How::Headers { .. }) && !is_verified() {
        let permit = state.unverified.acquire(client.network(), WAIT_MAX).await;
        // Another of its requests may have been answered meanwhile.
        unverified = permit.filter(|_| !is_verified());
        if unverified.is_none() && !is_verified() {
            return Err(ApiError::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "Too many requests of new callers at the same time; try again.",
            )
            .with_retry_after(Duration::from_secs(2)));
        }
    }
    // Before the limit of all: a caller with too many requests waits without holding what others could use.
    let Some(own) = state.per_identity.acquire(identity.hash, WAIT_MAX).await else {
        return Err(ApiError::new(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests of yours at the same time; let some finish first.",
        )
        .with_retry_after(Duration::from_secs(1)));
    };
    let attempt = match &how {
        How::Headers { account } => state
            .login_guard
            .admit(&identity, account.as_deref(), client.network())
            .await
            .map_err(too_many_logins)?,
        How::Anonymous | How::Bearer => None,
    };
    // A client renews a token that HTTP refuses; an error of a tool would not tell it to.
    if matches!(how, How::Bearer) && is_still_refused(&state, &identity).await {
        return Err(invalid_token(&state, &base, request.uri()));
    }
    let Ok(permit) = state.concurrency.clone().try_acquire_owned() else {
        return Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many requests at the same time; try again.",
        )
        .with_retry_after(Duration::from_secs(1)));
    };
    request.extensions_mut().insert(Caller {
        identity: identity.clone(),
        request_id,
    });
    let response = next.run(request).await;
    state.identities.mark_verified(&identity);
    // A response in pieces is not over yet.
    Ok(body_guard::hold_until_sent(
        response,
        (own, permit, attempt, unverified),
    ))
}

fn too_many_logins(limited: RateLimited) -> ApiError {
    let message = match limited {
        RateLimited::After(_) => "Too many logins failed; come back in five minutes.",
        RateLimited::Concurrent => "Too many logins at the same time; try again.",
    };
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, message).with_retry_after(limited.retry_after())
}

/// Whether Daktela still refuses a token that it refused before. Requests of one token share one look.
async fn is_still_refused(state: &ServerState, identity: &Identity) -> bool {
    if !identity.egress.is_refused() {
        return false;
    }
    let check = state.refusal_checks.lease(identity.hash, Arc::default);
    *check.get_or_init(|| identity.egress.is_still_refused()).await
}

/// Takes the secrets away, which nothing further on needs, and asks for both kinds of answers, which rmcp wants to be accepted:
/// it answers in JSON, and in pieces only where the client asked for progress.
async fn present_to_rmcp(mut request: Request, next: Next) -> Response {
    let is_post = request.method() == Method::POST;
    let headers = request.headers_mut();
    for name in ["authorization", "x-daktela-password", "x-daktela-access-token"] {
        headers.remove(name);
    }
    if is_post {
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
    }
    let mut response = next.run(request).await;
    // rmcp's refusals in plain text do not say what they are.
    if response.status().is_client_error() {
        let text = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().entry(header::CONTENT_TYPE).or_insert(text);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_in_pieces_is_for_clients_that_read_it() {
        let accepts = |accept: &[&str]| {
            let mut headers = HeaderMap::new();
            for value in accept {
                headers.append(header::ACCEPT, HeaderValue::from_str(value).unwrap());
            }
            accepts_event_stream(&headers)
        };
        for accept in [
            &[][..],
            &[""],
            &["*/*"],
            &["application/json, text/event-stream;q=0.5"],
            &["application/json", "text/event-stream"],
        ] {
            assert!(accepts(accept), "{accept:?}");
        }
        assert!(!accepts(&["application/json"]) && !accepts(&["application/*"]));
        let message = br#"{"id":1,"params":{"_meta":{"progressToken":1,"a":2}}}"#;
        let without: Value = serde_json::from_slice(&without_progress(message).unwrap()).unwrap();
        assert_eq!(without, serde_json::json!({"id": 1, "params": {"_meta": {"a": 2}}}));
        assert!(without_progress(br#"{"id":1,"params":{}}"#).is_none());
    }
}
