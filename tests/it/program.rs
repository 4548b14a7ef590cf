//! The program as a client sees it: real bytes on its standard input and output.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, Read, Seek, Write},
    process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicUsize, Ordering},
};

use serde_json::{Value, json};

pub(crate) const PATH: &str = env!("CARGO_BIN_EXE_mcp-daktela");

/// A running server and the client's end of its pipe.
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    next_id: u64,
}

/// For a log that one test reads.
pub(crate) fn log_file() -> File {
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

pub(crate) fn read_back(mut file: File) -> String {
    file.rewind().expect("a file");
    let mut text = String::new();
    file.read_to_string(&mut text).expect("text");
    text
}

/// The program with an environment of its own: nothing of the developer's settings reaches it.
pub(crate) fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(PATH);
    command.env_clear().envs(variables.iter().copied());
    command
}

impl Program {
    /// Serves on stdio, initialised with the last revision that has a handshake.
    pub(crate) fn start(variables: &[(&str, &str)]) -> Self {
        Self::start_with_log(variables, Stdio::null())
    }

    /// The same, with its standard error led to a file.
    pub(crate) fn start_with_log(variables: &[(&str, &str)], log: impl Into<Stdio>) -> Self {
        Self::over(command(variables), log)
    }

    /// The same, whatever program it is.
    pub(crate) fn over(mut command: Command, log: impl Into<Stdio>) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut program = Program {
            child,
            input,
            output,
            next_id: 0,
        };
        let client = json!({"name": "tests", "version": "0"});
        program.request(
            "initialize",
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client}),
        );
        program.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        program
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    fn send(&mut self, message: &Value) {
        self.send_line(message.to_string().as_bytes());
    }

    /// Whatever bytes, and the end of a line.
    pub(crate) fn send_line(&mut self, line: &[u8]) {
        let input = self.input.as_mut().expect("open");
        input.write_all(&[line, b"\n"].concat()).expect("the program reads");
        input.flush().expect("the program reads");
    }

    /// As a client says goodbye.
    pub(crate) fn close(&mut self) {
        drop(self.input.take());
    }

    pub(crate) fn terminate(&self) {
        let killed = Command::new("kill").arg(self.pid().to_string()).status();
        assert!(
            killed.is_ok_and(|status| status.success()),
            "the program can be told to end"
        );
    }

    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("the program ends")
    }

    /// Sends a request and returns its id.
    pub(crate) fn send_request(&mut self, method: &str, params: Value) -> u64 {
        self.next_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}));
        self.next_id
    }

    /// The next message, whole.
    pub(crate) fn receive_message(&mut self) -> Value {
        let mut line = String::new();
        assert_ne!(
            self.output.read_line(&mut line).expect("the program answers"),
            0,
            "the program ended"
        );
        serde_json::from_str(&line).expect("stdout carries protocol only")
    }

    /// The next answer, with the id of its request.
    pub(crate) fn receive(&mut self) -> (u64, Value) {
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
    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let sent = self.send_request(method, params);
        loop {
            let (id, answer) = self.receive();
            if id == sent {
                return answer;
            }
        }
    }

    /// The CallToolResult of a tool.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
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
