//! Observability: the log, Prometheus metrics, OpenTelemetry traces, and the record of a call that feeds all three.

pub mod call_record;
pub mod log;
pub mod metrics;
pub mod traces;

pub use call_record::{CallRecord, Outcome};
pub use metrics::Metrics;
pub use traces::Traces;
