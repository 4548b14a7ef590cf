//! All cases under each build: what differs, by which other form of a read it was mended, and what that costs. Writes
//! `docs/daktela-builds.md`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
    num::NonZero,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use daktela_demo::Demo;
use guest::{Settings, mcp::Server};
use serde_json::Value;

use super::{
    cases::{self, Case, ORIGIN},
    native::Native,
    upstream_variants::{self, BUILDS},
};
use crate::golden;

/// Builds that leave out without a word what was asked for, and how many times the requests and the bytes of the default build
/// a tool may need there: asking for whole records instead would be easy, and cost a hundred times as much. Where related
/// records of related ones do not come, each takes a read of its own.
const MOST_TIMES: [(&str, usize); 2] = [
    ("unknown fields are passed over", 2),
    ("to-one nested, to-many dropped", 7),
];

/// Answers that differ from those of the default build without a note in them: build, tools (any where none is named), reason.
const WITHOUT_A_NOTE: &[(&str, &[&str], &str)] = &[
    (
        "unknown fields are passed over",
        &[],
        "a fact that the build does not have is absent; `_meta` and `check --tools` name the fields that did not come",
    ),
    (
        "some fields are not known yet",
        &[],
        "a fact that the build does not have is absent; `_meta` and `check --tools` name the fields that were refused",
    ),
    ("total is null", &[], "the heading says that the total is unknown"),
    ("total is absent", &[], "the heading says that the total is unknown"),
    ("no time zone is told", &[], "the heading leaves the zone out"),
    (
        "pages have at most 10 rows",
        &[],
        "the page is shorter, and the answer says how to go on; totals say how many requests they took",
    ),
    (
        "filters without proof are ignored",
        &["list_call_transcripts", "list_calls", "list_crm_records"],
        "all rows of the page agree with the condition, so nothing shows that the total was counted without it",
    ),
    (
        "filters without proof are ignored",
        &["wallboard"],
        "not mended yet: activities of any state count as waiting",
    ),
    ("there are no transcripts", &["who_am_i"], "a count is 0"),
    (
        "there are no transcripts",
        &["find_in_conversations"],
        "there are no words of calls to find",
    ),
    (
        "transcripts are not found by activity",
        &["find_in_conversations"],
        "not mended yet: words of calls are not found",
    ),
    (
        "there are no relations",
        &["get_article"],
        "a build without comments and an article without comments answer alike",
    ),
    (
        "sessions do not name their agent",
        &["list_realtime_sessions", "wallboard"],
        "each record says that it has no id",
    ),
    (
        "dotted fields are passed over",
        &["list_call_transcripts", "list_calls"],
        "not mended yet: the ticket of a call is absent",
    ),
    (
        "dotted fields are refused",
        &["get_ticket_detail", "list_ticket_threads"],
        "not mended yet: the attachments of a comment are absent",
    ),
];

/// A case under a build.
struct Seen {
    text: String,
    is_error: bool,
    mends: BTreeSet<String>,
    requests: usize,
    bytes: usize,
}

fn run(build: &str, cases: &[Case]) -> Vec<Seen> {
    let demo = Demo::start_with(upstream_variants::quirks(build)).expect("a demo instance");
    let native = Native::new(demo.origin());
    let settings = Settings {
        origin: ORIGIN.to_owned(),
        ..Settings::default()
    };
    let seen = cases.iter().map(|case| {
        let answer = Server::new(&settings, Ok(&native))
            .call_tool(&case.tool, &case.arguments.to_string())
            .expect("a tool");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let mends = answer["_meta"]["daktela/mended"].as_array().into_iter().flatten();
        Seen {
            text: answer["content"][0]["text"].as_str().expect("a text").to_owned(),
            is_error: answer["isError"] == true,
            mends: mends
                .filter_map(|mend| mend["id"].as_str().map(str::to_owned))
                .collect(),
            requests: demo.take_requests().len(),
            bytes: native.take_received(),
        }
    });
    seen.collect()
}

/// Every build, the default one first, on all processors.
fn run_all(cases: &[Case]) -> Vec<Vec<Seen>> {
    let names: Vec<&str> = [""].into_iter().chain(BUILDS.iter().map(|(name, _)| *name)).collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let seen = run(name, cases);
                    let mut done = done.lock().unwrap_or_else(PoisonError::into_inner);
                    done.insert(names.iter().position(|known| known == name), seen);
                }
            });
        }
    });
    done.into_inner()
        .unwrap_or_else(PoisonError::into_inner)
        .into_values()
        .collect()
}

/// How an answer relates to that of the default build.
#[derive(PartialEq, Eq)]
enum Outcome {
    Same,
    /// It says what is missing or uncertain.
    Noted,
    /// It is an error that says why.
    Error,
    WithoutANote,
}

fn outcome(usual: &Seen, seen: &Seen) -> Outcome {
    // A part that could not be read is told in brackets where it would stand.
    let is_note = |line: &str| {
        let line = line.trim_start();
        line.starts_with("Note:") || line.ends_with("could not be found]")
    };
    let told = seen
        .text
        .lines()
        .any(|line| is_note(line) && !usual.text.contains(line));
    match seen.text == usual.text {
        true => Outcome::Same,
        false if seen.is_error => Outcome::Error,
        false if told => Outcome::Noted,
        false => Outcome::WithoutANote,
    }
}

fn first_difference(usual: &str, seen: &str) -> String {
    let lines = usual.lines().zip(seen.lines());
    let (usual, seen) = lines
        .into_iter()
        .find(|(usual, seen)| usual != seen)
        .unwrap_or(("", "one is longer"));
    format!("{usual:?} became {seen:?}")
}

/// `×1.25`, rounded up, so that a growth shows.
fn times(many: usize, few: usize) -> String {
    let hundredths = (many * 100).div_ceil(few.max(1));
    format!("×{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Requests and bytes of a tool's cases.
fn by_tool<'a>(cases: &'a [Case], seen: &[Seen]) -> BTreeMap<&'a str, (usize, usize)> {
    let mut sums = BTreeMap::<&str, (usize, usize)>::new();
    for (case, seen) in cases.iter().zip(seen) {
        let sum = sums.entry(&case.tool).or_default();
        *sum = (sum.0 + seen.requests, sum.1 + seen.bytes);
    }
    sums
}

#[test]
fn every_build_is_answered_or_told_of() {
    let cases: Vec<Case> = cases::read().into_iter().filter(|case| case.build.is_empty()).collect();
    let seen = run_all(&cases);
    let (usual, builds) = seen.split_first().expect("the default build");
    let mut page = format!(
        "# Builds of Daktela\n\nNo public source settles how each build of Daktela answers. The demo instance imitates each reading \
         (`host/demo/src/quirks.rs`), and all {} cases of `tests/cases` that name no build run against each of them. Made by the tests; \
         `UPDATE_EXPECT=1 cargo test --release` rewrites it.\n\n\
         \"Same\" answers equal those of the default build, byte for byte. \"Note\" and \"error\" ones say in words what is missing. The \
         mends are those of `_meta` (`guest/src/daktela/observations.rs`), each with the number of calls that used it. Requests and bytes \
         are those of all cases, and of the tool that needs the most, as multiples of what the default build takes.\n\n\
         | build | same | note | error | other | mended by | requests | bytes | most |\n|---|---|---|---|---|---|---|---|---|\n",
        cases.len()
    );
    let (mut untold, mut costly) = (Vec::new(), Vec::new());
    let mut listed = BTreeSet::new();
    let usual_by_tool = by_tool(&cases, usual);
    for ((name, _), seen) in BUILDS.iter().zip(builds) {
        let outcomes: Vec<Outcome> = usual
            .iter()
            .zip(seen)
            .map(|(usual, seen)| outcome(usual, seen))
            .collect();
        let count = |wanted: Outcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        for (at, (case, outcome)) in cases.iter().zip(&outcomes).enumerate() {
            if *outcome != Outcome::WithoutANote {
                continue;
            }
            let reason = WITHOUT_A_NOTE.iter().position(|(build, tools, _)| {
                build == name && (tools.is_empty() || tools.contains(&case.tool.as_str()))
            });
            match reason {
                Some(at) => _ = listed.insert((at, case.tool.clone())),
                None => untold.push(format!(
                    "{name}: {}: {}",
                    case.path.display(),
                    first_difference(&usual[at].text, &seen[at].text)
                )),
            }
        }
        let mut mends = BTreeMap::<&str, usize>::new();
        for mend in seen.iter().flat_map(|seen| &seen.mends) {
            *mends.entry(mend).or_default() += 1;
        }
        let mends: Vec<String> = mends.iter().map(|(mend, calls)| format!("{mend} ({calls})")).collect();
        let sum = |seen: &[Seen], of: fn(&Seen) -> usize| seen.iter().map(of).sum::<usize>();
        let tools = by_tool(&cases, seen);
        let ratio = |(tool, (requests, bytes)): (&&str, &(usize, usize))| {
            let (usual_requests, usual_bytes) = usual_by_tool[tool];
            let (requests, bytes) = (
                requests * 1000 / usual_requests.max(1),
                bytes * 1000 / usual_bytes.max(1),
            );
            requests.max(bytes)
        };
        let (tool, (requests, bytes)) = tools.iter().max_by_key(|entry| ratio(*entry)).expect("tools");
        let (usual_requests, usual_bytes) = usual_by_tool[tool];
        let worst = match ratio((tool, &(*requests, *bytes))) > 1000 {
            true => format!(
                "`{tool}` {}, {}",
                times(*requests, usual_requests),
                times(*bytes, usual_bytes)
            ),
            false => String::new(),
        };
        writeln!(
            page,
            "| {name} | {} | {} | {} | {} | {} | {} | {} | {worst} |",
            count(Outcome::Same),
            count(Outcome::Noted),
            count(Outcome::Error),
            count(Outcome::WithoutANote),
            mends.join(", "),
            times(sum(seen, |seen| seen.requests), sum(usual, |seen| seen.requests)),
            times(sum(seen, |seen| seen.bytes), sum(usual, |seen| seen.bytes)),
        )
        .expect("a String");
        if let Some((_, most)) = MOST_TIMES.iter().find(|(build, _)| build == name) {
            for (tool, (requests, bytes)) in &tools {
                let (usual_requests, usual_bytes) = usual_by_tool[tool];
                if *requests > most * usual_requests || *bytes > most * usual_bytes {
                    costly.push(format!(
                        "{name}: {tool} needs {requests} requests and {bytes} bytes, and {usual_requests} and {usual_bytes} by default"
                    ));
                }
            }
        }
    }
    page += "\n## Answers that differ without a note\n\n| build | tools | reason |\n|---|---|---|\n";
    for (at, (build, tools, reason)) in WITHOUT_A_NOTE.iter().enumerate() {
        let differ: BTreeSet<&str> = listed
            .iter()
            .filter(|(of, _)| *of == at)
            .map(|(_, tool)| tool.as_str())
            .collect();
        let named: BTreeSet<&str> = tools.iter().copied().collect();
        if differ.is_empty() || !(named.is_empty() || named == differ) {
            untold.push(format!("{build}: only {differ:?} differ now; change the list"));
        }
        let tools: Vec<String> = tools.iter().map(|tool| format!("`{tool}`")).collect();
        writeln!(page, "| {build} | {} | {reason} |", tools.join(" ")).expect("a String");
    }
    assert!(
        untold.is_empty() && costly.is_empty(),
        "these differ and do not say so:\n{}\nthese cost too much:\n{}",
        untold.join("\n"),
        costly.join("\n")
    );
    golden::assert_eq(&golden::folder().join("../docs/daktela-builds.md"), &page);
}
