//! Deadlines in the order in which they fall due.
//!
//! Time only moves forward, so of two episodes with one threshold the one that
//! opened first is due first: a queue for each distinct threshold needs no
//! heap, and nothing ever scans all machines. An episode that ends leaves its
//! entry behind; an epoch for each machine tells such stale entries apart.

use std::collections::VecDeque;
use std::time::Duration;

use crate::clock::Clock;
use crate::{PrintableStatus, Rule, Time, VmId};

/// The open deadlines of all machines.
#[derive(Clone, Debug)]
pub(crate) struct Deadlines {
    queues: Vec<Queue>,
    /// The queue for an episode that this status opens.
    queue_of_status: [QueueId; PrintableStatus::ALL.len()],
    /// By machine: grows by one whenever a deadline is called off.
    epochs: Vec<u32>,
}

/// The place of a queue.
pub(crate) type QueueId = u8;

#[derive(Clone, Debug)]
struct Queue {
    threshold: Duration,
    /// Never decreasing in `since`; the front, if any, is not stale.
    entries: VecDeque<Entry>,
    /// How many entries are not stale.
    live: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    since: Time,
    vm: VmId,
    epoch: u32,
}

/// A queue is rid of stale entries when it has more of them than live ones,
/// and than this: small queues are not worth the walk.
const STALE_MIN: usize = 64;

impl Deadlines {
    pub(crate) fn new(rule: &Rule) -> Deadlines {
        let mut thresholds: Vec<Duration> = Vec::new();
        let queue_of_status = PrintableStatus::ALL.map(|status| {
            let threshold = rule.threshold_of(status);
            let place = thresholds.iter().position(|known| *known == threshold);
            place.unwrap_or_else(|| {
                thresholds.push(threshold);
                thresholds.len() - 1
            }) as QueueId
        });
        let queues = thresholds.into_iter().map(Queue::new).collect();
        Deadlines { queues, queue_of_status, epochs: Vec::new() }
    }

    /// Room for so many machines.
    pub(crate) fn resize(&mut self, vms: usize) {
        self.epochs.resize(vms, 0);
    }

    /// Sets the deadline of an episode that `status` opens.
    pub(crate) fn set(&mut self, vm: VmId, since: Time, status: PrintableStatus) -> QueueId {
        let queue = self.queue_of_status[status as usize];
        self.push(queue, vm, since);
        queue
    }

    /// Calls off the one deadline that `vm` has, in `queue`.
    pub(crate) fn call_off(&mut self, vm: VmId, queue: QueueId) {
        let epoch = &mut self.epochs[vm.index()];
        *epoch = epoch.wrapping_add(1);
        let queue = &mut self.queues[usize::from(queue)];
        queue.live -= 1;
        if queue.entries.front().is_some_and(|front| front.vm == vm) {
            queue.drop_stale_front(&self.epochs);
        }
        if queue.entries.len() > 2 * queue.live + STALE_MIN {
            queue.entries.retain(|entry| entry.is_live(&self.epochs));
        }
    }

    /// Takes out the earliest deadline if `clock` has passed it; among those of
    /// one instant the episode that opened first.
    pub(crate) fn pop_passed(&mut self, clock: Clock) -> Option<(Time, VmId)> {
        let (deadline, place) = self.earliest()?;
        if !clock.has_passed(deadline) {
            return None;
        }
        let queue = &mut self.queues[place];
        let entry = queue.entries.pop_front()?;
        queue.live -= 1;
        queue.drop_stale_front(&self.epochs);
        Some((deadline, entry.vm))
    }

    /// The earliest open deadline. One beyond [`Time::MAX`] never comes.
    pub(crate) fn next(&self) -> Option<Time> {
        self.earliest().map(|(deadline, _)| deadline)
    }

    /// The earliest deadline and its queue. Where two queues have a deadline at
    /// one instant their thresholds differ, hence the starts do, and the longer
    /// threshold belongs to the episode that opened first.
    fn earliest(&self) -> Option<(Time, usize)> {
        let mut earliest: Option<(Time, Time, usize)> = None;
        for (place, queue) in self.queues.iter().enumerate() {
            let Some(front) = queue.entries.front() else { continue };
            let Some(deadline) = front.since.checked_add(queue.threshold) else { continue };
            let candidate = (deadline, front.since, place);
            earliest = Some(earliest.map_or(candidate, |best| best.min(candidate)));
        }
        earliest.map(|(deadline, _, place)| (deadline, place))
    }

    /// Every open deadline: machine, start of the episode, threshold; each
    /// queue in its order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (VmId, Time, Duration)> {
        self.queues.iter().flat_map(|queue| {
            let live = queue.entries.iter().filter(|entry| entry.is_live(&self.epochs));
            live.map(|entry| (entry.vm, entry.since, queue.threshold))
        })
    }

    /// Sets a deadline that [`Deadlines::iter`] gave, after those before it.
    /// `None` if there is no queue for it, or it is out of order.
    pub(crate) fn put_back(&mut self, vm: VmId, since: Time, threshold: Duration) -> Option<QueueId> {
        let place = self.queues.iter().position(|queue| queue.threshold == threshold)?;
        if self.queues[place].entries.back().is_some_and(|back| back.since > since) {
            return None;
        }
        self.push(place as QueueId, vm, since);
        Some(place as QueueId)
    }

    /// Whether some status has this threshold.
    pub(crate) fn has_threshold(&self, threshold: Duration) -> bool {
        self.queues.iter().any(|queue| queue.threshold == threshold)
    }

    fn push(&mut self, queue: QueueId, vm: VmId, since: Time) {
        let queue = &mut self.queues[usize::from(queue)];
        debug_assert!(queue.entries.back().is_none_or(|back| back.since <= since));
        queue.entries.push_back(Entry { since, vm, epoch: self.epochs[vm.index()] });
        queue.live += 1;
    }
}

impl Queue {
    fn new(threshold: Duration) -> Queue {
        Queue { threshold, entries: VecDeque::new(), live: 0 }
    }

    fn drop_stale_front(&mut self, epochs: &[u32]) {
        while self.entries.front().is_some_and(|front| !front.is_live(epochs)) {
            self.entries.pop_front();
        }
    }
}

impl Entry {
    fn is_live(&self, epochs: &[u32]) -> bool {
        epochs[self.vm.index()] == self.epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three machines stay in trouble, one has fired, and one flaps.
    #[test]
    fn a_machine_that_flaps_does_not_make_the_queue_grow() {
        let mut deadlines = Deadlines::new(&Rule::default());
        deadlines.resize(5);
        let (fires, flaps) = (VmId::new(0), VmId::new(4));
        deadlines.set(fires, Time::ZERO, PrintableStatus::Unknown);
        let due = Time::ZERO + Rule::THRESHOLD;
        assert_eq!(deadlines.pop_passed(Clock::Closed(due)), Some((due, fires)));
        for steady in 1..=3 {
            deadlines.set(VmId::new(steady), due, PrintableStatus::Unknown);
        }
        let mut longest = 0;
        for _ in 0..100_000 {
            let queue = deadlines.set(flaps, due, PrintableStatus::Unknown);
            deadlines.call_off(flaps, queue);
            longest = longest.max(deadlines.queues[0].entries.len());
        }
        assert_eq!(longest, 2 * 3 + STALE_MIN, "twice what is open, and some that are not worth a walk");
        assert_eq!(deadlines.next(), Some(due + Rule::THRESHOLD));
    }
}
