//! Machines: which are down (power, network or the kubelet itself), and what they bring along.

use crate::kubelet::{CredentialVerification, PullLimits};
use arcstr::ArcStr;
use std::collections::{BTreeMap, BTreeSet};
use stuckvm_detector::Time;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// When a kubelet's loops first came round; each has its own phase within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KubeletStart {
    /// The first tick of the sync loop.
    pub tick: Time,
    /// The first relist.
    pub relist: Time,
    /// The first comparison of all statuses with the API's.
    pub status: Time,
}

/// The machines. A lost machine posts nothing, and nothing on it is started, stopped or reported.
#[derive(Debug, Default)]
pub struct Machines {
    lost: BTreeSet<ArcStr>,
    starts: BTreeMap<ArcStr, KubeletStart>,
    /// When the kubelets of all other nodes started, if that was determined.
    start_of_all: Option<KubeletStart>,
    images: BTreeMap<ArcStr, Time>,
    pull_limits: Option<PullLimits>,
    verification: CredentialVerification,
}

impl Machines {
    /// The machine of this node is lost.
    pub fn lose(&mut self, node: impl Into<ArcStr>) {
        self.lost.insert(node.into());
    }

    /// It is back.
    pub fn recover(&mut self, node: &str) {
        self.lost.remove(node);
    }

    /// Whether the machine is lost.
    pub fn is_lost(&self, node: &str) -> bool {
        !self.lost.is_empty() && self.lost.contains(node)
    }

    /// Determines when a node's kubelet started its loops.
    pub fn start_kubelet(&mut self, node: impl Into<ArcStr>, start: KubeletStart) {
        self.starts.insert(node.into(), start);
    }

    /// Determines when the kubelets of all nodes started their loops that have no start of their own.
    pub fn start_kubelets(&mut self, start: KubeletStart) {
        self.start_of_all = Some(start);
    }

    /// When a node's kubelet started its loops: unless determined, some two minutes before `begin`, at an instant that
    /// follows from the run's seed and the node's name, so that one more node does not shift another's.
    pub fn kubelet_start(&self, node: &str, begin: Time, seed: u64) -> KubeletStart {
        if let Some(start) = self.starts.get(node).copied().or(self.start_of_all) {
            return start;
        }
        let phase = xxh3_64_with_seed(node.as_bytes(), seed);
        let early = |part: u64, period: u64| {
            Time::from_nanos(begin.as_nanos().saturating_sub(120_000_000_000 + part % period))
        };
        KubeletStart {
            tick: early(phase >> 32, 1_000_000_000),
            relist: early(phase & 0xffff_ffff, 1_000_000_000),
            status: early(xxh3_64_with_seed(node.as_bytes(), !seed), 10_000_000_000),
        }
    }

    /// An image is on every machine from an instant on, without a pull.
    pub fn store_image(&mut self, reference: impl Into<ArcStr>, from: Time) {
        self.images.insert(reference.into(), from);
    }

    /// Whether an image is on every machine.
    pub fn has_image(&self, reference: &str, now: Time) -> bool {
        self.images.get(reference).is_some_and(|from| *from <= now)
    }

    /// Determines how every node pulls that has no pod yet.
    pub fn limit_pulls(&mut self, limits: PullLimits) {
        self.pull_limits = Some(limits);
    }

    /// Determines when every node that has no pod yet verifies that a pod may use an image.
    pub fn verify_credentials(&mut self, policy: CredentialVerification) {
        self.verification = policy;
    }

    /// When a node verifies that.
    pub(crate) fn verification(&self) -> &CredentialVerification {
        &self.verification
    }

    /// How a node pulls, if that was determined.
    pub(crate) fn pull_limits(&self) -> Option<PullLimits> {
        self.pull_limits
    }
}

#[cfg(test)]
mod tests {
    use super::{KubeletStart, Machines};
    use stuckvm_detector::Time;

    #[test]
    fn a_kubelet_starts_by_seed_and_name() {
        let begin = Time::from_secs(1_000);
        let start = |node: &str, seed: u64| Machines::default().kubelet_start(node, begin, seed);
        let (a, b, reseeded) = (start("node-a", 7), start("node-b", 7), start("node-a", 8));
        assert_eq!(a, start("node-a", 7), "the same each time");
        assert!(a.tick != b.tick && a.relist != b.relist, "each node has its own phases");
        assert!(a.tick != reseeded.tick && a.relist != reseeded.relist, "another seed gives other phases");
    }

    #[test]
    fn what_is_determined_is_not_drawn() {
        let mut machines = Machines::default();
        let start =
            KubeletStart { tick: Time::from_secs(1), relist: Time::from_secs(2), status: Time::from_secs(3) };
        machines.start_kubelet("node-a", start);
        assert_eq!(machines.kubelet_start("node-a", Time::from_secs(1_000), 7), start);
    }
}
