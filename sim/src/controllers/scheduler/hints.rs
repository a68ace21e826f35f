//! QUEUEING HINTS: which pods an event may help.
//!
//! kube-scheduler 1.36.2: `EventsToRegister` and `isSchedulableAfter…` of each plugin, `pkg/scheduler/eventhandlers.go`.

use super::node_info::NodeInfo;
use super::plugins::node_affinity::matches_required;
use super::plugins::node_unschedulable::tolerates_unschedulable;
use super::plugins::volume_restrictions::share_disk;
use super::plugins::volume_zone::topologies;
use super::plugins::{inter_pod_affinity, node_ports, node_resources_fit, pod_topology_spread};
use super::pod_info::PodInfo;
use super::requests::{Amounts, ScalarId, Scalars};
use super::snapshot::{Slot, Snapshot};
use super::status::{Plugin, PluginSet};
use super::storage::named_claims;
use super::taint_sets::untolerated;
use crate::objects::{
    Node, PersistentVolume, PersistentVolumeClaim, Pod, PodAffinity, ResourceList, StorageClass, StrMap,
    TopologySpreadConstraint,
};
use crate::quantity::Quantity;
use std::sync::Arc;

/// Something that may help a pod that found no node.
#[derive(Clone, Debug)]
pub(super) enum ClusterEvent {
    /// A node came.
    NodeAdd(Slot),
    /// A node changed.
    NodeUpdate { slot: Slot, old: Arc<Node>, new: Arc<Node> },
    /// A node went.
    NodeDelete(Arc<Node>),
    /// A pod got its node.
    AssignedPodAdd(Arc<Pod>),
    /// A placed pod has other labels than before.
    AssignedPodLabels { old: Arc<Pod>, new: Arc<Pod> },
    /// A placed pod asks for less than before.
    AssignedPodScaleDown { old: PodInfo, new: PodInfo },
    /// A placed pod went.
    AssignedPodDelete(PodInfo),
    /// No room is kept any more for a pod that waits, since it went or was told so.
    NominationEnd(PodInfo),
    /// A claim came (`true`) or changed.
    Claim(Arc<PersistentVolumeClaim>, bool),
    /// A volume came (without the old version) or changed.
    Volume { old: Option<Arc<PersistentVolume>>, new: Arc<PersistentVolume> },
    /// A class came (without the old version) or changed.
    Class { old: Option<Arc<StorageClass>>, new: Arc<StorageClass> },
}

use Plugin::{
    InterPodAffinity, NodeAffinity, NodePorts, NodeResourcesFit, NodeUnschedulable, PodTopologySpread,
    TaintToleration, VolumeBinding, VolumeRestrictions, VolumeZone,
};

impl ClusterEvent {
    /// The plugins that have registered for such an event.
    pub(super) fn registered(&self) -> &'static [Plugin] {
        match self {
            Self::NodeAdd(_) => &[
                NodeUnschedulable,
                TaintToleration,
                NodeAffinity,
                NodePorts,
                NodeResourcesFit,
                VolumeRestrictions,
                VolumeBinding,
                VolumeZone,
                PodTopologySpread,
                InterPodAffinity,
            ],
            Self::NodeUpdate { .. } => &[
                NodeUnschedulable,
                TaintToleration,
                NodeAffinity,
                NodeResourcesFit,
                VolumeBinding,
                VolumeZone,
                PodTopologySpread,
                InterPodAffinity,
            ],
            Self::NodeDelete(_) => &[PodTopologySpread],
            Self::AssignedPodAdd(_) | Self::AssignedPodLabels { .. } => {
                &[PodTopologySpread, InterPodAffinity]
            }
            Self::AssignedPodScaleDown { .. } => &[NodeResourcesFit],
            Self::AssignedPodDelete(_) | Self::NominationEnd(_) => {
                &[NodePorts, NodeResourcesFit, VolumeRestrictions, PodTopologySpread, InterPodAffinity]
            }
            Self::Claim(_, true) => &[VolumeRestrictions, VolumeBinding, VolumeZone],
            Self::Claim(_, false) | Self::Volume { .. } | Self::Class { .. } => &[VolumeBinding, VolumeZone],
        }
    }

    /// Whether the event may help a pod that these plugins rejected.
    pub(super) fn helps(&self, snapshot: &Snapshot, pod: &PodInfo, rejectors: PluginSet) -> bool {
        // `getLEPriorityPreCheck`: a nominated pod stands in nobody's way who matters more.
        if matches!(self, Self::NominationEnd(other) if pod.priority() > other.priority()) {
            return false;
        }
        let mut asked = self.registered().iter().filter(|plugin| rejectors.contains(**plugin));
        if snapshot.profile.queueing_hints {
            return asked.any(|plugin| self.hint(*plugin, snapshot, pod));
        }
        asked.next().is_some() && self.passes_pre_check(snapshot, pod)
    }

    fn hint(&self, plugin: Plugin, snapshot: &Snapshot, pod: &PodInfo) -> bool {
        match self {
            Self::NodeAdd(slot) => node_added(plugin, pod, snapshot.node(*slot)),
            Self::NodeUpdate { slot, old, new } => node_updated(plugin, pod, (snapshot, *slot), (old, new)),
            Self::NodeDelete(gone) => has_spread_keys(&pod.pod, &gone.metadata.labels),
            Self::AssignedPodAdd(other) => pod_added(plugin, pod, other),
            Self::AssignedPodLabels { old, new } => pod_relabelled(plugin, pod, (old, new)),
            Self::AssignedPodScaleDown { old, new } => frees(pod, (old, new)),
            Self::AssignedPodDelete(other) => pod_deleted(plugin, pod, other),
            // Spread and affinity are about pods that have a node.
            Self::NominationEnd(other) => {
                !matches!(plugin, PodTopologySpread | InterPodAffinity) && pod_deleted(plugin, pod, other)
            }
            Self::Claim(claim, _) => uses(&pod.pod, claim),
            Self::Volume { old: None, .. } => true,
            Self::Volume { old: Some(old), new } => {
                plugin == VolumeBinding
                    || topologies(&old.metadata.labels).ne(topologies(&new.metadata.labels))
            }
            Self::Class { old, new } => class_changed(plugin, old.as_deref(), new),
        }
    }

    /// Before 1.32: a node event moves only the pods that the node could take (`preCheckForNode`).
    fn passes_pre_check(&self, snapshot: &Snapshot, pod: &PodInfo) -> bool {
        let (Self::NodeAdd(slot) | Self::NodeUpdate { slot, .. }) = self else { return true };
        let info = snapshot.node(*slot);
        let Some(node) = &info.node else { return false };
        node_resources_fit::filter(&pod.needs.requests, info, snapshot.profile).is_ok()
            && matches_required(&pod.pod.spec, node)
            && node_ports::filter(pod, info).is_ok()
            && tolerates_all(&pod.pod, node)
    }
}

/// Whether a change of the pod itself may help it.
pub(super) fn own_update_helps(old: &PodInfo, new: &PodInfo, rejectors: PluginSet) -> bool {
    let helps = |plugin: Plugin, helps: bool| helps && rejectors.contains(plugin);
    let tolerations = old.pod.spec.tolerations != new.pod.spec.tolerations;
    let labels = old.pod.metadata.labels != new.pod.metadata.labels;
    let pair = (&*old.pod, &*new.pod);
    helps(TaintToleration, tolerations)
        || helps(NodeUnschedulable, tolerations && tolerates_unschedulable(&new.pod))
        || helps(PodTopologySpread, tolerations && pod_topology_spread::hard(&new.pod).any(honours_taints))
        || helps(PodTopologySpread, labels && relabels_counted(&new.pod, pair))
        || helps(InterPodAffinity, labels)
        || helps(NodeResourcesFit, scales_down(old, new))
}

/// `extractPodScaleDown`: whether some request is smaller than before.
pub(super) fn scales_down(old: &PodInfo, new: &PodInfo) -> bool {
    let (before, after) = (&old.needs.requests, &new.needs.requests);
    let less = |(id, amount): &(ScalarId, i64)| *amount > after.scalar(*id);
    before.counted.exceeds(after.counted) || before.scalars.iter().any(less)
}

fn node_added(plugin: Plugin, pod: &PodInfo, info: &NodeInfo) -> bool {
    let Some(node) = &info.node else { return false };
    match plugin {
        NodeResourcesFit => node_resources_fit::fits_empty(&pod.needs.requests, info),
        NodeAffinity => matches_required(&pod.pod.spec, node),
        TaintToleration => tolerates_all(&pod.pod, node),
        NodeUnschedulable => admits(&pod.pod, node),
        PodTopologySpread => has_spread_keys(&pod.pod, &node.metadata.labels),
        InterPodAffinity => {
            let near = inter_pod_affinity::terms(pod.affinity());
            pod.has_required_anti_affinity()
                || near.is_empty()
                || near.iter().any(|term| node.metadata.labels.contains_key(&term.topology_key))
        }
        _ => true,
    }
}

fn node_updated(
    plugin: Plugin,
    pod: &PodInfo,
    (snapshot, slot): (&Snapshot, Slot),
    (old, new): (&Node, &Node),
) -> bool {
    let (before, after) = (&old.metadata.labels, &new.metadata.labels);
    let labels = before != after;
    let spec = &pod.pod.spec;
    match plugin {
        NodeResourcesFit => {
            node_resources_fit::fits_empty(&pod.needs.requests, snapshot.node(slot))
                && rose(pod, &snapshot.scalars, (&old.status.allocatable, &new.status.allocatable))
        }
        NodeAffinity => labels && !matches_required(spec, old) && matches_required(spec, new),
        TaintToleration => !tolerates_all(&pod.pod, old) && tolerates_all(&pod.pod, new),
        NodeUnschedulable => !admits(&pod.pod, old) && admits(&pod.pod, new),
        VolumeBinding | VolumeZone => labels,
        PodTopologySpread => {
            let mut keys = pod_topology_spread::hard(&pod.pod).map(|constraint| &constraint.topology_key);
            let changed = keys.any(|key| before.get(key) != after.get(key));
            let taints = old.spec.taints != new.spec.taints;
            let matched = (has_spread_keys(&pod.pod, before), has_spread_keys(&pod.pod, after));
            matched.0 != matched.1 || (matched.1 && (changed || taints))
        }
        InterPodAffinity => {
            let rules = [pod.affinity(), pod.anti_affinity()];
            let mut terms = rules.into_iter().flat_map(inter_pod_affinity::terms);
            labels && terms.any(|term| before.get(&term.topology_key) != after.get(&term.topology_key))
        }
        _ => false,
    }
}

fn pod_added(plugin: Plugin, pod: &PodInfo, other: &Pod) -> bool {
    match plugin {
        PodTopologySpread => is_counted(&pod.pod, other),
        InterPodAffinity => matches_all(pod.affinity(), (&pod.pod, other)),
        _ => false,
    }
}

/// `isSchedulableAfterPodChange` for an update: what a selector says of the other pod must have changed, for the better in
/// the case of affinity.
fn pod_relabelled(plugin: Plugin, pod: &PodInfo, (old, new): (&Pod, &Pod)) -> bool {
    let becomes = |rules: Option<&PodAffinity>, after: bool| {
        let matches = |other| matches_all(rules, (&pod.pod, other));
        matches(old) != after && matches(new) == after
    };
    match plugin {
        PodTopologySpread => {
            pod.pod.metadata.namespace == new.metadata.namespace && relabels_counted(&pod.pod, (old, new))
        }
        InterPodAffinity => becomes(pod.affinity(), true) || becomes(pod.anti_affinity(), false),
        _ => false,
    }
}

/// `podMatchesAllAffinityTerms`: without terms none does.
fn matches_all(rules: Option<&PodAffinity>, (pod, other): (&Pod, &Pod)) -> bool {
    let terms = inter_pod_affinity::terms(rules);
    !terms.is_empty() && terms.iter().all(|term| inter_pod_affinity::selects_as_hint(term, pod, other))
}

/// Whether a hard constraint of the pod says another thing of these labels than of those before.
fn relabels_counted(pod: &Pod, (old, new): (&Pod, &Pod)) -> bool {
    pod_topology_spread::hard(pod).any(|constraint| {
        let selects = |other: &Pod| pod_topology_spread::selects(constraint, pod, &other.metadata.labels);
        selects(old) != selects(new)
    })
}

fn honours_taints(constraint: &TopologySpreadConstraint) -> bool {
    constraint.node_taints_policy.as_deref() == Some("Honor")
}

/// `isSchedulableAfterPodScaleDown`: whether the other pod asks for less of something that the pod asks for.
fn frees(pod: &PodInfo, (old, new): (&PodInfo, &PodInfo)) -> bool {
    let (asked, before, after) = (&pod.needs.requests, &old.needs.requests, &new.needs.requests);
    let scalar = |(id, amount): &(ScalarId, i64)| *amount > 0 && before.scalar(*id) > after.scalar(*id);
    asked.counted.wants_any(before.counted, after.counted) || asked.scalars.iter().any(scalar)
}

fn pod_deleted(plugin: Plugin, pod: &PodInfo, other: &PodInfo) -> bool {
    match plugin {
        NodeResourcesFit => true,
        NodePorts => {
            pod.needs.ports.iter().any(|port| other.needs.ports.iter().any(|had| had.conflicts(port)))
        }
        VolumeRestrictions => shares_volume(&pod.pod, &other.pod),
        PodTopologySpread => is_counted(&pod.pod, &other.pod),
        InterPodAffinity => {
            // A pod that breaks one rule of several does not count, though it was in the way.
            let against = |a: &PodInfo, b: &PodInfo| matches_all(a.anti_affinity(), (&a.pod, &b.pod));
            against(pod, other) || against(other, pod)
        }
        _ => false,
    }
}

fn class_changed(plugin: Plugin, old: Option<&StorageClass>, new: &StorageClass) -> bool {
    match (plugin, old) {
        (VolumeBinding, None) => true,
        (VolumeBinding, Some(old)) => old.rest.get("allowedTopologies") != new.rest.get("allowedTopologies"),
        (_, None) => new.waits_for_first_consumer(),
        _ => false,
    }
}

fn tolerates_all(pod: &Pod, node: &Node) -> bool {
    untolerated(&node.spec.taints, &pod.spec.tolerations).is_none()
}

fn admits(pod: &Pod, node: &Node) -> bool {
    !node.spec.unschedulable || tolerates_unschedulable(pod)
}

fn has_spread_keys(pod: &Pod, labels: &StrMap) -> bool {
    pod_topology_spread::hard(pod).all(|constraint| labels.contains_key(&constraint.topology_key))
}

/// Whether one of the pod's hard constraints counts the other pod.
fn is_counted(pod: &Pod, other: &Pod) -> bool {
    let selects = |constraint| pod_topology_spread::selects(constraint, pod, &other.metadata.labels);
    pod.metadata.namespace == other.metadata.namespace && pod_topology_spread::hard(pod).any(selects)
}

/// `haveAnyRequestedResourcesIncreased`: whether there is room for more pods, or more of something that the pod asks for.
fn rose(pod: &PodInfo, names: &Scalars, (before, after): (&ResourceList, &ResourceList)) -> bool {
    let value = |list: &ResourceList, name: &str| list.get(name).map_or(0, Quantity::value);
    let grown = |name: &str| value(after, name) > value(before, name);
    let asked = &pod.needs.requests;
    grown("pods")
        || asked.counted.wants_any(Amounts::of(after), Amounts::of(before))
        || asked.scalars.iter().any(|(id, amount)| *amount != 0 && grown(names.name(*id)))
}

fn uses(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    pod.metadata.namespace == claim.metadata.namespace
        && named_claims(pod).any(|(_, name)| name == claim.metadata.name)
}

fn shares_volume(pod: &Pod, other: &Pod) -> bool {
    let theirs = || named_claims(other).map(|(_, name)| name);
    let claim = named_claims(pod).any(|(_, name)| theirs().any(|other| other == name));
    let disk = pod.spec.volumes.iter().any(|a| other.spec.volumes.iter().any(|b| share_disk(a, b)));
    pod.metadata.namespace == other.metadata.namespace && (claim || disk)
}
