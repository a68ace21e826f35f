//! virt-controller's controller of virtual machine instances, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/watch/vmi`, with 0.59 where it differs.
//!
//! Not modelled: hot plug, backend storage, topology hints, network and volume status, outdated launchers.

mod conditions;
mod descheduling;
mod expectations;
mod phase;
mod pods;
mod receiver;
mod status;
mod subresources;
mod sync;
mod volumes;

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::environment::Image;
use crate::kind::{Object, ObjectId, Resource};
use crate::launcher_pod::{LAUNCHER_IMAGE, instance_of};
use crate::objects::{
    DataVolume, PersistentVolumeClaim, Pod, VirtualMachineInstance, VirtualMachineInstanceSpec,
};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use std::sync::Arc;

pub(crate) use conditions::{remove_condition, set_phase_transition};
pub(crate) use expectations::Expectations;
pub(crate) use pods::{controlled as owned_by, current_pod, is_compute_down, is_ready as is_pod_ready};
pub(crate) use receiver::{MIGRATION_TARGET, TARGET_NODE};
pub(crate) use status::NODE_NAME_LABEL;

/// What every component has seen of an instance's API version.
pub(crate) const OBSERVED_API_VERSIONS: [ArcStr; 2] = [
    arcstr::literal!("kubevirt.io/latest-observed-api-version"),
    arcstr::literal!("kubevirt.io/storage-observed-api-version"),
];

/// What the compute container's image weighs: from an unloaded registry it is there after 3 s, an estimate.
const LAUNCHER_IMAGE_BYTES: u64 = 200_000_000;

/// The controller.
#[derive(Debug, Default)]
pub(crate) struct VirtualMachineInstanceController {
    expectations: Expectations,
}

/// What one reconcile works on: the caches as they were at its start, and what it has rendered.
struct Pass {
    id: ObjectId,
    vmi: Arc<VirtualMachineInstance>,
    /// Every pod that the instance controls.
    pods: Vec<OwnedPod>,
    /// The launcher, or the pod in its place.
    pod: Option<OwnedPod>,
    /// Those of the instance's volumes and of their claims, in the order of the volumes.
    data_volumes: Vec<Arc<DataVolume>>,
    /// The spec, which rendering a pod may have changed.
    spec: Arc<VirtualMachineInstanceSpec>,
}

/// A pod with its place in the store.
pub(crate) type OwnedPod = (ObjectId, Arc<Pod>);

/// Why a sync failed; it becomes the condition Synchronized.
#[derive(Clone, Debug)]
struct SyncError {
    reason: ArcStr,
    message: ArcStr,
    /// Whether it is retried without anything happening.
    requeue: bool,
}

impl SyncError {
    fn new(reason: impl Into<ArcStr>, message: impl Into<ArcStr>) -> Self {
        Self { reason: reason.into(), message: message.into(), requeue: true }
    }

    /// An error that only a change can end (`informalSyncError`).
    fn informal(reason: impl Into<ArcStr>, message: impl Into<ArcStr>) -> Self {
        Self { requeue: false, ..Self::new(reason, message) }
    }
}

impl Controller for VirtualMachineInstanceController {
    fn name(&self) -> &'static str {
        "virtual-machine-instance"
    }

    /// A release is installed with the images that it runs.
    fn start(&mut self, cx: &mut Context<'_>) {
        cx.environment.registry.push(LAUNCHER_IMAGE, Image { size_bytes: LAUNCHER_IMAGE_BYTES });
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.object() {
            Object::VirtualMachineInstance(_) => {
                self.expectations.update_observed(change.id);
                queue.add(change.id);
            }
            Object::Pod(_) => self.on_pod(change, view, queue),
            Object::DataVolume(volume) => add_users(volume.as_ref(), view, queue),
            Object::PersistentVolumeClaim(claim) if is_claim_of_interest(change) => {
                add_users(claim.as_ref(), view, queue);
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(vmi) = cx.view().get::<VirtualMachineInstance>(work.id).cloned() else {
            self.expectations.forget(work.id);
            return Action::Done;
        };
        let annotations = &vmi.metadata.annotations;
        if !OBSERVED_API_VERSIONS.iter().all(|key| annotations.has(key, "v1")) {
            return self.observe_api_version(work.id, &vmi, cx);
        }
        if !self.expectations.are_satisfied(work.id, cx.now) {
            return Action::Done;
        }
        let result = self.execute(work.id, vmi, cx);
        result.map_or_else(Action::Fail, |()| Action::Done)
    }
}

impl VirtualMachineInstanceController {
    /// Before anything else the instance is stored in the version that is known.
    fn observe_api_version(
        &mut self,
        id: ObjectId,
        vmi: &VirtualMachineInstance,
        cx: &mut Context<'_>,
    ) -> Action {
        let mut copy = vmi.clone();
        set_observed_api_version(&mut copy);
        match self.update(id, copy, cx) {
            Ok(()) => Action::Done,
            Err(error) => Action::Fail(error),
        }
    }

    /// One whole reconcile; an error is retried with back-off.
    fn execute(
        &mut self,
        id: ObjectId,
        vmi: Arc<VirtualMachineInstance>,
        cx: &mut Context<'_>,
    ) -> Result<(), ArcStr> {
        let view = cx.view();
        let pods = pods::controlled(&vmi, view);
        let pod = current_pod(&vmi, &pods).cloned();
        let data_volumes = volumes::list_data_volumes(&vmi, view);
        let spec = Arc::clone(&vmi.spec);
        let mut pass = Pass { id, vmi, pods, pod, data_volumes, spec };
        let error = self.sync(&mut pass, cx).err();
        self.update_status(&mut pass, error.clone(), cx)?;
        match error.filter(|error| error.requeue) {
            Some(error) => Err(arcstr::format!("{}: {}", error.reason, error.message)),
            None => Ok(()),
        }
    }

    /// Replaces the instance and waits for the informer to tell of it.
    fn update(
        &mut self,
        id: ObjectId,
        vmi: VirtualMachineInstance,
        cx: &mut Context<'_>,
    ) -> Result<(), ArcStr> {
        cx.update(id, vmi).map_err(|error| ArcStr::from(error.to_string()))?;
        self.expectations.expect_update(id, cx.now);
        Ok(())
    }

    /// A pod that appears or goes is what its instance may have waited for.
    fn on_pod(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let Some(pod) = Pod::unwrap(change.object()) else { return };
        let Some(id) = controlling_instance(pod, view) else { return };
        let gone = change.new.is_none() || pod.metadata.is_deleting();
        if gone {
            self.expectations.deletion_observed(id, change.id);
        } else if change.old.is_none() {
            self.expectations.creation_observed(id);
        }
        queue.add(id);
    }
}

/// `SetLatestApiVersionAnnotation`.
pub(crate) fn set_observed_api_version(vmi: &mut VirtualMachineInstance) {
    for key in OBSERVED_API_VERSIONS {
        vmi.metadata.annotations.insert(key, arcstr::literal!("v1"));
    }
}

/// The instance that controls a pod, if it still exists (`resolveControllerRef`).
fn controlling_instance(pod: &Pod, view: View<'_>) -> Option<ObjectId> {
    let owner = instance_of(pod)?;
    let (id, vmi) = view.named::<VirtualMachineInstance>(&pod.metadata.namespace, &owner.name)?;
    (vmi.metadata.uid == owner.uid).then_some(id)
}

/// Queues the instances that use a claim or DataVolume (`listVMIsMatchingDV`).
fn add_users(object: &impl Resource, view: View<'_>, queue: &mut WorkQueue) {
    let meta = object.metadata();
    for (id, _) in view.users_of_claim::<VirtualMachineInstance>(&meta.namespace, &meta.name) {
        queue.add(id);
    }
}

/// New claims count, and old ones whose size changes (`addPVC`, `updatePVC`); their end does not.
fn is_claim_of_interest(change: &Change) -> bool {
    let Some(new) = change.new_as::<PersistentVolumeClaim>() else { return false };
    let resized = |old: &Arc<PersistentVolumeClaim>| {
        old.status.capacity != new.status.capacity
            || old.spec.resources.requests != new.spec.resources.requests
    };
    !new.metadata.is_deleting() && change.old_as::<PersistentVolumeClaim>().is_none_or(resized)
}
