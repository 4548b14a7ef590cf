//! The log: JSON lines on stderr, through a bounded queue and a thread that writes, so that no call waits for its reader.
//!
//! A reader that stops fills the pipe behind stderr, and a write then blocks for as long as it likes. Only the writer
//! thread waits for it. Meanwhile lines are queued; when the queue is full, new ones are dropped and counted
//! (`mcp_daktela_log_lines_dropped_total`), and the log says how many once its reader goes on. stdout belongs to the
//! protocol.

use std::{
    collections::VecDeque,
    io,
    panic::PanicHookInfo,
    sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};

use prometheus_client::metrics::counter::Counter;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// Libraries write about a client that went away, or a request with its URL. Their lines are left out.
const LIBRARIES: LevelFilter = LevelFilter::OFF;

/// What the targets of this program's crates begin with: its own, and `daktela_egress`, `daktela_http_client` and others.
const OWN_TARGETS: [&str; 2] = ["mcp_daktela", "daktela"];

/// Some 2,000 lines of calls. The writer falls so far behind only when its reader has stopped.
const QUEUE_BYTES_MAX: usize = 1_000_000;

/// Lines that are written at once.
const WRITE_BYTES: usize = 64 * 1024;

/// How often a stderr that somebody made non-blocking is tried again while its pipe is full.
const RETRY: Duration = Duration::from_millis(20);

/// How long the exit of the program waits for lines that are queued.
pub(crate) const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

static QUEUE: OnceLock<Arc<Queue>> = OnceLock::new();

/// Lines that were not written, since the queue was full or stderr closed.
static DROPPED: LazyLock<Counter> = LazyLock::new(Counter::default);

/// Starts the log at `level`. A second start within one process keeps the first one's level.
///
/// # Errors
///
/// When the thread that writes does not start.
pub fn init(level: LevelFilter) -> io::Result<()> {
    if QUEUE.get().is_some() {
        return Ok(());
    }
    let queue = QUEUE.get_or_init(Arc::default).clone();
    let writer = queue.clone();
    thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || writer.write_forever())?;
    let filter = OWN_TARGETS
        .iter()
        .fold(Targets::new().with_default(LIBRARIES), |targets, target| {
            targets.with_target(*target, level)
        });
    let lines = fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_writer(move || Line(queue.clone()));
    // A test's own subscriber may be there already.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(filter))
        .try_init();
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Writes a line for people, through the same queue.
pub(crate) fn write_text(text: &str) {
    if let Some(queue) = QUEUE.get() {
        queue.push(format!("{text}\n").into_bytes());
    }
}

/// Waits until all lines are written, or [`FLUSH_TIMEOUT`] is over.
pub(crate) fn flush() {
    if let Some(queue) = QUEUE.get() {
        queue.flush(FLUSH_TIMEOUT);
    }
}

/// How many lines were dropped since the start.
pub(crate) fn dropped() -> Counter {
    DROPPED.clone()
}

/// The message of a panic may quote a customer's text, so only its place is logged.
fn log_panic(panic: &PanicHookInfo<'_>) {
    tracing::error!(
        event = "panic",
        location = panic.location().map(ToString::to_string),
        thread = thread::current().name(),
        "a thread panicked"
    );
}

/// Lines on their way to stderr.
#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    /// Since the log last said so.
    dropped: u64,
    is_writing: bool,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic cannot leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Never waits for the reader of stderr.
    fn push(&self, line: Vec<u8>) {
        let mut state = self.state();
        if state.bytes + line.len() > QUEUE_BYTES_MAX {
            state.dropped += 1;
            DROPPED.inc();
        } else {
            state.bytes += line.len();
            state.lines.push_back(line);
            self.changed.notify_all();
        }
    }

    fn write_forever(&self) {
        loop {
            let (chunk, lines) = self.next();
            let is_written = write_all(&chunk).is_ok();
            if is_written {
                let dropped = self.take_dropped();
                if dropped > 0 {
                    tracing::warn!(
                        event = "log_lines_dropped",
                        count = dropped,
                        "lines of the log were dropped while nobody read it"
                    );
                }
            } else {
                DROPPED.inc_by(lines);
            }
            self.state().is_writing = false;
            self.changed.notify_all();
        }
    }

    /// How many lines to tell of, once there is room for the line that says so.
    fn take_dropped(&self) -> u64 {
        let mut state = self.state();
        if state.bytes > QUEUE_BYTES_MAX / 2 {
            return 0;
        }
        std::mem::take(&mut state.dropped)
    }

    /// Waits for lines, and takes as many as are written at once.
    fn next(&self) -> (Vec<u8>, u64) {
        let mut state = self.state();
        while state.lines.is_empty() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_writing = true;
        let (mut chunk, mut lines) = (Vec::new(), 0);
        while chunk.len() < WRITE_BYTES
            && let Some(line) = state.lines.pop_front()
        {
            state.bytes -= line.len();
            chunk.extend(line);
            lines += 1;
        }
        (chunk, lines)
    }

    fn flush(&self, timeout: Duration) {
        let end = Instant::now() + timeout;
        let mut state = self.state();
        while state.is_writing || !state.lines.is_empty() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

/// Writes around the lock of [`std::io::stderr`], which a blocked write would hold against everybody.
fn write_all(mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(RETRY),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn write(bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::io::write(io::stderr(), bytes)?)
}

#[cfg(not(unix))]
fn write(bytes: &[u8]) -> io::Result<usize> {
    io::Write::write(&mut io::stderr(), bytes)
}

/// Hands each line, which the formatter writes as one, to the queue.
struct Line(Arc<Queue>);

impl io::Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.push(bytes.to_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
