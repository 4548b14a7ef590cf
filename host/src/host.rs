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
    limits::quota::{QuotaExceeded, Quotas},
    sandbox::{Reply, Request, Sandbox, SandboxError, Setting, UPSTREAM_GRACE},
    telemetry::{
        CallRecord, Metrics, Outcome, Traces,
        audit::{Audit, AuditUnavailable, AuditedCall, Report},
        metrics::InFlight,
    },
};

pub struct Host {
    sandbox: Sandbox,
    egress: Option<Arc<Egress>>,
    /// What is missing in the settings of whoever started the program.
    missing: Option<String>,
    budget: CallLimits,
    metrics: Metrics,
    traces: Option<Traces>,
    audit: Option<Audit>,
    quotas: Option<Quotas>,
    /// Whether the component is told of the account, whose rights its tools then depend on.
    looks_at_rights: bool,
}

/// Why a request has no reply.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    #[error(transparent)]
    Quota(#[from] QuotaExceeded),
    #[error(transparent)]
    Audit(#[from] AuditUnavailable),
}

/// Where a request comes from, as far as the transport knows.
#[derive(Clone, Copy, Default)]
pub struct RequestOrigin<'a> {
    pub caller: Option<&'a Caller>,
    /// The client's own span (W3C Trace Context).
    pub traceparent: Option<&'a str>,
    /// Settings of the component that the request brings along.
    pub settings: &'a [Setting],
}

/// For an answer to be written.
const RESPONSE_MARGIN: Duration = Duration::from_secs(5);

impl Host {
    pub fn new(sandbox: Sandbox, egress: Option<Egress>, budget: CallLimits) -> Self {
        Self {
            sandbox,
            egress: egress.map(Arc::new),
            missing: None,
            budget,
            metrics: Metrics::new(time_max(&budget)),
            traces: None,
            audit: None,
            quotas: None,
            looks_at_rights: false,
        }
    }

    /// Writes down calls, and refuses those that quotas do not permit.
    pub fn with_governance(self, audit: Option<Audit>, quotas: Option<Quotas>) -> Self {
        Self { audit, quotas, ..self }
    }

    /// Has the tools of a caller depend on the rights of the account.
    pub fn with_rights(self, looks_at_rights: bool) -> Self {
        Self {
            looks_at_rights,
            ..self
        }
    }

    /// Whether what is listed depends on who asks.
    pub fn looks_at_rights(&self) -> bool {
        self.looks_at_rights
    }

    /// Exports a span for each call.
    pub fn with_traces(self, traces: Option<Traces>) -> Self {
        Self { traces, ..self }
    }

    /// Answers calls of tools with what is missing in the settings, in place of running them.
    pub fn not_configured(self, missing: String) -> Self {
        Self {
            missing: Some(missing),
            ..self
        }
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
        self.sandbox.run(request, &[], None, self.new_call()).await
    }

    /// What a client asks. Writes one line to the log, also when it is dropped half-way.
    ///
    /// A caller who is known reads with their own egress. The host's is for whoever started the program, and no other.
    ///
    /// # Errors
    ///
    /// Where the component gives no reply, a quota refuses the call, or it has to be audited and cannot be.
    pub async fn run(
        &self,
        request: &Request,
        call: Arc<CallBudget>,
        origin: RequestOrigin<'_>,
    ) -> Result<Reply, CallError> {
        let egress = origin
            .caller
            .map_or_else(|| self.egress.clone(), |caller| Some(caller.identity.egress.clone()));
        let mut guard = CallGuard::new(request, call.clone(), origin, self);
        let account = match &egress {
            Some(egress) if self.needs_account() => self.account(egress).await,
            _ => None,
        };
        guard.user = account.as_ref().map(|account| account.user.clone());
        let is_reading = may_read(request);
        let payer = is_reading
            .then(|| self.payer(egress.as_deref(), origin, account.as_ref()))
            .flatten();
        let zone = account.as_ref().and_then(|account| account.zone.as_deref());
        if is_reading {
            let admitted = self.admit(payer.as_deref(), zone);
            if let Err(refusal) = admitted {
                guard.outcome = Outcome::Denied;
                return Err(refusal);
            }
        }
        let known = account.as_ref().filter(|_| self.looks_at_rights);
        let known = known.map(|account| ("DAKTELA_ACCOUNT", account.text.clone()));
        let settings: Vec<Setting> = origin.settings.iter().cloned().chain(known).collect();
        let hints = egress.as_ref().and_then(|egress| egress.hints());
        let asked = with_context(request, hints, self.wants_report());
        let mut answer = match (&self.missing, request) {
            (Some(missing), Request::CallTool { .. }) => Ok(Ok(not_configured(missing))),
            _ => self.sandbox.run(&asked, &settings, egress.clone(), call).await,
        };
        if let Ok(Ok(answer)) = &mut answer {
            let taken = take_meta(answer);
            if let (Some(egress), Some(changes)) = (&egress, taken.hints) {
                let refused = egress.learn(changes);
                if refused > 0 {
                    tracing::debug!(event = "hints_refused", refused);
                }
            }
            guard.report = taken.report;
        }
        guard.outcome = outcome(&answer);
        guard.answer_bytes = answer
            .as_ref()
            .ok()
            .and_then(|answer| answer.as_ref().ok())
            .map_or(0, String::len);
        if let (Some(quotas), true) = (&self.quotas, is_reading)
            // Its first call may be what Daktela accepted the credential with.
            && let Some(payer) = payer.or_else(|| self.payer(egress.as_deref(), origin, account.as_ref()))
        {
            let records = guard.report.as_ref().map_or(0, Report::records_shown);
            quotas.charge(&payer, zone, records, guard.answer_bytes as u64);
        }
        if let Err(unavailable) = guard.audit() {
            guard.outcome = Outcome::Denied;
            return Err(unavailable.into());
        }
        Ok(answer?)
    }

    /// Whether the component is to tell which records an answer holds.
    fn wants_report(&self) -> bool {
        self.audit.is_some() || self.quotas.is_some()
    }

    /// Whether it matters who is behind a credential: names in the audit, one quota for all credentials of an account, rights.
    fn needs_account(&self) -> bool {
        self.wants_report() || self.looks_at_rights
    }

    /// Refuses a call before it reads anything.
    fn admit(&self, payer: Option<&str>, zone: Option<&str>) -> Result<(), CallError> {
        if let Some(audit) = &self.audit {
            audit.check()?;
        }
        if let Some(quotas) = &self.quotas {
            quotas.admit(payer, zone)?;
        }
        Ok(())
    }

    /// Whose quota a call counts for; `None` of a credential that Daktela has not accepted.
    fn payer(&self, egress: Option<&Egress>, origin: RequestOrigin<'_>, account: Option<&Account>) -> Option<String> {
        let egress = egress?;
        let tenant = egress.origin().host();
        match (account, origin.caller) {
            (Some(account), _) => Some(format!("{tenant} {}", account.user)),
            (None, Some(caller)) => egress.was_answered().then(|| caller.identity.hash.to_string()),
            (None, None) => Some(String::new()),
        }
    }

    /// The account behind a credential, read once and remembered as long as the credential. `None` where it cannot be read.
    async fn account(&self, egress: &Arc<Egress>) -> Option<Account> {
        let read = async {
            let request = Request::CallTool {
                name: String::new(),
                arguments: "{}".to_owned(),
                context: ACCOUNT_CONTEXT.to_owned(),
            };
            let answer = self
                .sandbox
                .run(&request, &[], Some(egress.clone()), self.new_call())
                .await;
            let Ok(Ok(text)) = answer else { return Err(()) };
            let answer: Value = serde_json::from_str(&text).map_err(|_| ())?;
            let meta = &answer["_meta"];
            match (&meta[ACCOUNT], meta["daktela/error"].as_str()) {
                (account @ Value::Object(_), _) => Ok(Some(account.to_string())),
                // Daktela knows no user by this credential, and will not later.
                (_, Some("forbidden" | "no_right" | "not_found")) => Ok(None),
                _ => Err(()),
            }
        };
        let text = egress.account().get_or_try_init(|| read).await.ok()?.clone()?;
        let Told { user, zone } = serde_json::from_str(&text).ok()?;
        Some(Account { text, user, zone })
    }
}

/// Under this key an answer tells of the account behind the credential, where its context asks for that.
const ACCOUNT: &str = "daktela/account";
const ACCOUNT_CONTEXT: &str = r#"{"account":true}"#;

/// The account behind a credential.
struct Account {
    /// What the component told, which it gets back as it is.
    text: String,
    user: String,
    /// The instance's zone.
    zone: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    user: String,
    zone: Option<String>,
}

/// Whether a request may read records. Lists and prompts are the program's own.
fn may_read(request: &Request) -> bool {
    matches!(
        request,
        Request::CallTool { .. } | Request::ReadResource { .. } | Request::Complete { .. }
    )
}

/// A tool's answer, for a model to pass on to whoever can change the settings.
fn not_configured(missing: &str) -> String {
    let text = format!(
        "This server is not set up yet: {missing}. The settings are those of the program that starts this server: in Claude \
         Desktop Settings → Extensions → Daktela, elsewhere the entry of this server. Start that program anew afterwards."
    );
    json!({"content": [{"type": "text", "text": text}], "isError": true}).to_string()
}

/// Under this key an answer says what its call learnt about the build. It is for the host, and no client sees it.
const HINTS: &str = "daktela/hints";

/// Under this key an answer tells which records it holds. It is for the host as well.
const REPORT: &str = "daktela/report";

/// The request with what earlier calls of the same caller learnt, and whether its answer is to tell of its records, where it can
/// carry that.
fn with_context(request: &Request, hints: Option<Vec<String>>, wants_report: bool) -> Cow<'_, Request> {
    let mut request = Cow::Borrowed(request);
    if hints.is_none() && !wants_report {
        return request;
    }
    if let Request::CallTool { context, .. } | Request::ReadResource { context, .. } = &*request
        && let Ok(mut object) = serde_json::from_str::<Map<String, Value>>(context)
    {
        if let Some(hints) = hints {
            object.insert("hints".to_owned(), json!(hints));
        }
        if wants_report {
            object.insert("report".to_owned(), json!(true));
        }
        let hinted = Value::Object(object).to_string();
        if let Request::CallTool { context, .. } | Request::ReadResource { context, .. } = request.to_mut() {
            *context = hinted;
        }
    }
    request
}

/// What an answer has for the host.
#[derive(Default)]
struct Taken {
    hints: Option<HintChanges>,
    report: Option<Report>,
}

/// Takes out of an answer what its call learnt and read. An answer without any of it is not parsed.
fn take_meta(answer: &mut String) -> Taken {
    if !answer.contains(HINTS) && !answer.contains(REPORT) {
        return Taken::default();
    }
    taken(answer).unwrap_or_default()
}

fn taken(answer: &mut String) -> Option<Taken> {
    let mut whole: Value = serde_json::from_str(answer).ok()?;
    let meta = whole.get_mut("_meta")?.as_object_mut()?;
    let (hints, report) = (meta.shift_remove(HINTS), meta.shift_remove(REPORT));
    if hints.is_none() && report.is_none() {
        return None;
    }
    if meta.is_empty() {
        whole.as_object_mut()?.shift_remove("_meta");
    }
    *answer = whole.to_string();
    Some(Taken {
        hints: hints.and_then(|changes| serde_json::from_value(changes).ok()),
        report: report.and_then(|report| serde_json::from_value(report).ok()),
    })
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
    user: Option<String>,
    report: Option<Report>,
    is_audited: bool,
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
            user: None,
            report: None,
            is_audited: false,
        }
    }

    /// Writes the call's audit line, once, where calls that may read records are audited.
    fn audit(&mut self) -> Result<(), AuditUnavailable> {
        let audit = self.host.audit.as_ref().filter(|_| may_read(self.request));
        let Some(audit) = audit.filter(|_| !self.is_audited) else {
            return Ok(());
        };
        self.is_audited = true;
        let (method, tool) = names(self.request);
        let (started, clock) = self.started;
        let caller = self.origin.caller;
        let own = || Some(self.host.egress.as_ref()?.origin().host());
        audit.write(&AuditedCall {
            method,
            tool,
            status: self.outcome.as_str(),
            started,
            duration: clock.elapsed(),
            answer_bytes: self.answer_bytes,
            request_id: caller.map(|caller| &*caller.request_id),
            identity: caller.map(|caller| caller.identity.hash.to_string()).as_deref(),
            user: self.user.as_deref(),
            tenant: caller.map(|caller| caller.identity.egress.origin().host()).or_else(own),
            report: self.report.as_ref(),
        })
    }
}

impl Drop for CallGuard<'_> {
    fn drop(&mut self) {
        // Of a call that was refused or left; there is no answer to hold back.
        let _ = self.audit();
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
            records: self.report.as_ref().map(Report::records_shown),
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

pub fn outcome<E>(answer: &Result<Reply, E>) -> Outcome {
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
            assert_eq!(context(&with_context(&call(given), hints(), false)), expected);
        }
        assert_eq!(context(&with_context(&call(NO_CONTEXT), None, false)), NO_CONTEXT);
        assert_eq!(
            context(&with_context(&call(NO_CONTEXT), None, true)),
            r#"{"report":true}"#
        );
        assert!(matches!(
            with_context(&Request::Describe, hints(), true),
            Cow::Borrowed(Request::Describe)
        ));
    }

    #[test]
    fn no_client_sees_the_hints_of_an_answer() {
        let learnt = r#""daktela/hints":{"learnt":["one-key:tickets"],"forgotten":[]}"#;
        for (rest, left) in [("", ""), (r#","daktela/first":{}"#, r#","_meta":{"daktela/first":{}}"#)] {
            let mut answer = format!(r#"{{"content":[],"_meta":{{{learnt}{rest}}}}}"#);
            let changes = take_meta(&mut answer).hints.unwrap();
            assert_eq!(changes.learnt, ["one-key:tickets"]);
            assert_eq!(answer, format!(r#"{{"content":[]{left}}}"#));
        }
    }

    #[test]
    fn a_report_is_taken_out_and_counted() {
        let mut answer = r#"{"content":[],"_meta":{"daktela/report":{"tool":"list_things","records":[
            {"kind":"thing","ids":["1","2"],"count":3},{"kind":"call","ids":[],"count":900}],"personal":[],"arguments":{}}}}"#
            .to_owned();
        let report = take_meta(&mut answer).report.unwrap();
        assert_eq!(
            (report.records_shown(), report.tool.as_deref()),
            (3, Some("list_things"))
        );
        assert_eq!(answer, r#"{"content":[]}"#);
    }

    #[test]
    fn other_answers_stay_as_they_are() {
        for text in [
            r#"{"content":[],"_meta":{"daktela/first":{}}}"#,
            r#"{"content":[{"type":"text","text":"daktela/hints"}]}"#,
            "daktela/hints",
        ] {
            let mut answer = text.to_owned();
            assert_eq!(take_meta(&mut answer).hints, None);
            assert_eq!(answer, text);
        }
    }

    #[test]
    fn malformed_hints_are_taken_out_and_dropped() {
        let mut answer = r#"{"content":[],"_meta":{"daktela/hints":"all"}}"#.to_owned();
        assert_eq!(take_meta(&mut answer).hints, None);
        assert_eq!(answer, r#"{"content":[]}"#);
    }
}
