//! MCP on stdin and stdout, a message a line.
//!
//! rmcp's own transport is silent about what it cannot read, and when its input ends it leaves calls under way five
//! seconds. Here everything that asks is answered, and an end waits for the answers.

use super::message::{self, INVALID_REQUEST, Unreadable};
use rmcp::{
    RoleServer,
    model::{ClientJsonRpcMessage, ClientNotification, JsonRpcMessage, RequestId, ServerJsonRpcMessage},
    transport::{StdioReader, StdioWriter, Transport, stdio_pipes},
};
use serde::Serialize;
use std::{collections::HashSet, future::Future, io, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    sync::{Mutex, mpsc, watch},
    time::{Instant, timeout_at},
};

/// Arguments of tools are short. Without a bound a line that never ends would take all memory.
const LINE_BYTES_MAX: u64 = 4_000_000;

/// Editors put it in front of files, and some shells in front of pipes.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

type Writer = Arc<Mutex<StdioWriter>>;

pub(super) struct Stdio {
    messages: mpsc::Receiver<ClientJsonRpcMessage>,
    writer: Writer,
    /// Requests that are not answered yet.
    open: Arc<watch::Sender<HashSet<RequestId>>>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    drain: Duration,
    /// Nothing more is read: until then there is time to answer.
    ends: Option<Instant>,
}

impl Stdio {
    /// Reads until the client closes its end, or until `stop`. Answers may take as long as `drain` from then on.
    pub(super) fn new(stop: impl Future<Output = ()> + Send + 'static, drain: Duration) -> Self {
        let (reader, writer) = stdio_pipes();
        let writer = Arc::new(Mutex::new(writer));
        let (send, messages) = mpsc::channel(1);
        tokio::spawn(read(reader, writer.clone(), send));
        Self {
            messages,
            writer,
            open: Arc::default(),
            stop: Box::pin(stop),
            drain,
            ends: None,
        }
    }
}

impl Transport<RoleServer> for Stdio {
    type Error = io::Error;

    fn send(&mut self, message: ServerJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let (writer, open) = (self.writer.clone(), self.open.clone());
        async move {
            let written = write(&writer, &message).await;
            let answered = match &message {
                JsonRpcMessage::Response(response) => Some(&response.id),
                JsonRpcMessage::Error(error) => error.id.as_ref(),
                _ => None,
            };
            if let Some(id) = answered {
                open.send_modify(|open| {
                    open.remove(id);
                });
            }
            written
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        if self.ends.is_none() {
            let message = tokio::select! {
                () = &mut self.stop => None,
                message = self.messages.recv() => message,
            };
            match &message {
                Some(JsonRpcMessage::Request(request)) => {
                    self.open.send_modify(|open| {
                        open.insert(request.id.clone());
                    });
                }
                // MCP answers no request that was cancelled.
                Some(JsonRpcMessage::Notification(progress)) => {
                    if let ClientNotification::CancelledNotification(cancelled) = &progress.notification
                        && let Some(id) = &cancelled.params.request_id
                    {
                        self.open.send_modify(|open| {
                            open.remove(id);
                        });
                    }
                }
                _ => {}
            }
            if message.is_some() {
                return message;
            }
            self.ends = Some(Instant::now() + self.drain);
        }
        let ends = self.ends?;
        let mut open = self.open.subscribe();
        let _ = timeout_at(ends, open.wait_for(HashSet::is_empty)).await;
        None
    }

    async fn close(&mut self) -> io::Result<()> {
        self.writer.lock().await.flush().await
    }
}

async fn read(reader: StdioReader, writer: Writer, messages: mpsc::Sender<ClientJsonRpcMessage>) {
    let mut reader = BufReader::new(reader);
    let mut line = Vec::new();
    while next_line(&mut reader, &mut line).await.is_ok_and(|bytes| bytes > 0) {
        let read = if line.len() as u64 > LINE_BYTES_MAX {
            // The rest of it.
            while !line.ends_with(b"\n") && next_line(&mut reader, &mut line).await.is_ok_and(|bytes| bytes > 0) {}
            let message = format!("A message has at most {LINE_BYTES_MAX} bytes.");
            Err(Unreadable::new(INVALID_REQUEST, message))
        } else {
            let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&line).trim_ascii();
            if line.is_empty() {
                continue;
            }
            message::read(line)
        };
        let gone = match read {
            Ok(message) => messages.send(message).await.is_err(),
            Err(unreadable) => {
                // What it was may be a customer's.
                tracing::warn!(event = "unreadable", reason = unreadable.message);
                !unreadable.is_notification && write(&writer, &unreadable.answer()).await.is_err()
            }
        };
        if gone {
            return;
        }
    }
}

/// A line, or the next part of one that is too long. Returns how many bytes it has.
async fn next_line(reader: &mut BufReader<StdioReader>, line: &mut Vec<u8>) -> io::Result<usize> {
    line.clear();
    reader.take(LINE_BYTES_MAX + 1).read_until(b'\n', line).await
}

async fn write(writer: &Writer, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    let mut writer = writer.lock().await;
    writer.write_all(&line).await?;
    writer.flush().await
}

/// Comes when the other end of stdout is closed, which a pipe tells without being written to.
#[cfg(unix)]
pub(super) async fn nobody_reads() {
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
pub(super) async fn nobody_reads() {
    std::future::pending().await
}
