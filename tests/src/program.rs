//! Starts the program and speaks MCP with it over stdio, byte by byte.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Seek, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::{Value, json};

use crate::golden::files;

/// The program that `cargo test` built beside these tests, `target/PROFILE/mcp-daktela`.
///
/// Only the package of a program may ask cargo for its path. Cargo builds it when tests of that package run, too, as they do
/// when cargo is asked for all tests. A program older than a source it is built from would be another one than the sources
/// say, so that ends the tests.
pub fn path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let tests = std::env::current_exe().expect("a path");
        let profile = tests.ancestors().nth(2).expect("target/PROFILE/deps/it");
        let program = profile
            .join("mcp-daktela")
            .with_extension(std::env::consts::EXE_EXTENSION);
        if let Err(problem) = is_current(&program) {
            panic!(
                "{problem}; run the tests with: cargo test --package mcp-daktela --package daktela-tests --test '*'"
            );
        }
        program
    })
}

/// Sources of the program and of the component within it, below the workspace.
const SOURCES: [&str; 8] = [
    "guest/adapters/plugin/src",
    "guest/protocol/src",
    "guest/src",
    "guest/wasi-http/src",
    "host/demo/src",
    "host/egress/src",
    "host/http-client/src",
    "host/src",
];

/// Compares times of change, as cargo does. Files of unit tests do not change the program.
fn is_current(program: &Path) -> Result<(), String> {
    let changed = |path: &Path| {
        let changed = fs::metadata(path).and_then(|file| file.modified());
        changed.map_err(|error| format!("{}: {error}", path.display()))
    };
    let built = changed(program)?;
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for source in SOURCES.iter().flat_map(|folder| files(&workspace.join(folder), "rs")) {
        let is_test = source
            .iter()
            .any(|part| part == "tests" || part == "tests.rs" || part == "corpus.rs");
        if !is_test && changed(&source)? > built {
            return Err(format!("{} is older than {}", program.display(), source.display()));
        }
    }
    Ok(())
}

/// A running server and the client's end of its pipe.
pub struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next_id: u64,
}

/// For a log that one test reads.
pub fn log_file() -> File {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let path = std::env::temp_dir().join(format!("mcp-daktela-log-{}-{number}", std::process::id()));
    let file = File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(&path)
        .expect("a file");
    fs::remove_file(path).expect("an open file needs no name");
    file
}

pub fn read_back(mut file: File) -> String {
    file.rewind().expect("a file");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("text");
    text
}

/// The program with an environment of its own: nothing of the developer's settings reaches it.
pub fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(path());
    command.env_clear().envs(variables.iter().copied());
    command
}

impl Program {
    /// Serves on stdio, initialised with the last revision that has a handshake.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_with_log(variables, Stdio::null())
    }

    /// The same, with its standard error led to a file.
    pub fn start_with_log(variables: &[(&str, &str)], log: impl Into<Stdio>) -> Self {
        Self::over(command(variables), log)
    }

    /// The same, whatever program it is.
    pub fn over(command: Command, log: impl Into<Stdio>) -> Self {
        let mut program = Self::spawn(command, log);
        let client = json!({"name": "tests", "version": "0"});
        program.request(
            "initialize",
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}),
        );
        program.notify("notifications/initialized", json!({}));
        program
    }

    /// Serves on stdio and has been sent nothing yet.
    pub fn launch(variables: &[(&str, &str)]) -> Self {
        Self::spawn(command(variables), Stdio::null())
    }

    fn spawn(mut command: Command, log: impl Into<Stdio>) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Program {
            child,
            input,
            output,
            next_id: 0,
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    fn send(&mut self, message: &Value) {
        self.send_line(message.to_string().as_bytes());
    }

    /// Whatever bytes, and the end of a line.
    pub fn send_line(&mut self, line: &[u8]) {
        let input = self.input.as_mut().expect("open");
        input.write_all(&[line, b"\n"].concat()).expect("the program reads");
        input.flush().expect("the program reads");
    }

    /// As a client says goodbye.
    pub fn close(&mut self) {
        drop(self.input.take());
    }

    pub fn terminate(&self) {
        let killed = Command::new("kill").arg(self.pid().to_string()).status();
        assert!(
            killed.is_ok_and(|status| status.success()),
            "the program can be told to end"
        );
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the program ends")
    }

    pub fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({"jsonrpc": "2.0", "method": method, "params": params}));
    }

    /// Sends a request and returns its id.
    pub fn send_request(&mut self, method: &str, params: Value) -> u64 {
        self.next_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}));
        self.next_id
    }

    /// The next message, whole.
    pub fn receive_message(&mut self) -> Value {
        let mut line = String::new();
        assert_ne!(
            self.output.read_line(&mut line).expect("the program answers"),
            0,
            "the program ended"
        );
        serde_json::from_str(&line).expect("stdout carries protocol only")
    }

    /// The next answer, with the id of its request.
    pub fn receive(&mut self) -> (u64, Value) {
        loop {
            let mut message = self.receive_message();
            if let Some(id) = message["id"].as_u64() {
                let key = if message.get("error").is_some() {
                    "error"
                } else {
                    "result"
                };
                return (id, json!({key: message[key].take()}));
            }
        }
    }

    /// The whole answer to a request: `result` or `error`.
    pub fn request(&mut self, method: &str, params: Value) -> Value {
        let sent = self.send_request(method, params);
        loop {
            let (id, answer) = self.receive();
            if id == sent {
                return answer;
            }
        }
    }

    /// The CallToolResult of a tool.
    pub fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.request("tools/call", json!({"name": tool, "arguments": arguments}))["result"].take()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // The end of its input is how a client says goodbye.
        self.close();
        self.wait();
    }
}
