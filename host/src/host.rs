//! A component, the instance it reads, and the time it may take: all that a call needs, whoever asks for it.

use crate::{
    egress::{CallBudget, CallLimits, Egress},
    identity::Caller,
    metrics::{Done, Metrics},
    sandbox::{Reply, Request, Sandbox, SandboxError, UPSTREAM_GRACE},
    spans::Spans,
};
use serde::Deserialize;
use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

pub struct Host {
    sandbox: Sandbox,
    egress: Option<Arc<Egress>>,
    budget: CallLimits,
    metrics: Metrics,
    spans: Option<Spans>,
}

/// Who asks, as far as the transport knows.
#[derive(Clone, Copy, Default)]
pub struct Asker<'a> {
    pub caller: Option<&'a Caller>,
    /// The client's own span (W3C Trace Context).
    pub traceparent: Option<&'a str>,
}

/// For an answer to be written.
const MARGIN: Duration = Duration::from_secs(5);

/// How a call ended, for the log and the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    /// The tool says what its caller can mend.
    ErrorAnswer,
    Failed,
}

impl Host {
    pub fn new(sandbox: Sandbox, egress: Option<Egress>, budget: CallLimits) -> Self {
        Self {
            sandbox,
            egress: egress.map(Arc::new),
            budget,
            metrics: Metrics::default(),
            spans: None,
        }
    }

    /// Tells of each call there, too.
    pub fn with_spans(self, spans: Option<Spans>) -> Self {
        Self { spans, ..self }
    }

    pub fn egress(&self) -> Option<&Arc<Egress>> {
        self.egress.as_ref()
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Longer than any call: so long an end waits for those under way.
    pub fn drain(&self) -> Duration {
        self.budget.timeout + UPSTREAM_GRACE + MARGIN
    }

    pub fn new_call(&self) -> Arc<CallBudget> {
        Arc::new(CallBudget::new(self.budget))
    }

    /// What is the same for everybody, and needs no upstream.
    pub async fn describe(&self, request: &Request) -> Result<Reply, SandboxError> {
        self.sandbox.run(request, None, self.new_call()).await
    }

    /// What a client asks. Writes one line to the log, also when it is dropped half-way.
    ///
    /// A caller who is known reads with their own egress. The host's is for whoever started the program, and no other.
    pub async fn ask(&self, request: &Request, call: Arc<CallBudget>, asker: Asker<'_>) -> Result<Reply, SandboxError> {
        let egress = asker
            .caller
            .map_or_else(|| self.egress.clone(), |caller| Some(caller.identity.egress.clone()));
        let mut line = Line::new(request, call.clone(), asker, self);
        let answer = self.sandbox.run(request, egress, call).await;
        line.status = outcome(&answer).as_str();
        line.answer_bytes = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.as_ref().ok())
            .map_or(0, String::len);
        answer
    }
}

/// A line of the log, written when the call is over.
struct Line<'a> {
    request: &'a Request,
    call: Arc<CallBudget>,
    asker: Asker<'a>,
    host: &'a Host,
    started: (SystemTime, Instant),
    status: &'static str,
    answer_bytes: usize,
}

impl<'a> Line<'a> {
    fn new(request: &'a Request, call: Arc<CallBudget>, asker: Asker<'a>, host: &'a Host) -> Self {
        host.metrics.begin();
        Self {
            request,
            call,
            asker,
            host,
            started: (SystemTime::now(), Instant::now()),
            status: "cancelled",
            answer_bytes: 0,
        }
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let (method, tool) = names(self.request);
        let usage = self.call.usage();
        let caller = self.asker.caller;
        let (started, clock) = self.started;
        let duration = clock.elapsed();
        tracing::info!(
            event = "call",
            request_id = caller.map(|caller| &*caller.request_id),
            who = caller.map(|caller| caller.identity.who.to_string()),
            tenant = caller.map(|caller| caller.identity.egress.origin().host()),
            method,
            tool,
            status = self.status,
            duration_ms = milliseconds(duration),
            answer_bytes = self.answer_bytes,
            upstream_requests = usage.requests,
            upstream_bytes = usage.bytes,
            cache_hits = usage.cache_hits,
            retries = usage.retries,
            paused_ms = milliseconds(usage.paused),
            queued_ms = milliseconds(usage.queued),
        );
        let done = Done {
            method,
            tool,
            status: self.status,
            duration,
            answer_bytes: self.answer_bytes,
            usage,
            started,
            request_id: caller.map(|caller| &*caller.request_id),
            traceparent: self.asker.traceparent,
        };
        self.host.metrics.end(&done);
        if let Some(spans) = &self.host.spans {
            spans.record(&done, self.host.metrics.label(tool));
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Names only: a URI or a prompt's arguments may tell about customers.
fn names(request: &Request) -> (&'static str, Option<&str>) {
    match request {
        Request::Describe => ("describe", None),
        Request::ListTools { .. } => ("tools/list", None),
        Request::CallTool { name, .. } => ("tools/call", Some(loggable(name))),
        Request::ListResources { .. } => ("resources/list", None),
        Request::ListResourceTemplates { .. } => ("resources/templates/list", None),
        Request::ReadResource { .. } => ("resources/read", None),
        Request::ListPrompts { .. } => ("prompts/list", None),
        Request::GetPrompt { .. } => ("prompts/get", None),
        Request::Complete { .. } => ("completion/complete", None),
    }
}

/// A caller can write anything where a tool's name belongs.
fn loggable(name: &str) -> &str {
    /// MCP allows tools no longer names.
    const NAME_BYTES_MAX: usize = 128;
    let plain = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if plain && name.len() <= NAME_BYTES_MAX {
        name
    } else {
        "(not a name)"
    }
}

pub fn outcome(answer: &Result<Reply, SandboxError>) -> Outcome {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Result {
        #[serde(default)]
        is_error: bool,
    }
    match answer {
        Ok(Ok(text)) => match serde_json::from_str(text) {
            Ok(Result { is_error: false }) => Outcome::Ok,
            Ok(Result { is_error: true }) => Outcome::ErrorAnswer,
            Err(_) => Outcome::Failed,
        },
        Ok(Err(_)) | Err(_) => Outcome::Failed,
    }
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ErrorAnswer => "error answer",
            Self::Failed => "failed",
        }
    }
}
