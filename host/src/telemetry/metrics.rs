//! Prometheus metrics. No label identifies a caller.

use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex, OnceLock, PoisonError, atomic::AtomicU64},
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};

use super::{CallRecord, log};

/// From an answer out of the cache to one that ran into the usual time limit.
const DURATIONS_SECONDS: [f64; 10] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct CallLabels {
    method: &'static str,
    tool: String,
    status: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct MethodLabel {
    method: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct StatusLabel {
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct EventLabel {
    event: &'static str,
}

type Durations = Family<MethodLabel, Histogram, fn() -> Histogram>;

/// Cheap to clone; all clones count together.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    calls: Family<CallLabels, Counter>,
    durations: Durations,
    in_flight: Gauge,
    started: Arc<Mutex<Started>>,
    answer_bytes: Counter,
    upstream_requests: Counter,
    upstream_bytes: Counter,
    cache_hits: Counter,
    retries: Counter,
    backoff: Counter<f64, AtomicU64>,
    queued: Counter<f64, AtomicU64>,
    http: Family<StatusLabel, Counter>,
    connections_refused: Counter,
    identities: Gauge,
    oauth: Family<EventLabel, Counter>,
    /// Names that may be labels. A caller can write anything where a tool's name belongs, and each label costs memory.
    tools: Arc<OnceLock<HashSet<String>>>,
}

/// When the calls in flight began.
struct Started {
    calls: BTreeMap<u64, Instant>,
    next: u64,
    /// No call takes longer.
    time_max: Duration,
}

/// A call in flight.
pub(crate) struct InFlight(u64);

impl Metrics {
    /// `time_max` is what a call takes at most, its time in the queue included.
    pub fn new(time_max: Duration) -> Self {
        let mut registry = Registry::with_prefix("mcp_daktela");
        let calls = Family::default();
        registry.register("calls", "MCP requests, by method, tool and outcome", calls.clone());
        let histogram: fn() -> Histogram = || Histogram::new(DURATIONS_SECONDS);
        let durations = Durations::new_with_constructor(histogram);
        registry.register_with_unit(
            "call_duration",
            "Duration of MCP requests",
            Unit::Seconds,
            durations.clone(),
        );
        let in_flight = Gauge::default();
        registry.register(
            "calls_in_flight",
            "MCP requests that run or wait for their turn",
            in_flight.clone(),
        );
        let answer_bytes = Counter::default();
        registry.register_with_unit(
            "answer",
            "Size of all answers to clients",
            Unit::Bytes,
            answer_bytes.clone(),
        );
        let upstream_requests = Counter::default();
        registry.register(
            "upstream_requests",
            "Requests sent to Daktela, retries included",
            upstream_requests.clone(),
        );
        let upstream_bytes = Counter::default();
        registry.register_with_unit(
            "upstream",
            "Size of Daktela's answers, decompressed",
            Unit::Bytes,
            upstream_bytes.clone(),
        );
        let cache_hits = Counter::default();
        registry.register("cache_hits", "Upstream reads served from cache", cache_hits.clone());
        let retries = Counter::default();
        registry.register("upstream_retries", "Retries of requests to Daktela", retries.clone());
        let backoff = Counter::default();
        registry.register_with_unit(
            "upstream_backoff",
            "Time that retries of requests to Daktela waited before they were sent",
            Unit::Seconds,
            backoff.clone(),
        );
        let queued = Counter::default();
        registry.register_with_unit(
            "call_queue",
            "Time that MCP requests waited for their turn",
            Unit::Seconds,
            queued.clone(),
        );
        let http = Family::default();
        registry.register("http_responses", "HTTP responses, by status code", http.clone());
        let connections_refused = Counter::default();
        registry.register(
            "connections_refused",
            "Connections closed at once, since their address had too many",
            connections_refused.clone(),
        );
        let identities = Gauge::default();
        registry.register(
            "identities",
            "Callers that are known, each with a login and a cache of its own",
            identities.clone(),
        );
        let oauth = Family::default();
        registry.register("oauth_events", "OAuth logins and tokens, by event", oauth.clone());
        registry.register(
            "log_lines_dropped",
            "Lines of the log that were dropped, since nobody read it",
            log::dropped(),
        );
        Self {
            registry: Arc::new(registry),
            calls,
            durations,
            in_flight,
            started: Arc::new(Mutex::new(Started {
                calls: BTreeMap::new(),
                next: 0,
                time_max,
            })),
            answer_bytes,
            upstream_requests,
            upstream_bytes,
            cache_hits,
            retries,
            backoff,
            queued,
            http,
            connections_refused,
            identities,
            oauth,
            tools: Arc::default(),
        }
    }

    /// Only these become labels.
    pub(crate) fn know_tools(&self, names: impl IntoIterator<Item = String>) {
        // A second server over the same host has the same tools.
        let _ = self.tools.set(names.into_iter().collect());
    }

    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let id = started.next;
        started.next += 1;
        started.calls.insert(id, Instant::now());
        InFlight(id)
    }

    /// Whether a call runs longer than any may, so that something in the program is blocked.
    pub(crate) fn has_stuck_calls(&self) -> bool {
        let started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let oldest = started.calls.first_key_value();
        oldest.is_some_and(|(_, begun)| begun.elapsed() > started.time_max)
    }

    pub(crate) fn end(&self, InFlight(id): InFlight, record: &CallRecord<'_>) {
        self.in_flight.dec();
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        started.calls.remove(&id);
        drop(started);
        let labels = CallLabels {
            method: record.method,
            tool: self.label(record.tool).to_owned(),
            status: record.outcome.as_str(),
        };
        self.calls.get_or_create(&labels).inc();
        self.durations
            .get_or_create(&MethodLabel { method: record.method })
            .observe(record.duration.as_secs_f64());
        self.answer_bytes.inc_by(record.answer_bytes as u64);
        self.upstream_requests.inc_by(record.usage.requests);
        self.upstream_bytes.inc_by(record.usage.bytes);
        self.cache_hits.inc_by(record.usage.cache_hits);
        self.retries.inc_by(record.usage.retries);
        self.backoff.inc_by(record.usage.paused.as_secs_f64());
        self.queued.inc_by(record.usage.queued.as_secs_f64());
    }

    /// What a tool is called where each name costs.
    pub(crate) fn label<'a>(&self, tool: Option<&'a str>) -> &'a str {
        let is_known = |name: &str| self.tools.get().is_some_and(|tools| tools.contains(name));
        match tool {
            None => "",
            Some(name) if is_known(name) => name,
            Some(_) => "(unknown)",
        }
    }

    pub(crate) fn answered(&self, status: http::StatusCode) {
        self.http
            .get_or_create(&StatusLabel {
                status: status.as_u16(),
            })
            .inc();
    }

    pub(crate) fn connection_refused(&self) {
        self.connections_refused.inc();
    }

    pub(crate) fn oauth(&self, event: &'static str) {
        self.oauth.get_or_create(&EventLabel { event }).inc();
    }

    /// The page that Prometheus reads.
    pub(crate) fn page(&self, identities: u64) -> String {
        self.identities.set(i64::try_from(identities).unwrap_or(i64::MAX));
        let mut page = String::new();
        // Only a writer can fail, and a String does not.
        let _ = encode(&mut page, &self.registry);
        page
    }
}
