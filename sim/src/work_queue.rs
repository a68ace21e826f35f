//! A controller's queue of things to look at, each at most once.
//!
//! client-go 1.36, `util/workqueue`: FIFO, without duplicates, with back-off for what failed.

use crate::kind::ObjectId;
use indexmap::{IndexMap, IndexSet};
use rustc_hash::FxBuildHasher;
use std::collections::VecDeque;
use std::time::Duration;
use stuckvm_detector::Time;

/// One thing to look at. What `what` and `number` mean is the controller's own matter; most leave both 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Work {
    /// The object.
    pub id: ObjectId,
    /// The kind of work.
    pub what: u16,
    /// Tells, for example, one run of a container from the next.
    pub number: u32,
}

impl Work {
    /// Work on an object as a whole.
    pub const fn on(id: ObjectId) -> Self {
        Self { id, what: 0, number: 0 }
    }
}

impl From<ObjectId> for Work {
    fn from(id: ObjectId) -> Self {
        Self::on(id)
    }
}

/// First in, first out; what waits already is not added again.
#[derive(Debug, Default)]
pub struct WorkQueue {
    order: VecDeque<Work>,
    waiting: IndexSet<Work, FxBuildHasher>,
    failures: IndexMap<Work, u32, FxBuildHasher>,
    /// Until when work waits that was put off: at most once, at the earliest of the instants it was put off to.
    delayed: IndexMap<Work, Delay, FxBuildHasher>,
    /// What was asked for since somebody looked, what waited already included; kept only where somebody does.
    asked: Option<Vec<Work>>,
}

/// Until when work is put off.
#[derive(Clone, Copy, Debug)]
struct Delay {
    until: Time,
    /// Where the look at that instant would find nothing: how long after it the next one is; no timer runs.
    idle_period: Option<Duration>,
}

impl Delay {
    /// The first look after `now`; the ones before have been in vain.
    fn after(self, now: Time) -> Self {
        let Some(period) = self.idle_period.filter(|_| self.until <= now) else { return self };
        let late = now.saturating_since(self.until).as_nanos() / period.as_nanos() + 1;
        let late = u32::try_from(late).expect("less than 2^32 looks in vain");
        Self { until: self.until.checked_add(period * late).unwrap_or(Time::MAX), ..self }
    }
}

impl WorkQueue {
    /// Takes down what is asked for, for [`WorkQueue::take_asked`].
    pub(crate) fn note_asked(&mut self) {
        self.asked = Some(Vec::new());
    }

    /// Takes what was asked for since the last call, also where it waited already.
    pub(crate) fn take_asked(&mut self) -> Vec<Work> {
        self.asked.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Adds work unless it waits already.
    pub fn add(&mut self, work: impl Into<Work>) {
        let work = work.into();
        if let Some(asked) = &mut self.asked {
            asked.push(work);
        }
        if self.waiting.insert(work) {
            self.order.push_back(work);
        }
    }

    /// Takes the work that has waited longest.
    pub fn pop(&mut self) -> Option<Work> {
        let work = self.order.pop_front()?;
        assert!(self.waiting.swap_remove(&work), "what is in order waits");
        Some(work)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Puts work off for a time, unless it is put off to an earlier instant; returns when a timer is to run out.
    pub(crate) fn delay(&mut self, work: Work, now: Time, delay: Duration) -> Option<Time> {
        let until = now.checked_add(delay).unwrap_or(Time::MAX);
        let known =
            self.delayed.get(&work).map(|known| known.after(now)).filter(|known| known.until <= until);
        if known.is_some_and(|known| known.idle_period.is_none()) {
            return None;
        }
        let until = known.map_or(until, |known| known.until);
        self.delayed.insert(work, Delay { until, idle_period: None });
        Some(until)
    }

    /// Puts work off again and again for the same time, as long as nobody could see the difference.
    pub(crate) fn delay_idly(&mut self, work: Work, now: Time, period: Duration) {
        assert!(!period.is_zero(), "time passes between two looks");
        let until = now.checked_add(period).unwrap_or(Time::MAX);
        let known =
            self.delayed.get(&work).map(|known| known.after(now)).filter(|known| known.until <= until);
        self.delayed.insert(work, known.unwrap_or(Delay { until, idle_period: Some(period) }));
    }

    /// Stops the looks in vain.
    pub(crate) fn end_idling(&mut self, work: Work) {
        if self.delayed.get(&work).is_some_and(|known| known.idle_period.is_some()) {
            self.delayed.swap_remove(&work);
        }
    }

    /// Adds work whose timer has run out, unless a later timer was overtaken by an earlier one; says whether it did.
    pub(crate) fn add_delayed(&mut self, work: Work, now: Time) -> bool {
        let is_due = |known: &Delay| known.until == now && known.idle_period.is_none();
        let due = self.delayed.get(&work).is_some_and(is_due);
        if due {
            self.delayed.swap_remove(&work);
            self.add(work);
        }
        due
    }

    /// Counts a failure and returns how long to wait: 5 ms, doubling, at most 1000 s.
    pub(crate) fn back_off(&mut self, work: Work) -> Duration {
        let failures = self.failures.entry(work).or_insert(0);
        let delay = Duration::from_millis(5).saturating_mul(1 << (*failures).min(18));
        *failures += 1;
        delay.min(Duration::from_secs(1000))
    }

    /// Forgets the failures of work that has succeeded.
    pub(crate) fn forget(&mut self, work: Work) {
        if !self.failures.is_empty() {
            self.failures.swap_remove(&work);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Work, WorkQueue};
    use crate::kind::{Kind, ObjectId};
    use std::time::Duration;
    use stuckvm_detector::Time;

    #[test]
    fn work_waits_once_and_leaves_in_order() {
        let work = |index| Work::on(ObjectId { kind: Kind::Pod, index });
        let mut queue = WorkQueue::default();
        for index in [2, 1, 2] {
            queue.add(work(index));
        }
        assert_eq!([queue.pop(), queue.pop(), queue.pop()], [Some(work(2)), Some(work(1)), None]);
    }

    #[test]
    fn of_several_delays_the_earliest_counts() {
        let work = Work::on(ObjectId { kind: Kind::Pod, index: 0 });
        let (start, at) = (Time::from_secs(0), Time::from_secs);
        let mut queue = WorkQueue::default();
        assert_eq!(queue.delay(work, start, Duration::from_secs(20)), Some(at(20)));
        assert_eq!(queue.delay(work, start, Duration::from_secs(10)), Some(at(10)), "earlier needs a timer");
        assert_eq!(queue.delay(work, start, Duration::from_secs(15)), None, "later does not");
        queue.add_delayed(work, at(10));
        assert_eq!(queue.pop(), Some(work));
        queue.add_delayed(work, at(20));
        assert_eq!(queue.pop(), None, "the overtaken timer adds nothing");
    }

    #[test]
    fn looks_in_vain_keep_their_pace_without_timers() {
        let work = Work::on(ObjectId { kind: Kind::Pod, index: 0 });
        let period = Duration::from_secs(2);
        let millis = |millis: u64| Time::from_nanos(millis * 1_000_000);
        let mut queue = WorkQueue::default();
        queue.delay_idly(work, millis(500), period);
        queue.delay_idly(work, millis(1_700), period);
        assert_eq!(
            queue.delay(work, millis(7_100), period),
            Some(millis(8_500)),
            "every two seconds from 0.5 s on"
        );
        queue.add_delayed(work, millis(8_500));
        assert_eq!(queue.pop(), Some(work));
        queue.delay_idly(work, millis(8_500), period);
        queue.end_idling(work);
        assert_eq!(queue.delay(work, millis(9_000), period), Some(millis(11_000)), "a new beginning");
    }

    #[test]
    fn failures_back_off_by_doubling_up_to_a_thousand_seconds() {
        let work = Work::on(ObjectId { kind: Kind::Pod, index: 0 });
        let mut queue = WorkQueue::default();
        let delays: Vec<Duration> = (0..20).map(|_| queue.back_off(work)).collect();
        assert_eq!(delays[..3], [5, 10, 20].map(Duration::from_millis));
        assert_eq!(delays[17], Duration::from_millis(655_360));
        assert_eq!(delays[19], Duration::from_secs(1000));
        queue.forget(work);
        assert_eq!(queue.back_off(work), Duration::from_millis(5));
    }
}
