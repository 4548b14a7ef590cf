//! Cases: question and whole answer in one golden file, `tests/cases/<tool>/<rule>.md`.
//!
//! A case is the rule as a heading, perhaps a build (`~ …`, see `upstream_variants`), and the call (`> tool {…}`). The rest is
//! written by `UPDATE_EXPECT=1`: the requests that the call caused, and the whole answer. Each case runs natively, through
//! the program and through the adapters for other hosts, and must come out the same.

use std::{fs, path::PathBuf};

use daktela_demo::{Demo, TOKEN};
use guest::{Settings, mcp::Server};
use serde_json::Value;

use super::{native::Native, upstream_variants};
use crate::{golden, program::Program};

/// What the origin of the demo instance, whose port differs each time, is called in cases.
pub(super) const ORIGIN: &str = "https://stoupak.example";

pub(super) struct Case {
    pub(super) path: PathBuf,
    pub(super) rule: String,
    pub(super) build: String,
    pub(super) tool: String,
    pub(super) arguments: Value,
}

/// What a call caused and answered.
pub(super) struct Outcome {
    pub(super) requests: Vec<String>,
    pub(super) answer: Value,
}

pub(super) fn read() -> Vec<Case> {
    golden::files(&golden::folder().join("cases"), "md")
        .into_iter()
        .map(parse)
        .collect()
}

fn parse(path: PathBuf) -> Case {
    let text = fs::read_to_string(&path).expect("a case");
    let line = |mark: &str| text.lines().find_map(|line| line.strip_prefix(mark)).map(str::trim);
    let call = line("> ").unwrap_or_else(|| panic!("{} has no call", path.display()));
    let (tool, arguments) = call.split_once(' ').unwrap_or((call, "{}"));
    Case {
        rule: line("# ")
            .unwrap_or_else(|| panic!("{} has no rule", path.display()))
            .to_owned(),
        build: line("~ ").unwrap_or_default().to_owned(),
        tool: tool.to_owned(),
        arguments: serde_json::from_str(arguments).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
        path,
    }
}

impl Case {
    pub(super) fn print(&self, outcome: &Outcome, origin: &str) -> String {
        let answer = &outcome.answer;
        let text = answer["content"][0]["text"]
            .as_str()
            .expect("one text")
            .replace(origin, ORIGIN);
        let build = if self.build.is_empty() {
            String::new()
        } else {
            format!("~ {}\n", self.build)
        };
        let arguments = if self.arguments.as_object().is_some_and(serde_json::Map::is_empty) {
            String::new()
        } else {
            format!(" {}", self.arguments)
        };
        let failed = if answer["isError"] == true { " (an error)" } else { "" };
        format!(
            "# {}\n{build}> {}{arguments}\n\n```requests\n{}\n```\n\n```answer{failed}\n{text}\n```\n",
            self.rule,
            self.tool,
            outcome.requests.join("\n"),
        )
    }
}

/// In a set order, since requests that are sent at once arrive in any.
pub(super) fn requests(demo: &Demo) -> Vec<String> {
    let mut requests: Vec<String> = demo
        .take_requests()
        .into_iter()
        .map(|request| request.summary)
        .collect();
    requests.sort();
    requests
}

#[test]
fn cases_hold_natively() {
    let demo = Demo::start().expect("a demo instance");
    let native = Native::new(demo.origin());
    let settings = Settings {
        origin: demo.origin(),
        ..Settings::default()
    };
    let check = |case: Case| {
        demo.set_quirks(upstream_variants::quirks(&case.build));
        let answer = Server::new(&settings, Ok(&native))
            .call_tool(&case.tool, &case.arguments.to_string())
            .expect("a tool");
        let outcome = Outcome {
            requests: requests(&demo),
            answer: serde_json::from_str(&answer).expect("JSON"),
        };
        golden::check(&case.path, &case.print(&outcome, &demo.origin())).err()
    };
    golden::report(read().into_iter().filter_map(check).collect());
}

/// Compares what comes of each case by another way with what came of it natively. Returns the cases that the way cannot
/// express, for which `call` gives nothing, by folder and file.
pub(crate) fn hold_through(way: &str, demo: &Demo, mut call: impl FnMut(&str, &Value) -> Option<Value>) -> Vec<String> {
    let mut passed_over = Vec::new();
    // The native half writes the golden files.
    if golden::updating() {
        return passed_over;
    }
    let mut check = |case: Case| {
        demo.set_quirks(upstream_variants::quirks(&case.build));
        demo.take_requests();
        let Some(answer) = call(&case.tool, &case.arguments) else {
            let name = case.path.strip_prefix(golden::folder().join("cases")).expect("a case");
            passed_over.push(name.display().to_string());
            return None;
        };
        let outcome = Outcome {
            requests: requests(demo),
            answer,
        };
        let expected = fs::read_to_string(&case.path).expect("a case");
        let actual = case.print(&outcome, &demo.origin());
        (expected != actual).then(|| {
            format!(
                "{}:\n--- natively\n{expected}\n--- {way}\n{actual}",
                case.path.display()
            )
        })
    };
    golden::report(read().into_iter().filter_map(&mut check).collect());
    passed_over
}

#[test]
fn cases_hold_through_the_program() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    // Without its cache, so that each case causes all of its requests.
    let variables = [
        ("DAKTELA_URL", origin.as_str()),
        ("DAKTELA_ACCESS_TOKEN", TOKEN),
        ("CACHE_ENABLED", "false"),
    ];
    let mut program = Program::start(&variables);
    let passed_over = hold_through("through the program", &demo, |tool, arguments| {
        Some(program.call(tool, arguments))
    });
    assert!(passed_over.is_empty(), "{passed_over:?}");
}

/// May only shrink, and is empty when every tool has a case.
#[test]
fn every_tool_has_a_case() {
    let cases = read();
    let uncovered: Vec<&str> = guest::catalog::tools()
        .map(|tool| tool.name)
        .filter(|name| !cases.iter().any(|case| case.tool == *name))
        .collect();
    golden::assert_eq(&golden::folder().join("golden/uncovered.txt"), &uncovered.join("\n"));
}
