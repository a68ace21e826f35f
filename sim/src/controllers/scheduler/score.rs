//! SCORES: which of the feasible nodes is best.
//!
//! kube-scheduler 1.36.2: `RunScorePlugins` of `pkg/scheduler/framework/runtime/framework.go`, `prioritizeNodes` and
//! `selectHost` of `pkg/scheduler/schedule_one.go`.

use super::cycle::{CycleState, Filtered};
use super::node_info::NodeInfo;
use super::plugins::{
    balanced_allocation, image_locality, inter_pod_affinity, node_affinity, node_resources_fit,
    pod_topology_spread,
};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::requests::Requests;
use super::snapshot::{Slot, Snapshot};
use super::status::Plugin;
use arcstr::ArcStr;
use std::ops::RangeInclusive;

/// The scores of the feasible nodes, in their order.
#[derive(Debug, Default)]
pub(super) struct ScoreSheet {
    /// The sums.
    pub(super) totals: Vec<i64>,
    /// Weighted scores of each plugin that took part.
    pub(super) parts: Vec<(Plugin, Vec<i64>)>,
    /// The first node with a score out of range, and what is wrong there.
    invalid: Option<(usize, Plugin, i64)>,
}

/// What a node scores for its resources alone.
#[derive(Clone, Copy, Debug)]
pub(super) struct ResourceScores {
    fit: i64,
    balance: i64,
}

impl ResourceScores {
    /// Of no node.
    pub(super) const NONE: Self = Self { fit: 0, balance: 0 };
}

/// What a node scores for its resources alone.
pub(super) fn resource_scores(requests: &Requests, node: &NodeInfo, profile: Profile) -> ResourceScores {
    ResourceScores {
        fit: node_resources_fit::score(requests, node),
        balance: balanced_allocation::score(requests, node, profile),
    }
}

/// What every score must be within.
const RANGE: RangeInclusive<i64> = 0..=100;

/// Scores every feasible node, or says why a plugin broke.
pub(super) fn prioritize(
    snapshot: &Snapshot,
    pod: &PodInfo,
    filtered: &Filtered,
    state: &CycleState,
) -> Result<ScoreSheet, ArcStr> {
    let Filtered { feasible, scores: resources, .. } = filtered;
    assert_eq!(feasible.len(), resources.len(), "scores of every feasible node");
    let preferred = node_affinity::preferred(&pod.pod)?;
    let mut sheet = ScoreSheet { totals: vec![0; feasible.len()], ..ScoreSheet::default() };
    let each = |score: &dyn Fn(Slot) -> i64| feasible.iter().map(|slot| score(*slot)).collect::<Vec<i64>>();

    let mut taints = each(&|slot| state.taints.score(snapshot.node(slot)));
    normalize(&mut taints, true);
    sheet.add(Plugin::TaintToleration, 3, taints);
    if let Some(preferred) = preferred {
        let mut scores = each(&|slot| node_affinity::score(&preferred, snapshot.node(slot)));
        normalize(&mut scores, false);
        sheet.add(Plugin::NodeAffinity, 2, scores);
    }
    sheet.add(Plugin::NodeResourcesFit, 1, resources.iter().map(|scores| scores.fit).collect());
    if let Some(spread) = pod_topology_spread::Scoring::of(snapshot, pod, feasible, &state.affinity) {
        let mut scores = each(&|slot| spread.score(snapshot, slot));
        spread.normalize(feasible, &mut scores);
        sheet.add(Plugin::PodTopologySpread, 2, scores);
    }
    if let Some(affinity) = inter_pod_affinity::Scoring::of(snapshot, pod) {
        let mut scores = each(&|slot| affinity.score(snapshot.node(slot)));
        inter_pod_affinity::normalize(&mut scores);
        sheet.add(Plugin::InterPodAffinity, 2, scores);
    }
    if !balanced_allocation::skips(&pod.needs.requests) {
        let scores = resources.iter().map(|scores| scores.balance).collect();
        sheet.add(Plugin::NodeResourcesBalancedAllocation, 1, scores);
    }
    let images = image_locality::State::of(snapshot, &pod.pod.spec);
    if !images.is_empty() {
        sheet.add(Plugin::ImageLocality, 1, each(&|slot| images.score(slot)));
    }
    sheet.valid()
}

impl ScoreSheet {
    fn add(&mut self, plugin: Plugin, weight: i64, mut scores: Vec<i64>) {
        assert_eq!(scores.len(), self.totals.len(), "a score for each node");
        let wrong = scores.iter().position(|score| !RANGE.contains(score));
        if let Some(at) = wrong.filter(|at| self.invalid.is_none_or(|(first, ..)| *at < first)) {
            self.invalid = Some((at, plugin, scores[at]));
        }
        for (total, score) in self.totals.iter_mut().zip(&mut scores) {
            *score = score.wrapping_mul(weight);
            *total = total.wrapping_add(*score);
        }
        self.parts.push((plugin, scores));
    }

    fn valid(self) -> Result<Self, ArcStr> {
        let Some((_, plugin, score)) = self.invalid else { return Ok(self) };
        Err(arcstr::format!(
            "applying score defaultWeights on Score plugins: plugin \"{}\" returns an invalid score {score}, it should \
             in the range of [0, 100] after normalizing",
            plugin.as_str()
        ))
    }

    /// The places of the nodes with the top score.
    pub(super) fn tied(&self) -> Vec<usize> {
        let top = self.totals.iter().max().expect("there are nodes");
        (0..self.totals.len()).filter(|at| self.totals[*at] == *top).collect()
    }

    /// The place of the choice of a release that does not draw.
    pub(super) fn heap_root(&self) -> usize {
        heap_root(&self.totals)
    }

    /// The place of one that is drawn among the equals, which are brought into an order first.
    pub(super) fn draw_one(
        &self,
        order: impl FnOnce(&mut [usize]),
        mut draw: impl FnMut(u64) -> u64,
    ) -> usize {
        let mut tied = self.tied();
        order(&mut tied);
        match tied[..] {
            [only] => only,
            _ => tied[usize::try_from(draw(tied.len() as u64)).expect("below the number of nodes")],
        }
    }
}

/// `heap.Init` on the scores: of equals, the sifting decides which one comes to stand at the root.
fn heap_root(totals: &[i64]) -> usize {
    let mut heap: Vec<usize> = (0..totals.len()).collect();
    for start in (0..heap.len() / 2).rev() {
        let mut parent = start;
        loop {
            let left = 2 * parent + 1;
            if left >= heap.len() {
                break;
            }
            let right = left + 1;
            let right_wins = right < heap.len() && totals[heap[right]] > totals[heap[left]];
            let child = if right_wins { right } else { left };
            if totals[heap[child]] <= totals[heap[parent]] {
                break;
            }
            heap.swap(parent, child);
            parent = child;
        }
    }
    heap[0]
}

/// `DefaultNormalizeScore`.
fn normalize(scores: &mut [i64], reverse: bool) {
    let most = scores.iter().copied().max().unwrap_or(0).max(0);
    for score in scores {
        let share = if most == 0 { 0 } else { 100 * *score / most };
        *score = if reverse { 100 - share } else { share };
    }
}

#[cfg(test)]
mod tests {
    use super::heap_root;

    #[test]
    fn the_root_of_the_heap_is_not_always_the_first_of_equals() {
        assert_eq!(heap_root(&[5, 5, 5]), 0);
        assert_eq!(heap_root(&[1, 5, 5]), 1);
        assert_eq!(heap_root(&[1, 2, 5, 5, 3]), 3, "the left subtree is sifted first");
    }
}
