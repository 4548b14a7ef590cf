//! Shapes of answers that were recorded in public, replayed as upstream answers: `tests/samples/<name>.json` has a call and
//! what Daktela answers to its requests, `<name>.md` beside it the whole answer.
//!
//! The shapes are those of real instances of 2021 to 2026 (which keys there are, what is null, what an empty map looks like);
//! the words in them are invented.

use std::{fs, path::PathBuf};

use daktela_demo::{Action, Demo, Fault, TOKEN};
use guest::{Settings, mcp::Server};
use serde_json::Value;

use super::{
    cases::{Case, Outcome, requests},
    native::Native,
};
use crate::{golden, program::Program};

/// The call of a sample, and what is answered to each request whose path has a part.
struct Sample {
    case: Case,
    replies: Vec<Fault>,
}

fn read() -> Vec<Sample> {
    let files = golden::files(&golden::folder().join("samples"), "json");
    assert!(!files.is_empty());
    files.into_iter().map(parse).collect()
}

fn parse(path: PathBuf) -> Sample {
    let text = fs::read_to_string(&path).expect("a sample");
    let sample: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let word = |value: &Value| value.as_str().expect("a text").to_owned();
    let replies = sample["replies"].as_array().expect("replies").iter();
    let replies = replies.map(|reply| Fault {
        matches: word(&reply["path"]),
        times: usize::MAX,
        delay: None,
        action: Some(Action::Status {
            code: reply["status"]
                .as_u64()
                .and_then(|code| code.try_into().ok())
                .expect("a status"),
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: reply["body"].to_string(),
        }),
    });
    Sample {
        replies: replies.collect(),
        case: Case {
            rule: word(&sample["shape"]),
            build: String::new(),
            tool: word(&sample["tool"]),
            arguments: sample["arguments"].clone(),
            path: path.with_extension("md"),
        },
    }
}

/// Calls with each sample in place of what the demo instance would answer, and compares with the golden file.
fn replay(mut call: impl FnMut(&Demo, &Case) -> Value) {
    let demo = Demo::start().expect("a demo instance");
    let check = |Sample { case, replies }: Sample| {
        demo.clear_faults();
        replies.into_iter().for_each(|reply| demo.inject(reply));
        demo.take_requests();
        let answer = call(&demo, &case);
        let outcome = Outcome {
            requests: requests(&demo),
            answer,
        };
        golden::check(&case.path, &case.print(&outcome, &demo.origin())).err()
    };
    golden::report(read().into_iter().filter_map(check).collect());
}

#[test]
fn recorded_shapes_are_read_natively() {
    replay(|demo, case| {
        let settings = Settings {
            origin: demo.origin(),
            ..Settings::default()
        };
        let native = Native::new(demo.origin());
        let answer = Server::new(&settings, Ok(&native))
            .call_tool(&case.tool, &case.arguments.to_string())
            .expect("a tool");
        serde_json::from_str(&answer).expect("JSON")
    });
}

#[test]
fn recorded_shapes_are_read_through_the_program() {
    let mut program = None;
    replay(|demo, case| {
        let program = program.get_or_insert_with(|| {
            Program::start(&[
                ("DAKTELA_URL", &demo.origin()),
                ("DAKTELA_ACCESS_TOKEN", TOKEN),
                ("CACHE_ENABLED", "false"),
            ])
        });
        program.call(&case.tool, &case.arguments)
    });
}
