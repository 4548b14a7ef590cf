//! The program as a client sees it: real bytes on its standard input and output.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
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
        let mut child = command(variables)
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

    fn send(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("open");
        writeln!(input, "{message}").expect("the program reads");
        input.flush().expect("the program reads");
    }

    /// Sends a request and returns its id.
    pub(crate) fn send_request(&mut self, method: &str, params: Value) -> u64 {
        self.next_id += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.next_id, "method": method, "params": params}));
        self.next_id
    }

    /// The next answer, with the id of its request.
    pub(crate) fn receive(&mut self) -> (u64, Value) {
        loop {
            let mut line = String::new();
            assert_ne!(
                self.output.read_line(&mut line).expect("the program answers"),
                0,
                "the program ended"
            );
            let mut message: Value = serde_json::from_str(&line).expect("stdout carries protocol only");
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
        drop(self.input.take());
        self.child.wait().expect("the program ends");
    }
}
