//! The scheduler's picture of the cluster, kept up to date change by change.
//!
//! kube-scheduler 1.36.2: `pkg/scheduler/backend/cache/{cache,snapshot}.go`. Pods that the scheduler has just placed
//! count at once, before the informer shows them.

use super::images::Images;
use super::node_info::NodeInfo;
use super::node_tree::{NodeTree, same_zone};
use super::pod_info::PodInfo;
use super::profile::Profile;
use super::requests::Scalars;
use super::storage::Storage;
use super::taint_sets::TaintSets;
use crate::objects::{Node, ObjectMeta, Pod};
use arcstr::ArcStr;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A pod by the index of its object.
pub(super) type PodId = u32;

/// A node by its place in [`Snapshot::nodes`]; a name keeps its place for ever.
pub(super) type Slot = u32;

/// The cluster as the scheduler sees it.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The release's switches.
    pub(super) profile: Profile,
    /// Nodes by slot, those that are gone or only spoken of among them.
    pub(super) nodes: Vec<NodeInfo>,
    /// Counts the changes of each, from 1 on (`NodeInfo.Generation`).
    revisions: Vec<u64>,
    /// Pods that are on a node, assumed ones among them.
    pub(super) pods: IndexMap<PodId, Placed, FxBuildHasher>,
    /// Names of scalar resources.
    pub(super) scalars: Scalars,
    /// The different sets of taints.
    pub(super) taints: TaintSets,
    /// The images on the nodes.
    pub(super) images: Images,
    /// Claims, volumes, classes.
    pub(super) storage: Storage,
    /// Nodes with pods that have rules about other pods.
    pub(super) with_affinity: Vec<Slot>,
    /// Pods for which preemption makes room, by the node on which it does.
    pub(super) nominated: BTreeMap<Slot, Vec<(PodId, PodInfo)>>,
    /// Counts additions of nodes and changes of their labels.
    labels_revision: u64,
    slots: IndexMap<ArcStr, Slot, FxBuildHasher>,
    tree: NodeTree,
    order: Vec<Slot>,
    order_is_stale: bool,
}

/// A pod on its node.
#[derive(Debug)]
pub(super) struct Placed {
    /// The pod.
    pub(super) info: PodInfo,
    /// The node.
    pub(super) slot: Slot,
}

impl Snapshot {
    /// An empty cluster.
    pub(super) fn new(profile: Profile) -> Self {
        Self {
            profile,
            nodes: Vec::new(),
            revisions: Vec::new(),
            pods: IndexMap::default(),
            scalars: Scalars::default(),
            taints: TaintSets::default(),
            images: Images::default(),
            storage: Storage::default(),
            with_affinity: Vec::new(),
            nominated: BTreeMap::new(),
            labels_revision: 0,
            slots: IndexMap::default(),
            tree: NodeTree::default(),
            order: Vec::new(),
            order_is_stale: false,
        }
    }

    /// What follows from a pod's spec.
    pub(super) fn pod_info(&mut self, pod: &Arc<Pod>) -> PodInfo {
        PodInfo::new(Arc::clone(pod), self.profile, &mut self.scalars)
    }

    /// The nodes in the order in which they are looked at.
    pub(super) fn order(&self) -> &[Slot] {
        assert!(!self.order_is_stale, "the order is brought up to date before a cycle");
        &self.order
    }

    /// Brings the order of the nodes up to date.
    pub(super) fn update_order(&mut self) {
        if std::mem::take(&mut self.order_is_stale) {
            self.order = self.tree.list();
        }
    }

    /// Changes whenever what a selector says of some node may have changed.
    pub(super) fn labels_revision(&self) -> u64 {
        self.labels_revision
    }

    /// The slot of a node that exists.
    pub(super) fn slot(&self, name: &str) -> Option<Slot> {
        self.slots.get(name).copied().filter(|slot| self.node(*slot).node.is_some())
    }

    /// A node.
    pub(super) fn node(&self, slot: Slot) -> &NodeInfo {
        &self.nodes[slot as usize]
    }

    /// Changes whenever the node or what is on it does.
    pub(super) fn revision(&self, slot: Slot) -> u64 {
        self.revisions[slot as usize]
    }

    /// A node, to change it.
    fn node_mut(&mut self, slot: Slot) -> &mut NodeInfo {
        self.revisions[slot as usize] += 1;
        &mut self.nodes[slot as usize]
    }

    /// A pod that is on a node.
    pub(super) fn pod(&self, id: PodId) -> &PodInfo {
        &self.pods[&id].info
    }

    /// A pod that is on a node, or for which room is kept on one.
    pub(super) fn pod_or_nominated(&self, id: PodId) -> &PodInfo {
        let nominated = || self.nominated.values().flatten().find(|(found, _)| *found == id);
        let placed = self.pods.get(&id).map(|placed| &placed.info);
        placed.or_else(|| nominated().map(|(_, info)| info)).expect("a pod that somebody counts")
    }

    /// Whether a pod is on the node of this name.
    pub(super) fn is_on(&self, id: PodId, node: &str) -> bool {
        self.pods.get(&id).is_some_and(|placed| self.node(placed.slot).name == node)
    }

    /// Adds a node, or takes over its newer version.
    pub(super) fn set_node(&mut self, node: &Arc<Node>) {
        let slot = self.slot_or_new(&node.metadata.name);
        self.place_in_order(slot, node);
        let taints = self.taints.id(&node.spec.taints);
        let images_changed =
            self.node(slot).node.as_ref().is_none_or(|old| old.status.images != node.status.images);
        if images_changed {
            self.images.remove_node(slot);
            self.images.add_node(slot, &node.status.images);
        }
        self.revisions[slot as usize] += 1;
        let info = &mut self.nodes[slot as usize];
        if info.node.as_ref().is_none_or(|old| old.metadata.labels != node.metadata.labels) {
            self.labels_revision += 1;
        }
        info.taints = taints;
        info.unschedulable = node.spec.unschedulable;
        info.offer(&node.status.allocatable, &mut self.scalars);
        info.node = Some(Arc::clone(node));
    }

    /// Removes a node; its pods stay until they go themselves.
    pub(super) fn remove_node(&mut self, name: &str) {
        let Some(slot) = self.slot(name) else { return };
        self.tree.remove(slot);
        self.images.remove_node(slot);
        self.node_mut(slot).node = None;
        self.labels_revision += 1;
        self.order_is_stale = true;
    }

    /// Counts a pod on a node, which need not exist yet.
    pub(super) fn add_pod(&mut self, id: PodId, info: PodInfo, node: &ArcStr) {
        let slot = self.slot_or_new(node);
        let on = self.node_mut(slot);
        on.add(id, &info);
        if on.with_affinity == 1 && info.has_affinity() {
            self.with_affinity.push(slot);
        }
        self.storage.use_claims(&info, 1);
        let before = self.pods.insert(id, Placed { info, slot });
        assert!(before.is_none(), "a pod is on one node");
    }

    /// Counts a pod no more and returns it, if it was on a node.
    pub(super) fn remove_pod(&mut self, id: PodId) -> Option<Placed> {
        let placed = self.pods.swap_remove(&id)?;
        let on = self.node_mut(placed.slot);
        on.remove(id, &placed.info);
        if on.with_affinity == 0 && placed.info.has_affinity() {
            self.with_affinity.retain(|slot| *slot != placed.slot);
        }
        self.storage.use_claims(&placed.info, -1);
        Some(placed)
    }

    /// Takes over a newer version of a pod whose spec and labels are the same.
    pub(super) fn refresh_pod(&mut self, id: PodId, pod: &Arc<Pod>) {
        let placed = self.pods.get_mut(&id).expect("the pod is on a node");
        placed.info = placed.info.with_pod(pod);
    }

    /// Keeps room on a node for a pod, or no longer with an empty name (`pkg/scheduler/backend/queue/nominator.go`).
    pub(super) fn nominate(&mut self, id: PodId, info: &PodInfo, node: &str) {
        self.forget_nomination(id);
        if let Some(slot) = self.slot(node) {
            self.nominated.entry(slot).or_default().push((id, info.clone()));
        }
    }

    /// Keeps no room for a pod any more.
    pub(super) fn forget_nomination(&mut self, id: PodId) {
        self.nominated.retain(|_, pods| {
            pods.retain(|(found, _)| *found != id);
            !pods.is_empty()
        });
    }

    /// The queue has passed a pod over and does not have it any more: of the room that is kept for it, what stays is
    /// that of a pod without requests and priority (`nominatedPodToInfo`).
    pub(super) fn blank_nomination(&mut self, id: PodId) {
        let nominated = self.nominated.values_mut().flatten().find(|(found, _)| *found == id);
        if let Some((_, info)) = nominated.filter(|_| self.profile.nominates_names) {
            let ObjectMeta { name, namespace, uid, .. } = info.pod.metadata.clone();
            let metadata = ObjectMeta { name, namespace, uid, ..ObjectMeta::default() };
            let blank = Pod { metadata, ..Pod::default() };
            *info = PodInfo::new(Arc::new(blank), self.profile, &mut self.scalars);
        }
    }

    fn slot_or_new(&mut self, name: &ArcStr) -> Slot {
        if let Some(slot) = self.slots.get(name) {
            return *slot;
        }
        let slot = Slot::try_from(self.nodes.len()).expect("fewer than 2^32 nodes");
        self.nodes.push(NodeInfo { name: name.clone(), ..NodeInfo::default() });
        self.revisions.push(1);
        self.slots.insert(name.clone(), slot);
        slot
    }

    fn place_in_order(&mut self, slot: Slot, node: &Node) {
        match &self.nodes[slot as usize].node {
            Some(old) if same_zone(&old.metadata.labels, &node.metadata.labels) => return,
            Some(_) => self.tree.remove(slot),
            None => {}
        }
        self.tree.add(slot, &node.metadata.labels);
        self.order_is_stale = true;
    }
}
