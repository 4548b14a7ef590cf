//! Audit and quotas: what is written down of calls, and how many of them a caller may make.

use std::path::PathBuf;

use clap::Args;
use jiff::tz::TimeZone;

use crate::{
    limits::{
        hours::{Hours, HoursError},
        quota::QuotaSettings,
    },
    telemetry::audit::AuditSettings,
};

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Audit")]
pub struct AuditOptions {
    /// Write an audit line for each call to the log: who, which tool, which records, arguments, outcome
    #[arg(long, global = true, env = "AUDIT_LOG", help_heading = "Audit")]
    pub audit_log: bool,

    /// File that gets the same lines, with sequence numbers and a hash chain; `mcp-daktela audit verify` looks for gaps
    #[arg(long, global = true, env = "AUDIT_FILE", value_name = "FILE", help_heading = "Audit")]
    pub audit_file: Option<PathBuf>,

    /// Have each line on the disk (fsync) before its call is answered; otherwise it is there within a second
    #[arg(long, global = true, env = "AUDIT_FSYNC", help_heading = "Audit")]
    pub audit_fsync: bool,

    /// Refuse calls while the audit file cannot be written
    #[arg(long, global = true, env = "AUDIT_REQUIRED", help_heading = "Audit")]
    pub audit_required: bool,
}

impl AuditOptions {
    pub fn settings(&self) -> AuditSettings {
        AuditSettings {
            to_log: self.audit_log,
            file: self.audit_file.clone(),
            syncs_each_line: self.audit_fsync,
            is_required: self.audit_required,
        }
    }
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Quotas")]
pub struct QuotaOptions {
    /// Number of calls that a caller may make on a day
    #[arg(long, global = true, env = "DAKTELA_DAILY_CALLS", value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Quotas")]
    pub daily_calls: Option<u64>,

    /// Number of records whose contents a caller may get on a day; the answer that exceeds it is the last
    #[arg(long, global = true, env = "DAKTELA_DAILY_RECORDS", value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Quotas")]
    pub daily_records: Option<u64>,

    /// Bytes of answers that a caller may get on a day; the answer that exceeds it is the last
    #[arg(long, global = true, env = "DAKTELA_DAILY_BYTES", value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Quotas")]
    pub daily_bytes: Option<u64>,

    /// Days and times at which calls are served, e.g. "Mon-Fri 07:00-19:00, Sat 08:00-12:00"
    #[arg(long, global = true, env = "DAKTELA_HOURS", value_name = "HOURS", value_parser = hours, help_heading = "Quotas")]
    pub hours: Option<Hours>,

    /// Time zone of --hours and of the days of quotas, e.g. Europe/Prague; without it that of the instance
    #[arg(long, global = true, env = "DAKTELA_TIME_ZONE", value_name = "ZONE", value_parser = zone, help_heading = "Quotas")]
    pub time_zone: Option<TimeZone>,

    /// Who decides on quotas and hours, for those who are refused, e.g. "IT, it@example.com"
    #[arg(
        long,
        global = true,
        env = "DAKTELA_CONTACT",
        value_name = "TEXT",
        help_heading = "Quotas"
    )]
    pub contact: Option<String>,
}

impl QuotaOptions {
    pub fn settings(&self) -> QuotaSettings {
        QuotaSettings {
            calls: self.daily_calls,
            records: self.daily_records,
            bytes: self.daily_bytes,
            hours: self.hours.clone(),
            zone: self.time_zone.clone(),
            contact: super::filled(self.contact.clone()),
        }
    }
}

fn hours(text: &str) -> Result<Hours, HoursError> {
    text.parse()
}

fn zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name.trim())
        .map_err(|_| format!("{name:?} is no time zone; expected its IANA name, e.g. Europe/Prague"))
}
