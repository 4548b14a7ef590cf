//! What a collector of OpenTelemetry is sent, and a log that nobody reads.

mod log;
mod traces;
