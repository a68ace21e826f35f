//! What `kubectl cordon`, `uncordon` and `drain` do to a node.
//!
//! Kubernetes 1.36: `kubectl/pkg/drain/drain.go`; KubeVirt main of August 2026:
//! `pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go`. Left out: disruption budgets.

use crate::cluster::Cluster;
use crate::context::Context;
use crate::kind::{Kind, ObjectId};
use crate::objects::{Conditions, Node, Pod, VirtualMachineInstance};
use crate::store::ApiError;
use arcstr::ArcStr;
use std::sync::Arc;

/// What becomes of a pod that is to leave its node.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Eviction {
    /// It is deleted, with its own grace.
    Deleted,
    /// It stays, and its instance is marked to be moved to another node.
    Moved(ObjectId),
    /// It stays: its instance is to be moved and cannot be, is moved already, or is on another node.
    Refused,
}

impl Cluster {
    /// Takes a node out of scheduling (`kubectl cordon`), or puts it back (`kubectl uncordon`).
    ///
    /// # Errors
    ///
    /// There is no such node.
    pub fn set_unschedulable(&mut self, node: &str, unschedulable: bool) -> Result<(), ApiError> {
        let (id, _) = self.view().named::<Node>("", node).ok_or_else(|| not_found(node))?;
        self.patch::<Node>(id, |node| node.spec.unschedulable = unschedulable).map(drop)
    }

    /// Cordons a node and evicts its pods (`kubectl drain --ignore-daemonsets --delete-emptydir-data --force`). A launcher whose
    /// instance is to be moved stays until the evacuation controller has done that. Each pod is evicted once: kubectl asks again
    /// every 5 s for what is refused.
    ///
    /// # Errors
    ///
    /// There is no such node.
    pub fn drain_node(&mut self, node: &str) -> Result<(), ApiError> {
        self.set_unschedulable(node, true)?;
        let pods =
            self.view().pods_on(node).filter(|(_, pod)| leaves(pod)).map(|(id, pod)| (id, Arc::clone(pod)));
        let pods: Vec<(ObjectId, Arc<Pod>)> = pods.collect();
        for (id, pod) in pods {
            self.as_user(|cx| evict(cx, id, &pod))?;
        }
        Ok(())
    }
}

/// Pods of daemon sets and of the kubelet's own files stay.
fn leaves(pod: &Pod) -> bool {
    let meta = &pod.metadata;
    let of_daemon_set = meta.controller().is_some_and(|owner| owner.kind == "DaemonSet");
    !of_daemon_set && !meta.annotations.contains_key("kubernetes.io/config.mirror")
}

fn evict(cx: &mut Context<'_>, id: ObjectId, pod: &Pod) -> Result<(), ApiError> {
    match eviction(cx, pod) {
        Eviction::Deleted => cx.delete::<Pod>(id),
        Eviction::Refused => Ok(()),
        Eviction::Moved(instance) => {
            let node = pod.node_name.clone();
            let mark = |vmi: &mut VirtualMachineInstance| vmi.status.evacuation_node_name = node;
            cx.patch(instance, mark).map(drop)
        }
    }
}

/// KubeVirt's webhook decides over launchers by the instance's eviction strategy; the cluster's own default is `None`. Only the
/// launcher that the guest is in has its instance moved, and once: every other one of such an instance stays.
fn eviction(cx: &Context<'_>, pod: &Pod) -> Eviction {
    let is_launcher = pod.metadata.labels.has("kubevirt.io", "virt-launcher") && !pod.is_finished();
    let domain = pod.metadata.annotations.get("kubevirt.io/domain").filter(|_| is_launcher);
    let Some(name) = domain else { return Eviction::Deleted };
    let instance = cx.newest().named::<VirtualMachineInstance>(&pod.metadata.namespace, name);
    let Some((id, vmi)) = instance else { return Eviction::Refused };
    let strategy = vmi.spec.rest.get("evictionStrategy").and_then(serde_json::Value::as_str);
    let can_move = vmi.status.conditions.is_true("LiveMigratable");
    match strategy.unwrap_or("None") {
        "LiveMigrate" if !can_move => return Eviction::Refused,
        "LiveMigrateIfPossible" if !can_move => return Eviction::Deleted,
        "LiveMigrate" | "LiveMigrateIfPossible" | "External" => {}
        _ => return Eviction::Deleted,
    }
    let is_marked = !vmi.status.evacuation_node_name.is_empty();
    if is_marked || vmi.status.node_name != pod.node_name { Eviction::Refused } else { Eviction::Moved(id) }
}

fn not_found(node: &str) -> ApiError {
    ApiError::NotFound { kind: Kind::Node, name: ArcStr::from(node) }
}
