//! Which changes concern which machines, and which of them answer an expectation.
//!
//! KubeVirt main of August 2026: the informer handlers of `pkg/virt-controller/watch/vm/vm.go`.

use super::VirtualMachineController;
use crate::kind::{Kind, ObjectId};
use crate::objects::{DataVolume, ObjectMeta, PersistentVolumeClaim, VirtualMachine, VirtualMachineInstance};
use crate::store::{Change, View};
use crate::work_queue::WorkQueue;

/// Queues the machines that a change concerns.
pub(super) fn on_change(
    controller: &mut VirtualMachineController,
    change: &Change,
    view: View<'_>,
    queue: &mut WorkQueue,
) {
    match change.id.kind {
        Kind::VirtualMachine => queue.add(change.id),
        Kind::VirtualMachineInstance => instance_changed(controller, change, view, queue),
        Kind::DataVolume => data_volume_changed(controller, change, view, queue),
        Kind::PersistentVolumeClaim => claim_changed(change, view, queue),
        _ => {}
    }
}

fn instance_changed(
    controller: &mut VirtualMachineController,
    change: &Change,
    view: View<'_>,
    queue: &mut WorkQueue,
) {
    let old = change.old_as::<VirtualMachineInstance>();
    let new = change.new_as::<VirtualMachineInstance>().filter(|new| !new.metadata.is_deleting());
    let Some(new) = new else {
        // A deletion timestamp is as good as the removal.
        if let Some(vm) = owner(change.object().metadata(), view) {
            controller.instances.deletion_observed(vm);
            queue.add(vm);
        }
        return;
    };
    let owner_changed = old.is_some_and(|old| old.metadata.controller() != new.metadata.controller());
    if let Some(before) = old.filter(|_| owner_changed).and_then(|old| owner(&old.metadata, view)) {
        queue.add(before);
    }
    if new.metadata.controller().is_some() {
        let Some(vm) = owner(&new.metadata, view) else { return };
        if old.is_none() {
            controller.instances.creation_observed(vm);
        }
        queue.add(vm);
    } else if old.is_none_or(|old| owner_changed || old.metadata.labels != new.metadata.labels) {
        let namesake = view.named::<VirtualMachine>(&new.metadata.namespace, &new.metadata.name);
        namesake.into_iter().for_each(|(vm, _)| queue.add(vm));
    }
}

fn data_volume_changed(
    controller: &mut VirtualMachineController,
    change: &Change,
    view: View<'_>,
    queue: &mut WorkQueue,
) {
    let (old, new) = (change.old_as::<DataVolume>(), change.new_as::<DataVolume>());
    let owner_of = |dv: &DataVolume| owner(&dv.metadata, view);
    if let (Some(old), Some(new)) = (old, new)
        && old.metadata.controller() != new.metadata.controller()
    {
        owner_of(old).into_iter().for_each(|vm| queue.add(vm));
    }
    let meta = change.object().metadata();
    if let Some(vm) = owner(meta, view) {
        if old.is_none() && !meta.is_deleting() {
            controller.data_volumes.creation_observed(vm);
        }
        queue.add(vm);
    }
    queue_users(meta, view, queue);
}

/// Of a claim only the creation counts: what becomes of it shows in the instance.
fn claim_changed(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    let created = change.new_as::<PersistentVolumeClaim>().filter(|_| change.old.is_none());
    if let Some(claim) = created.filter(|claim| !claim.metadata.is_deleting()) {
        queue_users(&claim.metadata, view, queue);
    }
}

/// Queues the machines that name a claim or a DataVolume of this name.
fn queue_users(meta: &ObjectMeta, view: View<'_>, queue: &mut WorkQueue) {
    let users = view.users_of_claim::<VirtualMachine>(&meta.namespace, &meta.name);
    users.for_each(|(vm, _)| queue.add(vm));
}

/// The machine that controls an object, if it still is the same (`resolveControllerRef`).
fn owner(meta: &ObjectMeta, view: View<'_>) -> Option<ObjectId> {
    let owner = meta.controller().filter(|owner| owner.kind == Kind::VirtualMachine.as_str())?;
    let (id, vm) = view.named::<VirtualMachine>(&meta.namespace, &owner.name)?;
    (vm.metadata.uid == owner.uid).then_some(id)
}
