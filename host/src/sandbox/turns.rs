//! Who runs next: callers take turns, however many calls one of them has waiting.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

pub(super) struct Turns {
    state: Arc<Mutex<State>>,
    waiting_max: usize,
}

struct State {
    free: usize,
    /// A line for each caller that waits, the one whose turn comes next in front.
    lines: VecDeque<Line>,
}

struct Line {
    caller: Option<u64>,
    calls: VecDeque<oneshot::Sender<Turn>>,
}

/// The right to run. The next in line gets it when it is dropped.
pub(super) struct Turn(Arc<Mutex<State>>);

/// As many wait as may.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Full;

impl Turns {
    pub(super) fn new(running: usize, waiting: usize) -> Self {
        let state = State {
            free: running,
            lines: VecDeque::new(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
            waiting_max: waiting,
        }
    }

    /// A turn, or the place in the line where it will come. Dropping the place leaves the line.
    pub(super) fn take(&self, caller: Option<u64>) -> Result<Result<Turn, oneshot::Receiver<Turn>>, Full> {
        let mut state = lock(&self.state);
        // Nobody waits while a turn is free.
        if state.free > 0 {
            state.free -= 1;
            return Ok(Ok(Turn(self.state.clone())));
        }
        state.forget_those_who_left();
        if state.lines.iter().map(|line| line.calls.len()).sum::<usize>() >= self.waiting_max {
            return Err(Full);
        }
        let (call, place) = oneshot::channel();
        match state.lines.iter_mut().find(|line| line.caller == caller) {
            Some(line) => line.calls.push_back(call),
            None => state.lines.push_back(Line {
                caller,
                calls: [call].into(),
            }),
        }
        Ok(Err(place))
    }
}

impl State {
    fn forget_those_who_left(&mut self) {
        for line in &mut self.lines {
            line.calls.retain(|call| !call.is_closed());
        }
        self.lines.retain(|line| !line.calls.is_empty());
    }

    /// The first call of the first line, which goes to the end.
    fn next(&mut self) -> Option<oneshot::Sender<Turn>> {
        self.forget_those_who_left();
        let mut line = self.lines.pop_front()?;
        let call = line.calls.pop_front();
        if !line.calls.is_empty() {
            self.lines.push_back(line);
        }
        call
    }
}

impl Drop for Turn {
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
            // One who left at this very moment drops the turn, and so hands it on.
            let _ = next.send(Turn(self.0.clone()));
        }
    }
}

/// Whoever held it before changed it in one step, or panicked before.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(turns: &Turns, caller: u64) -> oneshot::Receiver<Turn> {
        match turns.take(Some(caller)) {
            Ok(Err(place)) => place,
            Ok(Ok(_)) => panic!("a turn was free"),
            Err(Full) => panic!("full"),
        }
    }

    fn run(turns: &Turns) -> Turn {
        match turns.take(None) {
            Ok(Ok(turn)) => turn,
            _ => panic!("no turn was free"),
        }
    }

    #[test]
    fn callers_take_turns() {
        let turns = Turns::new(1, 10);
        let mut running = run(&turns);
        let mut places: Vec<_> = [1, 1, 1, 2, 2, 3]
            .iter()
            .map(|caller| (*caller, wait(&turns, *caller)))
            .collect();
        let mut order = Vec::new();
        while !places.is_empty() {
            drop(running);
            let (at, turn) = places
                .iter_mut()
                .enumerate()
                .find_map(|(at, (_, place))| Some((at, place.try_recv().ok()?)))
                .expect("somebody's turn");
            order.push(places.remove(at).0);
            running = turn;
        }
        assert_eq!(order, [1, 2, 3, 1, 2, 1]);
    }

    #[test]
    fn those_who_leave_do_not_hold_up_the_others() {
        let turns = Turns::new(1, 2);
        let running = run(&turns);
        let (gone, mut stays) = (wait(&turns, 1), wait(&turns, 1));
        assert!(matches!(turns.take(Some(2)), Err(Full)));
        drop(gone);
        let late = wait(&turns, 2);
        drop(running);
        let turn = stays.try_recv().expect("the turn");
        drop(late);
        drop(turn);
        run(&turns);
    }

    #[test]
    fn a_turn_that_nobody_takes_goes_on() {
        let turns = Turns::new(1, 2);
        let running = run(&turns);
        let place = wait(&turns, 1);
        drop(running);
        // The turn is in there.
        drop(place);
        run(&turns);
    }
}
