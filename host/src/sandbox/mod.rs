//! Runs the component: one fresh instance per call, with nothing that the call does not need.
//!
//! What is costly is done once, when the program starts: the code is mapped, its imports are linked, memory for all
//! instances is set aside. A call then takes some fifty microseconds more than its own work.

mod bindings;
mod cpu_time;
mod epoch_ticker;
mod fair_queue;
mod limits;
mod state;

pub(crate) use limits::UPSTREAM_GRACE;
pub use limits::{Limits, ScanLimits};

use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use wasmtime::{
    Engine, Precompiled, Store, UpdateDeadline,
    component::{Component, Linker, ResourceTableError},
    error::Context as _,
};
use wasmtime_wasi::{
    WasiView,
    cli::{WasiCli, WasiCliView},
    p2::bindings::{cli, random},
    random::WasiRandom,
};

use crate::egress::{CallBudget, Egress};
use bindings::{Plugin, PluginPre, exports::daktela::mcp::server::RpcError as WitRpcError};
use cpu_time::CpuTime;
use epoch_ticker::EpochTicker;
use fair_queue::{Admission, FairQueue, Permit, QueueFull};
use state::State;

/// The component that came with this program, compiled for this kind of machine by the build script.
static EMBEDDED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/component.cwasm"));

pub struct Sandbox {
    component: PluginPre<State>,
    limits: Limits,
    queue: FairQueue,
    epoch_ticker: EpochTicker,
}

/// One of MCP's requests, in the shape of `wit/world.wit`.
#[derive(Debug, Clone)]
pub enum Request {
    Describe,
    ListTools {
        cursor: Option<String>,
    },
    CallTool {
        name: String,
        arguments: String,
        context: String,
    },
    ListResources {
        cursor: Option<String>,
    },
    ListResourceTemplates {
        cursor: Option<String>,
    },
    ReadResource {
        uri: String,
        context: String,
    },
    ListPrompts {
        cursor: Option<String>,
    },
    GetPrompt {
        name: String,
        arguments: String,
        context: String,
    },
    Complete {
        params: String,
    },
}

/// Of a caller that cannot be asked anything.
pub const NO_CONTEXT: &str = "{}";

/// The component's reply: JSON text, or its refusal as a JSON-RPC error.
pub type Reply = Result<String, RpcError>;

/// A JSON-RPC error that the component answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RpcError {
    pub code: i32,
    pub message: String,
    /// JSON text.
    pub data: Option<String>,
}

/// Why the component gave no reply.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    #[error(
        "the server is busy: {0} calls run and {1} wait. Call again in a moment; --max-concurrent-calls and --max-queued-calls set how \
         many may"
    )]
    Busy(usize, usize),
    #[error(
        "the server is busy: no turn came within {} s. Call again in a moment, or raise --max-concurrent-calls", .0.as_secs()
    )]
    QueueTimeout(Duration),
    #[error("the call took too long; ask for less at once, or raise --timeout")]
    TimedOut,
    #[error("the call needed more memory than it may use ({0} MB); ask for less at once, or raise --memory-mb")]
    OutOfMemory(usize),
    #[error("the call computed for more than {} s; ask for less at once, or raise --cpu-seconds", .0.as_secs())]
    ComputedTooLong(Duration),
    #[error("the call held more than {0} requests, headers and streams at once; ask for less at once")]
    TooManyResources(usize),
    #[error("the component failed{}", .location.as_ref().map(|location| format!(" at {location}")).unwrap_or_default())]
    Trapped {
        /// Where the component panicked, if it said so.
        location: Option<String>,
        source: wasmtime::Error,
    },
}

impl Sandbox {
    /// With the component that this program carries.
    pub fn embedded(limits: Limits) -> wasmtime::Result<Self> {
        let engine = engine(&limits)?;
        #[expect(
            unsafe_code,
            reason = "the bytes are ours: the build script made them, and nobody can have changed them"
        )]
        // SAFETY: `EMBEDDED` is what `precompile_component` returned.
        let component = unsafe { Component::deserialize(&engine, EMBEDDED) }?;
        Self::new(component, limits)
    }

    /// With a component of the user's: compiled ahead of time, or, where this program holds a compiler, as it is.
    ///
    /// Compiled code is trusted like the program itself: load only what you compiled.
    pub fn from_file(path: &Path, limits: Limits) -> wasmtime::Result<Self> {
        let engine = engine(&limits)?;
        let bytes = fs::read(path).with_context(|| path.display().to_string())?;
        let component = match Engine::detect_precompiled(&bytes) {
            Some(Precompiled::Component) => {
                #[expect(
                    unsafe_code,
                    reason = "whoever may name a file to run may as well name another program"
                )]
                // SAFETY: the bytes are what `precompile_component` returned, by the documented contract of this function.
                unsafe { Component::deserialize(&engine, &bytes) }.context(
                    "it was compiled with other settings than this program's; docs/writing-components.md has them",
                )
            }
            Some(Precompiled::Module) => wasmtime::bail!(
                "{} is compiled from a core module, not from a component",
                path.display()
            ),
            None => compile(&engine, &bytes),
        };
        let component = component.with_context(|| path.display().to_string())?;
        Self::new(component, limits)
    }

    fn new(component: Component, limits: Limits) -> wasmtime::Result<Self> {
        let engine = component.engine();
        let epoch_ticker = EpochTicker::start(engine)?;
        let component = PluginPre::new(linker(engine)?.instantiate_pre(&component)?)?;
        Ok(Self {
            component,
            limits,
            queue: FairQueue::new(limits.calls, limits.waiting),
            epoch_ticker,
        })
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Serves one request in an instance of its own. Dropping the future ends the instance and its upstream requests.
    ///
    /// Without an egress the component has no network, which suits what is the same for everybody.
    pub async fn run(
        &self,
        request: &Request,
        egress: Option<Arc<Egress>>,
        call: Arc<CallBudget>,
    ) -> Result<Reply, SandboxError> {
        let _permit = self.admit(egress.as_deref(), &call).await?;
        let deadline = call.deadline() + limits::UPSTREAM_GRACE;
        let run = async {
            let _running = self.epoch_ticker.run();
            let cpu_time = CpuTime::default();
            let mut store = self.store(egress, call, cpu_time.clone());
            let answer = cpu_time.measure(async {
                let plugin = self.component.instantiate_async(&mut store).await?;
                ask(&plugin, &mut store, request).await
            });
            answer.await.map_err(|error| self.classify(store.data(), error))
        };
        tokio::time::timeout_at(deadline, run)
            .await
            .unwrap_or(Err(SandboxError::TimedOut))
    }

    /// Waits in the fair queue for one of the pool's instances, until the call's deadline.
    async fn admit(&self, egress: Option<&Egress>, call: &CallBudget) -> Result<Permit, SandboxError> {
        let queued = match self.queue.enter(egress.map(Egress::identity)) {
            Ok(Admission::Admitted(permit)) => return Ok(permit),
            Ok(Admission::Queued(queued)) => queued,
            Err(QueueFull) => return Err(SandboxError::Busy(self.limits.calls, self.limits.waiting)),
        };
        let started = Instant::now();
        let permit = call.queue(tokio::time::timeout_at(call.deadline(), queued)).await;
        permit
            .ok()
            .and_then(Result::ok)
            .ok_or_else(|| SandboxError::QueueTimeout(started.elapsed()))
    }

    fn store(&self, egress: Option<Arc<Egress>>, call: Arc<CallBudget>, cpu_time: CpuTime) -> Store<State> {
        let mut store = Store::new(self.component.engine(), State::new(&self.limits, egress, call));
        store.limiter(|state| &mut state.memory_limiter);
        let compute = self.limits.compute;
        store.set_epoch_deadline(1);
        // Comes with the first tick since the last time, once the component computes; ticks that it waited through count for
        // nothing.
        store.epoch_deadline_callback(move |_| {
            if cpu_time.elapsed() < compute {
                Ok(UpdateDeadline::Yield(1))
            } else {
                Err(ComputedTooLong.into())
            }
        });
        store
    }

    fn classify(&self, state: &State, source: wasmtime::Error) -> SandboxError {
        if source.is::<ComputedTooLong>() {
            return SandboxError::ComputedTooLong(self.limits.compute);
        }
        if state.memory_limiter.memory_refused {
            return SandboxError::OutOfMemory(self.limits.memory_bytes / (1024 * 1024));
        }
        if matches!(source.downcast_ref(), Some(ResourceTableError::Full)) {
            return SandboxError::TooManyResources(state::RESOURCES_MAX);
        }
        SandboxError::Trapped {
            location: state.panic_location(),
            source,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("computed for too long")]
struct ComputedTooLong;

#[cfg(feature = "compiler")]
fn compile(engine: &Engine, bytes: &[u8]) -> wasmtime::Result<Component> {
    Component::new(engine, bytes)
}

#[cfg(not(feature = "compiler"))]
fn compile(_engine: &Engine, _bytes: &[u8]) -> wasmtime::Result<Component> {
    wasmtime::bail!(
        "it is not compiled ahead of time, and this program holds no compiler. docs/writing-components.md has the command that compiles it; a \
         program that does it by itself comes of: cargo build --release --features compiler"
    )
}

fn engine(limits: &Limits) -> wasmtime::Result<Engine> {
    let mut config = daktela_engine_config::config();
    config
        .allocation_strategy(limits::allocation(limits))
        .memory_init_cow(true)
        // A stack may hold what the last call had on it.
        .async_stack_zeroing(true);
    Engine::new(&config)
}

/// What the world names, and what Rust's standard library wants besides. Neither files nor sockets are there to be had.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    wasmtime_wasi::p2::add_to_linker_proxy_interfaces_async(l)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(l)?;
    cli::environment::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::exit::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_input::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_output::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdin::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stdout::add_to_linker::<State, WasiCli>(l, State::cli)?;
    cli::terminal_stderr::add_to_linker::<State, WasiCli>(l, State::cli)?;
    // Seeds of hash tables.
    random::insecure_seed::add_to_linker::<State, WasiRandom>(l, |state| state.ctx().ctx.random())?;
    Ok(linker)
}

async fn ask(plugin: &Plugin, store: &mut Store<State>, request: &Request) -> wasmtime::Result<Reply> {
    let server = plugin.daktela_mcp_server();
    let answer = match request {
        Request::Describe => return Ok(Ok(server.call_describe(store).await?)),
        Request::ListTools { cursor } => server.call_list_tools(store, cursor.as_deref()).await,
        Request::CallTool {
            name,
            arguments,
            context,
        } => server.call_call_tool(store, name, arguments, context).await,
        Request::ListResources { cursor } => server.call_list_resources(store, cursor.as_deref()).await,
        Request::ListResourceTemplates { cursor } => {
            server.call_list_resource_templates(store, cursor.as_deref()).await
        }
        Request::ReadResource { uri, context } => server.call_read_resource(store, uri, context).await,
        Request::ListPrompts { cursor } => server.call_list_prompts(store, cursor.as_deref()).await,
        Request::GetPrompt {
            name,
            arguments,
            context,
        } => server.call_get_prompt(store, name, arguments, context).await,
        Request::Complete { params } => server.call_complete(store, params).await,
    }?;
    Ok(answer.map_err(|WitRpcError { code, message, data }| RpcError { code, message, data }))
}
