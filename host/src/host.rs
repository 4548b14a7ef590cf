//! Executes requests: the component in its sandbox, the upstream it reads, the budget of a call, and the call's record.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    auth::Caller,
    egress::{CallBudget, CallLimits, Egress, HintChanges},
    sandbox::{Reply, Request, Sandbox, SandboxError, UPSTREAM_GRACE},
    telemetry::{CallRecord, Metrics, Outcome, Traces, metrics::InFlight},
};

pub struct Host {
    sandbox: Sandbox,
    egress: Option<Arc<Egress>>,
    budget: CallLimits,
    metrics: Metrics,
    traces: Option<Traces>,
}

/// Where a request comes from, as far as the transport knows.
#[derive(Clone, Copy, Default)]
pub struct RequestOrigin<'a> {
    pub caller: Option<&'a Caller>,
    /// The client's own span (W3C Trace Context).
    pub traceparent: Option<&'a str>,
}

/// For an answer to be written.
const RESPONSE_MARGIN: Duration = Duration::from_secs(5);

impl Host {
    pub fn new(sandbox: Sandbox, egress: Option<Egress>, budget: CallLimits) -> Self {
        Self {
            sandbox,
            egress: egress.map(Arc::new),
            budget,
            metrics: Metrics::new(time_max(&budget)),
            traces: None,
        }
    }

    /// Exports a span for each call.
    pub fn with_traces(self, traces: Option<Traces>) -> Self {
        Self { traces, ..self }
    }

    pub fn egress(&self) -> Option<&Arc<Egress>> {
        self.egress.as_ref()
    }

    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Longer than any call: so long an end waits for those under way.
    pub fn drain(&self) -> Duration {
        time_max(&self.budget)
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
    pub async fn run(
        &self,
        request: &Request,
        call: Arc<CallBudget>,
        origin: RequestOrigin<'_>,
    ) -> Result<Reply, SandboxError> {
        let egress = origin
            .caller
            .map_or_else(|| self.egress.clone(), |caller| Some(caller.identity.egress.clone()));
        let mut guard = CallGuard::new(request, call.clone(), origin, self);
        let hints = egress.as_ref().and_then(|egress| egress.hints());
        let hinted = with_hints(request, hints);
        let mut answer = self.sandbox.run(&hinted, egress.clone(), call).await;
        if let (Some(egress), Ok(Ok(answer))) = (egress, &mut answer)
            && let Some(changes) = take_hints(answer)
        {
            let refused = egress.learn(changes);
            if refused > 0 {
                tracing::debug!(event = "hints_refused", refused);
            }
        }
        guard.outcome = outcome(&answer);
        guard.answer_bytes = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.as_ref().ok())
            .map_or(0, String::len);
        answer
    }
}

/// Under this key an answer says what its call learnt about the build. It is for the host, and no client sees it.
const HINTS: &str = "daktela/hints";

/// The request with what earlier calls of the same caller learnt, where it can carry that.
fn with_hints(request: &Request, hints: Option<Vec<String>>) -> Cow<'_, Request> {
    let mut request = Cow::Borrowed(request);
    let Some(hints) = hints else { return request };
    if let Request::CallTool { context, .. } | Request::ReadResource { context, .. } = &*request
        && let Ok(mut object) = serde_json::from_str::<Map<String, Value>>(context)
    {
        object.insert("hints".to_owned(), json!(hints));
        let hinted = Value::Object(object).to_string();
        if let Request::CallTool { context, .. } | Request::ReadResource { context, .. } = request.to_mut() {
            *context = hinted;
        }
    }
    request
}

/// Takes out of an answer what its call learnt. Few have it, and no other is parsed.
fn take_hints(answer: &mut String) -> Option<HintChanges> {
    if !answer.contains(HINTS) {
        return None;
    }
    let mut whole: Value = serde_json::from_str(answer).ok()?;
    let meta = whole.get_mut("_meta")?.as_object_mut()?;
    let changes = meta.shift_remove(HINTS)?;
    if meta.is_empty() {
        whole.as_object_mut()?.shift_remove("_meta");
    }
    *answer = whole.to_string();
    serde_json::from_value(changes).ok()
}

/// What a call takes at most, in the queue, at Daktela, and until its answer is written.
fn time_max(limits: &CallLimits) -> Duration {
    limits.timeout + UPSTREAM_GRACE + RESPONSE_MARGIN
}

/// Records the call when it is dropped, so that one which is cancelled half-way is recorded, too.
struct CallGuard<'a> {
    request: &'a Request,
    call: Arc<CallBudget>,
    origin: RequestOrigin<'a>,
    host: &'a Host,
    in_flight: Option<InFlight>,
    started: (SystemTime, Instant),
    outcome: Outcome,
    answer_bytes: usize,
}

impl<'a> CallGuard<'a> {
    fn new(request: &'a Request, call: Arc<CallBudget>, origin: RequestOrigin<'a>, host: &'a Host) -> Self {
        Self {
            request,
            call,
            origin,
            host,
            in_flight: Some(host.metrics.begin()),
            started: (SystemTime::now(), Instant::now()),
            outcome: Outcome::Cancelled,
            answer_bytes: 0,
        }
    }
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        let (method, tool) = names(self.request);
        let caller = self.origin.caller;
        let (started, clock) = self.started;
        let record = CallRecord {
            method,
            tool,
            outcome: self.outcome,
            started,
            duration: clock.elapsed(),
            answer_bytes: self.answer_bytes,
            usage: self.call.usage(),
            request_id: caller.map(|caller| &*caller.request_id),
            identity: caller.map(|caller| caller.identity.hash.to_string()),
            tenant: caller.map(|caller| caller.identity.egress.origin().host()),
            traceparent: self.origin.traceparent,
        };
        record.log();
        if let Some(in_flight) = self.in_flight.take() {
            self.host.metrics.end(in_flight, &record);
        }
        if let Some(traces) = &self.host.traces {
            traces.record(&record, self.host.metrics.label(tool));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::NO_CONTEXT;

    #[test]
    fn hints_go_in_with_the_context() {
        let call = |context: &str| Request::CallTool {
            name: "list_things".to_owned(),
            arguments: "{}".to_owned(),
            context: context.to_owned(),
        };
        let context = |request: &Request| match request {
            Request::CallTool { context, .. } => context.clone(),
            other => panic!("{other:?}"),
        };
        let hints = || Some(vec!["one-key:tickets".to_owned()]);
        for (given, expected) in [
            (NO_CONTEXT, r#"{"hints":["one-key:tickets"]}"#),
            (
                r#"{"clientCapabilities":{}}"#,
                r#"{"clientCapabilities":{},"hints":["one-key:tickets"]}"#,
            ),
        ] {
            assert_eq!(context(&with_hints(&call(given), hints())), expected);
        }
        assert_eq!(context(&with_hints(&call(NO_CONTEXT), None)), NO_CONTEXT);
        assert!(matches!(
            with_hints(&Request::Describe, hints()),
            Cow::Borrowed(Request::Describe)
        ));
    }

    #[test]
    fn no_client_sees_the_hints_of_an_answer() {
        let learnt = r#""daktela/hints":{"learnt":["one-key:tickets"],"forgotten":[]}"#;
        for (rest, left) in [("", ""), (r#","daktela/first":{}"#, r#","_meta":{"daktela/first":{}}"#)] {
            let mut answer = format!(r#"{{"content":[],"_meta":{{{learnt}{rest}}}}}"#);
            let changes = take_hints(&mut answer).unwrap();
            assert_eq!(changes.learnt, ["one-key:tickets"]);
            assert_eq!(answer, format!(r#"{{"content":[]{left}}}"#));
        }
    }

    #[test]
    fn other_answers_stay_as_they_are() {
        for text in [
            r#"{"content":[],"_meta":{"daktela/first":{}}}"#,
            r#"{"content":[{"type":"text","text":"daktela/hints"}]}"#,
            "daktela/hints",
        ] {
            let mut answer = text.to_owned();
            assert_eq!(take_hints(&mut answer), None);
            assert_eq!(answer, text);
        }
    }

    #[test]
    fn malformed_hints_are_taken_out_and_dropped() {
        let mut answer = r#"{"content":[],"_meta":{"daktela/hints":"all"}}"#.to_owned();
        assert_eq!(take_hints(&mut answer), None);
        assert_eq!(answer, r#"{"content":[]}"#);
    }
}
