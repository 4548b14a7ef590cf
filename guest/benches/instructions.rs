//! Instruction counts of eight calls, a guard against slow code that no load of the machine disturbs:
//! `cargo bench -p daktela-guest --bench instructions`.
//!
//! Each call runs natively, once and in a process of its own, as a component lives for one call; Valgrind's callgrind counts what
//! the guest's logic executes between a call and its answer, without the network. The numbers are compared with
//! `tests/golden/instructions.txt`; `UPDATE_EXPECT=1` writes them. Compilers differ by a few percent, so there is a tolerance.

use std::{
    fmt::Write,
    fs,
    process::{Command, ExitCode},
};

use daktela_demo::{Demo, TOKEN};
use guest::{
    Settings,
    http::{Failure, Http, Request, Response},
    mcp::Server,
};

/// One record, pages of two sizes, a conversation, mail, chats, a transcript, figures.
const CALLS: [(&str, &str); 8] = [
    ("get_ticket", r#"{"name":"787258"}"#),
    ("list_tickets", r#"{"take":50}"#),
    ("list_tickets", r#"{"take":200}"#),
    ("get_ticket_detail", r#"{"name":"787258"}"#),
    ("list_emails", r#"{"take":50}"#),
    ("list_web_chats", r#"{"take":20}"#),
    ("list_call_transcripts", r#"{"take":10}"#),
    ("call_statistics", r#"{"group_by":"queue"}"#),
];

/// In percent: what the counts may differ by.
const TOLERANCE: u64 = 5;

/// The first argument of the process that is measured.
const MEASURED: &str = "measured";

struct Native {
    origin: String,
    agent: ureq::Agent,
}

impl Native {
    fn get(&self, path: &str) -> Result<Response, ureq::Error> {
        let request = self.agent.get(format!("{}{path}", self.origin));
        let mut answer = request.header("x-auth-token", TOKEN).call()?;
        let body = answer.body_mut().with_config().limit(64 << 20).read_to_vec()?;
        Ok(Response {
            status: answer.status().as_u16(),
            body,
            is_aged: false,
        })
    }
}

impl Http for Native {
    #[inline(never)]
    fn get_all(&self, requests: &[Request]) -> Vec<Result<Response, Failure>> {
        read_from_network(self, requests)
    }
}

/// Not counted: callgrind looks for this name.
#[inline(never)]
fn read_from_network(native: &Native, requests: &[Request]) -> Vec<Result<Response, Failure>> {
    let get = |request: &Request| {
        let answer = native.get(&request.path);
        answer.map_err(|error| Failure::Unreachable(error.to_string()))
    };
    requests.iter().map(get).collect()
}

/// Counted: callgrind looks for this name.
#[inline(never)]
fn measured_call(server: &Server, tool: &str, arguments: &str) -> String {
    server.call_tool(tool, arguments).expect("a tool")
}

/// Calls a tool once, in the process that callgrind runs.
fn call(origin: &str, tool: &str, arguments: &str) {
    let variable = |name: &str| (name == "DAKTELA_URL").then(|| origin.to_owned());
    let settings = Settings::from_env(variable).expect("settings");
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let native = Native {
        origin: origin.to_owned(),
        agent: config.into(),
    };
    let answer = measured_call(&Server::new(&settings, Ok(&native)), tool, arguments);
    assert!(answer.contains("\"isError\":false"), "{answer}");
}

/// Runs this program again under callgrind. Thousands of instructions, or why there is no number.
fn count(origin: &str, tool: &str, arguments: &str) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let done = Command::new("valgrind")
        .args([
            "--tool=callgrind",
            "--callgrind-out-file=/dev/null",
            "--collect-atstart=no",
        ])
        .args([
            "--toggle-collect=*measured_call*",
            "--toggle-collect=*read_from_network*",
        ])
        .arg(program)
        .args([MEASURED, origin, tool, arguments])
        .output()
        .map_err(|error| format!("valgrind does not start: {error}"))?;
    let log = String::from_utf8_lossy(&done.stderr);
    let counted = log
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, count)| count.trim().parse::<u64>().ok());
    match counted {
        Some(count) if done.status.success() && count > 0 => Ok(count / 1000),
        _ => Err(format!("{tool} {arguments} was not counted:\n{log}")),
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, origin, tool, arguments] = &words[..]
        && first == MEASURED
    {
        call(origin, tool, arguments);
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("SKIPPED: there is no valgrind");
        return ExitCode::SUCCESS;
    }
    let demo = Demo::start().expect("a demo instance");
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/golden/instructions.txt");
    let known = fs::read_to_string(golden).unwrap_or_default();
    let mut problems = Vec::new();
    let mut table = String::new();
    for (tool, arguments) in CALLS {
        let counted = match count(&demo.origin(), tool, arguments) {
            Ok(counted) => counted,
            Err(problem) => {
                eprintln!("{problem}");
                return ExitCode::FAILURE;
            }
        };
        let name = format!("{tool} {arguments}");
        let before = known.lines().find_map(|line| {
            line.strip_prefix(&name)?
                .strip_prefix(": ")?
                .strip_suffix(" k")?
                .parse::<u64>()
                .ok()
        });
        let within = before.is_some_and(|before| counted.abs_diff(before) * 100 <= before * TOLERANCE);
        eprintln!(
            "{name}: {counted} k, was {}",
            before.map_or("unknown".to_owned(), |before| format!("{before} k"))
        );
        // What is within the tolerance stays, so that the file changes only when the code does.
        let shown = before.filter(|_| within).unwrap_or(counted);
        writeln!(table, "{name}: {shown} k").expect("a String takes all");
        if !within {
            problems.push(name);
        }
    }
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(golden, table).expect("the golden file");
        return ExitCode::SUCCESS;
    }
    if problems.is_empty() {
        return ExitCode::SUCCESS;
    }
    eprintln!(
        "More or fewer instructions than {TOLERANCE} % beside tests/golden/instructions.txt: {}. If that is meant: UPDATE_EXPECT=1 cargo bench -p daktela-guest \
         --bench instructions",
        problems.join(", ")
    );
    ExitCode::FAILURE
}
