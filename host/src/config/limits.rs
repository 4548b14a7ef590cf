//! Limits of one call and of all calls together: time, memory, size, concurrency.

use std::time::Duration;

use clap::Args;

use super::size;
use crate::{
    egress::{CallLimits, Network},
    sandbox::{Limits, ScanLimits},
};

/// Of the sandbox's memory, which comes in pages of 64 KiB.
const MEBIBYTE: usize = 1024 * 1024;

/// Of what travels.
const MEGABYTE: usize = 1_000_000;

/// Their defaults, with the reasons, are those of the types that they become.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Time limit, in seconds, of all requests that one call sends to Daktela, retries included
    #[arg(long, global = true, env = "DAKTELA_TIMEOUT", value_name = "SECONDS", default_value_t = CallLimits::default().timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,

    /// Number of calls that run at the same time; further ones are queued
    #[arg(long, alias = "max-calls", global = true, env = "DAKTELA_MAX_CONCURRENT_CALLS", value_name = "NUMBER", default_value_t = Limits::default().calls as u64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub max_concurrent_calls: u64,

    /// Number of calls in the queue, which serves callers in rotation; further ones are refused as "busy"
    #[arg(long, alias = "max-waiting", global = true, env = "DAKTELA_MAX_QUEUED_CALLS", value_name = "NUMBER", default_value_t = Limits::default().waiting as u64, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    pub max_queued_calls: u64,

    /// Memory limit of one call, in MiB
    #[arg(long, global = true, env = "DAKTELA_MEMORY_MB", value_name = "MB", default_value_t = (Limits::default().memory_bytes / MEBIBYTE) as u64, value_parser = clap::value_parser!(u64).range(8..=4000))]
    pub memory_mb: u64,

    /// CPU time limit of one call, in seconds; time spent waiting is not counted
    #[arg(long, alias = "compute-seconds", global = true, env = "DAKTELA_CPU_SECONDS", value_name = "SECONDS", default_value_t = Limits::default().compute.as_secs(), value_parser = clap::value_parser!(u64).range(1..=600))]
    pub cpu_seconds: u64,

    /// Largest answer, in bytes, that a caller may ask for with the argument max_bytes
    #[arg(long, global = true, env = "DAKTELA_MAX_ANSWER_BYTES", value_name = "BYTES", default_value_t = Limits::default().answer_bytes as u64, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    pub max_answer_bytes: u64,

    /// Number of records that one call reads for statistics and computed filters; beyond it the answer says what it covers
    #[arg(long, global = true, env = "DAKTELA_MAX_SCAN_ROWS", value_name = "NUMBER", default_value_t = ScanLimits::default().rows, value_parser = clap::value_parser!(u64).range(200..=10_000_000))]
    pub max_scan_rows: u64,

    /// Number of requests of one such call
    #[arg(long, global = true, env = "DAKTELA_MAX_SCAN_REQUESTS", value_name = "NUMBER", default_value_t = ScanLimits::default().requests, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub max_scan_requests: u64,

    /// Bytes that one such call reads, decompressed
    #[arg(long, global = true, env = "DAKTELA_MAX_SCAN_BYTES", value_name = "BYTES", default_value_t = ScanLimits::default().bytes, value_parser = clap::value_parser!(u64).range(100_000..=10_000_000_000))]
    pub max_scan_bytes: u64,

    /// Seconds for which one such call reads; keep it below --timeout
    #[arg(long, global = true, env = "DAKTELA_MAX_SCAN_SECONDS", value_name = "SECONDS", default_value_t = ScanLimits::default().seconds, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub max_scan_seconds: u64,

    /// Number of requests that one call may send to Daktela, retries included
    #[arg(long, global = true, env = "DAKTELA_MAX_UPSTREAM_REQUESTS", value_name = "NUMBER", default_value_t = CallLimits::default().requests, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub max_upstream_requests: u64,

    /// Largest single response of Daktela, in MB, decompressed. Parsed, it takes six times as much of the call's memory
    #[arg(long, global = true, env = "DAKTELA_MAX_UPSTREAM_BODY_MB", value_name = "MB", default_value_t = (CallLimits::default().body_bytes / MEGABYTE) as u64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub max_upstream_body_mb: u64,

    /// Largest sum of all responses of Daktela to one call, in MB, decompressed
    #[arg(long, global = true, env = "DAKTELA_MAX_UPSTREAM_MB", value_name = "MB", default_value_t = (CallLimits::default().bytes / MEGABYTE) as u64, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub max_upstream_mb: u64,

    /// Number of concurrent requests to Daktela per credential; further ones are queued
    #[arg(long, alias = "upstream-at-once", global = true, env = "DAKTELA_UPSTREAM_CONCURRENCY", value_name = "NUMBER", default_value_t = Network::default().max_concurrent_requests as u64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub upstream_concurrency: u64,

    /// Number of core modules that a component may consist of, and of tables that they may have
    #[arg(long, global = true, env = "DAKTELA_MAX_MODULES", value_name = "NUMBER", default_value_t = Limits::default().modules, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub max_modules: u32,

    /// Number of entries that one table of a component may have
    #[arg(long, global = true, env = "DAKTELA_MAX_TABLE_ELEMENTS", value_name = "NUMBER", default_value_t = Limits::default().table_elements as u64, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub max_table_elements: u64,
}

impl LimitOptions {
    pub fn limits(&self) -> Limits {
        Limits {
            calls: size(self.max_concurrent_calls),
            waiting: size(self.max_queued_calls),
            memory_bytes: size(self.memory_mb).saturating_mul(MEBIBYTE),
            compute: Duration::from_secs(self.cpu_seconds),
            answer_bytes: size(self.max_answer_bytes),
            scan: ScanLimits {
                rows: self.max_scan_rows,
                requests: self.max_scan_requests,
                bytes: self.max_scan_bytes,
                seconds: self.max_scan_seconds,
            },
            modules: self.max_modules,
            table_elements: size(self.max_table_elements),
        }
    }

    pub fn budget(&self) -> CallLimits {
        CallLimits {
            timeout: Duration::from_secs(self.timeout),
            requests: self.max_upstream_requests,
            body_bytes: size(self.max_upstream_body_mb).saturating_mul(MEGABYTE),
            bytes: size(self.max_upstream_mb).saturating_mul(MEGABYTE),
        }
    }
}
