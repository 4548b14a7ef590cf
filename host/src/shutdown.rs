//! Process shutdown: signals that begin a graceful shutdown, and a hard deadline after which the process exits whatever is stuck.
//! `server/connections.rs` drains the connections.

use std::{io, process, thread, time::Duration};

/// Exit code after [`exit_after`] had to act.
const STUCK: i32 = 1;

/// Comes when a supervisor asks the program to end (SIGTERM).
#[cfg(unix)]
pub(crate) async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
pub(crate) async fn terminated() {
    std::future::pending().await
}

/// Comes when a person at a terminal asks the program to end (SIGINT, Ctrl-C).
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

/// Ends the process hard after `grace`, unless it has ended by then: a pipe that nobody reads, an exporter or a thread of
/// the runtime that is blocked cannot keep it alive.
///
/// # Errors
///
/// When the thread that waits does not start.
#[expect(
    clippy::disallowed_methods,
    reason = "what is stuck cannot be waited for, and had its time"
)]
pub(crate) fn exit_after(grace: Duration) -> io::Result<()> {
    thread::Builder::new()
        .name("shutdown".to_owned())
        .spawn(move || {
            thread::sleep(grace);
            process::exit(STUCK);
        })
        .map(drop)
}
