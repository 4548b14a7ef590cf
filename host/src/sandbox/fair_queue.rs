//! Fair queue: round-robin admission control between callers, with load shedding when a queue is full.
//!
//! At most `running` calls run at once. Those that wait stand in one queue for each caller, and the callers are served in
//! turn, however many calls one of them has waiting.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

pub(super) struct FairQueue {
    state: Arc<Mutex<State>>,
    waiting_max: usize,
}

struct State {
    free: usize,
    /// One for each caller that waits; the front one is served next.
    queues: VecDeque<CallerQueue>,
}

struct CallerQueue {
    caller: Option<u64>,
    calls: VecDeque<oneshot::Sender<Permit>>,
}

/// The right to run. Dropping it hands it to the next in the queue.
pub(super) struct Permit(Arc<Mutex<State>>);

/// What [`FairQueue::enter`] gives.
pub(super) enum Admission {
    /// The call may run now.
    Admitted(Permit),
    /// The call waits; the permit comes through here. Dropping the receiver leaves the queue.
    Queued(oneshot::Receiver<Permit>),
}

/// As many calls wait as may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct QueueFull;

impl FairQueue {
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        let state = State {
            free: running,
            queues: VecDeque::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            waiting_max: waiting,
        }
    }

    /// Admits a call of `caller`, or puts it at the end of that caller's queue.
    pub(super) fn enter(&self, caller: Option<u64>) -> Result<Admission, QueueFull> {
        let mut state = lock(&self.state);
        // Nobody waits while a permit is free.
        if state.free > 0 {
            state.free -= 1;
            return Ok(Admission::Admitted(Permit(self.state.clone())));
        }
        state.remove_cancelled();
        if state.queues.iter().map(|queue| queue.calls.len()).sum::<usize>() >= self.waiting_max {
            return Err(QueueFull);
        }
        let (call, place) = oneshot::channel();
        match state.queues.iter_mut().find(|queue| queue.caller == caller) {
            Some(queue) => queue.calls.push_back(call),
            None => state.queues.push_back(CallerQueue {
                caller,
                calls: [call].into(),
            }),
        }
        Ok(Admission::Queued(place))
    }
}

impl State {
    fn remove_cancelled(&mut self) {
        for queue in &mut self.queues {
            queue.calls.retain(|call| !call.is_closed());
        }
        self.queues.retain(|queue| !queue.calls.is_empty());
    }

    /// The first call of the caller that is served next, who then goes to the end.
    fn next(&mut self) -> Option<oneshot::Sender<Permit>> {
        self.remove_cancelled();
        let mut queue = self.queues.pop_front()?;
        let call = queue.calls.pop_front();
        if !queue.calls.is_empty() {
            self.queues.push_back(queue);
        }
        call
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = {
            let mut state = lock(&self.0);
            let next = state.next();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(next) = next {
            // A receiver that was dropped at this very moment drops the permit, and so hands it on.
            let _ = next.send(Permit(self.0.clone()));
        }
    }
}

/// Each holder changes the state in one step, so that it is whole even after a panic.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(queue: &FairQueue, caller: u64) -> oneshot::Receiver<Permit> {
        match queue.enter(Some(caller)) {
            Ok(Admission::Queued(place)) => place,
            Ok(Admission::Admitted(_)) => panic!("a permit was free"),
            Err(QueueFull) => panic!("full"),
        }
    }

    fn run(queue: &FairQueue) -> Permit {
        match queue.enter(None) {
            Ok(Admission::Admitted(permit)) => permit,
            _ => panic!("no permit was free"),
        }
    }

    #[test]
    fn callers_are_served_round_robin() {
        let queue = FairQueue::new(1, 10);
        let mut running = run(&queue);
        let mut places: Vec<_> = [1, 1, 1, 2, 2, 3]
            .iter()
            .map(|caller| (*caller, wait(&queue, *caller)))
            .collect();
        let mut order = Vec::new();
        while !places.is_empty() {
            drop(running);
            let (at, permit) = places
                .iter_mut()
                .enumerate()
                .find_map(|(at, (_, place))| Some((at, place.try_recv().ok()?)))
                .expect("a permit for one of them");
            order.push(places.remove(at).0);
            running = permit;
        }
        assert_eq!(order, [1, 2, 3, 1, 2, 1]);
    }

    #[test]
    fn cancelled_calls_leave_the_queue() {
        let queue = FairQueue::new(1, 2);
        let running = run(&queue);
        let (gone, mut stays) = (wait(&queue, 1), wait(&queue, 1));
        assert!(matches!(queue.enter(Some(2)), Err(QueueFull)));
        drop(gone);
        let late = wait(&queue, 2);
        drop(running);
        let permit = stays.try_recv().expect("the permit");
        drop(late);
        drop(permit);
        run(&queue);
    }

    #[test]
    fn a_permit_that_is_never_received_is_handed_on() {
        let queue = FairQueue::new(1, 2);
        let running = run(&queue);
        let place = wait(&queue, 1);
        drop(running);
        // The permit is in there.
        drop(place);
        run(&queue);
    }
}
