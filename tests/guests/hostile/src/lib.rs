//! A component that does what the name of a tool says, and answers with what came of it. Each call has an instance of
//! its own, so one component holds all behaviours.

use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering},
};

use bindings::exports::daktela::mcp::server::{Guest, RpcError};
use serde_json::{Value, json};
use wasip2::http::{
    outgoing_handler::handle,
    types::{Fields, IncomingResponse, Method, OutgoingRequest, Scheme},
};

#[expect(unsafe_code, clippy::allow_attributes_without_reason, reason = "generated from wit/")]
mod bindings {
    wit_bindgen::generate!({
        path: "../../../wit",
        world: "plugin",
        with: {
            "wasi:cli/environment@0.2.12": wasip2::cli::environment,
            "wasi:clocks/monotonic-clock@0.2.12": wasip2::clocks::monotonic_clock,
            "wasi:http/outgoing-handler@0.2.12": wasip2::http::outgoing_handler,
            "wasi:http/types@0.2.12": wasip2::http::types,
            "wasi:io/error@0.2.12": wasip2::io::error,
            "wasi:io/poll@0.2.12": wasip2::io::poll,
            "wasi:io/streams@0.2.12": wasip2::io::streams,
        },
    });

    export!(Hostile with_types_in self);

    use super::Hostile;
}

struct Hostile;

/// What a tool does with its arguments; the text is the answer.
type Behaviour = fn(&Value) -> String;

const BEHAVIOURS: &[(&str, Behaviour)] = &[
    ("environment", |_| {
        json!({"variables": std::env::vars().collect::<BTreeMap<_, _>>(), "arguments": std::env::args().collect::<Vec<_>>()}).to_string()
    }),
    ("send", |arguments| match send(arguments) {
        Ok(response) => response.to_string(),
        Err(error) => format!("refused: {error}"),
    }),
    ("hold", |arguments| {
        // Starts requests and never reads what comes back.
        let held: Vec<_> = (0..64)
            .map(|_| request(arguments).map(|request| handle(request, None)))
            .collect();
        loop {
            black_box(&held);
            wasip2::clocks::monotonic_clock::subscribe_duration(1_000_000_000).block();
        }
    }),
    ("flood", |arguments| {
        let answered = (0..100_000).map_while(|_| send(arguments).ok()).count();
        format!("{answered} requests were answered")
    }),
    ("spin", |_| {
        loop {
            black_box(());
        }
    }),
    ("sleep", |_| {
        loop {
            wasip2::clocks::monotonic_clock::subscribe_duration(3_600_000_000_000).block();
        }
    }),
    ("grow", |_| {
        let mut taken = Vec::new();
        loop {
            taken.push(black_box(vec![1u8; 1 << 20]));
        }
    }),
    ("hoard", |arguments| {
        // Header maps live in the memory of the host.
        let bytes = arguments["bytes"]
            .as_u64()
            .and_then(|bytes| usize::try_from(bytes).ok());
        let value = vec![b'x'; bytes.unwrap_or_default()];
        let mut held = Vec::new();
        loop {
            match Fields::from_list(&[("x-hoard".to_owned(), value.clone())]) {
                Ok(fields) => held.push(fields),
                Err(error) => break format!("refused after {}: {error:?}", held.len()),
            }
        }
    }),
    ("recurse", |_| recurse(&[0; 64]).to_string()),
    ("trap", |_| panic!("customer text that belongs in no log")),
    ("huge", |arguments| {
        let megabytes = arguments["megabytes"].as_u64().unwrap_or_default();
        "x".repeat(usize::try_from(megabytes).unwrap_or_default() << 20)
    }),
    ("remember", |_| {
        static CALLS: AtomicU32 = AtomicU32::new(0);
        format!("call {}", CALLS.fetch_add(1, Ordering::Relaxed) + 1)
    }),
    ("hello", |_| "hello".to_owned()),
];

fn recurse(frame: &[u64; 64]) -> u64 {
    let next = black_box(frame.map(|n| n + 1));
    recurse(&next) + next[0]
}

/// `{"method", "scheme", "authority", "path", "headers": {…}}`; GET of what DAKTELA_URL names unless said otherwise.
fn request(arguments: &Value) -> Result<OutgoingRequest, String> {
    let text = |key: &str| arguments[key].as_str();
    let origin = std::env::var("DAKTELA_URL").map_err(|error| error.to_string())?;
    let (scheme, authority) = origin.split_once("://").ok_or("no origin")?;
    let headers: Vec<(String, Vec<u8>)> = arguments["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().into()))
        .collect();
    let headers = Fields::from_list(&headers).map_err(|error| format!("{error:?}"))?;
    let request = OutgoingRequest::new(headers);
    let method = match text("method").unwrap_or("GET") {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "DELETE" => Method::Delete,
        other => Method::Other(other.to_owned()),
    };
    let scheme = match text("scheme").unwrap_or(scheme) {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        other => Scheme::Other(other.to_owned()),
    };
    let set = [
        request.set_method(&method),
        request.set_scheme(Some(&scheme)),
        request.set_authority(Some(text("authority").unwrap_or(authority))),
        request.set_path_with_query(Some(text("path").unwrap_or("/api/v6/whoim.json"))),
    ];
    if set.contains(&Err(())) {
        Err("not a request".to_owned())
    } else {
        Ok(request)
    }
}

fn send(arguments: &Value) -> Result<Value, String> {
    let pending = handle(request(arguments)?, None).map_err(|code| format!("{code:?}"))?;
    pending.subscribe().block();
    let response: IncomingResponse = pending
        .get()
        .expect("ready")
        .expect("taken once")
        .map_err(|code| format!("{code:?}"))?;
    let headers: BTreeMap<String, String> = response
        .headers()
        .entries()
        .into_iter()
        .map(|(name, value)| (name, String::from_utf8_lossy(&value).into_owned()))
        .collect();
    let body = response.consume().expect("taken once");
    let stream = body.stream().expect("taken once");
    let mut bytes = Vec::new();
    while let Ok(chunk) = stream.blocking_read(1 << 20) {
        bytes.extend(chunk);
    }
    Ok(json!({"status": response.status(), "headers": headers, "body": String::from_utf8_lossy(&bytes)}))
}

fn refuse() -> RpcError {
    RpcError {
        code: -32602,
        message: "no such thing".to_owned(),
        data: None,
    }
}

impl Guest for Hostile {
    fn describe() -> String {
        json!({"serverInfo": {"name": "hostile", "version": "0"}, "instructions": "", "capabilities": {"tools": {}}})
            .to_string()
    }

    /// A host asks for these when it starts, with nothing to name a behaviour by but the setting that a component has.
    fn list_tools(_cursor: Option<String>) -> Result<String, RpcError> {
        if std::env::var("DAKTELA_MAX_ANSWER_BYTES").is_ok_and(|bytes| bytes == "424242") {
            return Ok(json!({"tools": [], "nextCursor": "on and on"}).to_string());
        }
        let names = BEHAVIOURS.iter().map(|(name, _)| *name).chain(["not-json"]);
        let tools: Vec<Value> = names
            .map(|name| json!({"name": name, "inputSchema": {"type": "object"}}))
            .collect();
        Ok(json!({"tools": tools}).to_string())
    }

    fn call_tool(name: String, arguments: String, _context: String) -> Result<String, RpcError> {
        if name == "not-json" {
            return Ok("{\"content\": [".to_owned());
        }
        let arguments: Value = serde_json::from_str(&arguments).map_err(|_| refuse())?;
        let (_, behaviour) = BEHAVIOURS.iter().find(|(known, _)| *known == name).ok_or_else(refuse)?;
        Ok(json!({"content": [{"type": "text", "text": behaviour(&arguments)}]}).to_string())
    }

    fn list_resources(_cursor: Option<String>) -> Result<String, RpcError> {
        Err(refuse())
    }

    fn list_resource_templates(_cursor: Option<String>) -> Result<String, RpcError> {
        Err(refuse())
    }

    fn read_resource(_uri: String, _context: String) -> Result<String, RpcError> {
        Err(refuse())
    }

    fn list_prompts(_cursor: Option<String>) -> Result<String, RpcError> {
        Err(refuse())
    }

    fn get_prompt(_name: String, _arguments: String, _context: String) -> Result<String, RpcError> {
        Err(refuse())
    }

    fn complete(_params: String) -> Result<String, RpcError> {
        Err(refuse())
    }
}
