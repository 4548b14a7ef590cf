//! Clients that show views (MCP Apps), over HTTP: what they declare with `initialize`, the id of their session says with each request
//! after it, since the server keeps no sessions.

use daktela_protocol::UI_EXTENSION;
use serde_json::Value;

/// Says of a request that its client declared at `initialize` that it shows views. A request extension.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ShowsViews;

/// The header of a session's id, which a client that was given one sends along.
pub(crate) const SESSION: &str = "mcp-session-id";

/// So begins the id of a session whose client shows views. It names nobody, and nothing is kept for it.
const WITH_VIEWS: &str = "with-views-";

/// The id of a session that begins with the request of this id.
pub(crate) fn session_id(request_id: &str) -> String {
    format!("{WITH_VIEWS}{request_id}")
}

/// Whether this is the id of a session whose client shows views.
pub(crate) fn is_of_session(id: &[u8]) -> bool {
    id.starts_with(WITH_VIEWS.as_bytes())
}

/// Whether this message is the `initialize` of a client that shows views.
pub(crate) fn begin_session(body: &[u8]) -> bool {
    let names = |text: &str| body.windows(text.len()).any(|part| part == text.as_bytes());
    if !names("\"initialize\"") || !names("/ui\"") {
        return false;
    }
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    let extensions = &message["params"]["capabilities"]["extensions"];
    message["method"] == "initialize" && extensions.get(UI_EXTENSION).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_with_views_begins_with_a_client_that_shows_them() {
        let begins = |method: &str, extensions: Value| {
            let message = serde_json::json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"capabilities": {"extensions": extensions}}});
            begin_session(message.to_string().as_bytes())
        };
        let views = serde_json::json!({UI_EXTENSION: {"mimeTypes": ["text/html;profile=mcp-app"]}});
        assert!(begins("initialize", views.clone()));
        assert!(!begins("tools/list", views));
        assert!(!begins("initialize", serde_json::json!({"x.example/ui": {}})));
        assert!(!begins("initialize", Value::Null));
        assert!(!begin_session(br#"{"method": "initialize", "/ui": "#));
    }

    #[test]
    fn the_id_of_a_session_says_that_there_are_views() {
        assert!(is_of_session(session_id("1a2b").as_bytes()));
        for other in ["", "1a2b", "x-with-views-1"] {
            assert!(!is_of_session(other.as_bytes()), "{other}");
        }
    }
}
