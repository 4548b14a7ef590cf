//! Audit: one line for each call that may read records, with who, which tool, which records, which kinds of personal data, the
//! arguments and the outcome; to the log, and to a file with a hash chain.

mod chain;
mod file;

pub use chain::{Finding, Head, Verified, verify};
pub use file::AuditFileError;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use file::AuditFile;

/// So many lines between two that tell the log how far the file is.
const HEAD_EVERY: u64 = 1_000;

/// What the operator decides.
#[derive(Debug, Clone, Default)]
pub struct AuditSettings {
    /// Whether lines go to the log.
    pub to_log: bool,
    pub file: Option<PathBuf>,
    /// Whether a line is on the disk before its call is answered.
    pub syncs_each_line: bool,
    /// Whether calls are refused while the file cannot be written.
    pub is_required: bool,
}

/// What the component tells of a call; see `wit/world.wit`.
#[derive(Debug, Default, Deserialize)]
pub struct Report {
    /// The tool that ran, where it is another than was named.
    pub tool: Option<String>,
    #[serde(default)]
    pub records: Vec<Records>,
    #[serde(default)]
    pub personal: Vec<Personal>,
    /// As they may be written down.
    pub arguments: Option<Value>,
}

/// Records of one kind that an answer holds.
#[derive(Debug, Serialize, Deserialize)]
pub struct Records {
    pub kind: String,
    /// The first of them; `count` says how many there are.
    #[serde(default)]
    pub ids: Vec<String>,
    pub count: u64,
}

/// A kind of personal data in an answer, and what was done to it.
#[derive(Debug, Serialize, Deserialize)]
pub struct Personal {
    pub kind: String,
    pub treatment: String,
}

impl Report {
    /// How many records the answer holds one by one; what is only counted is not among them.
    pub fn records_shown(&self) -> u64 {
        let named = self.records.iter().filter(|records| !records.ids.is_empty());
        named.map(|records| records.count).sum()
    }
}

/// A call, as its audit line tells it.
#[derive(Debug)]
pub struct AuditedCall<'a> {
    pub method: &'static str,
    pub tool: Option<&'a str>,
    pub status: &'static str,
    pub started: SystemTime,
    pub duration: Duration,
    pub answer_bytes: usize,
    pub request_id: Option<&'a str>,
    /// Keyed hash of instance and credential; absent for whoever started the program.
    pub identity: Option<&'a str>,
    /// The login at Daktela, where it is known.
    pub user: Option<&'a str>,
    pub tenant: Option<&'a str>,
    /// `None` where the component told nothing: it failed, or the call was refused or cancelled before.
    pub report: Option<&'a Report>,
}

/// Writes audit lines. Cheap to clone.
#[derive(Clone)]
pub struct Audit {
    inner: Arc<Inner>,
}

struct Inner {
    to_log: bool,
    file: Option<AuditFile>,
    is_required: bool,
    /// The last write failed.
    is_failing: AtomicBool,
}

/// The audit file cannot be written, and no call is served without it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the audit file of this server cannot be written, and without it no records are read; tell whoever runs the server"
)]
pub struct AuditUnavailable;

impl Audit {
    /// `None` where nothing is audited.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened, is in use, or does not end in a line of an audit.
    pub fn new(settings: &AuditSettings) -> Result<Option<Self>, AuditFileError> {
        if !settings.to_log && settings.file.is_none() {
            return Ok(None);
        }
        let file = settings.file.as_deref();
        let file = file
            .map(|path| AuditFile::open(path, settings.syncs_each_line))
            .transpose()?;
        let inner = Inner {
            to_log: settings.to_log,
            file,
            is_required: settings.is_required,
            is_failing: AtomicBool::new(false),
        };
        let audit = Self { inner: Arc::new(inner) };
        audit.inner.log_head();
        Ok(Some(audit))
    }

    /// Refuses a call before it reads anything, while the file cannot be written and has to be.
    pub fn check(&self) -> Result<(), AuditUnavailable> {
        if !self.inner.is_required || !self.inner.is_failing.load(Ordering::Acquire) {
            return Ok(());
        }
        let mut entry = Map::new();
        entry.insert("time".to_owned(), json!(now()));
        entry.insert("event".to_owned(), json!("audit_writable"));
        self.append(entry)
    }

    /// Writes the line of a call. An error only where the file has to be written, and then the call's answer must not leave.
    pub fn write(&self, call: &AuditedCall<'_>) -> Result<(), AuditUnavailable> {
        let entry = entry(call);
        if self.inner.to_log {
            let field = |name: &str| entry.get(name).map(Value::to_string);
            tracing::info!(
                event = "audit",
                request_id = call.request_id,
                who = call.identity,
                user = call.user,
                tenant = call.tenant,
                method = call.method,
                tool = call.tool,
                status = call.status,
                records = field("records"),
                personal = field("personal"),
                arguments = field("arguments"),
                "records were read"
            );
        }
        self.append(entry)
    }

    fn append(&self, entry: Map<String, Value>) -> Result<(), AuditUnavailable> {
        let Some(file) = &self.inner.file else { return Ok(()) };
        let written = file.append(entry);
        let was_failing = self.inner.is_failing.swap(written.is_err(), Ordering::AcqRel);
        match written {
            Ok(seq) => {
                if seq % HEAD_EVERY == 0 {
                    self.inner.log_head();
                }
                Ok(())
            }
            Err(error) => {
                if !was_failing {
                    tracing::error!(
                        event = "audit_failed",
                        reason = %error.kind(),
                        required = self.inner.is_required,
                        "the audit file cannot be written"
                    );
                }
                if self.inner.is_required {
                    Err(AuditUnavailable)
                } else {
                    Ok(())
                }
            }
        }
    }
}

impl Inner {
    /// Puts the number and the hash of the newest line into the log, where whoever changes the file does not reach it.
    fn log_head(&self) {
        if let Some(file) = &self.file {
            let head = file.head();
            tracing::info!(
                event = "audit_head",
                seq = head.seq,
                hash = head.hash,
                "the newest line of the audit file"
            );
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.log_head();
    }
}

fn entry(call: &AuditedCall<'_>) -> Map<String, Value> {
    let mut entry = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() {
            entry.insert(name.to_owned(), value);
        }
    };
    add("time", json!(rfc3339(call.started)));
    add("event", json!("call"));
    add("who", json!(call.identity.unwrap_or("local")));
    add("user", json!(call.user));
    add("tenant", json!(call.tenant));
    add("request_id", json!(call.request_id));
    add("method", json!(call.method));
    let ran = call.report.and_then(|report| report.tool.as_deref());
    add("tool", json!(ran.or(call.tool)));
    add("status", json!(call.status));
    add(
        "duration_ms",
        json!(u64::try_from(call.duration.as_millis()).unwrap_or(u64::MAX)),
    );
    add("answer_bytes", json!(call.answer_bytes));
    match call.report {
        Some(report) => {
            add("records", json!(report.records));
            add("personal", json!(report.personal));
            add("arguments", json!(report.arguments));
        }
        // Arguments may hold what only the component can mask.
        None => add("unreported", json!(true)),
    }
    entry
}

/// The time now, in UTC.
fn now() -> String {
    rfc3339(SystemTime::now())
}

/// `2026-11-26T06:20:01.123Z`
fn rfc3339(time: SystemTime) -> String {
    let passed = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let milliseconds = i64::try_from(passed.as_millis()).unwrap_or(i64::MAX);
    match jiff::Timestamp::from_millisecond(milliseconds) {
        Ok(time) => format!("{time:.3}"),
        // Beyond the year 9999.
        Err(_) => milliseconds.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_in_utc_with_milliseconds() {
        assert_eq!(
            rfc3339(UNIX_EPOCH + Duration::from_millis(1_795_674_001_123)),
            "2026-11-26T06:20:01.123Z"
        );
        assert_eq!(rfc3339(UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
    }
}
