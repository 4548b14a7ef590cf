//! Request budget of one MCP call: its limits, what it has used of them, and its progress.

use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{sync::watch, time::Instant};

use crate::EgressError;

/// Limits of one call, shared by all of its upstream requests and their retries.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    /// From the start of the call, queueing included.
    pub timeout: Duration,
    /// Requests to Daktela, retries included.
    pub requests: u64,
    /// One response of Daktela, unpacked.
    pub body_bytes: usize,
    /// All of them together.
    pub bytes: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            // Half of what MCP's SDKs wait for an answer by default, so that ours, with its reason, comes first.
            timeout: Duration::from_secs(30),
            // A scan of two hundred conversations with all their pages stays below; a runaway loop does not.
            requests: 1_000,
            // A page of 200 raw e-mails is 44 MB, but nobody asks for raw ones: with chosen fields a page is under 6 MB.
            body_bytes: 16_000_000,
            // Four times the largest single one.
            bytes: 64_000_000,
        }
    }
}

/// The budget of one call, and a channel that tells of its progress.
pub struct CallBudget {
    limits: CallLimits,
    deadline: Instant,
    requests: AtomicU64,
    bytes: AtomicU64,
    cache_hits: AtomicU64,
    retries: AtomicU64,
    paused_ms: AtomicU64,
    queued_ms: AtomicU64,
    progress: watch::Sender<Progress>,
}

/// For the log and the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub requests: u64,
    pub bytes: u64,
    pub cache_hits: u64,
    /// Retries.
    pub retries: u64,
    /// Backoff before retries; several that waited at once count each.
    pub paused: Duration,
    /// In the fair queue.
    pub queued: Duration,
}

/// Progress of a call, for notifications to the client.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Grows with each event.
    pub steps: u64,
    /// How many of the guest's requests have their answer.
    pub answers: u64,
    pub wait: Option<Wait>,
}

/// What the call waits for at the moment, beside Daktela's answers.
#[derive(Debug, Clone, Copy)]
pub enum Wait {
    /// Other calls, which hold all the instances.
    Queued,
    /// The time until a request is sent again.
    Retry { pause: Duration, reason: RetryReason },
}

/// Why a request is sent again.
#[derive(Debug, Clone, Copy)]
pub enum RetryReason {
    TooManyRequests,
    Status(u16),
    Connection,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Queued => f.write_str("Waiting for other calls to end"),
            Self::Retry { pause, reason } => {
                write!(f, "Asking again in {:.1} s: ", pause.as_secs_f64())?;
                match reason {
                    RetryReason::TooManyRequests => f.write_str("Daktela has too many requests"),
                    RetryReason::Status(status) => write!(f, "Daktela failed with HTTP {status}"),
                    RetryReason::Connection => f.write_str("Daktela could not be reached"),
                }
            }
        }
    }
}

impl CallBudget {
    pub fn new(limits: CallLimits) -> Self {
        Self {
            limits,
            deadline: Instant::now() + limits.timeout,
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            cache_hits: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            paused_ms: AtomicU64::new(0),
            queued_ms: AtomicU64::new(0),
            progress: watch::Sender::default(),
        }
    }

    pub fn usage(&self) -> Usage {
        let number = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Usage {
            requests: number(&self.requests),
            bytes: number(&self.bytes),
            cache_hits: number(&self.cache_hits),
            retries: number(&self.retries),
            paused: Duration::from_millis(number(&self.paused_ms)),
            queued: Duration::from_millis(number(&self.queued_ms)),
        }
    }

    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits in the fair queue, and reports it.
    pub async fn queue<T>(&self, permit: impl Future<Output = T>) -> T {
        let started = Instant::now();
        self.notify(|progress| progress.wait = Some(Wait::Queued));
        let permit = permit.await;
        count(&self.queued_ms, started.elapsed());
        self.notify(|progress| progress.wait = None);
        permit
    }

    /// Backs off before a retry, and reports it.
    pub(crate) async fn back_off(&self, pause: Duration, reason: RetryReason) {
        self.retries.fetch_add(1, Ordering::Relaxed);
        self.notify(|progress| progress.wait = Some(Wait::Retry { pause, reason }));
        let started = Instant::now();
        tokio::time::sleep(pause).await;
        count(&self.paused_ms, started.elapsed());
    }

    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether the call itself is at an end, so that its failures say nothing of Daktela.
    pub(crate) fn is_spent(&self) -> bool {
        self.left().is_zero()
            || self.requests.load(Ordering::Relaxed) >= self.limits.requests
            || self.bytes.load(Ordering::Relaxed) > self.limits.bytes as u64
    }

    pub(crate) fn timed_out(&self) -> EgressError {
        EgressError::Timeout(self.limits.timeout)
    }

    pub(crate) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, EgressError> {
        tokio::time::timeout_at(self.deadline, work)
            .await
            .map_err(|_| self.timed_out())
    }

    pub(crate) fn finish_one(&self) {
        self.notify(|progress| {
            progress.answers += 1;
            progress.wait = None;
        });
    }

    pub(crate) fn count_request(&self) -> Result<(), EgressError> {
        let most = self.limits.requests;
        if self.requests.fetch_add(1, Ordering::Relaxed) < most {
            return Ok(());
        }
        // One that was not sent is none.
        self.requests.fetch_sub(1, Ordering::Relaxed);
        Err(EgressError::UserActionable(format!(
            "One call may send {most} requests to Daktela. Ask for less at once, or raise --max-upstream-requests."
        )))
    }

    pub(crate) fn body_bytes_max(&self) -> usize {
        self.limits.body_bytes
    }

    /// `read` more bytes have come.
    pub(crate) fn count_bytes(&self, read: usize) -> Result<(), EgressError> {
        let most = self.limits.bytes;
        let before = self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        if before + read as u64 <= most as u64 {
            Ok(())
        } else {
            Err(EgressError::TooLarge(most))
        }
    }

    pub(crate) fn count_cache_hit(&self) {
        self.cache_hits.fetch_add(1, Ordering::Relaxed);
    }

    fn notify(&self, change: impl FnOnce(&mut Progress)) {
        self.progress.send_modify(|progress| {
            progress.steps += 1;
            change(progress);
        });
    }
}

fn count(counter: &AtomicU64, passed: Duration) {
    let milliseconds = u64::try_from(passed.as_millis()).unwrap_or(u64::MAX);
    counter.fetch_add(milliseconds, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_bytes_are_limited() {
        let limits = CallLimits::default();
        let call = CallBudget::new(limits);
        assert!((0..limits.requests).all(|_| call.count_request().is_ok()));
        assert!(call.count_request().is_err());
        assert_eq!(call.usage().requests, limits.requests);
        assert!(call.is_spent());
        let call = CallBudget::new(limits);
        assert_eq!(call.count_bytes(limits.bytes), Ok(()));
        assert!(!call.is_spent());
        assert_eq!(call.count_bytes(1), Err(EgressError::TooLarge(limits.bytes)));
        assert!(call.is_spent());
    }
}
