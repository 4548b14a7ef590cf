//! Preemption by epoch interruption: advances the engine's epoch, so that a component that computes yields to other tasks.
//!
//! A thread of its own, since components that compute may hold all of the runtime's. It sleeps while no call runs.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};

use wasmtime::Engine;

/// Length of an epoch: how often a component that computes yields. Each yield costs microseconds.
const TICK: Duration = Duration::from_millis(10);

pub(super) struct EpochTicker {
    running: Arc<AtomicUsize>,
    thread: Thread,
}

/// A call that runs.
pub(super) struct Running(Arc<AtomicUsize>);

impl EpochTicker {
    /// The thread ends with the engine.
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let running = Arc::new(AtomicUsize::new(0));
        let (seen, engine) = (running.clone(), engine.weak());
        let handle = thread::Builder::new().name("epoch-ticker".to_owned()).spawn(move || {
            loop {
                if seen.load(Ordering::SeqCst) == 0 {
                    // An unpark between the look and here is not lost: it makes this return at once.
                    thread::park();
                } else {
                    thread::sleep(TICK);
                }
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })?;
        Ok(Self {
            running,
            thread: handle.thread().clone(),
        })
    }

    pub(super) fn run(&self) -> Running {
        if self.running.fetch_add(1, Ordering::SeqCst) == 0 {
            self.thread.unpark();
        }
        Running(self.running.clone())
    }
}

impl Drop for EpochTicker {
    fn drop(&mut self) {
        self.thread.unpark();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
