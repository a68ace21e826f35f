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
use super::snapshot::{Slot, Snapshot};
use super::status::{Plugin, PluginSet};
use super::storage::named_claims;
use super::taint_sets::untolerated;
use crate::objects::{
    Node, PersistentVolume, PersistentVolumeClaim, Pod, ResourceList, StorageClass, StrMap,
};
use std::sync::Arc;

/// Something that may help a pod that found no node.
#[derive(Clone, Debug)]
pub(super) enum ClusterEvent {
    /// A node came.
    NodeAdd(Slot),
    /// A node changed.
    NodeUpdate { slot: Slot, old: Arc<Node>, new: Arc<Node> },
    /// A node went.
    NodeDelete,
    /// A pod got its node, or a placed one its labels.
    AssignedPodAdd(Arc<Pod>),
    /// A placed pod went.
    AssignedPodDelete(PodInfo),
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
            Self::NodeDelete => &[PodTopologySpread],
            Self::AssignedPodAdd(_) => &[PodTopologySpread, InterPodAffinity],
            Self::AssignedPodDelete(_) => {
                &[NodePorts, NodeResourcesFit, VolumeRestrictions, PodTopologySpread, InterPodAffinity]
            }
            Self::Claim(_, true) => &[VolumeRestrictions, VolumeBinding, VolumeZone],
            Self::Claim(_, false) | Self::Volume { .. } | Self::Class { .. } => &[VolumeBinding, VolumeZone],
        }
    }

    /// Whether the event may help a pod that these plugins rejected.
    pub(super) fn helps(&self, snapshot: &Snapshot, pod: &PodInfo, rejectors: PluginSet) -> bool {
        let mut asked = self.registered().iter().filter(|plugin| rejectors.contains(**plugin));
        if snapshot.profile.queueing_hints {
            return asked.any(|plugin| self.hint(*plugin, snapshot, pod));
        }
        asked.next().is_some() && self.passes_pre_check(snapshot, pod)
    }

    fn hint(&self, plugin: Plugin, snapshot: &Snapshot, pod: &PodInfo) -> bool {
        match self {
            Self::NodeAdd(slot) => node_added(plugin, pod, snapshot.node(*slot)),
            Self::NodeUpdate { slot, old, new } => {
                node_updated(plugin, pod, snapshot.node(*slot), (old, new))
            }
            Self::NodeDelete => true,
            Self::AssignedPodAdd(other) => pod_added(plugin, pod, other),
            Self::AssignedPodDelete(other) => pod_deleted(plugin, pod, other),
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
pub(super) fn own_update_helps(old: &Pod, new: &Pod, rejectors: PluginSet) -> bool {
    let any = |plugins: &[Plugin]| plugins.iter().any(|plugin| rejectors.contains(*plugin));
    let tolerations = old.spec.tolerations != new.spec.tolerations;
    let labels = old.metadata.labels != new.metadata.labels;
    let containers = old.spec.containers != new.spec.containers;
    (tolerations && any(&[TaintToleration, NodeUnschedulable]))
        || (labels && any(&[PodTopologySpread, InterPodAffinity]))
        || (containers && any(&[NodeResourcesFit]))
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

fn node_updated(plugin: Plugin, pod: &PodInfo, info: &NodeInfo, (old, new): (&Node, &Node)) -> bool {
    let (before, after) = (&old.metadata.labels, &new.metadata.labels);
    let labels = before != after;
    let taints = old.spec.taints != new.spec.taints || old.spec.unschedulable != new.spec.unschedulable;
    let spec = &pod.pod.spec;
    match plugin {
        NodeResourcesFit => {
            node_resources_fit::fits_empty(&pod.needs.requests, info)
                && rose(&pod.pod, &old.status.allocatable, &new.status.allocatable)
        }
        NodeAffinity => labels && !matches_required(spec, old) && matches_required(spec, new),
        TaintToleration => !tolerates_all(&pod.pod, old) && tolerates_all(&pod.pod, new),
        NodeUnschedulable => !admits(&pod.pod, old) && admits(&pod.pod, new),
        VolumeBinding | VolumeZone => labels,
        PodTopologySpread => {
            let keys = spec.topology_spread_constraints.iter().map(|constraint| &constraint.topology_key);
            let changed = labels && keys.clone().any(|key| before.get(key) != after.get(key));
            changed || (taints && has_spread_keys(&pod.pod, after))
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
        InterPodAffinity => {
            let near = inter_pod_affinity::terms(pod.affinity());
            !near.is_empty() && near.iter().all(|term| inter_pod_affinity::selects(term, &pod.pod, other))
        }
        _ => false,
    }
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
            let against = |a: &PodInfo, b: &PodInfo| {
                let terms = inter_pod_affinity::terms(a.anti_affinity());
                terms.iter().any(|term| inter_pod_affinity::selects(term, &a.pod, &b.pod))
            };
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
    pod.spec
        .topology_spread_constraints
        .iter()
        .all(|constraint| labels.contains_key(&constraint.topology_key))
}

/// Whether one of the pod's constraints counts the other pod.
fn is_counted(pod: &Pod, other: &Pod) -> bool {
    let selects = |constraint| pod_topology_spread::selects(constraint, pod, &other.metadata.labels);
    pod.metadata.namespace == other.metadata.namespace
        && pod.spec.topology_spread_constraints.iter().any(selects)
}

/// Whether room for pods, or for something that the pod asks for, has grown.
fn rose(pod: &Pod, before: &ResourceList, after: &ResourceList) -> bool {
    let grown = |name: &str| after.get(name).is_some_and(|now| before.get(name).is_none_or(|was| was < now));
    let containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
    let mut named =
        containers.flat_map(|container| container.resources.requests.iter().map(|(name, _)| name));
    grown("pods") || named.any(|name| grown(name))
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
