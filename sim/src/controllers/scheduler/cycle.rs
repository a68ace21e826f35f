//! One scheduling cycle: which nodes do, and which of them is best.
//!
//! kube-scheduler 1.36.2: `schedulePod` and `findNodesThatFitPod` of `pkg/scheduler/schedule_one.go`.

use super::matches::NodeMatches;
use super::message::{Absent, FitError};
use super::node_answers::{Answers, Remembered};
use super::node_info::NodeInfo;
use super::plugins::{
    inter_pod_affinity, node_affinity, node_ports, node_resources_fit, node_unschedulable,
    pod_topology_spread, taint_toleration, volume_binding, volume_restrictions, volume_zone,
};
use super::pod_info::PodInfo;
use super::score::{self, ResourceScores, ScoreSheet};
use super::snapshot::{PodId, Slot, Snapshot};
use super::status::{Plugin, Rejection};
use arcstr::ArcStr;

/// What stays from one cycle to the next.
#[derive(Debug, Default)]
pub(super) struct Rotation {
    /// Where in the list of nodes the next cycle starts.
    pub(super) start: usize,
    /// Which nodes match which selectors.
    pub(super) matches: NodeMatches,
    /// What nodes have said to which pods.
    pub(super) remembered: Remembered,
    /// Whether every node is looked at, whatever their number.
    pub(super) every_node: bool,
}

/// What the plugins have computed for a pod before they see nodes.
#[derive(Clone, Debug)]
pub(super) struct CycleState {
    pub(super) unschedulable: node_unschedulable::State,
    pub(super) taints: taint_toleration::State,
    pub(super) affinity: node_affinity::State,
    pub(super) restrictions: volume_restrictions::State,
    pub(super) volumes: Option<volume_binding::State>,
    pub(super) zones: volume_zone::State,
    pub(super) spread: pod_topology_spread::State,
    pub(super) inter_pod: inter_pod_affinity::State,
}

/// The nodes that were looked at.
#[derive(Debug, Default)]
pub(super) struct Filtered {
    /// Those that do, in the order of evaluation.
    pub(super) feasible: Vec<Slot>,
    /// What these score for their resources.
    pub(super) scores: Vec<ResourceScores>,
    /// Those that do not.
    pub(super) rejected: Vec<(Slot, Rejection)>,
}

impl Filtered {
    /// Notes what a node said that was tried before the others, unless it has said it again.
    fn note(&mut self, slot: Slot, rejection: Rejection) {
        if !self.rejected.iter().any(|(found, _)| *found == slot) {
            self.rejected.push((slot, rejection));
        }
    }
}

/// A pod that has found its node.
#[derive(Debug)]
pub(super) struct Chosen {
    /// The node.
    pub(super) slot: Slot,
    /// The feasible nodes in the order of evaluation.
    pub(super) feasible: Vec<Slot>,
    /// The nodes that the filters rejected.
    pub(super) rejected: Vec<(Slot, Rejection)>,
    /// Scores of the feasible ones; none where only one was feasible.
    pub(super) scores: Option<ScoreSheet>,
    /// Whether PreFilter left some nodes only.
    pub(super) narrowed: bool,
    /// What is to become of the pod's claims.
    pub(super) volumes: Option<volume_binding::PodVolumes>,
}

/// Why a pod found no node.
#[derive(Debug)]
pub(super) enum Failure {
    /// There are no nodes at all.
    NoNodes,
    /// No node does.
    Unfit(Box<FitError>),
    /// A plugin broke: the error's text.
    Error(ArcStr),
}

/// A rejection by PreFilter: no node is looked at.
#[derive(Debug)]
pub(super) struct Refusal {
    /// Who refuses.
    pub(super) plugin: Plugin,
    /// Why.
    pub(super) message: ArcStr,
}

/// Looks for a node. `draw` is asked where the release draws among equals.
pub(super) fn schedule_pod(
    snapshot: &Snapshot,
    rotation: &mut Rotation,
    pod: &PodInfo,
    draw: impl FnMut(u64) -> u64,
) -> Result<Chosen, Failure> {
    let all = snapshot.order();
    if all.is_empty() {
        return Err(Failure::NoNodes);
    }
    let state = match pre_filter(snapshot, rotation, pod) {
        Ok(state) => state,
        Err(refusal) => return Err(Failure::Unfit(Box::new(FitError::refused(all.len(), refusal)))),
    };
    let narrowed = state.affinity.names(snapshot);
    let nodes = narrowed.as_deref().unwrap_or(all);
    let wanted = if rotation.every_node { nodes.len() } else { nodes_to_find(nodes.len()) };
    let tried = try_nominated(snapshot, &state, pod);
    if let (Some((slot, Ok(()))), false) = (tried, rotation.every_node) {
        let filtered = Filtered { feasible: vec![slot], ..Filtered::default() };
        return Ok(on_nominated(snapshot, &state, slot, filtered));
    }
    let mut answers = rotation.remembered.take(pod);
    let walk = Walk { nodes, start: rotation.start, wanted, answers: &mut answers };
    let mut filtered = find_nodes_that_pass(snapshot, &state, pod, walk);
    rotation.remembered.put_back(answers);
    match tried {
        // The others are looked at for whoever wants to see them only: the start index stays.
        Some((slot, Ok(()))) => return Ok(on_nominated(snapshot, &state, slot, filtered)),
        Some((slot, Err(rejection))) => filtered.note(slot, rejection),
        None => {}
    }
    let processed = filtered.feasible.len() + filtered.rejected.len();
    rotation.start = (rotation.start + processed) % all.len();
    if filtered.feasible.is_empty() {
        let nominated = tried.and_then(|(_, said)| said.err());
        let absent = Absent::new(all.len() - filtered.rejected.len(), nominated);
        let error = FitError::filtered(all.len(), filtered.rejected, absent, state);
        return Err(Failure::Unfit(Box::new(error)));
    }
    choose(snapshot, pod, (state, filtered, narrowed.is_some()), draw)
}

fn choose(
    snapshot: &Snapshot,
    pod: &PodInfo,
    (state, filtered, narrowed): (CycleState, Filtered, bool),
    draw: impl FnMut(u64) -> u64,
) -> Result<Chosen, Failure> {
    let (slot, scores) = if let [only] = filtered.feasible[..] {
        (only, None)
    } else {
        let sheet = score::prioritize(snapshot, pod, &filtered, &state).map_err(Failure::Error)?;
        let feasible = &filtered.feasible;
        // Nodes that PreFilter has named come out of a map, in whatever order: by name, so that a draw means the same.
        let by_name = |at: &usize| snapshot.node(feasible[*at]).name.clone();
        let at = match (snapshot.profile.heap_ties, narrowed) {
            (true, false) => sheet.heap_root(),
            (_, true) => sheet.draw_one(|tied| tied.sort_by_key(by_name), draw),
            (false, false) => sheet.draw_one(|_| {}, draw),
        };
        (feasible[at], Some(sheet))
    };
    let volumes = state.volumes_on(snapshot, slot);
    let Filtered { feasible, rejected, .. } = filtered;
    Ok(Chosen { slot, feasible, rejected, scores, narrowed, volumes })
}

/// The choice of a pod for which room has been made: nothing is scored.
fn on_nominated(snapshot: &Snapshot, state: &CycleState, slot: Slot, filtered: Filtered) -> Chosen {
    let Filtered { feasible, rejected, .. } = filtered;
    Chosen {
        slot,
        feasible,
        rejected,
        scores: None,
        narrowed: false,
        volumes: state.volumes_on(snapshot, slot),
    }
}

/// What every plugin computes beforehand, in the order of the profile; the first that refuses ends it.
fn pre_filter(snapshot: &Snapshot, rotation: &mut Rotation, pod: &PodInfo) -> Result<CycleState, Refusal> {
    let affinity = node_affinity::pre_filter(snapshot, &mut rotation.matches, pod)?;
    let restrictions = volume_restrictions::pre_filter(snapshot, pod)?;
    let volumes = volume_binding::pre_filter(snapshot, pod)?;
    let zones = volume_zone::pre_filter(snapshot, pod)?;
    Ok(CycleState {
        unschedulable: node_unschedulable::State::of(pod),
        taints: taint_toleration::State::of(snapshot, pod),
        spread: pod_topology_spread::pre_filter(snapshot, pod, &affinity),
        inter_pod: inter_pod_affinity::pre_filter(snapshot, pod),
        affinity,
        restrictions,
        volumes,
        zones,
    })
}

/// Every filter in the order of the profile; the first that rejects ends it.
fn filter(
    snapshot: &Snapshot,
    state: &CycleState,
    pod: &PodInfo,
    (slot, node): (Slot, &NodeInfo),
) -> Result<(), Rejection> {
    filter_node(snapshot, state, pod, (slot, node))?;
    filter_surroundings(snapshot, state, pod, node)
}

/// The first filters, which look at nothing but the node.
pub(super) fn filter_node(
    snapshot: &Snapshot,
    state: &CycleState,
    pod: &PodInfo,
    (slot, node): (Slot, &NodeInfo),
) -> Result<(), Rejection> {
    state.unschedulable.filter(node)?;
    state.taints.filter(node)?;
    state.affinity.filter(slot, node)?;
    node_ports::filter(pod, node)?;
    node_resources_fit::filter(&pod.needs.requests, node, snapshot.profile)
}

/// The others, which look at claims and at other pods.
fn filter_surroundings(
    snapshot: &Snapshot,
    state: &CycleState,
    pod: &PodInfo,
    node: &NodeInfo,
) -> Result<(), Rejection> {
    state.restrictions.filter(snapshot, pod, node)?;
    if let Some(volumes) = &state.volumes {
        volumes.filter(snapshot, node)?;
    }
    state.zones.filter(node)?;
    state.spread.filter(node)?;
    state.inter_pod.filter(node)
}

/// `RunFilterPluginsWithNominatedPods`: a node must do even when the more important pods have come for which room is
/// being made there.
pub(super) fn filter_with_nominated(
    snapshot: &Snapshot,
    state: &CycleState,
    pod: &PodInfo,
    (slot, node): (Slot, &NodeInfo),
) -> Result<(), Rejection> {
    let nominated = snapshot.nominated.get(&slot).map_or(&[][..], Vec::as_slice).iter();
    let before = |(_, other): &&(PodId, PodInfo)| {
        other.priority() >= pod.priority() && other.pod.metadata.uid != pod.pod.metadata.uid
    };
    let mut expected = nominated.filter(before).peekable();
    if expected.peek().is_some() {
        let (mut state, mut node) = (state.clone(), node.clone());
        for (id, other) in expected {
            node.add(*id, other);
            state.update(other, (slot, &node), 1);
        }
        filter(snapshot, &state, pod, (slot, &node))?;
    }
    filter(snapshot, state, pod, (slot, node))
}

impl CycleState {
    /// Whether every filter after those that look at nothing but the node has nothing to say.
    fn skips_surroundings(&self, pod: &PodInfo) -> bool {
        self.restrictions.is_silent(pod)
            && self.volumes.is_none()
            && self.zones.is_silent()
            && self.spread.is_silent()
            && self.inter_pod.is_silent()
    }

    /// What is to become of the pod's claims on a node.
    fn volumes_on(&self, snapshot: &Snapshot, slot: Slot) -> Option<volume_binding::PodVolumes> {
        self.volumes.as_ref().map(|volumes| volumes.on_node(snapshot, snapshot.node(slot)))
    }

    /// Counts a pod that comes to a node (+1) or goes (-1).
    pub(super) fn update(&mut self, other: &PodInfo, (slot, node): (Slot, &NodeInfo), change: i64) {
        self.restrictions.update(other, change);
        self.spread.update(&other.pod, (slot, node), change);
        self.inter_pod.update(other, node, change);
    }
}

/// The nodes to walk through.
struct Walk<'a> {
    nodes: &'a [Slot],
    /// Where to start; taken modulo their number.
    start: usize,
    /// How many feasible ones are enough.
    wanted: usize,
    /// What nodes have said to such pods.
    answers: &'a mut Answers,
}

/// Walks from the start index on. The node that would be one too many ends the walk; until then those that fail count.
fn find_nodes_that_pass(snapshot: &Snapshot, state: &CycleState, pod: &PodInfo, walk: Walk<'_>) -> Filtered {
    let Walk { nodes, start, wanted, answers } = walk;
    let mut filtered = Filtered {
        feasible: Vec::with_capacity(wanted),
        scores: Vec::with_capacity(wanted),
        ..Filtered::default()
    };
    let skips_surroundings = state.skips_surroundings(pod);
    let (before, from_start) = nodes.split_at(start.checked_rem(nodes.len()).unwrap_or(0));
    for slot in from_start.iter().chain(before).copied() {
        let answer = answers.of(snapshot, state, (pod, slot));
        let verdict = match answer.verdict {
            // What the node says by itself is not the whole answer, not even to a pod that it rejects.
            _ if snapshot.nominated.contains_key(&slot) => {
                filter_with_nominated(snapshot, state, pod, (slot, snapshot.node(slot)))
            }
            Ok(()) if !skips_surroundings => filter_surroundings(snapshot, state, pod, snapshot.node(slot)),
            verdict => verdict,
        };
        match verdict {
            Ok(()) if filtered.feasible.len() == wanted => break,
            Ok(()) => {
                filtered.feasible.push(slot);
                filtered.scores.push(answer.scores);
            }
            Err(rejection) => filtered.rejected.push((slot, rejection)),
        }
    }
    filtered
}

/// `evaluateNominatedNode`: the node on which preemption has made room is tried first, alone.
fn try_nominated(
    snapshot: &Snapshot,
    state: &CycleState,
    pod: &PodInfo,
) -> Option<(Slot, Result<(), Rejection>)> {
    let name = &pod.pod.status.nominated_node_name;
    let slot = snapshot.slot(name).filter(|_| !name.is_empty())?;
    Some((slot, filter_with_nominated(snapshot, state, pod, (slot, snapshot.node(slot)))))
}

/// `numFeasibleNodesToFind` with the adaptive percentage.
fn nodes_to_find(nodes: usize) -> usize {
    if nodes < 100 {
        return nodes;
    }
    let percentage = 50_usize.saturating_sub(nodes / 125).max(5);
    (nodes * percentage / 100).max(100)
}

#[cfg(test)]
mod tests {
    use super::nodes_to_find;

    #[test]
    fn large_clusters_are_sampled() {
        let found = [99, 100, 200, 1000, 5000, 6000].map(nodes_to_find);
        assert_eq!(found, [99, 100, 100, 420, 500, 300]);
    }
}
