//! Limits: each is a flag, and whoever exceeds it is told which.

use std::{
    process::Output,
    thread,
    time::{Duration, Instant},
};

use daktela_demo::{Action, Demo, Fault, READERS, TOKEN, reader_token};
use serde_json::{Value, json};

use crate::{
    program::{self, Program},
    server_harness::{Ask, Served},
};

/// The program with a component that misbehaves, and the given limits.
fn hostile(demo: &Demo, limits: &[(&str, &str)]) -> Program {
    let origin = demo.origin();
    let ours = [
        ("DAKTELA_URL", origin.as_str()),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ("DAKTELA_COMPONENT", daktela_test_guests::HOSTILE),
    ];
    Program::start(&[&ours[..], limits].concat())
}

fn text(answer: &Value) -> &str {
    answer["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("no text: {answer}"))
}

#[test]
fn a_call_meets_the_limit_that_was_set() {
    for (limit, value, tool, expected) in [
        (
            "DAKTELA_CPU_SECONDS",
            "1",
            "spin",
            "The call computed for more than 1 s; ask for less at once, or raise --cpu-seconds.",
        ),
        (
            "DAKTELA_MEMORY_MB",
            "16",
            "grow",
            "The call needed more memory than it may use (16 MB); ask for less at once, or raise --memory-mb.",
        ),
        (
            "DAKTELA_MAX_UPSTREAM_REQUESTS",
            "5",
            "flood",
            "5 requests were answered",
        ),
        // One answer of 600 KB is within the limit, two are not.
        ("DAKTELA_MAX_UPSTREAM_MB", "1", "flood", "1 requests were answered"),
    ] {
        let demo = Demo::start().expect("a demo instance");
        if limit == "DAKTELA_MAX_UPSTREAM_MB" {
            demo.inject(Fault {
                times: 9,
                action: Some(Action::HugeBody {
                    bytes: 600_000,
                    streamed: true,
                }),
                ..Fault::default()
            });
        }
        let answer = hostile(&demo, &[(limit, value)]).call(tool, &json!({}));
        assert_eq!(text(&answer), expected, "{limit}");
    }
}

/// Each request is waited for through a tick of the clock that interrupts what computes.
#[test]
fn waiting_is_not_computing() {
    let demo = Demo::start().expect("a demo instance");
    demo.inject(Fault {
        times: 150,
        delay: Some(Duration::from_millis(15)),
        ..Fault::default()
    });
    let limits = [("DAKTELA_CPU_SECONDS", "1"), ("DAKTELA_MAX_UPSTREAM_REQUESTS", "150")];
    let answer = hostile(&demo, &limits).call("flood", &json!({}));
    assert_eq!(text(&answer), "150 requests were answered");
}

#[test]
fn a_component_whose_list_has_no_end_does_not_start() {
    let endless = [
        ("DAKTELA_COMPONENT", daktela_test_guests::HOSTILE),
        ("DAKTELA_MAX_ANSWER_BYTES", "424242"),
    ];
    let output = program::command(&endless)
        .args(["--demo", "tools"])
        .output()
        .expect("the program runs");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr).trim_end(),
        "mcp-daktela: the component lists its tools in more than 200 pages; expected a last one, without nextCursor"
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn an_answer_of_daktelas_is_as_large_as_was_set() {
    for (limit, whole) in [("1", false), ("3", true)] {
        let demo = Demo::start().expect("a demo instance");
        demo.inject(Fault {
            matches: "tickets".to_owned(),
            action: Some(Action::HugeBody {
                bytes: 2_000_000,
                streamed: false,
            }),
            ..Fault::default()
        });
        let origin = demo.origin();
        let mut program = Program::start(&[
            ("DAKTELA_URL", &origin),
            ("DAKTELA_ACCESS_TOKEN", TOKEN),
            ("DAKTELA_MAX_UPSTREAM_BODY_MB", limit),
        ]);
        let answer = program.call("list_tickets", &json!({"take": 1}));
        assert_eq!(answer["isError"], !whole, "{limit}: {answer}");
        let too_large = "Daktela's answer for tickets is larger than the limit.";
        assert_eq!(text(&answer).starts_with(too_large), !whole, "{limit}: {answer}");
    }
}

#[test]
fn a_component_of_more_modules_or_larger_tables_does_not_load() {
    let tools = |limit: (&str, &str)| -> Output {
        program::command(&[limit])
            .args(["--demo", "tools"])
            .output()
            .expect("the program runs")
    };
    for (limit, told) in [
        (("DAKTELA_MAX_MODULES", "1"), "exceeds the configured maximum of 1"),
        (("DAKTELA_MAX_TABLE_ELEMENTS", "1"), "exceeds the limit of 1"),
    ] {
        let output = tools(limit);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{limit:?}: {said}");
        assert!(said.contains(told), "{limit:?}: {said}");
    }
    assert!(tools(("DAKTELA_MAX_MODULES", "3")).status.success());
}

#[test]
fn a_limit_that_cannot_be_meant_is_refused() {
    for (limit, value) in [
        ("DAKTELA_CPU_SECONDS", "0"),
        ("DAKTELA_UPSTREAM_CONCURRENCY", "0"),
        ("DAKTELA_MAX_QUEUED_CALLS", "many"),
        ("CACHE_TTL_SECONDS", "31556952001"),
        ("DAKTELA_PROXY", "socks5://proxy.example.com"),
    ] {
        let output = program::command(&[(limit, value)])
            .args(["--demo", "tools"])
            .output()
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(2) && said.contains(value),
            "{limit}: {said}"
        );
    }
}

/// One call runs, one waits, and a third hears at once that there is no room.
#[test]
fn who_finds_no_room_hears_that_the_server_is_busy() {
    let demo = Demo::start().expect("a demo instance");
    let mut program = hostile(
        &demo,
        &[
            ("DAKTELA_MAX_CONCURRENT_CALLS", "1"),
            ("DAKTELA_MAX_QUEUED_CALLS", "1"),
            ("DAKTELA_TIMEOUT", "2"),
        ],
    );
    let started = Instant::now();
    let sleep = json!({"name": "sleep", "arguments": {}});
    let ids: Vec<u64> = (0..3)
        .map(|_| {
            let id = program.send_request("tools/call", sleep.clone());
            // In this order, not in the one in which threads wake up.
            thread::sleep(Duration::from_millis(200));
            id
        })
        .collect();
    let mut heard = |expected: u64| {
        let (id, answer) = program.receive();
        assert_eq!(id, expected, "{answer}");
        (text(&answer["result"]).to_owned(), started.elapsed())
    };
    let (said, after) = heard(ids[2]);
    assert_eq!(
        said,
        "The server is busy: 1 calls run and 1 wait. Call again in a moment; --max-concurrent-calls and --max-queued-calls set how many may."
    );
    assert!(after < Duration::from_secs(2), "{after:?}");
    let (said, _) = heard(ids[1]);
    assert_eq!(
        said,
        "The server is busy: no turn came within 2 s. Call again in a moment, or raise --max-concurrent-calls."
    );
    let (said, _) = heard(ids[0]);
    assert_eq!(
        said,
        "The call took too long; ask for less at once, or raise --timeout."
    );
}

/// Whoever has many calls waiting does not hold up those who have one.
#[test]
fn callers_take_turns() {
    let demo = Demo::start().expect("a demo instance");
    let served = Served::start(&[("DAKTELA_MAX_CONCURRENT_CALLS", "1")]);
    let call = |reader: u64| {
        let ask = Ask::call("count_tickets", json!({})).read_as(&demo.origin(), &reader_token(reader % READERS));
        assert_eq!(served.ask(&ask).json()["result"]["isError"], false);
    };
    // Callers whom Daktela has not answered yet share a limit of their own.
    call(1);
    call(2);
    demo.inject(Fault {
        matches: "tickets".to_owned(),
        times: 20,
        delay: Some(Duration::from_millis(300)),
        action: None,
    });
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| call(1));
        }
        thread::sleep(Duration::from_millis(150));
        scope.spawn(|| call(2));
    });
    let lines = &served.log("call", 8)[2..];
    let first = &lines[0]["who"];
    let at = lines
        .iter()
        .position(|line| &line["who"] != first)
        .expect("the other caller");
    assert!(
        at <= 2,
        "the other caller's call ended as number {} of 6: {lines:?}",
        at + 1
    );
    assert!(lines[at]["queued_ms"].as_u64() > Some(0), "{}", lines[at]);
}

/// A proxy that the environment names for other programs would see what goes to Daktela.
#[test]
fn a_proxy_of_the_environment_is_not_used() {
    let nobody = "http://127.0.0.1:1";
    let variables = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"].map(|name| (name, nobody));
    let output = program::command(&variables)
        .args(["--demo", "call", "count_tickets"])
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{output:?}");
}
