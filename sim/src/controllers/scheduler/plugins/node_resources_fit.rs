//! NodeResourcesFit: what a pod asks for must be left on the node; the emptier node scores higher.
//!
//! Kubernetes 1.36.2: `plugins/noderesources/{fit,least_allocated}.go`.

use crate::controllers::scheduler::node_info::{NodeInfo, Share};
use crate::controllers::scheduler::profile::Profile;
use crate::controllers::scheduler::requests::Requests;
use crate::controllers::scheduler::status::{Plugin, Reason, ReasonSet, Rejection};

/// Rejects a node that has not enough left.
pub(in crate::controllers::scheduler) fn filter(
    requests: &Requests,
    node: &NodeInfo,
    profile: Profile,
) -> Result<(), Rejection> {
    let mut lacking = Lacking::default();
    let pods = i64::try_from(node.pods.len()).expect("few pods on a node");
    if pods + 1 > node.allowed_pods {
        lacking.reasons.insert(Reason::TooManyPods);
    }
    lacking.check(requests, node);
    if lacking.reasons == ReasonSet::default() {
        return Ok(());
    }
    let resolvable = !(lacking.beyond_node && profile.unresolvable_requests);
    Err(Rejection::new(Plugin::NodeResourcesFit, lacking.reasons, resolvable))
}

/// The places, among the pod's scalar resources, of those of which the node has not enough left.
pub(in crate::controllers::scheduler) fn lacking_scalars(
    requests: &Requests,
    node: &NodeInfo,
) -> impl Iterator<Item = usize> {
    let all = requests.scalars.iter().enumerate();
    all.filter(|(_, (id, wanted))| lacks(node.scalar(*id), *wanted)).map(|(place, _)| place)
}

/// Whether less is left than is wanted.
pub(in crate::controllers::scheduler) fn lacks(share: Share, wanted: i64) -> bool {
    wanted > 0 && wanted > share.allocatable.wrapping_sub(share.requested)
}

/// Whether the pod would fit on the node if it were empty.
pub(in crate::controllers::scheduler) fn fits_empty(requests: &Requests, node: &NodeInfo) -> bool {
    let (fit, all) = (requests.counted, node.allocatable);
    node.allowed_pods >= 1
        && fit.cpu <= all.cpu
        && fit.memory <= all.memory
        && fit.ephemeral <= all.ephemeral
        && requests.scalars.iter().all(|(id, amount)| *amount <= node.scalar(*id).allocatable)
}

/// LeastAllocated over CPU and memory: the mean of the free shares, in hundredths.
pub(in crate::controllers::scheduler) fn score(requests: &Requests, node: &NodeInfo) -> i64 {
    let all = [node.allocatable.cpu, node.allocatable.memory];
    let (mut sum, mut resources) = (0_i64, 0);
    for ((all, used), asked) in all.into_iter().zip(node.non_zero).zip(requests.least_allocated) {
        if all != 0 {
            sum = sum.wrapping_add(free_share(used.wrapping_add(asked), all));
            resources += 1;
        }
    }
    if resources == 0 { 0 } else { sum / resources }
}

#[derive(Default)]
struct Lacking {
    reasons: ReasonSet,
    /// Some request is more than the whole node has.
    beyond_node: bool,
}

impl Lacking {
    fn check(&mut self, requests: &Requests, node: &NodeInfo) {
        let (fit, all, used) = (requests.counted, node.allocatable, node.requested);
        let amounts = [
            (Reason::Cpu, fit.cpu, all.cpu, used.cpu),
            (Reason::Memory, fit.memory, all.memory, used.memory),
            (Reason::EphemeralStorage, fit.ephemeral, all.ephemeral, used.ephemeral),
        ];
        for (reason, wanted, all, used) in amounts {
            if wanted > 0 && wanted > all.wrapping_sub(used) {
                self.reasons.insert(reason);
                self.beyond_node |= wanted > all;
            }
        }
        for (place, (id, wanted)) in requests.scalars.iter().enumerate() {
            let share = node.scalar(*id);
            if lacks(share, *wanted) {
                self.reasons.insert_scalar(place);
                self.beyond_node |= *wanted > share.allocatable;
            }
        }
    }
}

/// Wraps as Go does: an absurd request gives a score out of range, which then fails the attempt.
fn free_share(used: i64, all: i64) -> i64 {
    if all == 0 || used > all {
        return 0;
    }
    all.wrapping_sub(used).wrapping_mul(100).wrapping_div(all)
}
