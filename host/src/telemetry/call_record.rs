//! Access log record of one call: the fields that log, metrics and traces share.

use std::time::{Duration, SystemTime};

use crate::egress::Usage;

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    Ok,
    /// The tool's answer is an error that its caller can correct.
    ErrorAnswer,
    Failed,
    /// Its caller cancelled it or left.
    Cancelled,
}

/// What is known of a call when it is over. Holds no secret and no text of a customer.
#[derive(Debug)]
pub struct CallRecord<'a> {
    /// The MCP method, e.g. `tools/call`.
    pub method: &'static str,
    /// The name of the tool as its caller wrote it, where it looks like one.
    pub tool: Option<&'a str>,
    pub outcome: Outcome,
    pub started: SystemTime,
    pub duration: Duration,
    pub answer_bytes: usize,
    pub usage: Usage,
    pub request_id: Option<&'a str>,
    /// Keyed hash of instance and credential.
    pub identity: Option<String>,
    /// Host name of the Daktela instance.
    pub tenant: Option<&'a str>,
    /// The client's own span (W3C Trace Context).
    pub traceparent: Option<&'a str>,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ErrorAnswer => "error answer",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl CallRecord<'_> {
    /// Writes one line to the log.
    pub(crate) fn log(&self) {
        tracing::info!(
            event = "call",
            request_id = self.request_id,
            who = self.identity,
            tenant = self.tenant,
            method = self.method,
            tool = self.tool,
            status = self.outcome.as_str(),
            duration_ms = milliseconds(self.duration),
            answer_bytes = self.answer_bytes,
            upstream_requests = self.usage.requests,
            upstream_bytes = self.usage.bytes,
            cache_hits = self.usage.cache_hits,
            retries = self.usage.retries,
            paused_ms = milliseconds(self.usage.paused),
            queued_ms = milliseconds(self.usage.queued),
            "call ended"
        );
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
