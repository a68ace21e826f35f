//! Whether a kubelet takes the pods that are bound to its node: `pkg/kubelet/lifecycle/predicate.go` and `rejectPod` of
//! `pkg/kubelet/kubelet.go`, Kubernetes 1.36.2.
//!
//! The scheduler has asked the same, but of its own picture of the node. Left out are critical pods, for which upstream sends
//! others away, and what pods say of the operating system.

use super::pod_worker::Turn;
use super::status_manager::{merge_pod_status, update_status};
use crate::context::EventType;
use crate::controllers::scheduler::Unfit;
use crate::objects::{Node, Pod, PodStatus, Taint};
use arcstr::{ArcStr, literal};
use std::sync::Arc;

impl Turn<'_, '_> {
    /// Takes a pod that has just arrived, or lets it fail; returns whether it stays.
    pub(super) fn admit(&mut self) -> bool {
        assert!(!self.worker.admitted, "a pod arrives once");
        if self.worker.gone {
            return false;
        }
        if let Err(rejection) = self.can_admit() {
            self.reject(&rejection);
            return false;
        }
        self.worker.admitted = true;
        self.node.used.add(self.id.index, &self.worker.pod);
        true
    }

    /// The pod needs its room no more.
    pub(super) fn leave_room(&mut self) {
        self.node.used.remove(self.id.index, &self.worker.pod);
    }

    /// `predicateAdmitHandler.Admit`: the first reason against the pod. A kubelet without its Node object asks nothing.
    fn can_admit(&mut self) -> Result<(), Unfit> {
        let pod = Arc::clone(&self.worker.pod);
        let Some((_, node)) = self.cx.view().named::<Node>("", &self.node.name) else { return Ok(()) };
        self.node.used.check(&pod, node)?;
        let evicts = |taint: &&Taint| taint.effect == "NoExecute";
        let tolerated = |taint| pod.spec.tolerations.iter().any(|found| found.tolerates(taint));
        if self.profile().admits_by_taints && !node.spec.taints.iter().filter(evicts).all(tolerated) {
            let reason = "node(s) had taints that the pod didn't tolerate";
            return Err(Unfit::Plugin { name: "TaintToleration", reason });
        }
        Ok(())
    }

    /// Lets a pod fail that never was anything on this node (`rejectPod`).
    fn reject(&mut self, unfit: &Unfit) {
        let (reason, message) = (reason(unfit), message(unfit));
        let newest = self.cx.newest();
        let Some(api) = newest.get::<Pod>(self.id).filter(|pod| !pod.is_finished()).cloned() else { return };
        self.cx.event(&*api, EventType::Warning, &reason, &message);
        let status = PodStatus {
            phase: literal!("Failed"),
            reason,
            message: format!("{}{message}", self.profile().rejection).into(),
            qos_class: api.status.qos_class.clone(),
            ..PodStatus::default()
        };
        let kept = update_status(&api, &api.status, status, self.cx.now).expect("no container has ended");
        let merged = merge_pod_status(&api.status, &kept, false);
        self.cx.patch::<Pod>(self.id, |pod| pod.status = merged).expect("the pod exists");
    }
}

fn reason(unfit: &Unfit) -> ArcStr {
    match unfit {
        Unfit::Resource { name, .. } => format!("OutOf{name}").into(),
        Unfit::Plugin { name, .. } => ArcStr::from(*name),
    }
}

fn message(unfit: &Unfit) -> String {
    match unfit {
        Unfit::Resource { name, requested, used, capacity } => format!(
            "Node didn't have enough resource: {name}, requested: {requested}, used: {used}, capacity: {capacity}"
        ),
        Unfit::Plugin { name, reason } => format!("Predicate {name} failed: {reason}"),
    }
}
