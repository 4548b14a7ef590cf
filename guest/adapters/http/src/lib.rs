//! Adapter for HTTP hosts: a whole MCP server as `wasi:http/incoming-handler`: stateless, one JSON answer for each POST.
//!
//! Which Daktela: `DAKTELA_URL` from the environment that the runtime grants, or else the caller's `X-Daktela-Url`, an
//! https origin below one of `ALLOWED_DAKTELA_DOMAINS` (daktela.com). Whose token: the caller's `X-Daktela-Access-Token`,
//! or else, for the instance of the environment only, `DAKTELA_ACCESS_TOKEN`. Without any the request goes out as it is,
//! for a runtime that adds the credential by itself.

use daktela_wasi_http::WasiHttp;
use guest::{
    Settings,
    http::Http,
    mcp::{
        Server,
        stateless_http::{self, Headers, Reply},
    },
};
use wasip2::{
    clocks::monotonic_clock::subscribe_duration,
    exports::http::incoming_handler::Guest,
    http::types::{
        ErrorCode, Fields, IncomingBody, IncomingRequest, Method, OutgoingBody, OutgoingResponse, ResponseOutparam,
    },
    io::{
        poll::poll,
        streams::{OutputStream, StreamError},
    },
};

wasip2::http::proxy::export!(Adapter);

struct Adapter;

/// Arguments of a call are short texts; this is a hundredfold.
const BODY_BYTES_MAX: usize = 1024 * 1024;
const READ_BYTES: u64 = 64 * 1024;
/// How long a caller may take none of its answer. A host that serves all callers with one instance, as jco does unless told
/// otherwise, and does not notice that a caller left, would else wait for ever.
const WRITE_TIMEOUT_NS: u64 = 10_000_000_000;

impl Guest for Adapter {
    fn handle(request: IncomingRequest, out: ResponseOutparam) {
        respond(out, &answer(&request));
    }
}

fn refuse(status: u16, message: &str) -> Reply {
    let message = message.replace('"', "'");
    Reply {
        status,
        body: Some(format!(
            r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":-32600,"message":"{message}"}}}}"#
        )),
    }
}

fn answer(request: &IncomingRequest) -> Reply {
    let path = request.path_with_query().unwrap_or_default();
    if !matches!(path.split('?').next(), Some("/" | "/mcp" | "/mcp/")) {
        return refuse(404, "MCP is served at /mcp.");
    }
    if !matches!(request.method(), Method::Post) {
        return refuse(405, "MCP is served by POST; there is no stream to GET.");
    }
    let fields = request.headers();
    let header = |name: &str| {
        fields
            .get(name)
            .into_iter()
            .next()
            .and_then(|value| String::from_utf8(value).ok())
    };
    if let Some(origin) = header("origin")
        && !is_welcome(&origin, request.authority().or(header("host")).as_deref())
    {
        return refuse(
            403,
            "Requests of this site's pages are not served; the operator can add it to ALLOWED_ORIGINS.",
        );
    }
    let Some(body) = read(request) else {
        return refuse(413, "The body is too large; calls are small.");
    };
    let network = network(&header);
    // Lists need no instance.
    let default = Settings::default();
    let (http, settings) = match &network {
        Ok((http, settings)) => (Ok(http as &dyn Http), settings),
        Err(why) => (Err(why.clone()), &default),
    };
    let (version, method, name) = (header("mcp-protocol-version"), header("mcp-method"), header("mcp-name"));
    let headers = Headers {
        version: version.as_deref(),
        method: method.as_deref(),
        name: name.as_deref(),
    };
    stateless_http::serve(&Server::new(settings, http), &headers, &body)
}

/// A page in a browser must not reach a server on the reader's machine, nor one whose name was made to lead there, which
/// then is page and server alike. Thus only pages of this machine itself by its own name, and those that are named.
fn is_welcome(origin: &str, own: Option<&str>) -> bool {
    let named = std::env::var("ALLOWED_ORIGINS").unwrap_or_default();
    let host = origin.split_once("://").map(|(_, host)| host);
    let is_local = host.is_some_and(|host| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        ["localhost", "127.0.0.1", "[::1]"].contains(&name) && own == Some(host)
    });
    is_local || named.split(',').any(|name| name.trim() == origin)
}

/// The instance and the credential of this request.
fn network(header: &dyn Fn(&str) -> Option<String>) -> Result<(WasiHttp, Settings), String> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let own = variable("DAKTELA_URL");
    let asked = header("x-daktela-url");
    let own_token = if own.is_some() {
        variable("DAKTELA_ACCESS_TOKEN")
    } else {
        None
    };
    let origin = match (own, asked) {
        (Some(own), Some(asked)) if own.trim_end_matches('/') != asked.trim_end_matches('/') => {
            return Err("This server is for one Daktela, and X-Daktela-Url names another.".to_owned());
        }
        (Some(own), _) => Some(own),
        (None, Some(asked)) => Some(allowed(
            &asked,
            variable("ALLOWED_DAKTELA_DOMAINS").as_deref().unwrap_or("daktela.com"),
        )?),
        (None, None) => None,
    };
    let settings = Settings::from_env(|name| {
        if name == "DAKTELA_URL" {
            origin.clone()
        } else {
            variable(name)
        }
    })?;
    let http = WasiHttp::new(settings.instance()?, header("x-daktela-access-token").or(own_token))?;
    Ok((http, settings))
}

/// An origin that a caller may name: https, a plain host name, below an allowed domain.
fn allowed(url: &str, domains: &str) -> Result<String, String> {
    let refused =
        || format!("X-Daktela-Url must be https:// and a host below {domains}, e.g. https://acme.daktela.com.");
    let host = url
        .strip_prefix("https://")
        .ok_or_else(refused)?
        .trim_end_matches('/')
        .to_ascii_lowercase();
    let plain = host
        .split('.')
        .all(|label| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
    let below = domains
        .split(',')
        .map(str::trim)
        .any(|domain| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')));
    if plain && below {
        Ok(format!("https://{host}"))
    } else {
        Err(refused())
    }
}

fn read(request: &IncomingRequest) -> Option<Vec<u8>> {
    let body: IncomingBody = request.consume().ok()?;
    let stream = body.stream().ok()?;
    let mut bytes = Vec::new();
    loop {
        match stream.blocking_read(READ_BYTES) {
            Ok(chunk) if bytes.len() + chunk.len() > BODY_BYTES_MAX => return None,
            Ok(chunk) => bytes.extend(chunk),
            Err(StreamError::Closed) => return Some(bytes),
            // Half a request is none; the parser says so.
            Err(StreamError::LastOperationFailed(_)) => return Some(Vec::new()),
        }
    }
}

fn respond(out: ResponseOutparam, reply: &Reply) {
    let text = reply.body.as_deref().unwrap_or_default();
    let headers = Fields::new();
    let set = |name: &str, value: &str| headers.append(name, value.as_bytes());
    let prepared = set("content-type", "application/json")
        .and_then(|()| set("content-length", &text.len().to_string()))
        .and_then(|()| set("cache-control", "no-store"))
        .and_then(|()| {
            if reply.status == 405 {
                set("allow", "POST")
            } else {
                Ok(())
            }
        });
    let response = OutgoingResponse::new(headers);
    if prepared.is_err() || response.set_status_code(reply.status).is_err() {
        return ResponseOutparam::set(out, Err(ErrorCode::InternalError(None)));
    }
    let Ok(body) = response.body() else {
        return ResponseOutparam::set(out, Err(ErrorCode::InternalError(None)));
    };
    ResponseOutparam::set(out, Ok(response));
    if let Ok(stream) = body.write() {
        // A caller who went away needs no more of it; one who is slow misses bytes of its content-length.
        let _ = write(&stream, text.as_bytes());
    }
    // Also of a body that is not whole: jco ends when one is dropped. There is nobody else to tell.
    let _ = OutgoingBody::finish(body, None);
}

/// Writes what the stream takes, as it takes it; `None` where it is closed, or takes nothing for too long.
///
/// No blocking call of the stream is used, and no flush: jco waits in those for ever when the caller is gone. Finishing
/// the body flushes it.
fn write(stream: &OutputStream, mut bytes: &[u8]) -> Option<()> {
    let writable = stream.subscribe();
    while !bytes.is_empty() {
        let room = usize::try_from(stream.check_write().ok()?).unwrap_or(usize::MAX);
        if room == 0 {
            let timeout = subscribe_duration(WRITE_TIMEOUT_NS);
            if !poll(&[&writable, &timeout]).contains(&0) {
                return None;
            }
            continue;
        }
        let (now, later) = bytes.split_at(room.min(bytes.len()));
        stream.write(now).ok()?;
        bytes = later;
    }
    Some(())
}
