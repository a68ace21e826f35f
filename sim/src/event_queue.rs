//! EVENT QUEUE: what is to happen, in one total order: time, then phase, then sequence.
//!
//! Most delays are a few constants, and time only moves forward, so events of one delay and phase come in the order in
//! which they leave: a FIFO lane each, merged by their heads. A heap takes the rest.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::mem;
use std::time::Duration;
use stuckvm_detector::Time;

/// The order of things within one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Faults and user steps.
    Step = 0,
    /// What the world completes: a pull ends, a guest exits.
    Environment = 1,
    /// Watch deliveries and timers of controllers.
    Controller = 2,
}

/// A queue of events in the order of time, phase and insertion.
#[derive(Debug)]
pub struct EventQueue<E> {
    lanes: Vec<Lane<E>>,
    /// Which delay and phase each lane takes.
    takes: Vec<LaneKey>,
    /// The key of each lane's first event, and behind them the heap's: what the merge looks at, dense.
    heads: Vec<Key>,
    heap: BinaryHeap<Reverse<Entry<E>>>,
    sequence: u64,
    len: usize,
}

/// The events of one delay and phase. The first stands apart, beside the heads: what leaves has been read long before,
/// and nothing waits for memory but the next first.
#[derive(Debug)]
struct Lane<E> {
    first: Option<E>,
    rest: VecDeque<Entry<E>>,
}

/// A delay and a phase as one number, so that finding a lane is a walk over a few words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LaneKey(u64);

impl LaneKey {
    /// `None` for a delay of more than a hundred years, which no lane takes.
    fn new(delay: Duration, phase: Phase) -> Option<Self> {
        let nanos =
            delay.as_secs().checked_mul(1_000_000_000)?.checked_add(u64::from(delay.subsec_nanos()))?;
        Some(Self(nanos.checked_mul(4)? | phase as u64))
    }
}

#[derive(Debug)]
struct Entry<E> {
    key: Key,
    event: E,
}

/// The order of an event: the instant, then the phase above the sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    at: Time,
    order: u64,
}

const PHASE_SHIFT: u32 = 56;

impl Key {
    /// Behind every event.
    const NONE: Self = Self { at: Time::MAX, order: u64::MAX };

    fn new(at: Time, phase: Phase, sequence: u64) -> Self {
        debug_assert!(sequence < 1 << PHASE_SHIFT, "a run has fewer than 2^56 events");
        Self { at, order: ((phase as u64) << PHASE_SHIFT) | sequence }
    }

    /// The same order as one number, which is compared without a branch.
    #[inline]
    fn rank(self) -> u128 {
        (u128::from(self.at.as_nanos()) << 64) | u128::from(self.order)
    }
}

impl<E> EventQueue<E> {
    /// An empty queue with a lane for each of these delays and phases.
    pub fn with_lanes(delays: impl IntoIterator<Item = (Duration, Phase)>) -> Self {
        let mut takes: Vec<LaneKey> = Vec::new();
        for key in delays.into_iter().filter_map(|(delay, phase)| LaneKey::new(delay, phase)) {
            if !takes.contains(&key) {
                takes.push(key);
            }
        }
        let lanes = takes.iter().map(|_| Lane { first: None, rest: VecDeque::new() }).collect();
        let heads = vec![Key::NONE; takes.len() + 1];
        Self { lanes, takes, heads, heap: BinaryHeap::new(), sequence: 0, len: 0 }
    }

    /// Adds an event `delay` after `now`, which never goes back between two calls.
    ///
    /// An instant beyond the last of [`Time`] never comes: such an event is dropped.
    #[inline]
    pub fn push_after(&mut self, now: Time, delay: Duration, phase: Phase, event: E) {
        let Some(at) = now.checked_add(delay) else { return };
        let lane =
            LaneKey::new(delay, phase).and_then(|key| self.takes.iter().position(|takes| *takes == key));
        let Some(index) = lane else {
            self.push_at(at, phase, event);
            return;
        };
        let key = self.next_key(at, phase);
        let lane = &mut self.lanes[index];
        if lane.first.is_none() {
            lane.first = Some(event);
            self.heads[index] = key;
            return;
        }
        debug_assert!(
            lane.rest.back().map_or(self.heads[index], |last| last.key) < key,
            "time moves forward"
        );
        lane.rest.push_back(Entry { key, event });
    }

    /// Adds an event at an instant.
    pub fn push_at(&mut self, at: Time, phase: Phase, event: E) {
        let key = self.next_key(at, phase);
        self.heap.push(Reverse(Entry { key, event }));
        let head = self.lanes.len();
        self.heads[head] = self.heads[head].min(key);
    }

    /// When the next event is due.
    #[inline]
    pub fn next_at(&self) -> Option<Time> {
        let (key, _) = self.first();
        (key != Key::NONE).then_some(key.at)
    }

    /// Takes the next event and its instant.
    #[inline]
    pub fn pop(&mut self) -> Option<(Time, E)> {
        let (key, index) = self.first();
        if key == Key::NONE {
            return None;
        }
        Some((key.at, self.take(index)))
    }

    /// Takes the next event if it is due at `now`.
    #[inline]
    pub fn pop_at(&mut self, now: Time) -> Option<E> {
        let (key, index) = self.first();
        if key == Key::NONE || key.at > now {
            return None;
        }
        assert!(key.at == now, "an event at {} was left behind at {now}", key.at);
        Some(self.take(index))
    }

    /// How many events wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    fn next_key(&mut self, at: Time, phase: Phase) -> Key {
        self.sequence += 1;
        self.len += 1;
        Key::new(at, phase, self.sequence)
    }

    /// The least of the heads, and where it stands.
    #[inline]
    fn first(&self) -> (Key, usize) {
        let mut first = (self.heads[0], 0);
        for (index, key) in self.heads.iter().enumerate().skip(1) {
            if key.rank() < first.0.rank() {
                first = (*key, index);
            }
        }
        first
    }

    #[inline]
    fn take(&mut self, index: usize) -> E {
        self.len -= 1;
        if let Some(lane) = self.lanes.get_mut(index) {
            let (head, next) = match lane.rest.pop_front() {
                Some(Entry { key, event }) => (key, Some(event)),
                None => (Key::NONE, None),
            };
            self.heads[index] = head;
            return mem::replace(&mut lane.first, next).expect("a head has its event");
        }
        let Reverse(entry) = self.heap.pop().expect("a head has its event");
        self.heads[index] = self.heap.peek().map_or(Key::NONE, |Reverse(next)| next.key);
        entry.event
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

#[cfg(test)]
mod tests {
    use super::{EventQueue, Phase};
    use std::time::Duration;
    use stuckvm_detector::Time;

    fn drain(queue: &mut EventQueue<&'static str>) -> Vec<&'static str> {
        let mut order = Vec::new();
        while let Some(at) = queue.next_at() {
            order.extend(queue.pop_at(at));
        }
        order
    }

    #[test]
    fn within_an_instant_steps_come_first_then_the_world_then_controllers() {
        let second = Duration::from_secs(1);
        let mut queue = EventQueue::with_lanes([(second, Phase::Controller)]);
        queue.push_after(Time::ZERO, second, Phase::Controller, "controller");
        queue.push_after(Time::ZERO, second, Phase::Environment, "world");
        queue.push_at(Time::from_secs(1), Phase::Step, "step");
        assert_eq!(drain(&mut queue), ["step", "world", "controller"]);
    }

    #[test]
    fn equal_time_and_phase_leave_in_the_order_of_insertion_from_lane_and_heap_alike() {
        let second = Duration::from_secs(1);
        let mut queue = EventQueue::with_lanes([(second, Phase::Environment)]);
        queue.push_at(Time::from_secs(1), Phase::Environment, "first");
        queue.push_after(Time::ZERO, second, Phase::Environment, "second");
        queue.push_at(Time::from_secs(1), Phase::Environment, "third");
        assert_eq!(drain(&mut queue), ["first", "second", "third"]);
    }

    #[test]
    fn lanes_that_empty_and_fill_again_give_the_order_of_the_heap() {
        let delays = [0, 3, 3, 7, 20].map(Duration::from_nanos);
        let phases = [Phase::Step, Phase::Environment, Phase::Controller];
        let mut merged = EventQueue::with_lanes(delays.map(|delay| (delay, Phase::Controller)));
        let mut sorted = EventQueue::with_lanes([]);
        let mut now = Time::ZERO;
        for round in 0..2_000_usize {
            // A grid of strides that share no divisor: lanes of one, of many and of none.
            let (delay, phase) = (delays[round * 7 % 5], phases[round * 11 % 3]);
            for queue in [&mut merged, &mut sorted] {
                queue.push_after(now, delay, phase, round);
            }
            if round % 13 > 5 {
                let due = sorted.pop();
                assert_eq!(merged.pop(), due);
                now = due.map_or(now, |(at, _)| at);
            }
        }
        while let Some(due) = sorted.pop() {
            assert_eq!(merged.pop(), Some(due));
        }
        assert!(merged.is_empty());
    }

    #[test]
    fn an_event_beyond_the_last_instant_never_comes() {
        let mut queue = EventQueue::with_lanes([]);
        queue.push_after(Time::MAX, Duration::from_nanos(1), Phase::Step, "never");
        assert!(queue.is_empty());
    }
}
