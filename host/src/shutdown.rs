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

#[cfg(test)]
mod tests {
    use std::{
        env,
        process::{Command, Stdio},
        time::{Duration, Instant},
    };

    const CHILD: &str = "SHUTDOWN_TEST_CHILD";

    /// The test runs itself as a process whose every thread is blocked for good.
    #[test]
    fn a_process_that_is_blocked_exits_after_its_grace() {
        if env::var_os(CHILD).is_some() {
            super::exit_after(Duration::from_millis(300)).unwrap();
            loop {
                std::thread::park();
            }
        }
        let started = Instant::now();
        let mut child = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "shutdown::tests::a_process_that_is_blocked_exits_after_its_grace",
            ])
            .env(CHILD, "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if started.elapsed() > Duration::from_secs(30) {
                child.kill().unwrap();
                panic!("it does not exit");
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(super::STUCK));
        assert!(started.elapsed() >= Duration::from_millis(300));
    }
}
