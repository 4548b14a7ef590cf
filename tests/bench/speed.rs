//! Time, memory and bytes of the program, by one command: `cargo bench --bench speed [-- OTHER_PROGRAM]`.
//!
//! Starts, single calls and calls at once over stdio against the sample company. With another program, e.g. one of an older
//! version, both are measured in turns and the ratio stands beside: figures of one run compare, those of two runs do not, since
//! machines are busy with other things. `UPDATE_EXPECT=1` writes the table into `docs/performance.md`.

use std::{
    collections::BTreeMap,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use daktela_demo::{Demo, TOKEN};
use daktela_tests::{
    golden,
    program::{self, Program},
};
use serde_json::{Value, json};

const ROUNDS: usize = 5;
/// How often the program is started in a round.
const STARTS: usize = 5;

/// What is called, what it is called in the table, and how often in a round.
const CALLS: [(&str, &str, &str, usize); 7] = [
    ("one ticket", "get_ticket", r#"{"name":"787258"}"#, 200),
    ("50 tickets", "list_tickets", r#"{"take":50}"#, 60),
    ("200 tickets", "list_tickets", r#"{"take":200}"#, 30),
    (
        "a ticket's conversation",
        "get_ticket_detail",
        r#"{"name":"787258"}"#,
        60,
    ),
    ("50 e-mails", "list_emails", r#"{"take":50}"#, 40),
    ("20 chats", "list_web_chats", r#"{"take":20}"#, 30),
    ("10 transcripts", "list_call_transcripts", r#"{"take":10}"#, 40),
];

/// How many calls of one ticket are in flight at once, and how many there are in a round.
const IN_FLIGHT: [usize; 3] = [1, 16, 64];
const CALLS_IN_FLIGHT: usize = 400;

/// Calls before anything is counted, for connections and caches.
const WARM_UP: usize = 5;

/// Where the table stands in the page.
const BEGIN: &str = "<!-- table of `cargo bench --bench speed` -->\n";
const END: &str = "<!-- end of the table -->\n";

/// Figures of one program: name to the values of all rounds, in the order of the table.
#[derive(Default)]
struct Figures {
    order: Vec<String>,
    values: BTreeMap<String, Vec<f64>>,
}

impl Figures {
    fn add(&mut self, name: String, value: f64) {
        if !self.order.contains(&name) {
            self.order.push(name.clone());
        }
        self.values.entry(name).or_default().push(value);
    }

    fn median(&self, name: &str) -> Option<f64> {
        let mut values = self.values.get(name)?.clone();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    }
}

/// CPU time of all threads of a process.
fn cpu(pid: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten();
    let nanoseconds = threads.filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanoseconds.sum())
}

/// A figure of a process in MB, by its key in `/proc/PID/status`.
fn memory(pid: u32, key: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(key)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1024.0
}

fn start(path: &Path, origin: &str) -> Program {
    let mut command = Command::new(path);
    command
        .env_clear()
        .envs([("DAKTELA_URL", origin), ("DAKTELA_ACCESS_TOKEN", TOKEN)]);
    Program::over(command, Stdio::null())
}

fn measure(path: &Path, origin: &str, figures: &mut Figures) {
    for _ in 0..STARTS {
        let started = Instant::now();
        let mut program = start(path, origin);
        figures.add("start to `initialize`, ms".to_owned(), milliseconds(started.elapsed()));
        let tools = program.request("tools/list", json!({}));
        figures.add("start to `tools/list`, ms".to_owned(), milliseconds(started.elapsed()));
        figures.add(
            "`tools/list`, KB".to_owned(),
            tools["result"].to_string().len() as f64 / 1000.0,
        );
    }
    let mut program = start(path, origin);
    let pid = program.pid();
    program.request("tools/list", json!({}));
    std::thread::sleep(Duration::from_millis(300));
    figures.add("resident at rest, MB".to_owned(), memory(pid, "VmRSS"));
    figures.add("of it anonymous, MB".to_owned(), memory(pid, "RssAnon"));
    for (name, tool, arguments, times) in CALLS {
        let arguments: Value = serde_json::from_str(arguments).expect("JSON");
        let mut call = || {
            let answer = program.call(tool, &arguments);
            assert_eq!(answer["isError"], false, "{answer}");
        };
        (0..WARM_UP).for_each(|_| call());
        let before = cpu(pid);
        (0..times).for_each(|_| call());
        figures.add(
            format!("{name}, ms of CPU"),
            milliseconds(cpu(pid) - before) / times as f64,
        );
    }
    for at_once in IN_FLIGHT {
        let call = json!({"name": "get_ticket", "arguments": {"name": "787258"}});
        let started = Instant::now();
        let (mut sent, mut received) = (0, 0);
        while received < CALLS_IN_FLIGHT {
            while sent < CALLS_IN_FLIGHT && sent - received < at_once {
                program.send_request("tools/call", call.clone());
                sent += 1;
            }
            program.receive();
            received += 1;
        }
        let rate = CALLS_IN_FLIGHT as f64 / started.elapsed().as_secs_f64();
        figures.add(format!("one ticket, {at_once} in flight, calls a second"), rate);
    }
    figures.add("largest resident so far, MB".to_owned(), memory(pid, "VmHWM"));
    let size = fs::metadata(path).map_or(f64::NAN, |file| file.len() as f64 / 1e6);
    figures.add("the program, MB".to_owned(), size);
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn main() {
    let other = std::env::args()
        .skip(1)
        .find(|word| !word.starts_with('-'))
        .map(PathBuf::from);
    let demo = Demo::start().expect("a demo instance");
    let (mut ours, mut theirs) = (Figures::default(), Figures::default());
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS}", round + 1);
        if let Some(other) = &other {
            measure(other, &demo.origin(), &mut theirs);
        }
        measure(program::path(), &demo.origin(), &mut ours);
        demo.take_requests();
    }
    let mut table = if other.is_some() {
        "| figure (median) | other | this | ratio |\n|---|---|---|---|\n".to_owned()
    } else {
        "| figure (median) | this |\n|---|---|\n".to_owned()
    };
    for name in &ours.order {
        let this = ours.median(name).expect("a figure");
        match theirs.median(name) {
            Some(other) => writeln!(table, "| {name} | {other:.2} | {this:.2} | {:.2} |", this / other),
            None => writeln!(table, "| {name} | {this:.2} |"),
        }
        .expect("a String takes all");
    }
    eprintln!("{table}");
    if golden::updating() {
        let page = golden::folder().join("../docs/performance.md");
        let text = fs::read_to_string(&page).expect("the page");
        let (before, rest) = text.split_once(BEGIN).expect("where the table begins");
        let (_, after) = rest.split_once(END).expect("where the table ends");
        fs::write(page, format!("{before}{BEGIN}\n{table}\n{END}{after}")).expect("the page");
    }
}
