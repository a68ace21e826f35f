//! NodeResourcesBalancedAllocation: CPU and memory should fill up evenly.
//!
//! Kubernetes 1.36.2: `plugins/noderesources/balanced_allocation.go`.

use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::profile::Profile;
use crate::controllers::scheduler::requests::Requests;

/// Whether a pod without requests is not scored.
pub(in crate::controllers::scheduler) fn skips(requests: &Requests) -> bool {
    requests.counted.cpu == 0 && requests.counted.memory == 0
}

/// How even the node is with the pod; since 1.36 how much evener than without it.
pub(in crate::controllers::scheduler) fn score(
    requests: &Requests,
    node: &NodeInfo,
    profile: Profile,
) -> i64 {
    let used = [node.requested.cpu, node.requested.memory];
    let all = [node.allocatable.cpu, node.allocatable.memory];
    let added = [requests.counted.cpu, requests.counted.memory];
    let with = [used[0].wrapping_add(added[0]), used[1].wrapping_add(added[1])];
    if !profile.scores_balance_change {
        return balance(with, all);
    }
    let change = balance(with, all).wrapping_sub(balance(used, all));
    50_i64.wrapping_add(50_i64.wrapping_add(change) / 2)
}

/// 100 less the standard deviation of the used shares, in hundredths; float64 as upstream.
fn balance(used: [i64; 2], all: [i64; 2]) -> i64 {
    let share = |at: usize| (used[at] as f64 / all[at] as f64).min(1.0);
    let deviation = if all[0] == 0 || all[1] == 0 { 0.0 } else { ((share(0) - share(1)) / 2.0).abs() };
    ((1.0 - deviation) * 100.0) as i64
}
