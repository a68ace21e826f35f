//! The resync: every 15 s upstream looks at every claim and volume again. Here it looks only at those for which
//! something has changed that does not wake them, or that say every time what they wait for.

use crate::context::Context;
use crate::kind::{Kind, ObjectId};
use crate::work_queue::{Work, WorkQueue};
use std::collections::BTreeSet;
use std::time::Duration;
use stuckvm_detector::Time;

const PERIOD: Duration = Duration::from_secs(15);

/// The work of the resync itself, on no object.
const OWN: Work =
    Work { id: ObjectId { kind: Kind::PersistentVolumeClaim, index: u32::MAX }, what: 1, number: 0 };

/// What waits for the next resync.
#[derive(Debug, Default)]
pub(super) struct Resync {
    /// When the controller started: the first resync, from which the others are counted.
    since: Time,
    waiting: BTreeSet<ObjectId>,
    armed: Option<Time>,
}

impl Resync {
    /// The controller starts.
    pub(super) fn start(&mut self, now: Time) {
        self.since = now;
    }

    /// What waits is taken: for the resync as the controller starts.
    pub(super) fn take_waiting(&mut self) -> BTreeSet<ObjectId> {
        std::mem::take(&mut self.waiting)
    }

    /// Whether work is the resync's own.
    pub(super) fn is_own(work: Work) -> bool {
        work == OWN
    }

    /// Something waits, found while handling a change: no timer can be set there.
    pub(super) fn mark(&mut self, id: ObjectId) {
        self.waiting.insert(id);
    }

    /// Calls for [`Resync::tick`], which sets the timer, if something waits and none is set.
    pub(super) fn arm_soon(&self, queue: &mut WorkQueue) {
        if self.armed.is_none() && !self.waiting.is_empty() {
            queue.add(OWN);
        }
    }

    /// Something waits.
    pub(super) fn add(&mut self, id: ObjectId, cx: &mut Context<'_>) {
        self.waiting.insert(id);
        self.arm(cx);
    }

    /// It no longer waits.
    pub(super) fn remove(&mut self, id: ObjectId) {
        self.waiting.remove(&id);
    }

    /// At the time of a resync, queues all that waits, volumes first; before that, sets the timer.
    pub(super) fn tick(&mut self, cx: &mut Context<'_>) {
        if self.armed.is_some_and(|at| at <= cx.now) {
            self.armed = None;
            let waiting = self.take_waiting();
            // Volumes come before claims in the order of kinds, as upstream's volume worker mostly comes first.
            waiting.into_iter().for_each(|id| cx.requeue_at(cx.now, id));
        }
        self.arm(cx);
    }

    fn arm(&mut self, cx: &mut Context<'_>) {
        if self.armed.is_none() && !self.waiting.is_empty() {
            let at = next(self.since, cx.now);
            self.armed = Some(at);
            cx.requeue_at(at, OWN);
        }
    }
}

/// The first resync after `now`; they come every 15 s from the controller's start on.
fn next(start: Time, now: Time) -> Time {
    let periods = now.saturating_since(start).as_nanos() / PERIOD.as_nanos() + 1;
    let periods = u32::try_from(periods).expect("fewer than 2^32 resyncs");
    start.checked_add(PERIOD * periods).unwrap_or(Time::MAX)
}

#[cfg(test)]
mod tests {
    use super::{PERIOD, next};
    use std::time::Duration;
    use stuckvm_detector::Time;

    #[test]
    fn the_next_resync_lies_behind_now_even_on_a_resync() {
        let start = Time::from_secs(1_000_000_007);
        let after = |passed| next(start, start.checked_add(passed).unwrap()).saturating_since(start);
        assert_eq!(after(Duration::ZERO), PERIOD);
        assert_eq!(after(Duration::from_millis(14_999)), PERIOD);
        assert_eq!(after(PERIOD), PERIOD * 2);
    }
}
