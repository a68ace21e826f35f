//! PodTopologySpread: pods of one kind evenly over the domains of a topology.
//!
//! Kubernetes 1.36.2: `plugins/podtopologyspread/{filtering,scoring,common}.go`. The system's default constraints need
//! an owner among Services and ReplicaSets, which are not modelled, so they never apply.

use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::plugins::node_affinity;
use crate::controllers::scheduler::pod_info::PodInfo;
use crate::controllers::scheduler::snapshot::{Slot, Snapshot};
use crate::controllers::scheduler::status::{Plugin, Reason, Rejection};
use crate::controllers::scheduler::taint_sets::untolerated;
use crate::objects::{Pod, StrMap, TopologySpreadConstraint};
use arcstr::ArcStr;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::sync::Arc;

const HOSTNAME: &str = "kubernetes.io/hostname";

type Counts = IndexMap<ArcStr, i64, FxBuildHasher>;

/// The pod's hard constraints and how many pods each domain has.
#[derive(Clone, Debug)]
pub(in crate::controllers::scheduler) struct State {
    pod: Arc<Pod>,
    affinity: node_affinity::State,
    /// By the place of the constraint in the spec.
    constraints: Vec<(usize, Counts)>,
}

/// Counts the pods in the domains of the hard constraints.
pub(in crate::controllers::scheduler) fn pre_filter(
    snapshot: &Snapshot,
    pod: &PodInfo,
    affinity: &node_affinity::State,
) -> State {
    let mut state = State::new(pod, affinity, "DoNotSchedule");
    if state.constraints.is_empty() {
        return state;
    }
    for &slot in snapshot.order() {
        let node = snapshot.node(slot);
        for at in 0..state.constraints.len() {
            if state.counts_node(at, slot, node) {
                let count = count_pods(snapshot, node, state.constraint(at), &state.pod);
                let domain = domain(node, state.constraint(at)).expect("the node has all keys").clone();
                *state.constraints[at].1.entry(domain).or_insert(0) += count;
            }
        }
    }
    state
}

impl State {
    fn new(pod: &PodInfo, affinity: &node_affinity::State, when: &str) -> Self {
        let all = pod.pod.spec.topology_spread_constraints.iter().enumerate();
        let wanted = all.filter(|(_, constraint)| constraint.when_unsatisfiable == when);
        let constraints = wanted.map(|(at, _)| (at, Counts::default())).collect();
        Self { pod: Arc::clone(&pod.pod), affinity: affinity.clone(), constraints }
    }

    /// Whether no node is rejected.
    pub(in crate::controllers::scheduler) fn is_silent(&self) -> bool {
        self.constraints.is_empty()
    }

    /// Rejects a node without the keys, and one whose domain would have too many.
    pub(in crate::controllers::scheduler) fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        for (at, (_, counts)) in self.constraints.iter().enumerate() {
            let constraint = self.constraint(at);
            let Some(domain) = domain(node, constraint) else {
                return Err(Rejection::unresolvable(Plugin::PodTopologySpread, Reason::SpreadLabel));
            };
            let there = counts.get(domain).copied().unwrap_or(0);
            let itself = i64::from(selects(constraint, &self.pod, &self.pod.metadata.labels));
            if there + itself - least(counts, constraint) > i64::from(constraint.max_skew) {
                return Err(Rejection::unschedulable(Plugin::PodTopologySpread, Reason::Spread));
            }
        }
        Ok(())
    }

    /// Counts a pod that comes to a node (+1) or goes (-1).
    pub(in crate::controllers::scheduler) fn update(
        &mut self,
        other: &Pod,
        (slot, node): (Slot, &NodeInfo),
        change: i64,
    ) {
        if other.metadata.namespace != self.pod.metadata.namespace {
            return;
        }
        for at in 0..self.constraints.len() {
            if selects(self.constraint(at), &self.pod, &other.metadata.labels)
                && self.counts_node(at, slot, node)
            {
                let domain = domain(node, self.constraint(at)).expect("the node has all keys").clone();
                *self.constraints[at].1.entry(domain).or_insert(0) += change;
            }
        }
    }

    fn constraint(&self, at: usize) -> &TopologySpreadConstraint {
        &self.pod.spec.topology_spread_constraints[self.constraints[at].0]
    }

    fn has_all_keys(&self, node: &NodeInfo) -> bool {
        (0..self.constraints.len()).all(|at| domain(node, self.constraint(at)).is_some())
    }

    /// Whether a node counts: it has every key and the inclusion policies let it in.
    fn counts_node(&self, at: usize, slot: Slot, node: &NodeInfo) -> bool {
        let constraint = self.constraint(at);
        let honours_affinity = constraint.node_affinity_policy.as_deref() != Some("Ignore");
        let honours_taints = constraint.node_taints_policy.as_deref() == Some("Honor");
        self.has_all_keys(node)
            && (!honours_affinity || self.affinity.matches(slot, node))
            && (!honours_taints || self.tolerates(node))
    }

    fn tolerates(&self, node: &NodeInfo) -> bool {
        let taints = node.node.as_ref().map_or(&[][..], |node| &node.spec.taints);
        untolerated(taints, &self.pod.spec.tolerations).is_none()
    }
}

/// The pod's soft constraints among the feasible nodes.
#[derive(Debug)]
pub(in crate::controllers::scheduler) struct Scoring {
    state: State,
    weights: Vec<f64>,
    ignored: Vec<Slot>,
}

impl Scoring {
    /// Counts the pods in the domains of the feasible nodes; `None` without soft constraints.
    pub(in crate::controllers::scheduler) fn of(
        snapshot: &Snapshot,
        pod: &PodInfo,
        feasible: &[Slot],
        affinity: &node_affinity::State,
    ) -> Option<Self> {
        let mut state = State::new(pod, affinity, "ScheduleAnyway");
        if state.constraints.is_empty() {
            return None;
        }
        let mut ignored = Vec::new();
        for &slot in feasible {
            if state.has_all_keys(snapshot.node(slot)) {
                state.open_domains(snapshot.node(slot));
            } else {
                ignored.push(slot);
            }
        }
        let counted = feasible.len() - ignored.len();
        let sizes = (0..state.constraints.len()).map(|at| match is_hostname(state.constraint(at)) {
            true => counted,
            false => state.constraints[at].1.len(),
        });
        let weights = sizes.map(|size| libm::log((size + 2) as f64)).collect();
        for &slot in snapshot.order() {
            state.count_into_open_domains(snapshot, slot);
        }
        ignored.sort_unstable();
        Some(Self { state, weights, ignored })
    }

    /// The score of a node before it is normalised; the lower the better. Float64 as upstream.
    pub(in crate::controllers::scheduler) fn score(&self, snapshot: &Snapshot, slot: Slot) -> i64 {
        if self.ignored.binary_search(&slot).is_ok() {
            return 0;
        }
        let (state, node) = (&self.state, snapshot.node(slot));
        let mut score = 0.0;
        for (at, (_, counts)) in state.constraints.iter().enumerate() {
            let constraint = state.constraint(at);
            let Some(domain) = domain(node, constraint) else { continue };
            let count = match is_hostname(constraint) {
                true => count_pods(snapshot, node, constraint, &state.pod),
                false => counts[domain],
            };
            score += count as f64 * self.weights[at] + f64::from(constraint.max_skew - 1);
        }
        libm::round(score) as i64
    }

    /// Turns the scores round; nodes without the keys get 0.
    pub(in crate::controllers::scheduler) fn normalize(&self, feasible: &[Slot], scores: &mut [i64]) {
        let is_ignored = |slot: &Slot| self.ignored.binary_search(slot).is_ok();
        let counted =
            || feasible.iter().zip(&*scores).filter(|(slot, _)| !is_ignored(slot)).map(|(_, score)| *score);
        let (least, most) = (counted().min().unwrap_or(i64::MAX), counted().max().unwrap_or(i64::MIN));
        for (slot, score) in feasible.iter().zip(scores) {
            *score = match (is_ignored(slot), most) {
                (true, _) => 0,
                (false, 0) => 100,
                (false, most) => 100 * (most + least - *score) / most,
            };
        }
    }
}

impl State {
    fn open_domains(&mut self, node: &NodeInfo) {
        for at in 0..self.constraints.len() {
            if !is_hostname(self.constraint(at)) {
                let domain = domain(node, self.constraint(at)).expect("the node has all keys").clone();
                self.constraints[at].1.entry(domain).or_insert(0);
            }
        }
    }

    fn count_into_open_domains(&mut self, snapshot: &Snapshot, slot: Slot) {
        let node = snapshot.node(slot);
        for at in 0..self.constraints.len() {
            if !self.counts_node(at, slot, node) {
                continue;
            }
            let constraint = self.constraint(at);
            let domain = domain(node, constraint).expect("the node has all keys").clone();
            if self.constraints[at].1.contains_key(&domain) {
                let count = count_pods(snapshot, node, constraint, &self.pod);
                self.constraints[at].1[&domain] += count;
            }
        }
    }
}

/// Whether the constraint of a pod selects these labels: its selector does, and they have the pod's own values of its
/// `matchLabelKeys`.
pub(in crate::controllers::scheduler) fn selects(
    constraint: &TopologySpreadConstraint,
    owner: &Pod,
    labels: &StrMap,
) -> bool {
    constraint.label_selector.as_ref().is_some_and(|selector| selector.matches(labels))
        && own_values(constraint, owner).all(|(key, value)| labels.has(key, value))
}

/// The pod's own labels that a constraint speaks of; a key that the pod does not have adds nothing.
fn own_values<'a>(
    constraint: &'a TopologySpreadConstraint,
    owner: &'a Pod,
) -> impl Iterator<Item = (&'a ArcStr, &'a ArcStr)> {
    constraint.match_label_keys.iter().filter_map(|key| Some((key, owner.metadata.labels.get(key)?)))
}

/// The constraints that filter, those with DoNotSchedule.
pub(in crate::controllers::scheduler) fn hard(
    pod: &Pod,
) -> impl Iterator<Item = &TopologySpreadConstraint> + Clone {
    let all = pod.spec.topology_spread_constraints.iter();
    all.filter(|constraint| constraint.when_unsatisfiable == "DoNotSchedule")
}

fn domain<'a>(node: &'a NodeInfo, constraint: &TopologySpreadConstraint) -> Option<&'a ArcStr> {
    node.labels().get(&constraint.topology_key)
}

fn is_hostname(constraint: &TopologySpreadConstraint) -> bool {
    constraint.topology_key == HOSTNAME
}

/// The fewest pods of any domain; 0 while there are fewer domains than asked for.
fn least(counts: &Counts, constraint: &TopologySpreadConstraint) -> i64 {
    let wanted = usize::try_from(constraint.min_domains.unwrap_or(1)).unwrap_or(0);
    if counts.len() < wanted {
        return 0;
    }
    counts.values().copied().min().unwrap_or(i64::from(i32::MAX))
}

/// `countPodsMatchSelector`: an empty selector counts no pod.
fn count_pods(snapshot: &Snapshot, node: &NodeInfo, constraint: &TopologySpreadConstraint, pod: &Pod) -> i64 {
    let empty = constraint.label_selector.as_ref().is_none_or(|selector| selector.is_empty());
    if empty && own_values(constraint, pod).next().is_none() {
        return 0;
    }
    let counts = |other: &Pod| {
        !other.metadata.is_deleting()
            && other.metadata.namespace == pod.metadata.namespace
            && selects(constraint, pod, &other.metadata.labels)
    };
    let there = node.pods.iter().filter(|id| counts(&snapshot.pod(**id).pod));
    i64::try_from(there.count()).expect("few pods on a node")
}
