//! Adapter for HTTP hosts, as `wasmtime serve` runs it.

use bytes::Bytes;
use daktela_demo::{Demo, TOKEN};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use wasmtime_wasi_http::{
    Error, WasiHttpView,
    p2::bindings::{ProxyPre, http::types::Scheme},
};

use super::runtime::{Runtime, State};
use crate::tools::cases;

struct Server {
    runtime: Runtime,
    pre: ProxyPre<State>,
}

impl Server {
    fn new(environment: &[(&str, &str)]) -> Self {
        let runtime = Runtime::new(daktela_test_guests::HTTP_ADAPTER, environment);
        let pre = ProxyPre::new(runtime.pre.clone()).expect("an incoming handler");
        Server { runtime, pre }
    }

    /// One POST to `/mcp`: status and body.
    fn post(&self, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        self.post_at("127.0.0.1", headers, body)
    }

    /// The same by a name that leads there.
    fn post_at(&self, host: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let mut request = http::Request::post(format!("http://{host}/mcp")).header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| -> Error { match never {} });
        self.runtime
            .tokio
            .block_on(self.serve(request.body(body).expect("a request")))
    }

    async fn serve<B>(&self, request: http::Request<B>) -> (u16, Value)
    where
        B: http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
    {
        let mut store = self.runtime.store();
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let request = store
            .data_mut()
            .http()
            .new_incoming_request(Scheme::Http, request)
            .expect("a request");
        let out = store.data_mut().http().new_response_outparam(sender).expect("room");
        let proxy = self.pre.instantiate_async(&mut store).await.expect("an instance");
        let running = tokio::spawn(async move {
            proxy
                .wasi_http_incoming_handler()
                .call_handle(&mut store, request, out)
                .await
        });
        let response = receiver.await.expect("an answer").expect("no error");
        let status = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        running.await.expect("no panic").expect("no trap");
        (
            status,
            if body.is_empty() {
                Value::Null
            } else {
                serde_json::from_slice(&body).expect("JSON")
            },
        )
    }

    fn call(&self, headers: &[(&str, &str)], tool: &str, arguments: &Value) -> (u16, Value) {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}});
        self.post(headers, &request.to_string())
    }
}

#[test]
fn cases_hold_through_the_http_adapter() {
    let demo = Demo::start().expect("a demo instance");
    let server = Server::new(&[("DAKTELA_URL", &demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let passed_over = cases::hold_through("through the http adapter", &demo, |tool, arguments| {
        Some(server.call(&[], tool, arguments).1["result"].take())
    });
    assert!(passed_over.is_empty(), "{passed_over:?}");
}

#[test]
fn the_callers_token_wins_and_the_operators_never_goes_elsewhere() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let server = Server::new(&[("DAKTELA_URL", &origin), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let token_of = |headers: &[(&str, &str)]| {
        demo.take_requests();
        server.call(headers, "list_groups", &json!({}));
        let requests = demo.take_requests();
        requests
            .iter()
            .flat_map(|request| request.headers.clone())
            .find(|(name, _)| name == "x-auth-token")
            .map(|(_, token)| token)
    };
    assert_eq!(token_of(&[]).as_deref(), Some(TOKEN));
    assert_eq!(
        token_of(&[("x-daktela-access-token", "theirs")]).as_deref(),
        Some("theirs")
    );
    assert_eq!(
        token_of(&[("x-daktela-url", "https://evil.daktela.com")]),
        None,
        "the operator's instance is the only one"
    );

    // Without an instance of the operator's, callers name theirs, below the allowed domain only.
    let open = Server::new(&[("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    for url in [
        "http://acme.daktela.com",
        "https://daktela.com.evil.example",
        "https://evil.example\\.daktela.com",
        "https://a@acme.daktela.com",
        "https://acme.daktela.com:8443",
        "https://127.0.0.1",
        "https://acme.daktela.com/x",
    ] {
        let (_, answer) = open.call(&[("x-daktela-url", url)], "list_groups", &json!({}));
        assert_eq!(
            answer["error"]["message"],
            "X-Daktela-Url must be https:// and a host below daktela.com, e.g. https://acme.daktela.com.",
            "{url}"
        );
    }
}

#[test]
fn both_eras_are_served_and_other_sites_pages_are_not() {
    let demo = Demo::start().expect("a demo instance");
    let server = Server::new(&[("DAKTELA_URL", &demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}});
    let (status, answer) = server.post(&[], &hello.to_string());
    assert_eq!(
        (
            status,
            &answer["result"]["protocolVersion"],
            &answer["result"]["serverInfo"]["name"]
        ),
        (200, &json!("2025-06-18"), &json!("mcp-daktela"))
    );
    assert_eq!(
        server.post(&[], r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
        (202, Value::Null)
    );

    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "count_tickets", "arguments": {"stage": "OPEN"}, "_meta": meta}});
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "count_tickets"),
    ];
    let (status, answer) = server.post(&headers, &call.to_string());
    assert_eq!(
        (
            status,
            &answer["result"]["resultType"],
            &answer["result"]["content"][0]["text"]
        ),
        (
            200,
            &json!("complete"),
            &json!("104 tickets (stage OPEN · without merged tickets)")
        )
    );
    let (status, answer) = server.post(&headers[..2], &call.to_string());
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32020)));

    // What is not there has a number of its own up to 2025-11-25.
    let uri = "daktela://user/x";
    let error = |code| json!({"code": code, "message": "No resource \"daktela://user/x\".", "data": {"uri": uri}});
    let read =
        |params: Value| json!({"jsonrpc": "2.0", "id": 2, "method": "resources/read", "params": params}).to_string();
    let (_, answer) = server.post(&[], &read(json!({ "uri": uri })));
    assert_eq!(answer["error"], error(-32002));
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "resources/read"),
        ("mcp-name", uri),
    ];
    let (_, answer) = server.post(&headers, &read(json!({"uri": uri, "_meta": meta})));
    assert_eq!(answer["error"], error(-32602));
}

/// A name that was made to lead to the reader's machine is the page's and the server's alike.
#[test]
fn pages_of_other_sites_are_refused_whatever_name_they_have() {
    let environment = [(
        "ALLOWED_ORIGINS",
        "https://app.example.com, https://mcp.example.com:8443",
    )];
    let server = Server::new(&environment);
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}).to_string();
    for (host, origin, status) in [
        ("127.0.0.1", "https://evil.example", 403),
        ("evil.example:8080", "http://evil.example:8080", 403),
        ("127.0.0.1:8080", "http://127.0.0.1:3000", 403),
        ("127.0.0.1:8080", "null", 403),
        ("localhost.evil.example", "http://localhost.evil.example", 403),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", 200),
        ("localhost", "http://localhost", 200),
        ("mcp.example.com", "https://app.example.com", 200),
        ("mcp.example.com:8443", "https://mcp.example.com:8443", 200),
    ] {
        let (answered, _) = server.post_at(host, &[("origin", origin)], &ping);
        assert_eq!(answered, status, "{origin} at {host}");
    }
}
