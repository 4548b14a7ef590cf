//! What one call of a tool may use of its upstream, and what it has used.

use crate::Failure;
use std::{
    future::Future,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// A scan of two hundred conversations with all their pages stays below; a runaway loop does not.
const REQUESTS_MAX: u64 = 1_000;

/// All bodies of one call together: four times the largest single one.
const BYTES_MAX: usize = 64 * 1024 * 1024;

/// The budget of one call. Its deadline counts for all of its requests, with their retries, together.
pub struct Call {
    timeout: Duration,
    deadline: Instant,
    requests: AtomicU64,
    bytes: AtomicU64,
    cache_hits: AtomicU64,
    finished: watch::Sender<u64>,
}

/// For the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    pub requests: u64,
    pub bytes: u64,
    pub cache_hits: u64,
}

impl Call {
    pub fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            deadline: Instant::now() + timeout,
            requests: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            cache_hits: AtomicU64::new(0),
            finished: watch::Sender::new(0),
        }
    }

    pub fn usage(&self) -> Usage {
        Usage {
            requests: self.requests.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            cache_hits: self.cache_hits.load(Ordering::Relaxed),
        }
    }

    /// How many of the guest's requests have their answer.
    pub fn finished(&self) -> watch::Receiver<u64> {
        self.finished.subscribe()
    }

    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    pub(super) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    pub(super) fn timed_out(&self) -> Failure {
        Failure::Timeout(self.timeout)
    }

    pub(super) async fn within<T>(&self, work: impl Future<Output = T>) -> Result<T, Failure> {
        tokio::time::timeout_at(self.deadline, work)
            .await
            .map_err(|_| self.timed_out())
    }

    pub(super) fn finish_one(&self) {
        self.finished.send_modify(|count| *count += 1);
    }

    pub(super) fn count_request(&self) -> Result<(), Failure> {
        if self.requests.fetch_add(1, Ordering::Relaxed) < REQUESTS_MAX {
            return Ok(());
        }
        Err(Failure::ForTheUser(format!(
            "One call may send {REQUESTS_MAX} requests to Daktela. Ask for less at once."
        )))
    }

    /// `read` more bytes have come.
    pub(super) fn count_bytes(&self, read: usize) -> Result<(), Failure> {
        let before = self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        if before + read as u64 <= BYTES_MAX as u64 {
            Ok(())
        } else {
            Err(Failure::TooLarge(BYTES_MAX))
        }
    }

    pub(super) fn count_cache_hit(&self) {
        self.cache_hits.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_has_so_many_requests_and_bytes() {
        let call = Call::new(Duration::from_secs(1));
        assert!((0..REQUESTS_MAX).all(|_| call.count_request().is_ok()));
        assert!(call.count_request().is_err());
        assert_eq!(call.count_bytes(BYTES_MAX), Ok(()));
        assert_eq!(call.count_bytes(1), Err(Failure::TooLarge(BYTES_MAX)));
    }
}
