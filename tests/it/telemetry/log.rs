//! Log back-pressure: while stderr is not read, calls do not block and the process still exits in time.

use std::{
    io::{PipeReader, Read, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use daktela_demo::{Demo, TOKEN};
use serde_json::{Value, json};

use crate::{
    program::{self, Program},
    server_harness::{self, Ask, Served},
};

/// What the end of the program may take: five seconds for a client that stopped reading, one for the log, and the machine's.
const GRACE: Duration = Duration::from_secs(15);

fn variables(origin: &str) -> [(&str, &str); 2] {
    [("DAKTELA_URL", origin), ("DAKTELA_ACCESS_TOKEN", TOKEN)]
}

#[track_caller]
fn ends_in_time(end: impl FnOnce() -> std::process::ExitStatus) {
    let started = Instant::now();
    let status = end();
    assert!(status.success(), "{status}");
    assert!(started.elapsed() < GRACE, "{:?}", started.elapsed());
}

fn answers(program: &mut Program, calls: usize) {
    for _ in 0..calls {
        let answer = program.call("count_tickets", &json!({}));
        assert_eq!(answer["content"][0]["text"], "244 tickets (without merged tickets)");
    }
}

#[test]
fn calls_over_stdio_are_answered_while_nobody_reads_the_log() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let (_unread, log) = std::io::pipe().expect("a pipe");
    let mut program = Program::start_with_log(&variables(&origin), log);
    answers(&mut program, 2_000);
    program.close();
    ends_in_time(|| program.wait());
}

#[cfg(unix)]
#[test]
fn a_socket_that_nobody_reads_is_like_a_pipe() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let (_unread, log) = std::os::unix::net::UnixStream::pair().expect("a pair");
    let mut program = Program::start_with_log(&variables(&origin), std::os::fd::OwnedFd::from(log));
    answers(&mut program, 600);
    program.terminate();
    ends_in_time(|| program.wait());
}

/// The server of the sample company, and its address, which nobody reads in its log.
fn listening(variables: &[(&str, &str)], log: impl Into<Stdio>) -> (Child, String) {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    let address = free.expect("a port").to_string();
    let port = address.rsplit(':').next().expect("a port");
    let mut command: Command = program::command(&[("MCP_TRANSPORT", "streamable-http"), ("PORT", port)]);
    let child = command
        .arg("--demo")
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("the program starts");
    let started = Instant::now();
    while TcpStream::connect(&address).is_err() {
        assert!(started.elapsed() < GRACE, "the program does not listen");
        thread::sleep(Duration::from_millis(20));
    }
    (child, address)
}

#[test]
fn calls_over_http_are_answered_while_nobody_reads_the_log() {
    let (_unread, log) = std::io::pipe().expect("a pipe");
    let (mut child, address) = listening(&[], log);
    let call = Ask::call("count_tickets", json!({}));
    for _ in 0..2_000 {
        assert_eq!(server_harness::ask_at(&address, &call).status, 200);
    }
    assert_eq!(server_harness::ask_at(&address, &Ask::get("/readyz")).body, "ready\n");
    let killed = Command::new("kill").arg(child.id().to_string()).status();
    assert!(killed.is_ok_and(|status| status.success()));
    ends_in_time(|| child.wait().expect("the program ends"));
}

/// Every line is written or counted.
#[test]
fn the_log_says_how_many_lines_it_dropped() {
    const LINES: usize = 12_000;
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let (mut unread, log) = std::io::pipe().expect("a pipe");
    let mut program = Program::start_with_log(&variables(&origin), log);
    for _ in 0..LINES {
        program.send_line(b"this is no JSON");
        assert_eq!(program.receive_message()["error"]["code"], -32700);
    }
    let reader = thread::spawn(move || read_lines(&mut unread));
    // One more, behind all of those.
    program.send_line(b"nor is this");
    program.receive_message();
    program.close();
    ends_in_time(|| program.wait());
    let lines = reader.join().expect("lines");
    let written = lines.iter().filter(|line| line["event"] == "unreadable").count();
    let dropped: u64 = lines.iter().filter_map(|line| line["count"].as_u64()).sum();
    assert!(dropped > 0 && written > 0, "{written} written, {dropped} dropped");
    assert_eq!(u64::try_from(written).expect("a number") + dropped, LINES as u64 + 1);
    let told = lines
        .iter()
        .find(|line| line["event"] == "log_lines_dropped")
        .expect("a line");
    assert_eq!(told["message"], "lines of the log were dropped while nobody read it");
}

fn read_lines(log: &mut PipeReader) -> Vec<Value> {
    let mut text = String::new();
    log.read_to_string(&mut text).expect("text");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// More than a pipe takes.
fn with_answers_that_nobody_reads(variables: &[(&str, &str)]) -> Program {
    let mut program = Program::start(variables);
    for _ in 0..60 {
        program.send_request("tools/list", json!({}));
    }
    thread::sleep(Duration::from_millis(500));
    program
}

#[test]
fn answers_that_nobody_reads_do_not_keep_the_program() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let mut program = with_answers_that_nobody_reads(&variables(&origin));
    program.close();
    ends_in_time(|| program.wait());
    let mut program = with_answers_that_nobody_reads(&variables(&origin));
    program.terminate();
    ends_in_time(|| program.wait());
}

/// A collector that takes connections and never answers.
#[test]
fn a_stuck_collector_does_not_keep_the_program() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let collector = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", collector.local_addr().expect("an address"));
    let [url, token] = variables(&origin);
    let mut program = Program::start(&[url, token, ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    answers(&mut program, 20);
    program.close();
    ends_in_time(|| program.wait());
}

/// All at once: a log, answers and a collector that nobody takes anything from.
#[test]
fn whatever_is_stuck_the_program_ends_in_time() {
    let demo = Demo::start().expect("a demo instance");
    let origin = demo.origin();
    let collector = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", collector.local_addr().expect("an address"));
    let [url, token] = variables(&origin);
    let variables = [url, token, ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)];
    for end in [Program::close as fn(&mut Program), |program| program.terminate()] {
        let (_unread, log) = std::io::pipe().expect("a pipe");
        let mut program = Program::start_with_log(&variables, log);
        answers(&mut program, 400);
        for _ in 0..60 {
            program.send_request("tools/list", json!({}));
        }
        thread::sleep(Duration::from_millis(500));
        end(&mut program);
        ends_in_time(|| program.wait());
    }
    // The server, with a client that reads no answer and one that sends half a request.
    let (_unread, log) = std::io::pipe().expect("a pipe");
    let (mut child, address) = listening(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)], log);
    let call = Ask::call("count_tickets", json!({}));
    for _ in 0..400 {
        assert_eq!(server_harness::ask_at(&address, &call).status, 200);
    }
    let mut unread = TcpStream::connect(&address).expect("a connection");
    for _ in 0..60 {
        server_harness::send(&mut unread, &address, &Ask::mcp("tools/list", json!({}))).expect("a request");
    }
    let mut half = TcpStream::connect(&address).expect("a connection");
    half.write_all(b"POST /mcp HTTP/1.1\r\ncontent-length: 9\r\n")
        .expect("a connection");
    let killed = Command::new("kill").arg(child.id().to_string()).status();
    assert!(killed.is_ok_and(|status| status.success()));
    let started = Instant::now();
    child.wait().expect("the program ends");
    // Three seconds until the port closes, and what a call may take.
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

/// Crates beside the program's own write to the log, too.
#[test]
fn warnings_of_the_egress_reach_the_log() {
    let folder = std::env::temp_dir().join(format!("mcp-daktela-no-roots-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let served = Served::start(&[("SSL_CERT_DIR", folder.to_str().expect("UTF-8"))]);
    let call = Ask::call("count_tickets", json!({})).read_as("https://acme.daktela.com", TOKEN);
    // Nothing can be trusted, so nothing is sent.
    served.ask(&call);
    let line = &served.log("no_root_certificates", 1)[0];
    assert_eq!(line["level"], "WARN");
    std::fs::remove_dir(folder).expect("empty");
}
