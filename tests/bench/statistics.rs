//! Statistics over a large company, through the program as it is released: time, requests, bytes of the answer and peak memory, with 50 ms
//! of latency at every request.
//!
//! `cargo bench --bench statistics`. Fails where a month of 10,000 calls takes longer, more requests, more bytes or more memory than
//! `docs/evaluation.md` promises.

use std::{
    fs,
    process::ExitCode,
    time::{Duration, Instant},
};

use daktela_demo::{Demo, Fault, Quirks, TOKEN};
use daktela_tests::program::Program;
use serde_json::{Value, json};

/// About 10,000 calls, 5,000 e-mails and 4,000 tickets in October 2026.
const SCALE: usize = 50;
const LATENCY: Duration = Duration::from_millis(50);

const TIME_MAX: Duration = Duration::from_secs(3);
const REQUESTS_MAX: usize = 40;
const BYTES_MAX: usize = 4_096;
/// What the peak of memory may exceed that of a list of 200 records by, in KiB: pages that arrive at once, and the allocators' own sizes.
const MEMORY_TOLERANCE: u64 = 8 * 1024;

/// What the others are compared with.
const LIST: (&str, &str) = ("list_calls", r#"{"take": 200}"#);

/// Questions about a month.
const MONTH: &[(&str, &str)] = &[
    (
        "call_statistics",
        r#"{"date_from": "2026-10-01", "date_to": "2026-10-31", "group_by": "hour", "of": "waiting"}"#,
    ),
    (
        "call_statistics",
        r#"{"date_from": "2026-10-01", "date_to": "2026-10-31", "group_by": "agent", "of": "duration", "answered": true}"#,
    ),
    (
        "call_statistics",
        r#"{"date_from": "2026-10-01", "date_to": "2026-10-31", "group_by": "caller", "direction": "in", "min_count": 3}"#,
    ),
    (
        "call_statistics",
        r#"{"date_from": "2026-10-01", "date_to": "2026-10-31", "group_by": "weekday", "then_by": "hour"}"#,
    ),
    (
        "call_statistics",
        r#"{"date_from": "2026-10-01", "date_to": "2026-10-31", "group_by": "queue", "of": "waiting", "compare_from": "2026-09-01", "compare_to": "2026-09-30"}"#,
    ),
    (
        "email_statistics",
        r#"{"date_from": "2026-10-01", "date_to": "2026-10-31", "group_by": "agent", "of": "waiting"}"#,
    ),
    (
        "ticket_statistics",
        r#"{"date_from": "2026-10-01", "date_to": "2026-10-31", "group_by": "category", "of": "solution"}"#,
    ),
];

/// One call of a program that has just started.
struct Measured {
    took: Duration,
    requests: usize,
    bytes: usize,
    /// The most that the process had resident, in KiB: with the call, and before it.
    peak: u64,
    idle: u64,
}

/// Of a process, in KiB.
fn memory(pid: u32, what: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("a process of Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(what)).expect("a line");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

fn measure(demo: &Demo, tool: &str, arguments: &str) -> Measured {
    let origin = demo.origin();
    let mut program = Program::start(&[
        ("DAKTELA_URL", &origin),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ("LOG_LEVEL", "off"),
    ]);
    // The first call of a program also connects.
    program.call("list_pauses", &json!({}));
    let idle = memory(program.pid(), "VmHWM:");
    demo.take_requests();
    let arguments: Value = serde_json::from_str(arguments).expect("JSON");
    let started = Instant::now();
    let answer = program.call(tool, &arguments);
    let took = started.elapsed();
    assert_eq!(answer["isError"], false, "{tool} {arguments}: {answer}");
    Measured {
        took,
        requests: demo.take_requests().len(),
        bytes: answer["content"][0]["text"].as_str().expect("a text").len(),
        peak: memory(program.pid(), "VmHWM:"),
        idle,
    }
}

fn main() -> ExitCode {
    let demo = Demo::start_with(Quirks {
        scale: SCALE,
        ..Quirks::default()
    })
    .expect("a demo instance");
    demo.inject(Fault {
        times: usize::MAX,
        delay: Some(LATENCY),
        ..Fault::default()
    });
    let show = |tool: &str, arguments: &str, of: &Measured| {
        eprintln!(
            "{:5.2} s {:3} requests {:6} bytes {:6.1} MiB peak ({:.1} more than idle)  {tool} {arguments}",
            of.took.as_secs_f64(),
            of.requests,
            of.bytes,
            of.peak as f64 / 1024.0,
            (of.peak - of.idle) as f64 / 1024.0,
        );
    };
    let list = measure(&demo, LIST.0, LIST.1);
    show(LIST.0, LIST.1, &list);
    let mut failed = 0;
    for (tool, arguments) in MONTH {
        let of = measure(&demo, tool, arguments);
        show(tool, arguments, &of);
        // A comparison reads two months.
        let months = if arguments.contains("compare_from") { 2 } else { 1 };
        let is_right = of.took <= TIME_MAX * months
            && of.requests <= REQUESTS_MAX * months as usize
            && of.bytes <= BYTES_MAX
            && of.peak <= list.peak + MEMORY_TOLERANCE;
        if !is_right {
            eprintln!("      beyond what is promised");
            failed += 1;
        }
    }
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
