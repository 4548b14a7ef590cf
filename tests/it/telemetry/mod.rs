//! What a collector of OpenTelemetry is sent.

mod traces;
