//! Limits of one call and of all calls together: time, memory, size, concurrency.

use std::time::Duration;

use clap::Args;

use super::size;
use crate::{
    egress::{CallLimits, Network},
    sandbox::Limits,
};

/// Of the sandbox's memory, which comes in pages of 64 KiB.
const MEBIBYTE: usize = 1024 * 1024;

/// Of what travels.
const MEGABYTE: usize = 1_000_000;

/// Their defaults, with the reasons, are those of the types that they become.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// How long all requests of one call to Daktela may take together
    #[arg(long, global = true, env = "DAKTELA_TIMEOUT", value_name = "SECONDS", default_value_t = CallLimits::default().timeout.as_secs(), value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,

    /// How many calls run at the same time; more wait
    #[arg(long, global = true, env = "DAKTELA_MAX_CALLS", value_name = "NUMBER", default_value_t = Limits::default().calls as u64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub max_calls: u64,

    /// How many calls wait for their turn, callers in rotation; more are told that the server is busy
    #[arg(long, global = true, env = "DAKTELA_MAX_WAITING", value_name = "NUMBER", default_value_t = Limits::default().waiting as u64, value_parser = clap::value_parser!(u64).range(0..=100_000))]
    pub max_waiting: u64,

    /// How much memory one call may use
    #[arg(long, global = true, env = "DAKTELA_MEMORY_MB", value_name = "MB", default_value_t = (Limits::default().memory_bytes / MEBIBYTE) as u64, value_parser = clap::value_parser!(u64).range(8..=4000))]
    pub memory_mb: u64,

    /// How long one call may compute, waiting not counted
    #[arg(long, global = true, env = "DAKTELA_COMPUTE_SECONDS", value_name = "SECONDS", default_value_t = Limits::default().compute.as_secs(), value_parser = clap::value_parser!(u64).range(1..=600))]
    pub compute_seconds: u64,

    /// The largest answer that a caller may ask for
    #[arg(long, global = true, env = "DAKTELA_MAX_ANSWER_BYTES", value_name = "BYTES", default_value_t = Limits::default().answer_bytes as u64, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    pub max_answer_bytes: u64,

    /// How many requests one call may send to Daktela, repeated ones included
    #[arg(long, global = true, env = "DAKTELA_MAX_UPSTREAM_REQUESTS", value_name = "NUMBER", default_value_t = CallLimits::default().requests, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub max_upstream_requests: u64,

    /// The largest single answer of Daktela, unpacked. Parsed, it takes six times as much of the call's memory
    #[arg(long, global = true, env = "DAKTELA_MAX_UPSTREAM_BODY_MB", value_name = "MB", default_value_t = (CallLimits::default().body_bytes / MEGABYTE) as u64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub max_upstream_body_mb: u64,

    /// All answers of Daktela to one call together, unpacked
    #[arg(long, global = true, env = "DAKTELA_MAX_UPSTREAM_MB", value_name = "MB", default_value_t = (CallLimits::default().bytes / MEGABYTE) as u64, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub max_upstream_mb: u64,

    /// How many requests Daktela gets from one credential at once
    #[arg(long, global = true, env = "DAKTELA_UPSTREAM_AT_ONCE", value_name = "NUMBER", default_value_t = Network::default().max_concurrent_requests as u64, value_parser = clap::value_parser!(u64).range(1..=1000))]
    pub upstream_at_once: u64,

    /// How many core modules a component may consist of, and how many tables they may have
    #[arg(long, global = true, env = "DAKTELA_MAX_MODULES", value_name = "NUMBER", default_value_t = Limits::default().modules, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub max_modules: u32,

    /// How many entries such a table may have
    #[arg(long, global = true, env = "DAKTELA_MAX_TABLE_ELEMENTS", value_name = "NUMBER", default_value_t = Limits::default().table_elements as u64, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub max_table_elements: u64,
}

impl LimitOptions {
    pub fn limits(&self) -> Limits {
        Limits {
            calls: size(self.max_calls),
            waiting: size(self.max_waiting),
            memory_bytes: size(self.memory_mb).saturating_mul(MEBIBYTE),
            compute: Duration::from_secs(self.compute_seconds),
            answer_bytes: size(self.max_answer_bytes),
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
