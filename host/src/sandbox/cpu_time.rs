//! CPU time of a call: the time spent inside of its polls. A future that waits is not polled.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

#[derive(Clone, Default)]
pub(super) struct CpuTime(Arc<Mutex<Time>>);

#[derive(Default)]
struct Time {
    /// Of the polls that are over.
    before: Duration,
    /// When the one under way began.
    since: Option<Instant>,
}

impl CpuTime {
    pub(super) async fn measure<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        poll_fn(|context| {
            self.time().since = Some(Instant::now());
            let polled = work.as_mut().poll(context);
            let mut time = self.time();
            time.before = time.elapsed();
            time.since = None;
            polled
        })
        .await
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.time().elapsed()
    }

    /// Changed in single steps, so that it is whole whoever panicked.
    fn time(&self) -> MutexGuard<'_, Time> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Time {
    fn elapsed(&self) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[tokio::test]
    async fn waiting_is_not_computing() {
        let cpu_time = CpuTime::default();
        let seen = cpu_time.clone();
        let work = async {
            for computed in 1..=3 {
                tokio::time::sleep(Duration::from_millis(500)).await;
                // Stands for computing: it holds the thread.
                thread::sleep(Duration::from_millis(50));
                assert!(seen.elapsed() >= Duration::from_millis(50) * computed);
            }
        };
        cpu_time.measure(work).await;
        let elapsed = cpu_time.elapsed();
        assert!(elapsed >= Duration::from_millis(150), "{elapsed:?}");
        assert!(elapsed < Duration::from_millis(1500), "{elapsed:?}");
        thread::sleep(Duration::from_millis(1));
        assert_eq!(cpu_time.elapsed(), elapsed, "nothing runs any longer");
    }
}
