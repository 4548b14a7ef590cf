//! Streamable HTTP transport of MCP without sessions: one POST in, one JSON answer out. For adapters that are an HTTP
//! server by themselves.
//!
//! Both protocol eras are served. Up to 2025-11-25 a client shakes hands with `initialize`; from 2026-07-28 on each
//! request brings its revision along, in `_meta` and in headers that must agree with the body.

use daktela_protocol::{
    BATCH_MAX, BATCH_REVISION, HANDSHAKE_REVISIONS, LIST_TTL_MS, STATELESS_REVISION,
    code::{
        HEADER_MISMATCH, INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND, PARSE_ERROR, RESOURCE_NOT_FOUND,
        UNSUPPORTED_VERSION,
    },
    json as broken_json,
};
use serde_json::{Map, Value, json};

use super::{RpcError, RpcResult, Server};

/// The headers that MCP gives a meaning.
#[derive(Default)]
pub struct Headers<'a> {
    /// `MCP-Protocol-Version`.
    pub version: Option<&'a str>,
    /// `Mcp-Method`.
    pub method: Option<&'a str>,
    /// `Mcp-Name`.
    pub name: Option<&'a str>,
}

/// What goes back; without a body where JSON-RPC has nothing to say.
#[derive(Debug, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    pub body: Option<String>,
}

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";

/// Why a request has no result.
enum Failed {
    /// The method is not served; each era has its own status for that.
    UnknownMethod,
    /// An error with the HTTP status that MCP gives it.
    Error(u16, RpcError),
}

fn failed(status: u16, code: i32, message: impl Into<String>) -> Failed {
    let (status, error) = failed_with(status, code, message);
    Failed::Error(status, error)
}

fn failed_with(status: u16, code: i32, message: impl Into<String>) -> (u16, RpcError) {
    let error = RpcError {
        code,
        message: message.into(),
        data: None,
    };
    (status, error)
}

/// Serves the body of a POST: one message, or a batch where the revision has those.
pub fn serve(server: &Server, headers: &Headers, body: &[u8]) -> Reply {
    let body = broken_json::repair(body);
    match serde_json::from_slice(&body) {
        Ok(Value::Array(messages)) => serve_batch(server, headers, &messages),
        Ok(message) => serve_one(server, headers, &message),
        Err(_) => {
            let id = broken_json::find_id(&body).unwrap_or_default();
            reply(&id, Err(failed_with(400, PARSE_ERROR, "The body is not JSON.")))
        }
    }
}

/// A client that names no revision in its headers speaks the one with batches, or an older one.
fn serve_batch(server: &Server, headers: &Headers, messages: &[Value]) -> Reply {
    let refuse = |message: String| reply(&Value::Null, Err(failed_with(400, INVALID_REQUEST, message)));
    if headers.version.is_some_and(|version| version != BATCH_REVISION) {
        return refuse(format!(
            "One message at a time: only revision {BATCH_REVISION} of MCP has batches."
        ));
    }
    if !(1..=BATCH_MAX).contains(&messages.len()) {
        return refuse(format!("A batch has between 1 and {BATCH_MAX} messages."));
    }
    let answers: Vec<String> = messages
        .iter()
        .filter_map(|message| serve_one(server, headers, message).body)
        .collect();
    if answers.is_empty() {
        return Reply {
            status: 202,
            body: None,
        };
    }
    Reply {
        status: 200,
        body: Some(format!("[{}]", answers.join(","))),
    }
}

fn serve_one(server: &Server, headers: &Headers, message: &Value) -> Reply {
    let Some(request) = message
        .as_object()
        .filter(|request| request.get("jsonrpc") == Some(&json!("2.0")))
    else {
        return reply(
            &Value::Null,
            Err(failed_with(
                400,
                INVALID_REQUEST,
                "The body must be a JSON-RPC 2.0 message.",
            )),
        );
    };
    let (id, method) = (request.get("id"), request.get("method").and_then(Value::as_str));
    let (Some(id), Some(method)) = (id.filter(|id| id.is_string() || id.is_number()), method) else {
        // A notification, or an answer to what a stateless server never asked.
        let known = id.is_none() && method.is_some() || request.contains_key("result") || request.contains_key("error");
        return if known {
            Reply {
                status: 202,
                body: None,
            }
        } else {
            reply(
                &Value::Null,
                Err(failed_with(
                    400,
                    INVALID_REQUEST,
                    "A request needs a method and an id that is text or a number.",
                )),
            )
        };
    };
    let empty = Map::new();
    let params = request.get("params").and_then(Value::as_object).unwrap_or(&empty);
    let (answer, status_of_unknown) = if params.get("_meta").is_some_and(|meta| meta.get(VERSION_KEY).is_some())
        || headers.version == Some(STATELESS_REVISION)
    {
        (stateless(server, headers, method, params), 404)
    } else {
        (with_handshake(server, method, params), 200)
    };
    let answer = answer.map_err(|failure| match failure {
        Failed::UnknownMethod => failed_with(status_of_unknown, METHOD_NOT_FOUND, method),
        Failed::Error(status, error) => (status, error),
    });
    reply(id, answer)
}

fn reply(id: &Value, answer: Result<Value, (u16, RpcError)>) -> Reply {
    let (status, body) = match answer {
        Ok(result) => (200, json!({"jsonrpc": "2.0", "id": id, "result": result})),
        Err((status, error)) => {
            let mut inner = json!({"code": error.code, "message": error.message});
            if let Some(data) = error.data.and_then(|data| serde_json::from_str::<Value>(&data).ok()) {
                inner["data"] = data;
            }
            (status, json!({"jsonrpc": "2.0", "id": id, "error": inner}))
        }
    };
    Reply {
        status,
        body: Some(body.to_string()),
    }
}

fn with_handshake(server: &Server, method: &str, params: &Map<String, Value>) -> Result<Value, Failed> {
    match method {
        "initialize" => {
            let wanted = params
                .get("protocolVersion")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let version = HANDSHAKE_REVISIONS
                .iter()
                .find(|known| **known == wanted)
                .or(HANDSHAKE_REVISIONS.last())
                .expect("there is one");
            let mut result = described(server);
            result.insert("protocolVersion".to_owned(), json!(version));
            Ok(Value::Object(result))
        }
        "ping" => Ok(json!({})),
        _ => dispatch(server, method, params),
    }
}

fn stateless(server: &Server, headers: &Headers, method: &str, params: &Map<String, Value>) -> Result<Value, Failed> {
    let meta = params.get("_meta");
    let asked = meta.and_then(|meta| meta.get(VERSION_KEY)).and_then(Value::as_str);
    let Some(asked) =
        asked.filter(|_| meta.is_some_and(|meta| meta.get(CAPABILITIES_KEY).is_some_and(Value::is_object)))
    else {
        return Err(failed(
            400,
            INVALID_PARAMS,
            format!("_meta must hold {VERSION_KEY} and {CAPABILITIES_KEY}."),
        ));
    };
    if asked != STATELESS_REVISION {
        let supported: Vec<&str> = HANDSHAKE_REVISIONS.into_iter().chain([STATELESS_REVISION]).collect();
        return Err(Failed::Error(
            400,
            RpcError {
                code: UNSUPPORTED_VERSION,
                message: "Unsupported protocol version".to_owned(),
                data: Some(json!({"requested": asked, "supported": supported}).to_string()),
            },
        ));
    }
    let name = match method {
        "tools/call" | "prompts/get" => params.get("name").and_then(Value::as_str),
        "resources/read" => params.get("uri").and_then(Value::as_str),
        _ => None,
    };
    let agrees =
        headers.version == Some(asked) && headers.method == Some(method) && (name.is_none() || headers.name == name);
    if !agrees {
        return Err(failed(
            400,
            HEADER_MISMATCH,
            "The headers MCP-Protocol-Version, Mcp-Method and Mcp-Name must be there and agree with the body.",
        ));
    }
    let (mut result, ttl, scope) = match method {
        "server/discover" => {
            let supported: Vec<&str> = HANDSHAKE_REVISIONS.into_iter().chain([STATELESS_REVISION]).collect();
            let mut result = described(server);
            result.insert("supportedVersions".to_owned(), json!(supported));
            (Value::Object(result), Some(LIST_TTL_MS), "public")
        }
        _ => {
            let result = dispatch(server, method, params).map_err(renumbered)?;
            match method {
                "resources/read" => (result, Some(0), "private"),
                _ if method.ends_with("/list") => (result, Some(LIST_TTL_MS), "public"),
                _ => (result, None, ""),
            }
        }
    };
    result["resultType"] = json!("complete");
    if let Some(ttl) = ttl {
        result["ttlMs"] = json!(ttl);
        result["cacheScope"] = json!(scope);
    }
    Ok(result)
}

/// From this revision on a resource that is not there has no number of its own.
fn renumbered(mut failed: Failed) -> Failed {
    if let Failed::Error(_, error) = &mut failed
        && error.code == RESOURCE_NOT_FOUND
    {
        error.code = INVALID_PARAMS;
    }
    failed
}

/// serverInfo, capabilities and instructions.
fn described(server: &Server) -> Map<String, Value> {
    serde_json::from_str(&server.describe()).expect("our own JSON")
}

/// What both eras share.
fn dispatch(server: &Server, method: &str, params: &Map<String, Value>) -> Result<Value, Failed> {
    let text = |key: &str| params.get(key).and_then(Value::as_str);
    let required =
        |key: &str| text(key).ok_or_else(|| failed(200, INVALID_PARAMS, format!("{method} needs {key}, a text.")));
    let arguments = || match params.get("arguments") {
        None | Some(Value::Null) => Ok("{}".to_owned()),
        // Also the object as a text, as some proxies send it.
        Some(arguments @ (Value::Object(_) | Value::String(_))) => Ok(arguments.to_string()),
        Some(Value::Array(none)) if none.is_empty() => Ok("{}".to_owned()),
        Some(_) => Err(failed(
            200,
            INVALID_PARAMS,
            format!("The arguments of {method} must be an object."),
        )),
    };
    let result: RpcResult = match method {
        "tools/list" => server.list_tools(text("cursor")),
        "tools/call" => server.call_tool(required("name")?, &arguments()?),
        "resources/list" => server.list_resources(text("cursor")),
        "resources/templates/list" => server.list_resource_templates(text("cursor")),
        "resources/read" => server.read_resource(required("uri")?),
        "prompts/list" => server.list_prompts(text("cursor")),
        "prompts/get" => server.get_prompt(required("name")?, &arguments()?),
        "completion/complete" => server.complete(&Value::Object(params.clone()).to_string()),
        _ => return Err(Failed::UnknownMethod),
    };
    match result {
        Ok(text) => Ok(serde_json::from_str(&text).expect("our own JSON")),
        Err(error) => Err(Failed::Error(200, error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    fn ask(headers: &Headers, body: &str) -> (u16, Value) {
        let reply = serve(
            &Server::new(&Settings::default(), Err("no instance".to_owned())),
            headers,
            body.as_bytes(),
        );
        (
            reply.status,
            reply
                .body
                .map_or(Value::Null, |body| serde_json::from_str(&body).expect("JSON")),
        )
    }

    fn stateless_body(method: &str, version: &str) -> String {
        json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": {"_meta": {VERSION_KEY: version, CAPABILITIES_KEY: {}}}}).to_string()
    }

    #[test]
    fn what_is_no_request_is_refused_or_taken_note_of() {
        let none = Headers::default();
        for (body, status, code) in [
            ("{", 400, json!(-32700)),
            ("[]", 400, json!(-32600)),
            (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, 400, json!(-32600)),
            (r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, 400, json!(-32600)),
            (
                r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
                202,
                json!(null),
            ),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, 202, json!(null)),
        ] {
            let (got, answer) = ask(&none, body);
            assert_eq!((got, &answer["error"]["code"]), (status, &code), "{body}");
        }
    }

    #[test]
    fn broken_json_is_answered_by_its_id() {
        let none = Headers::default();
        let ping = |params: &str| format!(r#"{{"jsonrpc":"2.0","id":7,"method":"ping","params":{{"x":"{params}"}}}}"#);
        let expected = json!({"jsonrpc": "2.0", "id": 7, "result": {}});
        assert_eq!(ask(&none, &ping(r"cut \ud83d")), (200, expected.clone()));
        let bytes: Vec<u8> = ping("*")
            .bytes()
            .map(|byte| if byte == b'*' { 0x9A } else { byte })
            .collect();
        let reply = serve(
            &Server::new(&Settings::default(), Err("no instance".to_owned())),
            &none,
            &bytes,
        );
        assert_eq!((reply.status, reply.body), (200, Some(expected.to_string())));
        let (status, answer) = ask(&none, r#"{"jsonrpc":"2.0","id":"a","params":{"x":NaN}}"#);
        assert_eq!(
            (status, &answer["id"], &answer["error"]["code"]),
            (400, &json!("a"), &json!(-32700))
        );
    }

    #[test]
    fn a_batch_is_served_where_the_revision_has_batches() {
        let batch = r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"notifications/x"},
            {"jsonrpc":"2.0","id":2,"method":"foo"},7]"#;
        let version = |version| Headers {
            version,
            ..Headers::default()
        };
        for headers in [version(None), version(Some(BATCH_REVISION))] {
            let (status, answer) = ask(&headers, batch);
            let parts: Vec<(&Value, &Value)> = answer
                .as_array()
                .expect("an array")
                .iter()
                .map(|answer| (&answer["id"], &answer["error"]["code"]))
                .collect();
            let (none, unknown, invalid) = (json!(null), json!(METHOD_NOT_FOUND), json!(INVALID_REQUEST));
            assert_eq!(status, 200);
            assert_eq!(parts, [(&json!(1), &none), (&json!(2), &unknown), (&none, &invalid)]);
        }
        let (status, answer) = ask(&version(Some("2025-06-18")), batch);
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(INVALID_REQUEST)));
        let notification = r#"[{"jsonrpc":"2.0","method":"notifications/initialized"}]"#;
        assert_eq!(ask(&version(None), notification), (202, Value::Null));
    }

    #[test]
    fn a_handshake_settles_on_a_known_revision() {
        let none = Headers::default();
        for (wanted, settled) in [
            ("2025-06-18", "2025-06-18"),
            ("2024-11-05", "2024-11-05"),
            ("2023-01-01", "2025-11-25"),
            ("2026-07-28", "2025-11-25"),
        ] {
            let body =
                json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": wanted}});
            assert_eq!(ask(&none, &body.to_string()).1["result"]["protocolVersion"], settled);
        }
        assert_eq!(
            ask(&none, r#"{"jsonrpc":"2.0","id":1,"method":"foo"}"#),
            (
                200,
                json!({"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "foo"}})
            )
        );
    }

    #[test]
    fn a_request_without_a_handshake_must_agree_with_its_headers() {
        let right = Headers {
            version: Some(STATELESS_REVISION),
            method: Some("tools/list"),
            name: None,
        };
        let (status, answer) = ask(&right, &stateless_body("tools/list", STATELESS_REVISION));
        assert_eq!(
            (status, &answer["result"]["resultType"], &answer["result"]["ttlMs"]),
            (200, &json!("complete"), &json!(300_000))
        );
        let (status, answer) = ask(&right, &stateless_body("prompts/list", STATELESS_REVISION));
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32020)));
        let (status, answer) = ask(&right, &stateless_body("tools/list", "2030-01-01"));
        assert_eq!(
            (status, &answer["error"]["code"], &answer["error"]["data"]["requested"]),
            (400, &json!(-32022), &json!("2030-01-01"))
        );
        let foreign = Headers {
            method: Some("foo"),
            ..right
        };
        let (status, answer) = ask(&foreign, &stateless_body("foo", STATELESS_REVISION));
        assert_eq!((status, &answer["error"]["code"]), (404, &json!(-32601)));
    }

    #[test]
    fn without_an_instance_lists_are_served_and_calls_say_what_is_missing() {
        let none = Headers::default();
        let (_, answer) = ask(
            &none,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count_tickets"}}"#,
        );
        assert_eq!(answer["error"], json!({"code": -32603, "message": "no instance"}));
        let (_, answer) = ask(
            &none,
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count_tickets","arguments":[1]}}"#,
        );
        assert_eq!(answer["error"]["code"], -32602);
    }
}
