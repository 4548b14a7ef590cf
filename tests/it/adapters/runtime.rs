//! A runtime that is not ours: the wasmtime crates, an instance for each call, an environment that the operator grants, and
//! a network without any policy of ours.

use http_body_util::{BodyExt, Full};
use wasmtime::{
    Config, Engine, Store,
    component::{Component, InstancePre, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView};

/// What an instance is given.
pub(crate) struct State {
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

/// A loaded component, and what it is granted.
pub(crate) struct Runtime {
    pub(crate) pre: InstancePre<State>,
    environment: Vec<(String, String)>,
    network: Network,
    pub(crate) tokio: tokio::runtime::Runtime,
}

impl Runtime {
    /// Loads what the tests' own build script compiled.
    pub(crate) fn new(component: &str, environment: &[(&str, &str)]) -> Self {
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
        // SAFETY: the file is what `precompile_component` returned.
        let component = unsafe { Component::deserialize_file(&engine, component) }.expect("the component");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker).expect("WASI");
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).expect("wasi:http");
        Runtime {
            pre: linker.instantiate_pre(&component).expect("it wants nothing else"),
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

    /// What one call runs in.
    pub(crate) fn store(&self) -> Store<State> {
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
        store
    }
}
