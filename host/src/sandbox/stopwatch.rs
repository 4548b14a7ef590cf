//! How long a call has computed: the time inside of its polls, since what waits is not polled.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

#[derive(Clone, Default)]
pub(super) struct Stopwatch(Arc<Mutex<Time>>);

#[derive(Default)]
struct Time {
    /// Of the polls that are over.
    before: Duration,
    /// When the one under way began.
    since: Option<Instant>,
}

impl Stopwatch {
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
        let stopwatch = Stopwatch::default();
        let seen = stopwatch.clone();
        let work = async {
            for computed in 1..=3 {
                tokio::time::sleep(Duration::from_millis(500)).await;
                // Stands for computing: it holds the thread.
                thread::sleep(Duration::from_millis(50));
                assert!(seen.elapsed() >= Duration::from_millis(50) * computed);
            }
        };
        stopwatch.measure(work).await;
        let elapsed = stopwatch.elapsed();
        assert!(elapsed >= Duration::from_millis(150), "{elapsed:?}");
        assert!(elapsed < Duration::from_millis(1500), "{elapsed:?}");
        thread::sleep(Duration::from_millis(1));
        assert_eq!(stopwatch.elapsed(), elapsed, "nothing runs any longer");
    }
}
