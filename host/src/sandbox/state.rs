//! Store state of one instance of the component: clock, settings and the egress proxy. No files, no sockets, no arguments.

use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, p2::pipe::MemoryOutputPipe};
use wasmtime_wasi_http::{
    DEFAULT_FORBIDDEN_HEADERS, Error, ForbiddenHeaderFilter, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView,
    WasiHttpHooks, WasiHttpView,
};

use super::limits::{Limits, MemoryLimiter};
use crate::egress::{self, CallBudget, Egress, EgressError};

/// Room for a panic's message; what is written beyond is lost.
const STDERR_BYTES: usize = 4 * 1024;

/// Requests, header maps, bodies and streams that a component holds at once live in the memory of the host, which the memory
/// limit does not count. Eight requests under way, with all that belongs to them, are fewer than a hundred.
pub(super) const RESOURCES_MAX: usize = 4_000;

/// All headers of one request or response, with wasmtime's overhead for each. With `RESOURCES_MAX` of them a call takes 64 MB.
const HEADERS_BYTES_MAX: usize = 16 * 1024;

pub(super) struct State {
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    upstream: Upstream,
    pub(super) memory_limiter: MemoryLimiter,
    stderr: MemoryOutputPipe,
}

/// The network, as far as a component has one.
struct Upstream {
    egress: Option<Arc<Egress>>,
    call: Arc<CallBudget>,
}

impl State {
    pub(super) fn new(limits: &Limits, egress: Option<Arc<Egress>>, call: Arc<CallBudget>) -> Self {
        let stderr = MemoryOutputPipe::new(STDERR_BYTES);
        let mut wasi = WasiCtx::builder();
        wasi.stderr(stderr.clone())
            .env("DAKTELA_MAX_ANSWER_BYTES", limits.answer_bytes.to_string())
            .env("DAKTELA_MAX_SCAN_ROWS", limits.scan.rows.to_string())
            .env("DAKTELA_MAX_SCAN_REQUESTS", limits.scan.requests.to_string())
            .env("DAKTELA_MAX_SCAN_BYTES", limits.scan.bytes.to_string())
            .env("DAKTELA_MAX_SCAN_SECONDS", limits.scan.seconds.to_string());
        if let Some(egress) = &egress {
            wasi.env("DAKTELA_URL", egress.origin().as_str());
        }
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(HEADERS_BYTES_MAX);
        let mut table = ResourceTable::new();
        table.set_max_capacity(RESOURCES_MAX);
        Self {
            wasi: wasi.build(),
            http,
            table,
            upstream: Upstream { egress, call },
            memory_limiter: MemoryLimiter::new(limits),
            stderr,
        }
    }

    /// Where the component panicked, e.g. `guest/src/run/mod.rs:10:5`. Nothing else of what it wrote: the message may quote
    /// customers.
    pub(super) fn panic_location(&self) -> Option<String> {
        let written = self.stderr.contents();
        let text = String::from_utf8_lossy(&written);
        let location = text.lines().find_map(|line| line.split_once("panicked at "))?.1;
        Some(location.trim_end_matches(':').to_owned())
    }
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
            hooks: &mut self.upstream,
        }
    }
}

type Transmission = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Upstream {
    /// The guest can neither set these nor read them.
    fn forbidden_header_filter(&mut self) -> ForbiddenHeaderFilter {
        Arc::new(|name| DEFAULT_FORBIDDEN_HEADERS.contains(name) || egress::is_refused_header(name))
    }

    /// The client sets it, where the protocol has it.
    fn set_host_header(&mut self) -> bool {
        false
    }

    /// Time-outs that the guest asks for are not looked at: the call has its own deadline.
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        _options: Option<RequestOptions>,
        _transmitted: Transmission,
    ) -> Box<dyn Future<Output = Result<(http::Response<WasiBody>, Transmission), Error>> + Send> {
        let (egress, call) = (self.egress.clone(), self.call.clone());
        Box::new(async move {
            // The body is held until the verdict: dropped earlier, its writer would fail first and hide the reason.
            let (parts, _body) = request.into_parts();
            let egress = egress.ok_or_else(no_instance)?;
            let answer = egress
                .serve(&call, http::Request::from_parts(parts, ()))
                .await
                .map_err(error)?;
            let answer = answer.map(|bytes| Full::new(bytes).map_err(|never| match never {}).boxed_unsync());
            Ok((answer, Box::new(async { Ok(()) }) as Transmission))
        })
    }
}

fn no_instance() -> Error {
    Error::InternalError(Some(
        "No Daktela is configured: set DAKTELA_URL, or try --demo.".to_owned(),
    ))
}

fn error(failure: EgressError) -> Error {
    match failure {
        EgressError::PolicyDenied(reason) => {
            tracing::warn!(event = "denied", reason);
            Error::HttpRequestDenied
        }
        EgressError::Timeout(_) => Error::HttpResponseTimeout,
        EgressError::TooLarge(bytes) => Error::HttpResponseBodySize(Some(bytes as u64)),
        EgressError::NameNotResolved => Error::DnsError {
            rcode: None,
            info_code: None,
        },
        EgressError::ConnectionRefused => Error::ConnectionRefused,
        EgressError::ConnectionBroken => Error::ConnectionTerminated,
        EgressError::UserActionable(text) => Error::InternalError(Some(text)),
    }
}
