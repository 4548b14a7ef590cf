//! The component that is a server by itself, under the wasmtime crates as `wasmtime serve` runs it: an instance for each
//! request, an environment that the operator grants, and a network without any policy of ours.

use bytes::Bytes;
use daktela_demo::{Demo, TOKEN};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use wasmtime::{
    Config, Engine, Store,
    component::{Component, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
    p2::bindings::{ProxyPre, http::types::Scheme},
};

use crate::cases;

struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    network: Network,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl WasiHttpView for State {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            ctx: &mut self.http,
            table: &mut self.table,
            hooks: &mut self.network,
        }
    }
}

/// Sends whatever the component asks for.
#[derive(Clone)]
struct Network(reqwest::Client);

type Transmission = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Network {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _transmitted: Transmission,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Transmission), Error>> + Send> {
        let client = self.0.clone();
        Box::new(async move {
            let failed = |error: reqwest::Error| Error::InternalError(Some(error.to_string()));
            let (parts, _body) = request.into_parts();
            let sent = client
                .request(parts.method, parts.uri.to_string())
                .headers(parts.headers)
                .send();
            let answer = sent.await.map_err(failed)?;
            let status = answer.status();
            let body = Full::new(answer.bytes().await.map_err(failed)?)
                .map_err(|never| match never {})
                .boxed_unsync();
            let mut answer = http::Response::new(body);
            *answer.status_mut() = status;
            Ok((answer, Box::new(async { Ok(()) }) as Transmission))
        })
    }
}

/// What serves the component, and what it grants.
struct Runtime {
    pre: ProxyPre<State>,
    environment: Vec<(String, String)>,
    network: Network,
    tokio: tokio::runtime::Runtime,
}

impl Runtime {
    fn new(environment: &[(&str, &str)]) -> Self {
        // One provider for the whole process; another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut config = Config::new();
        // As the component was compiled.
        config
            .epoch_interruption(true)
            .generate_address_map(false)
            .wasm_backtrace_max_frames(None);
        let engine = Engine::new(&config).expect("an engine");
        #[expect(unsafe_code, reason = "the file is what the tests' own build script compiled")]
        // SAFETY: `HTTP_FACE` is what `precompile_component` returned.
        let component =
            unsafe { Component::deserialize_file(&engine, daktela_test_guests::HTTP_FACE) }.expect("the component");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI");
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).expect("wasi:http");
        let pre = ProxyPre::new(linker.instantiate_pre(&component).expect("it wants nothing else"))
            .expect("an incoming handler");
        Runtime {
            pre,
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            network: Network(reqwest::Client::builder().no_proxy().build().expect("a client")),
            tokio: tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .expect("a runtime"),
        }
    }

    /// One POST to `/mcp`: status and body.
    fn post(&self, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let mut request = http::Request::post("http://127.0.0.1/mcp").header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Full::new(Bytes::from(body.to_owned())).map_err(|never| -> Error { match never {} });
        self.tokio.block_on(self.serve(request.body(body).expect("a request")))
    }

    async fn serve<B>(&self, request: http::Request<B>) -> (u16, Value)
    where
        B: http_body::Body<Data = Bytes, Error = Error> + Send + 'static,
    {
        let mut wasi = WasiCtx::builder();
        wasi.envs(&self.environment);
        let state = State {
            wasi: wasi.build(),
            http: WasiHttpCtx::new(),
            table: ResourceTable::new(),
            network: self.network.clone(),
        };
        let mut store = Store::new(self.pre.engine(), state);
        store.set_epoch_deadline(u64::MAX / 2);
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
fn cases_hold_through_the_http_face() {
    let demo = Demo::start().expect("a demo instance");
    let runtime = Runtime::new(&[("DAKTELA_URL", &demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    cases::hold_through("through the http face", &demo, |tool, arguments| {
        runtime.call(&[], tool, arguments).1["result"].take()
    });
}

#[test]
fn the_callers_token_wins_and_the_operators_never_goes_elsewhere() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let runtime = Runtime::new(&[("DAKTELA_URL", &origin), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let token_of = |headers: &[(&str, &str)]| {
        demo.take_requests();
        runtime.call(headers, "list_groups", &json!({}));
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
    let open = Runtime::new(&[("DAKTELA_ACCESS_TOKEN", TOKEN)]);
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
    let runtime = Runtime::new(&[("DAKTELA_URL", &demo.origin()), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}});
    let (status, answer) = runtime.post(&[], &hello.to_string());
    assert_eq!(
        (
            status,
            &answer["result"]["protocolVersion"],
            &answer["result"]["serverInfo"]["name"]
        ),
        (200, &json!("2025-06-18"), &json!("mcp-daktela"))
    );
    assert_eq!(
        runtime.post(&[], r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#),
        (202, Value::Null)
    );

    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "count_tickets", "arguments": {"stage": "OPEN"}, "_meta": meta}});
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "tools/call"),
        ("mcp-name", "count_tickets"),
    ];
    let (status, answer) = runtime.post(&headers, &call.to_string());
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
    let (status, answer) = runtime.post(&headers[..2], &call.to_string());
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32020)));

    // What is not there has a number of its own up to 2025-11-25.
    let uri = "daktela://user/x";
    let error = |code| json!({"code": code, "message": "No resource \"daktela://user/x\".", "data": {"uri": uri}});
    let read =
        |params: Value| json!({"jsonrpc": "2.0", "id": 2, "method": "resources/read", "params": params}).to_string();
    let (_, answer) = runtime.post(&[], &read(json!({ "uri": uri })));
    assert_eq!(answer["error"], error(-32002));
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "resources/read"),
        ("mcp-name", uri),
    ];
    let (_, answer) = runtime.post(&headers, &read(json!({"uri": uri, "_meta": meta})));
    assert_eq!(answer["error"], error(-32602));

    let (status, _) = runtime.post(&[("origin", "https://evil.example")], &hello.to_string());
    assert_eq!(status, 403);
}
