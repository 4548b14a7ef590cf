//! `--otlp-endpoint`: a span for each call, sent to a collector of OpenTelemetry.

use crate::{egress::Client, metrics::Done};
use http::Method;
use opentelemetry::{
    Context, KeyValue,
    propagation::TextMapPropagator,
    trace::{Span as _, SpanBuilder, SpanKind, Status, Tracer as _, TracerProvider as _},
};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{
    Resource,
    propagation::TraceContextPropagator,
    trace::{SdkTracer, SdkTracerProvider},
};
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
use tokio::runtime::Handle;
use url::Url;

/// What OpenTelemetry gives a collector to answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A supervisor that ends the program does not wait much longer.
const LAST_WORDS: Duration = Duration::from_secs(3);

/// Cheap to clone; all clones send together.
#[derive(Clone)]
pub struct Spans {
    provider: SdkTracerProvider,
    tracer: SdkTracer,
}

impl Spans {
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

    /// A call that is over. The names are OpenTelemetry's for MCP, and ours for what it has none for.
    pub(crate) fn record(&self, done: &Done<'_>, tool: &str) {
        let mut attributes = vec![
            KeyValue::new("mcp.method.name", done.method),
            KeyValue::new("daktela.outcome", done.status),
            KeyValue::new("daktela.answer_bytes", number(done.answer_bytes as u64)),
            KeyValue::new("daktela.upstream_requests", number(done.usage.requests)),
            KeyValue::new("daktela.upstream_bytes", number(done.usage.bytes)),
            KeyValue::new("daktela.cache_hits", number(done.usage.cache_hits)),
        ];
        let mut name = done.method.to_owned();
        if !tool.is_empty() {
            name = format!("{name} {tool}");
            attributes.push(KeyValue::new("gen_ai.tool.name", tool.to_owned()));
        }
        if let Some(request_id) = done.request_id {
            attributes.push(KeyValue::new("daktela.request_id", request_id.to_owned()));
        }
        let error = match done.status {
            "ok" => None,
            "error answer" => Some("tool_error"),
            other => Some(other),
        };
        attributes.extend(error.map(|error| KeyValue::new("error.type", error)));
        let span = SpanBuilder::from_name(name)
            .with_kind(SpanKind::Server)
            .with_start_time(done.started)
            .with_attributes(attributes);
        let mut span = self.tracer.build_with_context(span, &parent(done.traceparent));
        if error.is_some() {
            span.set_status(Status::error(""));
        }
        span.end_with_timestamp(done.started + done.duration);
    }

    /// Sends what is left.
    pub async fn finish(self) {
        let sending = tokio::task::spawn_blocking(move || self.provider.shutdown_with_timeout(LAST_WORDS));
        let _ = sending.await;
    }
}

/// The span of the client that asks, where it says which. Ids alone: what else could travel along is text.
fn parent(traceparent: Option<&str>) -> Context {
    let given = traceparent.map(|text| ("traceparent".to_owned(), text.to_owned()));
    let carrier: HashMap<String, String> = given.into_iter().collect();
    TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier)
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
        let sent = tokio::time::timeout(TIMEOUT, request.send()).await;
        let status = sent.ok().and_then(Result::ok).map(|answer| answer.status());
        let is_away = !status.is_some_and(|status| status.is_success());
        if is_away != self.is_away.swap(is_away, Ordering::AcqRel) {
            let status = status.map(|status| status.as_u16());
            match is_away {
                true => tracing::warn!(event = "otlp_failed", status, meaning = "the collector takes no spans"),
                false => tracing::info!(event = "otlp_answers", status),
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
