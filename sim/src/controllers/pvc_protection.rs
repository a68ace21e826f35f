//! PVC protection, kube-controller-manager 1.36.2: `pkg/controller/volume/pvcprotection/pvc_protection_controller.go`.
//!
//! A claim that is being deleted stays until no pod on a node uses it. Finished pods count until their object is gone.

use super::pvc_binder::is_terminated;
use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::kind::Kind;
use crate::objects::{PersistentVolumeClaim, Pod};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::literal;

/// Keeps a claim while a pod may be using it.
pub(crate) const PVC_PROTECTION: &str = "kubernetes.io/pvc-protection";

/// What is left of a look that knew of no pod and has the API server's list of them: to let the claim go.
const PODS_ARE_LISTED: u16 = 1;

/// The PVC protection controller.
#[derive(Default)]
pub(crate) struct PvcProtection;

impl Controller for PvcProtection {
    fn name(&self) -> &'static str {
        "pvc-protection"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.id.kind {
            Kind::PersistentVolumeClaim => {
                let claim = change.new_as::<PersistentVolumeClaim>();
                if claim.is_some_and(|claim| needs_work(claim)) {
                    queue.add(change.id);
                }
            }
            Kind::Pod => pod_changed(change, view, queue),
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(claim) = cx.view().get::<PersistentVolumeClaim>(work.id) else { return Action::Done };
        if !needs_work(claim) || claim.metadata.is_deleting() && is_used(claim, cx) {
            return Action::Done;
        }
        if claim.metadata.is_deleting() && work.what != PODS_ARE_LISTED {
            // To list the pods is a request of its own, during which others go on.
            cx.requeue_at(cx.now, Work { what: PODS_ARE_LISTED, ..work });
            return Action::Done;
        }
        let mut claim = PersistentVolumeClaim::clone(claim);
        if claim.metadata.is_deleting() {
            claim.metadata.remove_finalizer(PVC_PROTECTION);
        } else {
            claim.metadata.add_finalizer(literal!(PVC_PROTECTION));
        }
        match cx.update(work.id, claim) {
            Ok(()) => Action::Done,
            Err(error) => Action::Fail(error.to_string().into()),
        }
    }
}

/// Whether the finalizer is to be added, or removed as soon as nobody uses the claim.
fn needs_work(claim: &PersistentVolumeClaim) -> bool {
    claim.metadata.is_deleting() == claim.metadata.has_finalizer(PVC_PROTECTION)
}

/// A pod helps when it is gone, runs no more, or never got to a node.
fn pod_changed(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    let pod = change.new_as::<Pod>();
    if pod.is_some_and(|pod| pod.node().is_some() && !is_terminated(pod)) {
        return;
    }
    let Some(pod) = pod.or(change.old_as::<Pod>()) else { return };
    let meta = &pod.metadata;
    for claim in pod.spec.volumes.iter().filter_map(|volume| volume.claim_name(&meta.name)) {
        let found = view.named::<PersistentVolumeClaim>(&meta.namespace, &claim);
        if let Some((id, _)) = found.filter(|(_, claim)| needs_work(claim)) {
            queue.add(id);
        }
    }
}

/// Asks the informer and, where that knows of none, the API server itself.
fn is_used(claim: &PersistentVolumeClaim, cx: &Context<'_>) -> bool {
    let meta = &claim.metadata;
    [cx.view(), cx.newest()].into_iter().any(|view| {
        let mut pods = view.users_of_claim::<Pod>(&meta.namespace, &meta.name);
        pods.any(|(_, pod)| pod.node().is_some() && uses(pod, claim))
    })
}

/// A claim of an ephemeral volume must be this very pod's, and the kubelet not be through with the pod: the claim is to
/// go with the pod, whose finalizers may wait for that.
fn uses(pod: &Pod, claim: &PersistentVolumeClaim) -> bool {
    let meta = &pod.metadata;
    let is_shut_down = meta.is_deleting() && meta.deletion_grace_period_seconds == Some(0);
    let owned = claim.metadata.controller().is_some_and(|owner| owner.uid == meta.uid) && !is_shut_down;
    pod.spec.volumes.iter().any(|volume| {
        volume.claim_name(&pod.metadata.name).is_some_and(|name| name == claim.metadata.name)
            && (owned || volume.persistent_volume_claim.is_some())
    })
}
