//! A controller's seat in the cluster: its process, its informers and its queue.

use crate::causes::Causes;
use crate::controller::Controller;
use crate::store::{Change, Horizon, Store, View};
use crate::work_queue::{Work, WorkQueue};

/// A controller's process: which seat it has, and how often it was started anew. What an earlier one has set off is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) seat: u32,
    pub(crate) incarnation: u32,
}

impl Process {
    /// The user, who sets nothing off.
    pub(crate) const USER: Self = Self { seat: u32::MAX, incarnation: 0 };
}

/// Whether a controller's process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It runs.
    Up,
    /// It does not, and knows nothing.
    Down,
}

/// A controller with its informers and its queue.
pub(crate) struct Seat {
    pub(crate) controller: Box<dyn Controller>,
    pub(crate) horizon: Horizon,
    pub(crate) queue: WorkQueue,
    pub(crate) state: State,
    /// How often the process was started anew.
    pub(crate) incarnation: u32,
    in_flight: Vec<InFlight>,
}

/// A look at one thing whose requests the API server has yet to answer.
struct InFlight {
    work: Work,
    /// What the informers had been told when it began.
    seen: Horizon,
    /// Whether the work was asked for again in the meantime.
    again: bool,
}

impl Seat {
    pub(crate) fn new(controller: Box<dyn Controller>) -> Self {
        Self {
            controller,
            horizon: Horizon::default(),
            queue: WorkQueue::default(),
            state: State::Up,
            incarnation: 0,
            in_flight: Vec::new(),
        }
    }

    /// The informers tell of a change; nobody hears it while the process is down.
    pub(crate) fn hear(&mut self, change: &Change, store: &Store, causes: Option<&mut Causes>) {
        if self.state == State::Down {
            return;
        }
        if causes.is_some() {
            self.queue.note_asked();
        }
        self.controller.on_change(change, View::new(store, &self.horizon), &mut self.queue);
        if let Some(causes) = causes {
            causes.heard(self.controller.name(), change.revision, self.queue.take_asked());
        }
    }

    /// Takes the controller's next piece of work. What is being looked at already waits until that has ended, as client-go's
    /// queues have it.
    pub(crate) fn pop(&mut self) -> Option<Work> {
        loop {
            let work = self.controller.next(&mut self.queue)?;
            match self.in_flight.iter_mut().find(|other| other.work == work) {
                Some(other) => other.again = true,
                None => return Some(work),
            }
        }
    }

    /// Keeps work until the server has answered, with what is known now.
    pub(crate) fn send(&mut self, work: Work) {
        self.in_flight.push(InFlight { work, seen: self.horizon.clone(), again: false });
    }

    /// The server answers: what was known when the look began, and whether another one is asked for.
    pub(crate) fn answered(&mut self, work: Work) -> (Horizon, bool) {
        let at = self.in_flight.iter().position(|known| known.work == work).expect("it was sent");
        let InFlight { seen, again, .. } = self.in_flight.remove(at);
        (seen, again)
    }

    /// The oldest revision that this controller still looks at.
    pub(crate) fn oldest(&self) -> u64 {
        let in_flight = self.in_flight.iter().map(|known| known.seen.oldest());
        in_flight.min().map_or(self.horizon.oldest(), |oldest| oldest.min(self.horizon.oldest()))
    }

    /// The process ends: queue, timers and memory are gone.
    pub(crate) fn stop(&mut self) {
        self.state = State::Down;
        self.incarnation += 1;
        self.queue = WorkQueue::default();
        self.in_flight.clear();
    }

    /// Another process takes the seat, whose informers have listed everything up to this revision.
    pub(crate) fn restart(&mut self, controller: Box<dyn Controller>, revision: u64) {
        assert_eq!(self.state, State::Down, "{} is stopped before it starts", controller.name());
        self.controller = controller;
        self.state = State::Up;
        self.horizon = Horizon::listed(revision);
    }
}
