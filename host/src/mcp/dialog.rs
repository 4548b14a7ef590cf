//! Questions of the component to the client's person (elicitation). From revision 2026-07-28 on the client gets them as the
//! result and sends its request again; over stdio before it, they are put to it as requests while its own waits.

use rmcp::{
    RoleServer,
    model::{ClientCapabilities, ClientResult, InputRequest, InputRequests, InputResponses, ServerRequest},
    service::{Peer, RequestContext},
};

/// How the person behind a request is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// With the result, and the request is sent again.
    Result,
    /// By a request of ours within the session.
    Request,
    /// Not at all: over HTTP without a session there is no way back.
    None,
}

pub(super) fn way(context: &RequestContext<RoleServer>) -> Way {
    if context.meta.protocol_version().is_some() {
        Way::Result
    } else if context.extensions.get::<http::request::Parts>().is_none() {
        Way::Request
    } else {
        Way::None
    }
}

/// What the client says that it can do, as far as there is a way to ask it.
pub(super) fn capabilities(context: &RequestContext<RoleServer>) -> Option<ClientCapabilities> {
    match way(context) {
        Way::Result => context.meta.client_capabilities(),
        Way::Request => context.client_capabilities(),
        Way::None => None,
    }
}

/// Puts the questions to the client. One that it does not answer has no reply.
pub(super) async fn replies(questions: InputRequests, peer: &Peer<RoleServer>) -> InputResponses {
    let mut replies = InputResponses::new();
    for (name, question) in questions {
        let InputRequest::Elicitation(question) = question else {
            continue;
        };
        let reply = peer.send_request(ServerRequest::ElicitRequest(question)).await;
        if let Ok(ClientResult::ElicitResult(reply)) = reply
            && let Ok(reply) = serde_json::to_value(reply)
        {
            replies.insert(name, reply);
        }
    }
    replies
}
