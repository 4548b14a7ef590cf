//! Starts the program as an HTTP server, sends it requests over real sockets and reads its log.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{IpAddr, SocketAddr, TcpStream},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::program;

/// A build server under load takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Served {
    child: Child,
    /// `127.0.0.1:PORT`
    pub address: String,
    log: Arc<Mutex<Vec<Value>>>,
}

/// An answer, whole.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The message in the body, whether alone or as the last of a stream.
    pub fn json(&self) -> Value {
        let text = self
            .body
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: "))
            .unwrap_or(&self.body);
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The text of a tool's answer.
    pub fn text(&self) -> String {
        let json = self.json();
        json["result"]["content"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("{json}"))
            .to_owned()
    }
}

/// What a request is made of; the rest is as any client sends it.
#[derive(Clone)]
pub struct Ask<'a> {
    pub method: &'a str,
    pub target: &'a str,
    pub headers: Vec<(&'a str, String)>,
    pub body: String,
}

impl<'a> Ask<'a> {
    pub fn get(target: &'a str) -> Self {
        Ask {
            method: "GET",
            target,
            headers: Vec::new(),
            body: String::new(),
        }
    }

    /// A message of MCP, of the revision before the last.
    pub fn mcp(method: &str, params: Value) -> Self {
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        Ask::raw_mcp(&message.to_string()).with("mcp-protocol-version", "2025-11-25")
    }

    pub fn raw_mcp(body: &str) -> Self {
        Ask {
            method: "POST",
            target: "/mcp",
            headers: Vec::new(),
            body: body.to_owned(),
        }
        .with("content-type", "application/json")
        .with("accept", "application/json, text/event-stream")
    }

    pub fn call(tool: &str, arguments: Value) -> Self {
        Ask::mcp("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    pub fn form(target: &'a str, fields: &[(&str, &str)]) -> Self {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        Ask {
            method: "POST",
            target,
            headers: Vec::new(),
            body: body.join("&"),
        }
        .with("content-type", "application/x-www-form-urlencoded")
    }

    pub fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.headers.retain(|(given, _)| *given != name);
        self.headers.push((name, value.into()));
        self
    }

    /// With the credential of a user of an instance.
    pub fn read_as(self, origin: &str, token: &str) -> Self {
        self.with("x-daktela-url", origin).with("x-daktela-access-token", token)
    }
}

/// As in a query or a form.
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

impl Served {
    /// Serves the instances of this machine on a free port.
    pub fn start(variables: &[(&str, &str)]) -> Self {
        Self::over(program::command(&[]), variables)
    }

    /// The same, whatever leads to the program.
    pub fn over(mut command: Command, variables: &[(&str, &str)]) -> Self {
        let ours = [
            ("MCP_TRANSPORT", "streamable-http"),
            ("PORT", "0"),
            ("ALLOWED_DAKTELA_DOMAINS", "daktela.com,127.0.0.1"),
        ];
        let mut child = command
            .envs(ours)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let log = Arc::new(Mutex::new(Vec::new()));
        let (send, listening) = mpsc::channel();
        let kept = log.clone();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| json!({"not_json": line}));
                if line["event"] == "listening" {
                    let _ = send.send(line["address"].as_str().expect("an address").to_owned());
                }
                kept.lock().expect("no panic").push(line);
            }
        });
        let Ok(address) = listening.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("the program does not listen: {:?}", log.lock());
        };
        Served { child, address, log }
    }

    pub fn ask(&self, ask: &Ask<'_>) -> Reply {
        ask_at(&self.address, ask)
    }

    pub fn connect(&self) -> TcpStream {
        connect(&self.address)
    }

    /// From another address of this machine.
    pub fn connect_from(&self, from: IpAddr) -> TcpStream {
        let connected = async {
            let socket = tokio::net::TcpSocket::new_v4()?;
            socket.bind(SocketAddr::new(from, 0))?;
            let to = self.address.parse().expect("an address");
            socket.connect(to).await?.into_std()
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
        let stream = runtime.expect("a runtime").block_on(connected).expect("a connection");
        stream.set_nonblocking(false).expect("a blocking stream");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        stream
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the log says of an event, as soon as there are so many lines of it.
    pub fn log(&self, event: &str, lines: usize) -> Vec<Value> {
        let start = Instant::now();
        loop {
            let found: Vec<Value> = self
                .log
                .lock()
                .expect("no panic")
                .iter()
                .filter(|line| line["event"] == event)
                .cloned()
                .collect();
            if found.len() >= lines || start.elapsed() > PATIENCE {
                return found;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn whole_log(&self) -> String {
        self.log
            .lock()
            .expect("no panic")
            .iter()
            .map(|line| format!("{line}\n"))
            .collect()
    }

    pub fn terminate(&self) {
        let killed = std::process::Command::new("kill").arg(self.pid().to_string()).status();
        assert!(
            killed.is_ok_and(|status| status.success()),
            "the program can be told to end"
        );
    }

    pub fn wait(&mut self) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(start.elapsed() < PATIENCE, "the program ends");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// One request on a connection of its own, byte by byte as given.
pub fn ask_at(address: &str, ask: &Ask<'_>) -> Reply {
    let mut stream = connect(address);
    // A server that refuses early may have hung up before the end of the body.
    let _ = send(&mut stream, address, &ask.clone().with("connection", "close"));
    read(stream)
}

/// A request as it is written, on a connection that is to be kept.
pub fn send(stream: &mut TcpStream, address: &str, ask: &Ask<'_>) -> std::io::Result<()> {
    let mut head = format!("{} {} HTTP/1.1\r\n", ask.method, ask.target);
    if !ask.headers.iter().any(|(name, _)| *name == "host") {
        head += &format!("host: {address}\r\n");
    }
    for (name, value) in &ask.headers {
        head += &format!("{name}: {value}\r\n");
    }
    if ask.method != "GET" {
        head += &format!("content-length: {}\r\n", ask.body.len());
    }
    stream.write_all(format!("{head}\r\n{}", ask.body).as_bytes())
}

pub fn read(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text
        .split_once("\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {text:?}"));
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1)?.parse().ok())
        .expect("a status");
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let chunked = headers
        .iter()
        .any(|(name, value)| name == "transfer-encoding" && value == "chunked");
    let body = if chunked { unchunked(body) } else { body.to_owned() };
    Reply { status, headers, body }
}

fn unchunked(mut rest: &str) -> String {
    let mut whole = String::new();
    while let Some((size, after)) = rest.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            break;
        }
        whole += &after[..size];
        rest = &after[size + 2..];
    }
    whole
}
