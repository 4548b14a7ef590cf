//! The stdio transport: one JSON-RPC message per line on stdin and stdout.
//!
//! rmcp's own transport does not answer what it cannot parse, answers one of two requests with the same id only, and
//! leaves calls under way five seconds when its input ends. Here every request is answered by its id, and the end waits
//! for the answers, as long as the client reads them.

use std::{
    collections::HashMap,
    future::Future,
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use daktela_protocol::{BATCH_REVISION, code::INVALID_REQUEST, json};
use rmcp::{
    RoleServer,
    model::{ClientJsonRpcMessage, ClientNotification, JsonRpcMessage, RequestId, ServerJsonRpcMessage, ServerResult},
    transport::{StdioReader, StdioWriter, Transport, stdio_pipes},
};
use serde::Serialize;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    sync::{Semaphore, mpsc, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::message::{self, InvalidMessage, Parsed};
use crate::shutdown;

/// Arguments of tools are short. Without a bound a line that never ends would take all memory.
const LINE_BYTES_MAX: u64 = 4_000_000;

/// How long the client may take, once the end has come, to read the next part of an answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// A part of an answer: what the client reads shows that it still does.
const WRITE_BYTES: usize = 64 * 1024;

/// For what rmcp does at its end, and for the exporter of traces.
const EXIT_MARGIN: Duration = Duration::from_secs(10);

/// Errors for messages that cannot be parsed, on their way to the client. Beyond so many the client does not read.
const ERRORS_MAX: usize = 64;

pub(super) struct Stdio {
    messages: mpsc::Receiver<Incoming>,
    output: Arc<Output>,
    requests: Arc<watch::Sender<Requests>>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    drain: Duration,
    /// Nothing more is read: until then there is time to answer.
    ends: Option<Instant>,
}

/// A message, and the batch that it came in.
struct Incoming {
    message: ClientJsonRpcMessage,
    batch: Option<Arc<Batch>>,
}

/// Requests that are not answered yet, by the id that rmcp knows.
#[derive(Default)]
struct Requests {
    open: HashMap<RequestId, Open>,
    repeated: u64,
}

#[derive(Clone)]
struct Open {
    /// The client's own.
    id: RequestId,
    batch: Option<Arc<Batch>>,
}

/// Answers to the requests of one batch, which are sent together.
struct Batch(Mutex<BatchState>);

struct BatchState {
    open: usize,
    answers: Vec<Value>,
}

impl Batch {
    /// One request less is open. Returns all answers with the last one.
    fn close_one(&self, answer: Option<Value>) -> Option<Value> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.answers.extend(answer);
        state.open = state.open.saturating_sub(1);
        let is_whole = state.open == 0 && !state.answers.is_empty();
        is_whole.then(|| Value::Array(std::mem::take(&mut state.answers)))
    }
}

impl Requests {
    /// The id under which rmcp gets a request. A client may use an id again that is still in use; rmcp would answer only
    /// one of the two.
    fn begin(&mut self, id: &RequestId, batch: Option<Arc<Batch>>) -> RequestId {
        let mut unique = id.clone();
        while self.open.contains_key(&unique) {
            self.repeated += 1;
            unique = RequestId::String(format!("repeated-{}", self.repeated).into());
        }
        let id = id.clone();
        self.open.insert(unique.clone(), Open { id, batch });
        unique
    }
}

impl Stdio {
    /// Reads until the client closes its end, or until `stop`. Answers may take as long as `drain` from then on.
    pub(super) fn new(stop: impl Future<Output = ()> + Send + 'static, drain: Duration) -> Self {
        let (reader, writer) = stdio_pipes();
        let output = Arc::new(Output {
            writer: tokio::sync::Mutex::new(writer),
            waits_since: Mutex::default(),
            given_up: CancellationToken::new(),
            has_batches: AtomicBool::new(false),
        });
        let (send, messages) = mpsc::channel(1);
        tokio::spawn(read(reader, output.clone(), send));
        Self {
            messages,
            output,
            requests: Arc::default(),
            stop: Box::pin(stop),
            drain,
            ends: None,
        }
    }

    fn note(&self, Incoming { mut message, batch }: Incoming) -> ClientJsonRpcMessage {
        match &mut message {
            JsonRpcMessage::Request(request) => self.requests.send_modify(|requests| {
                request.id = requests.begin(&request.id, batch);
            }),
            // MCP answers no request that was cancelled.
            JsonRpcMessage::Notification(notification) => {
                if let ClientNotification::CancelledNotification(cancelled) = &notification.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.close(id);
                }
            }
            _ => {}
        }
        message
    }

    fn close(&self, id: &RequestId) {
        let mut closed = None;
        self.requests.send_modify(|requests| closed = requests.open.remove(id));
        if let Some(answers) = closed.and_then(|open| open.batch?.close_one(None)) {
            let output = self.output.clone();
            tokio::spawn(async move { output.write(&answers).await });
        }
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = io::Error;

    fn send(&mut self, mut message: ServerJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (output, requests) = (self.output.clone(), self.requests.clone());
        async move {
            if let JsonRpcMessage::Response(response) = &message
                && let ServerResult::InitializeResult(result) = &response.result
            {
                let has_batches = result.protocol_version.as_str() == BATCH_REVISION;
                output.has_batches.store(has_batches, Ordering::Release);
            }
            let Some(id) = answered(&mut message) else {
                return output.write(&message).await;
            };
            let unique = id.clone();
            let open = requests.borrow().open.get(&unique).cloned();
            if let Some(open) = &open {
                id.clone_from(&open.id);
            }
            let written = match open.and_then(|open| open.batch) {
                None => output.write(&message).await,
                Some(batch) => match batch.close_one(Some(serde_json::to_value(&message)?)) {
                    Some(answers) => output.write(&answers).await,
                    None => Ok(()),
                },
            };
            requests.send_modify(|requests| {
                requests.open.remove(&unique);
            });
            written
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        if self.ends.is_none() {
            let message = tokio::select! {
                () = &mut self.stop => None,
                message = self.messages.recv() => message,
            };
            if let Some(message) = message {
                return Some(self.note(message));
            }
            self.ends = Some(Instant::now() + self.drain);
            if let Err(error) = shutdown::exit_after(self.drain + EXIT_MARGIN) {
                tracing::warn!(event = "shutdown_unguarded", reason = %error, "the exit has no hard deadline");
            }
        }
        let ends = self.ends?;
        let begun = ends - self.drain;
        let mut requests = self.requests.subscribe();
        let answered = timeout_at(ends, requests.wait_for(|requests| requests.open.is_empty()));
        let in_time = tokio::select! {
            done = answered => done.is_ok(),
            () = self.output.stuck(begun) => false,
        };
        if !in_time {
            let reason = "the client does not read them, or they took too long";
            let count = self.requests.borrow().open.len();
            tracing::warn!(
                event = "answers_abandoned",
                count,
                reason,
                "answers were not sent before the end"
            );
            self.output.given_up.cancel();
        }
        None
    }

    async fn close(&mut self) -> io::Result<()> {
        self.output.flush().await
    }
}

/// The id of the request that a message answers.
fn answered(message: &mut ServerJsonRpcMessage) -> Option<&mut RequestId> {
    match message {
        JsonRpcMessage::Response(response) => Some(&mut response.id),
        JsonRpcMessage::Error(error) => error.id.as_mut(),
        _ => None,
    }
}

/// stdout, one message at a time.
struct Output {
    writer: tokio::sync::Mutex<StdioWriter>,
    /// While a part of a message waits for its reader.
    waits_since: Mutex<Option<Instant>>,
    /// Nothing more can be written.
    given_up: CancellationToken,
    /// The revision that was negotiated has batches.
    has_batches: AtomicBool,
}

impl Output {
    async fn write(&self, message: &impl Serialize) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        tokio::select! {
            biased;
            () = self.given_up.cancelled() => Err(io::ErrorKind::TimedOut.into()),
            written = self.write_line(&line) => written,
        }
    }

    async fn write_line(&self, line: &[u8]) -> io::Result<()> {
        let mut writer = self.writer.lock().await;
        for part in line.chunks(WRITE_BYTES) {
            self.set_waits_since(Some(Instant::now()));
            writer.write_all(part).await?;
        }
        writer.flush().await?;
        self.set_waits_since(None);
        Ok(())
    }

    async fn flush(&self) -> io::Result<()> {
        let flush = async { self.writer.lock().await.flush().await };
        timeout(WRITE_TIMEOUT, flush).await?
    }

    /// Comes when one part of a message has waited [`WRITE_TIMEOUT`] for its reader, from `begun` on.
    async fn stuck(&self, begun: Instant) {
        const LOOK: Duration = Duration::from_millis(100);
        loop {
            let since = *self.waits_since.lock().unwrap_or_else(PoisonError::into_inner);
            if since.is_some_and(|since| since.max(begun).elapsed() >= WRITE_TIMEOUT) {
                return;
            }
            sleep(LOOK).await;
        }
    }

    fn set_waits_since(&self, since: Option<Instant>) {
        *self.waits_since.lock().unwrap_or_else(PoisonError::into_inner) = since;
    }
}

async fn read(reader: StdioReader, output: Arc<Output>, messages: mpsc::Sender<Incoming>) {
    let errors = Arc::new(Semaphore::new(ERRORS_MAX));
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while next_line(&mut reader, &mut line).await.is_ok_and(|bytes| bytes > 0) {
        let parsed = if line.len() as u64 > LINE_BYTES_MAX {
            let id = json::find_id(&line);
            // The rest of it.
            while !line.ends_with(b"\n") && next_line(&mut reader, &mut line).await.is_ok_and(|bytes| bytes > 0) {}
            let message = format!("A message has at most {LINE_BYTES_MAX} bytes.");
            Err(InvalidMessage {
                id: id.unwrap_or_default(),
                ..InvalidMessage::new(INVALID_REQUEST, message)
            })
        } else {
            let line = json::repair(&line);
            let line = line.trim_ascii();
            if line.is_empty() {
                continue;
            }
            message::parse(line)
        };
        let (batch, parts) = match parsed {
            Ok(Parsed::One(message)) => (None, vec![Ok(*message)]),
            Ok(Parsed::Batch(parts)) if parts.is_empty() && output.has_batches.load(Ordering::Acquire) => {
                (None, vec![Err(message::batch_size())])
            }
            Ok(Parsed::Batch(parts)) if output.has_batches.load(Ordering::Acquire) => {
                (Some(begin_batch(&parts)), parts)
            }
            Ok(Parsed::Batch(_)) => (None, vec![Err(message::no_batches())]),
            Err(invalid) => (None, vec![Err(invalid)]),
        };
        for part in parts {
            match part {
                Ok(message) => {
                    let batch = batch.clone();
                    if messages.send(Incoming { message, batch }).await.is_err() {
                        return;
                    }
                }
                Err(invalid) => {
                    // What it was may be a customer's.
                    tracing::warn!(
                        event = "unreadable",
                        reason = invalid.message,
                        "a message cannot be parsed"
                    );
                    let answer = match &batch {
                        _ if invalid.is_notification => None,
                        Some(batch) => batch.close_one(Some(invalid.answer())),
                        None => Some(invalid.answer()),
                    };
                    if let Some(answer) = answer {
                        answer_invalid(&output, &errors, answer).await;
                    }
                }
            }
        }
    }
}

fn begin_batch(parts: &[Result<ClientJsonRpcMessage, InvalidMessage>]) -> Arc<Batch> {
    let is_answered = |part: &&Result<ClientJsonRpcMessage, InvalidMessage>| match part {
        Ok(message) => matches!(message, JsonRpcMessage::Request(_)),
        Err(invalid) => !invalid.is_notification,
    };
    let open = parts.iter().filter(is_answered).count();
    let answers = Vec::with_capacity(open);
    Arc::new(Batch(Mutex::new(BatchState { open, answers })))
}

/// Sends an error without keeping the reader from noticing the end of stdin for longer than [`WRITE_TIMEOUT`].
async fn answer_invalid(output: &Arc<Output>, errors: &Arc<Semaphore>, answer: Value) {
    let Ok(Ok(permit)) = timeout(WRITE_TIMEOUT, errors.clone().acquire_owned()).await else {
        return;
    };
    let output = output.clone();
    tokio::spawn(async move {
        // A client that is gone ends the session by itself.
        let _ = output.write(&answer).await;
        drop(permit);
    });
}

/// A line, or the next part of one that is too long. Returns how many bytes it has.
async fn next_line(reader: &mut BufReader<StdioReader>, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    reader.take(LINE_BYTES_MAX + 1).read_until(b'\n', line).await
}

/// Comes when the other end of stdout is closed, which a pipe tells without being written to.
#[cfg(unix)]
pub(super) async fn stdout_closed() {
    use rustix::{
        event::{PollFd, PollFlags, poll},
        io::Errno,
    };
    let (gone, told) = tokio::sync::oneshot::channel();
    // It sleeps as long as the program runs, which a thread of the runtime's may not.
    let watch = std::thread::Builder::new().name("stdout".to_owned()).spawn(move || {
        let stdout = io::stdout();
        // Errors are reported without being asked for.
        let mut stdout = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut stdout, None) == Err(Errno::INTR) {}
        let _ = gone.send(());
    });
    match watch {
        Ok(_) => drop(told.await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
pub(super) async fn stdout_closed() {
    std::future::pending().await
}
