//! The rate-limited queue of the nodes that wait for their NoExecute taint, one a zone, Kubernetes 1.36.2:
//! `pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go`, client-go `util/flowcontrol/throttle.go`.

use arcstr::ArcStr;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;
use stuckvm_detector::Time;

/// `RateLimitedTimedQueue`: nodes by the instant at which they were added.
#[derive(Debug)]
pub(super) struct Tainter {
    queue: VecDeque<ArcStr>,
    /// A node that was handled stays here, and is not queued again, until it is removed.
    known: BTreeSet<ArcStr>,
    limiter: Limiter,
}

/// A token bucket with a burst of one, or a limiter that never lets anything pass.
#[derive(Debug)]
enum Limiter {
    Bucket { qps: f32, full_at: Time },
    Never,
}

impl Tainter {
    /// An empty queue that lets the first node pass at once.
    pub(super) fn new(qps: f32) -> Self {
        Self { queue: VecDeque::new(), known: BTreeSet::new(), limiter: Limiter::new(qps) }
    }

    /// Queues a node unless it waits, or was handled and not removed since.
    pub(super) fn add(&mut self, node: &ArcStr) {
        if self.known.insert(node.clone()) {
            self.queue.push_back(node.clone());
        }
    }

    /// Forgets a node.
    pub(super) fn remove(&mut self, node: &str) {
        if self.known.remove(node) {
            self.queue.retain(|queued| queued != node);
        }
    }

    /// The next node, if one waits and the rate allows it now.
    pub(super) fn pop(&mut self, now: Time) -> Option<ArcStr> {
        if self.queue.is_empty() || !self.limiter.try_accept(now) {
            return None;
        }
        self.queue.pop_front()
    }

    /// From when on the rate lets the next node pass; `None` if none waits or none may pass.
    pub(super) fn due(&self) -> Option<Time> {
        match self.limiter {
            Limiter::Bucket { full_at, .. } if !self.queue.is_empty() => Some(full_at),
            _ => None,
        }
    }

    /// Changes the rate, in nodes a second. What waited for the old limiter waits for the new one from the start.
    pub(super) fn swap_limiter(&mut self, qps: f32, now: Time) {
        if self.limiter.qps() == qps {
            return;
        }
        let waiting = !self.limiter.try_accept(now);
        self.limiter = Limiter::new(qps);
        if waiting {
            self.limiter.try_accept(now);
        }
    }
}

impl Limiter {
    fn new(qps: f32) -> Self {
        if qps > 0.0 { Self::Bucket { qps, full_at: Time::ZERO } } else { Self::Never }
    }

    /// The limiter that never accepts says 1 (`fakeNeverRateLimiter`).
    fn qps(&self) -> f32 {
        match self {
            Self::Bucket { qps, .. } => *qps,
            Self::Never => 1.0,
        }
    }

    fn try_accept(&mut self, now: Time) -> bool {
        match self {
            Self::Bucket { qps, full_at } if *full_at <= now => {
                *full_at = now.checked_add(refill(*qps)).unwrap_or(Time::MAX);
                true
            }
            _ => false,
        }
    }
}

/// How long one token takes: a rate of 0.01 is a little less as a `float32`, so that it takes a little more than 100 s.
fn refill(qps: f32) -> Duration {
    debug_assert!(qps > 0.0);
    Duration::from_nanos((1e9 / f64::from(qps)).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use super::Tainter;
    use arcstr::literal;
    use stuckvm_detector::Time;

    #[test]
    fn one_node_passes_at_once_and_the_next_ten_seconds_later() {
        let mut tainter = Tainter::new(0.1);
        tainter.add(&literal!("a"));
        tainter.add(&literal!("b"));
        let at = Time::from_secs;
        assert_eq!(
            [tainter.pop(at(5)), tainter.pop(at(14)), tainter.pop(at(15))],
            [Some("a".into()), None, Some("b".into())]
        );
        tainter.add(&literal!("a"));
        assert_eq!(tainter.due(), None, "a node that was handled is not queued again");
        tainter.remove("a");
        tainter.add(&literal!("a"));
        assert_eq!(tainter.pop(at(25)), Some("a".into()));
    }

    #[test]
    fn a_limiter_that_stopped_everything_leaves_a_drained_one_behind() {
        let mut tainter = Tainter::new(0.1);
        tainter.add(&literal!("a"));
        tainter.swap_limiter(0.0, Time::from_secs(1));
        assert_eq!(tainter.pop(Time::from_secs(100)), None);
        tainter.swap_limiter(0.1, Time::from_secs(100));
        assert_eq!(tainter.pop(Time::from_secs(109)), None);
        assert_eq!(tainter.pop(Time::from_secs(110)), Some("a".into()));
    }

    #[test]
    fn the_secondary_rate_takes_a_little_more_than_a_hundred_seconds() {
        let mut tainter = Tainter::new(0.01);
        tainter.add(&literal!("a"));
        tainter.add(&literal!("b"));
        tainter.pop(Time::from_secs(0));
        assert!(tainter.due().is_some_and(|due| due > Time::from_secs(100)));
    }
}
