//! IMAGE PULLER of the kubelet, Kubernetes 1.36.2: `pkg/kubelet/images/puller.go`, the limit on requests of
//! `pkg/kubelet/images/helpers.go` (`throttleImagePulling`), and `pkg/kubelet/kuberuntime/kuberuntime_image.go`
//! (`PullImage`), which tries one credential after the other.

use super::image_manager::{Inspection, Pulled};
use super::keyring::TrackedAuthConfig;
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
    /// What to show to the registry, in order; without any it is asked without.
    pub credentials: Vec<TrackedAuthConfig>,
    /// Since when it waits.
    pub since: Time,
}

/// A pull that has its turn.
#[derive(Clone, Debug)]
pub struct Running {
    /// Whose.
    pub ticket: Ticket,
    /// When its turn came.
    pub started: Time,
    /// When the runtime was asked last.
    pub requested: Time,
    /// What that comes to.
    pub pull: Pull,
    /// What became of the credentials before.
    errors: Vec<ArcStr>,
}

impl Running {
    /// When the runtime answers.
    pub fn end(&self) -> Time {
        self.requested.checked_add(self.pull.takes).unwrap_or(Time::MAX)
    }

    /// What the runtime shows to the registry.
    pub fn credential(&self) -> Option<&TrackedAuthConfig> {
        self.ticket.credentials.get(self.errors.len())
    }

    /// What has come of it, and what the runtime now says of the image.
    pub fn outcome(self, now: Time, inspection: Inspection) -> Pulled {
        let used = self.credential().cloned();
        let mut errors = self.errors;
        let result = self.pull.result.map_err(|error| {
            errors.push(error);
            aggregate(&errors)
        });
        Pulled {
            reference: self.ticket.reference,
            took: now.saturating_since(self.started),
            waited: now.saturating_since(self.ticket.since),
            result: result.map(|_| used),
            inspection,
        }
    }
}

/// What came of a wish that has its turn.
#[derive(Debug)]
pub enum Begun<'a> {
    /// The runtime was asked.
    Asked(&'a Running),
    /// Too many pulls have begun of late: this pod's has failed.
    Refused(ObjectId),
}

/// The order in which pods hear of pulls that end at one instant, given that in which they ended: as the puller answers
/// without a pause, Go's scheduler runs the one first that was woken last.
pub fn order_of_waking(mut ended: Vec<ObjectId>) -> Vec<ObjectId> {
    if let Some(last) = ended.pop() {
        ended.insert(0, last);
    }
    ended
}

/// Several errors as one (`apimachinery/pkg/util/errors`, `NewAggregate`): each text once.
fn aggregate(errors: &[ArcStr]) -> ArcStr {
    let mut seen: Vec<&str> = Vec::new();
    for error in errors {
        if !seen.contains(&error.as_str()) {
            seen.push(error);
        }
    }
    match seen[..] {
        [only] => only.into(),
        _ => arcstr::format!("[{}]", seen.join(", ")),
    }
}

/// The pulls of one node: first come, first served.
#[derive(Clone, Debug, Default)]
pub struct ImagePuller {
    limits: PullLimits,
    waiting: VecDeque<Ticket>,
    running: Vec<Running>,
    /// Pulls that have ended, and of which their pods have not heard yet.
    answered: Vec<Running>,
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

    /// Gives the next wish its turn, if one waits and may have it.
    pub fn begin(&mut self, registry: &Registry, now: Time) -> Option<Begun<'_>> {
        let busy = u32::try_from(self.running.len()).expect("few pulls run at once");
        if self.limits.parallel.is_some_and(|limit| busy >= limit) {
            return None;
        }
        let ticket = self.waiting.pop_front()?;
        let (pod, asked) = (ticket.pod, self.try_accept(now));
        let pull = if asked {
            let credential = ticket.credentials.first().map(|first| &first.credential);
            registry.pull_at(&ticket.reference, credential, now)
        } else {
            Pull { takes: Duration::ZERO, result: Err(arcstr::literal!("pull QPS exceeded")) }
        };
        let running = Running { ticket, started: now, requested: now, pull, errors: Vec::new() };
        if !asked {
            self.answered.push(running);
            return Some(Begun::Refused(pod));
        }
        self.running.push(running);
        self.running.last().map(Begun::Asked)
    }

    /// Asks again for a pod whose credential was refused, if there is another; its turn goes on.
    pub fn try_next_credential(&mut self, pod: ObjectId, registry: &Registry, now: Time) -> Option<&Running> {
        let running =
            self.running.iter_mut().find(|running| running.ticket.pod == pod).expect("the pull runs");
        let next = running.ticket.credentials.get(running.errors.len() + 1)?;
        let error = running.pull.result.as_ref().err()?.clone();
        running.pull = registry.pull_at(&running.ticket.reference, Some(&next.credential), now);
        running.requested = now;
        running.errors.push(error);
        Some(running)
    }

    /// Ends the pull of a pod, which frees its place.
    pub fn end(&mut self, pod: ObjectId) {
        let at = self.running.iter().position(|running| running.ticket.pod == pod);
        let running = self.running.remove(at.expect("the pull runs"));
        self.answered.push(running);
    }

    /// Takes the pull of a pod that has ended.
    pub fn take(&mut self, pod: ObjectId) -> Option<Running> {
        let at = self.answered.iter().position(|answered| answered.ticket.pod == pod)?;
        Some(self.answered.remove(at))
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

#[cfg(test)]
mod tests {
    use super::aggregate;
    use arcstr::literal;

    #[test]
    fn the_same_error_is_told_once() {
        assert_eq!(aggregate(&[literal!("no"), literal!("no")]), "no");
        assert_eq!(aggregate(&[literal!("no"), literal!("down"), literal!("no")]), "[no, down]");
    }
}
