//! OpenTelemetry traces: a span for each call, exported over OTLP (`--otlp-endpoint`).

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use http::Method;
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator,
    trace::{
        Span as _, SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt as _, TraceFlags, TraceState,
        Tracer as _, TracerProvider as _,
    },
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
pub use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
use tokio::runtime::Handle;
use url::Url;

use super::{CallRecord, Outcome};
use crate::egress::Client;

/// OpenTelemetry's default time limit of an export.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the last export may take at exit. A supervisor that ends the program does not wait much longer.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

/// Cheap to clone; all clones send together.
#[derive(Clone)]
pub struct Traces {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Traces {
    /// Belongs into the runtime. The rest of the configuration is in OpenTelemetry's own variables.
    pub fn to(endpoint: &Url) -> Result<Self, ExporterBuildError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Sender {
                client: Client::default(),
                runtime: Handle::current(),
                is_away: Arc::default(),
            })
            .with_endpoint(endpoint.as_str())
            .build()?;
        let mut resource =
            Resource::builder().with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")));
        let is_named = |name: &str| std::env::var(name).is_ok_and(|value| value.contains("service.name"));
        if std::env::var_os("OTEL_SERVICE_NAME").is_none() && !is_named("OTEL_RESOURCE_ATTRIBUTES") {
            resource = resource.with_service_name(env!("CARGO_PKG_NAME"));
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Self {
            tracer: provider.tracer(env!("CARGO_PKG_NAME")),
            provider,
        })
    }

    /// Records a call that is over. Names are those of OpenTelemetry's conventions for MCP, or begin with `daktela.` where
    /// there are none.
    pub(crate) fn record(&self, call: &CallRecord<'_>, tool: &str) {
        let mut attributes = vec![
            KeyValue::new("mcp.method.name", call.method),
            KeyValue::new("daktela.outcome", call.outcome.as_str()),
            KeyValue::new("daktela.answer_bytes", number(call.answer_bytes as u64)),
            KeyValue::new("daktela.upstream_requests", number(call.usage.requests)),
            KeyValue::new("daktela.upstream_bytes", number(call.usage.bytes)),
            KeyValue::new("daktela.cache_hits", number(call.usage.cache_hits)),
        ];
        let mut name = call.method.to_owned();
        if !tool.is_empty() {
            name = format!("{name} {tool}");
            attributes.push(KeyValue::new("gen_ai.tool.name", tool.to_owned()));
        }
        if let Some(request_id) = call.request_id {
            attributes.push(KeyValue::new("daktela.request_id", request_id.to_owned()));
        }
        let error = match call.outcome {
            Outcome::Ok => None,
            Outcome::ErrorAnswer => Some("tool_error"),
            Outcome::Failed | Outcome::Cancelled => Some(call.outcome.as_str()),
        };
        attributes.extend(error.map(|error| KeyValue::new("error.type", error)));
        let span = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Server)
            .with_start_time(call.started)
            .with_attributes(attributes);
        let mut span = self.tracer.build_with_context(span, &parent(call.traceparent));
        if error.is_some() {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(call.started + call.duration);
    }

    /// Exports what is left, for at most [`SHUTDOWN_TIMEOUT`].
    pub async fn finish(self) {
        let sending = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT));
        let _ = sending.await;
    }
}

/// The span of the client that asks, where it says which. Ids alone: what else could travel along is text. Whether the
/// client records its own span decides nothing here, or any caller could keep its calls out of the operator's traces.
fn parent(traceparent: Option<&str>) -> Context {
    let given = traceparent.map(|text| ("traceparent".to_owned(), text.to_owned()));
    let carrier: HashMap<String, String> = given.into_iter().collect();
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let given = context.span().span_context().clone();
    if !given.is_valid() {
        return context;
    }
    Context::new().with_remote_span_context(SpanContext::new(
        given.trace_id(),
        given.span_id(),
        TraceFlags::SAMPLED,
        true,
        TraceState::NONE,
    ))
}

fn number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The pooled client, for a library that calls it from a thread of its own.
#[derive(Clone)]
struct Sender {
    client: Client,
    runtime: Handle,
    is_away: Arc<AtomicBool>,
}

impl Sender {
    async fn send(self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (head, body) = request.into_parts();
        let url = Url::parse(&head.uri.to_string())?;
        let request = self.client.request(Method::POST, url)?.headers(head.headers).body(body);
        let sent = tokio::time::timeout(EXPORT_TIMEOUT, request.send()).await;
        let status = sent.ok().and_then(Result::ok).map(|answer| answer.status());
        let is_away = !status.is_some_and(|status| status.is_success());
        if is_away != self.is_away.swap(is_away, Ordering::AcqRel) {
            let status = status.map(|status| status.as_u16());
            match is_away {
                true => tracing::warn!(event = "otlp_failed", status, "the collector takes no spans"),
                false => tracing::info!(event = "otlp_answers", status, "the collector takes spans again"),
            }
        }
        let mut answer = Response::new(Bytes::new());
        *answer.status_mut() = status.ok_or("the collector does not answer")?;
        Ok(answer)
    }
}

/// Says nothing: the client holds no secret, and the library's own notes are not kept.
impl std::fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Sender")
    }
}

impl HttpClient for Sender {
    fn send_bytes<'this, 'sending>(
        &'this self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'sending>>
    where
        'this: 'sending,
        Self: 'sending,
    {
        let sending = self.runtime.spawn(self.clone().send(request));
        Box::pin(async { sending.await? })
    }
}
