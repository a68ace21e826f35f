//! A node as the scheduler knows it: `NodeInfo` of `pkg/scheduler/framework/types.go`, Kubernetes 1.36.2.

use super::pod_info::{HostPort, PodInfo};
use super::requests::{Amounts, ScalarId, Scalars};
use super::snapshot::PodId;
use crate::objects::{Node, ResourceList, StrMap};
use crate::quantity::Quantity;
use arcstr::ArcStr;
use std::sync::Arc;

/// A node and the sums over its pods.
#[derive(Clone, Debug, Default)]
pub(super) struct NodeInfo {
    /// What pods may use.
    pub(super) allocatable: Amounts,
    /// What its pods use.
    pub(super) requested: Amounts,
    /// Milli-CPU and bytes that its pods use, with a default for containers that name none.
    pub(super) non_zero: [i64; 2],
    /// How many pods it takes.
    pub(super) allowed_pods: i64,
    /// Its taints, by their place among the sets of taints.
    pub(super) taints: u32,
    /// Cordoned.
    pub(super) unschedulable: bool,
    /// Allocatable and used of each scalar resource; short where it has none.
    pub(super) scalars: Vec<Share>,
    /// Its pods.
    pub(super) pods: Vec<PodId>,
    /// The ports that its pods have: a set, so that one of two pods with a port frees it when it goes, as upstream.
    pub(super) ports: Vec<HostPort>,
    /// How many of its pods mount disks in-line.
    pub(super) disks: u32,
    /// How many of its pods have rules about other pods.
    pub(super) with_affinity: u32,
    /// How many of its pods must be away from others.
    pub(super) with_required_anti_affinity: u32,
    /// The node; `None` while only pods speak of it.
    pub(super) node: Option<Arc<Node>>,
    /// Its name.
    pub(super) name: ArcStr,
}

/// One scalar resource of a node.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    /// What there is.
    pub(super) allocatable: i64,
    /// What is taken.
    pub(super) requested: i64,
}

impl NodeInfo {
    /// A scalar resource.
    pub(super) fn scalar(&self, id: ScalarId) -> Share {
        self.scalars.get(id as usize).copied().unwrap_or_default()
    }

    /// A scalar resource, to change it.
    pub(super) fn scalar_mut(&mut self, id: ScalarId) -> &mut Share {
        let at = id as usize;
        if at >= self.scalars.len() {
            self.scalars.resize(at + 1, Share::default());
        }
        &mut self.scalars[at]
    }

    /// Takes over what the node offers to pods.
    pub(super) fn offer(&mut self, list: &ResourceList, scalars: &mut Scalars) {
        self.allocatable = Amounts::of(list);
        self.allowed_pods = list.get("pods").map_or(0, Quantity::value);
        self.scalars.iter_mut().for_each(|share| share.allocatable = 0);
        for (name, amount) in list.iter() {
            if let Some(scalar) = scalars.id(name) {
                self.scalar_mut(scalar).allocatable = amount.value();
            }
        }
    }

    /// The node's labels; a node that is only spoken of has none.
    pub(super) fn labels(&self) -> &StrMap {
        static NONE: StrMap = StrMap::new();
        self.node.as_ref().map_or(&NONE, |node| &node.metadata.labels)
    }

    /// Counts a pod.
    pub(super) fn add(&mut self, id: PodId, pod: &PodInfo) {
        let requests = &pod.needs.requests;
        self.requested.add(requests.counted);
        self.change_non_zero(requests.non_zero, i64::wrapping_add);
        for (scalar, amount) in &requests.scalars {
            let share = self.scalar_mut(*scalar);
            share.requested = share.requested.wrapping_add(*amount);
        }
        self.pods.push(id);
        for port in pod.needs.ports.iter() {
            if !self.ports.contains(port) {
                self.ports.push(port.clone());
            }
        }
        self.disks += u32::from(pod.needs.disks);
        self.with_affinity += u32::from(pod.has_affinity());
        self.with_required_anti_affinity += u32::from(pod.has_required_anti_affinity());
    }

    /// Counts a pod no more.
    pub(super) fn remove(&mut self, id: PodId, pod: &PodInfo) {
        let at = self.pods.iter().position(|found| *found == id).expect("the pod is on the node");
        self.pods.remove(at);
        let requests = &pod.needs.requests;
        self.requested.sub(requests.counted);
        self.change_non_zero(requests.non_zero, i64::wrapping_sub);
        for (scalar, amount) in &requests.scalars {
            let share = self.scalar_mut(*scalar);
            share.requested = share.requested.wrapping_sub(*amount);
        }
        self.ports.retain(|had| !pod.needs.ports.contains(had));
        self.disks -= u32::from(pod.needs.disks);
        self.with_affinity -= u32::from(pod.has_affinity());
        self.with_required_anti_affinity -= u32::from(pod.has_required_anti_affinity());
    }

    fn change_non_zero(&mut self, amounts: [i64; 2], change: fn(i64, i64) -> i64) {
        for (total, amount) in self.non_zero.iter_mut().zip(amounts) {
            *total = change(*total, amount);
        }
    }
}
