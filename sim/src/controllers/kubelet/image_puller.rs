//! kubelet image puller, Kubernetes 1.36.2: `pkg/kubelet/images/puller.go`, and the limit on requests of
//! `pkg/kubelet/images/helpers.go` (`throttleImagePulling`).

use crate::environment::{Pull, Registry};
use crate::kind::ObjectId;
use arcstr::ArcStr;
use std::collections::VecDeque;
use std::time::Duration;
use stuckvm_detector::Time;

/// How a node pulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PullLimits {
    /// How many pulls run at once; `None` is no limit. Default 1 (`serializeImagePulls`).
    pub parallel: Option<u32>,
    /// Pulls that may begin in a second on average (`registryPullQPS`); 0 is no limit. Default 5.
    pub qps: u32,
    /// Pulls that may begin at once (`registryBurst`). Default 10.
    pub burst: u32,
}

impl Default for PullLimits {
    fn default() -> Self {
        Self { parallel: Some(1), qps: 5, burst: 10 }
    }
}

/// A wish for an image, waiting for its turn.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// For which pod.
    pub pod: ObjectId,
    /// The pod's name.
    pub pod_name: ArcStr,
    /// The image, with its tag.
    pub reference: ArcStr,
    /// Since when it waits.
    pub since: Time,
}

/// A pull that has its turn.
#[derive(Clone, Debug)]
pub struct Running {
    /// Whose.
    pub ticket: Ticket,
    /// When the runtime was asked.
    pub started: Time,
    /// What it comes to.
    pub pull: Pull,
    /// Whether the runtime was asked at all.
    pub asked: bool,
}

impl Running {
    /// When it ends.
    pub fn end(&self) -> Time {
        self.started.checked_add(self.pull.takes).unwrap_or(Time::MAX)
    }
}

/// The pulls of one node: first come, first served.
#[derive(Clone, Debug, Default)]
pub struct ImagePuller {
    limits: PullLimits,
    waiting: VecDeque<Ticket>,
    running: Vec<Running>,
    bucket: Option<Bucket>,
}

impl ImagePuller {
    /// A puller with these limits.
    pub fn new(limits: PullLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Adds a wish at the end of the queue.
    pub fn add(&mut self, ticket: Ticket) {
        self.waiting.push_back(ticket);
    }

    /// Begins the next pull, if one waits and may begin.
    pub fn begin(&mut self, registry: &Registry, now: Time) -> Option<&Running> {
        let busy = u32::try_from(self.running.len()).expect("few pulls run at once");
        if self.limits.parallel.is_some_and(|limit| busy >= limit) {
            return None;
        }
        let ticket = self.waiting.pop_front()?;
        let asked = self.try_accept(now);
        let pull = if asked {
            registry.pull_at(&ticket.reference, now)
        } else {
            Pull { takes: Duration::ZERO, result: Err(arcstr::literal!("pull QPS exceeded")) }
        };
        self.running.push(Running { ticket, started: now, pull, asked });
        self.running.last()
    }

    /// Takes the pull of a pod that has ended.
    pub fn end(&mut self, pod: ObjectId) -> Running {
        let at = self.running.iter().position(|running| running.ticket.pod == pod);
        self.running.remove(at.expect("the pull runs"))
    }

    fn try_accept(&mut self, now: Time) -> bool {
        if self.limits.qps == 0 {
            return true;
        }
        let limits = self.limits;
        let full = Bucket { level: limits.full(), filled: now };
        self.bucket.get_or_insert(full).try_take(limits, now)
    }
}

impl PullLimits {
    /// What one pull takes from the bucket: the nanoseconds in which it refills.
    fn price(self) -> u64 {
        1_000_000_000 / u64::from(self.qps)
    }

    fn full(self) -> u64 {
        self.price() * u64::from(self.burst)
    }
}

/// A token bucket that counts in nanoseconds (`client-go/util/flowcontrol/throttle.go`).
#[derive(Clone, Copy, Debug)]
struct Bucket {
    level: u64,
    filled: Time,
}

impl Bucket {
    fn try_take(&mut self, limits: PullLimits, now: Time) -> bool {
        let passed = u64::try_from(now.saturating_since(self.filled).as_nanos()).unwrap_or(u64::MAX);
        self.level = self.level.saturating_add(passed).min(limits.full());
        self.filled = now;
        let enough = self.level >= limits.price();
        if enough {
            self.level -= limits.price();
        }
        enough
    }
}
