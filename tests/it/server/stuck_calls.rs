//! Readiness while a call is stuck: one thread of the program is stopped in the midst of a call, and the others go on.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    server_harness::{self, Ask, Served},
    skip::impossible,
};

/// Some seconds of computing for the component.
const MAIL_BYTES: usize = 10_000_000;
/// Of a call; the program allows ten seconds more for what ends it.
const TIMEOUT_SECONDS: &str = "5";
/// Until then readiness has to be red, or green again.
const PATIENCE: Duration = Duration::from_secs(60);

/// An instance with one long e-mail.
fn instance() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    let line = "On 3 May 2026 at 10:12 Jan <jan@b.example> wrote:\n";
    let mail = json!({"name": "1", "title": "x", "text": line.repeat(MAIL_BYTES / line.len())});
    let mail = json!({"error": [], "result": mail}).to_string();
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let mail = mail.clone();
            thread::spawn(move || answer(&stream, &mail));
        }
    });
    origin
}

fn answer(mut stream: &TcpStream, mail: &str) {
    let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
    while let Some(request) = lines.next() {
        let _ = lines.by_ref().find(String::is_empty);
        let body = match request.contains("/activitiesEmail/") {
            true => mail,
            false => r#"{"error":[],"result":{"data":[],"total":0}}"#,
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if stream.write_all(&[head.as_bytes(), body.as_bytes()].concat()).is_err() {
            return;
        }
    }
}

/// A thread of the program that computes right now: it has used a tenth of a second since `before`.
fn computing(pid: u32, before: &[(i32, u64)]) -> Option<i32> {
    let used = |thread: i32| {
        before
            .iter()
            .find(|(known, _)| *known == thread)
            .map_or(0, |(_, used)| *used)
    };
    threads(pid)
        .into_iter()
        .find(|(thread, now)| *now >= used(*thread) + 10)
        .map(|(thread, _)| thread)
}

/// The threads of a program, with their CPU time in the kernel's hundredths of a second.
fn threads(pid: u32) -> Vec<(i32, u64)> {
    let folder = fs::read_dir(format!("/proc/{pid}/task")).expect("a program of Linux");
    let threads = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    threads
        .filter_map(|thread: i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/task/{thread}/stat")).ok()?;
            let used = stat.rsplit(") ").next()?.split(' ').nth(11)?.parse().ok()?;
            Some((thread, used))
        })
        .collect()
}

/// A thread of a child that is stopped until this is dropped. Only the thread that stopped it can let it go.
struct Stopped(i32);

impl Stopped {
    /// `None` where the system does not allow it, as some containers.
    fn stop(thread: i32) -> Option<Self> {
        let none = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: neither request reads or writes memory through its arguments, which are null.
        #[expect(unsafe_code, reason = "no safe call stops a single thread")]
        let stopped = unsafe {
            libc::ptrace(libc::PTRACE_SEIZE, thread, none, none) == 0
                && libc::ptrace(libc::PTRACE_INTERRUPT, thread, none, none) == 0
        };
        stopped.then_some(Self(thread))
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        let none = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: as above; `waitpid` may be given no place for the status.
        #[expect(unsafe_code, reason = "no safe call stops a single thread")]
        unsafe {
            libc::waitpid(self.0, std::ptr::null_mut(), libc::__WALL);
            libc::ptrace(libc::PTRACE_DETACH, self.0, none, none);
        }
    }
}

fn ready(served: &Served) -> (u16, String) {
    let reply = served.ask(&Ask::get("/readyz"));
    (reply.status, reply.body)
}

#[track_caller]
fn becomes(served: &Served, status: u16) -> String {
    let started = Instant::now();
    loop {
        let (now, text) = ready(served);
        if now == status {
            return text;
        }
        assert!(started.elapsed() < PATIENCE, "{now} {text}");
        thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_program_with_a_stuck_call_is_not_ready_until_that_ends() {
    let served = Served::start(&[("DAKTELA_TIMEOUT", TIMEOUT_SECONDS), ("DAKTELA_CPU_SECONDS", "60")]);
    let origin = instance();
    let address = served.address.clone();
    assert_eq!(ready(&served), (200, "ready\n".to_owned()));
    let before = threads(served.pid());
    let call = thread::spawn(move || {
        let ask = Ask::call("get_email", json!({"name": "1"})).read_as(&origin, "x");
        server_harness::ask_at(&address, &ask).status
    });
    let started = Instant::now();
    let thread = loop {
        if let Some(thread) = computing(served.pid(), &before) {
            break thread;
        }
        assert!(started.elapsed() < PATIENCE, "no thread computes");
        thread::sleep(Duration::from_millis(5));
    };
    let Some(stopped) = Stopped::stop(thread) else {
        return impossible("readiness with a stuck call", "no thread may be stopped here");
    };
    // A call may take its time.
    assert_eq!(ready(&served), (200, "ready\n".to_owned()));
    let text = becomes(&served, 503);
    assert_eq!(text, "calls are stuck: they run longer than their time limit\n");
    drop(stopped);
    assert_eq!(becomes(&served, 200), "ready\n");
    assert_eq!(call.join().expect("an answer"), 200);
}
