//! What one call of a tool may use of its upstream, what it has used, and what it waits for.

use crate::EgressError;
use std::{
    fmt,
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// Bounds of one call. All of its requests, with their retries, share them.
#[derive(Debug, Clone, Copy)]
pub struct CallLimits {
    pub timeout: Duration,
    pub requests: u64,
    /// One answer of Daktela, unpacked.
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

/// One call.
pub struct CallBudget {
    budget: CallLimits,
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
    /// Requests that were sent again.
    pub retries: u64,
    /// Between a request and its repetition; several that waited at once count each.
    pub paused: Duration,
    /// For other calls to end.
    pub queued: Duration,
}

/// For whoever watches the call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// Grows with all that happens.
    pub steps: u64,
    /// How many of the guest's requests have their answer.
    pub answers: u64,
    pub wait: Option<Wait>,
}

/// What the call waits for at the moment, beside Daktela's answers.
#[derive(Debug, Clone, Copy)]
pub enum Wait {
    /// Other calls, which have all the instances.
    Turn,
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
            Self::Turn => f.write_str("Waiting for other calls to end"),
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
    pub fn new(budget: CallLimits) -> Self {
        Self {
            budget,
            deadline: Instant::now() + budget.timeout,
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

    /// Waits for its turn, and says so.
    pub async fn queue<T>(&self, turn: impl Future<Output = T>) -> T {
        let started = Instant::now();
        self.notify(|progress| progress.wait = Some(Wait::Turn));
        let turn = turn.await;
        count(&self.queued_ms, started.elapsed());
        self.notify(|progress| progress.wait = None);
        turn
    }

    /// Lets a while pass before a request is sent again, and says so.
    pub(crate) async fn pause(&self, pause: Duration, reason: RetryReason) {
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
            || self.requests.load(Ordering::Relaxed) >= self.budget.requests
            || self.bytes.load(Ordering::Relaxed) > self.budget.bytes as u64
    }

    pub(crate) fn timed_out(&self) -> EgressError {
        EgressError::Timeout(self.budget.timeout)
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
        let most = self.budget.requests;
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
        self.budget.body_bytes
    }

    /// `read` more bytes have come.
    pub(crate) fn count_bytes(&self, read: usize) -> Result<(), EgressError> {
        let most = self.budget.bytes;
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
    fn a_call_has_so_many_requests_and_bytes() {
        let budget = CallLimits::default();
        let call = CallBudget::new(budget);
        assert!((0..budget.requests).all(|_| call.count_request().is_ok()));
        assert!(call.count_request().is_err());
        assert_eq!(call.usage().requests, budget.requests);
        assert!(call.is_spent());
        let call = CallBudget::new(budget);
        assert_eq!(call.count_bytes(budget.bytes), Ok(()));
        assert!(!call.is_spent());
        assert_eq!(call.count_bytes(1), Err(EgressError::TooLarge(budget.bytes)));
        assert!(call.is_spent());
    }
}
