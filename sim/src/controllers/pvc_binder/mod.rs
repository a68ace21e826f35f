//! PVC BINDER: the PersistentVolume controller, kube-controller-manager 1.36.2:
//! `pkg/controller/volume/persistentvolume/{pv_controller,pv_controller_base,index}.go`.
//!
//! It binds claims to volumes, asks provisioners for volumes that do not exist yet, and reclaims volumes whose claim is
//! gone. Default flags: resync 15 s, dynamic provisioning on, host-path provisioning off, in-tree cloud drivers
//! migrated to CSI.

mod bind;
mod cache;
mod class;
mod error;
mod index;
mod matching;
mod migration;
mod operations;
mod plugins;
mod pods;
mod provision;
mod reclaim;
mod resync;
mod start;
mod sync_claim;
mod sync_volume;

pub(crate) use bind::reference;
pub(crate) use class::{claim_class, claim_has_class, default_class};
pub(crate) use pods::is_terminated;

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::kind::{Kind, ObjectId};
use crate::objects::{PersistentVolume, PersistentVolumeClaim};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use cache::Cache;
use error::SyncError;
use operations::{Operation, Operations};
use resync::Resync;
use start::Start;

/// Set once a claim's binding is complete; its value does not matter.
const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// Set where this controller, not the user, chose the other side of a binding.
const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// On a volume: the provisioner that made it.
pub(crate) const DYNAMICALLY_PROVISIONED: &str = "pv.kubernetes.io/provisioned-by";
/// On a claim: the provisioner that is to make its volume.
pub(crate) const STORAGE_PROVISIONER: &str = "volume.kubernetes.io/storage-provisioner";
/// The older spelling of [`STORAGE_PROVISIONER`], written beside it.
pub(crate) const BETA_STORAGE_PROVISIONER: &str = "volume.beta.kubernetes.io/storage-provisioner";
/// On a claim: the node that the scheduler chose for its first consumer.
pub(crate) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// The PersistentVolume controller.
pub(crate) struct PvcBinder {
    /// How its workers share what they find when they start; over once they have come to rest.
    start: Option<Start>,
    cache: Cache,
    operations: Operations,
    resync: Resync,
}

impl Default for PvcBinder {
    fn default() -> Self {
        let (cache, operations, resync) = (Cache::default(), Operations::default(), Resync::default());
        Self { start: Some(Start::default()), cache, operations, resync }
    }
}

/// Whether a sync leaves something behind that only the next resync would see to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Whatever could change this wakes the object.
    Settled,
    /// It waits for something that does not wake it.
    AwaitsResync,
}

type Synced = Result<Outcome, SyncError>;

impl Controller for PvcBinder {
    fn name(&self) -> &'static str {
        "pv-binder"
    }

    fn start(&mut self, cx: &mut Context<'_>) {
        self.resync.start(cx.now);
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.id.kind {
            Kind::PersistentVolume => self.volume_changed(change, view, queue),
            Kind::PersistentVolumeClaim => self.claim_changed(change, view, queue),
            _ => return,
        }
        self.resync.arm_soon(queue);
    }

    fn next(&mut self, queue: &mut WorkQueue) -> Option<Work> {
        let Some(start) = &mut self.start else { return queue.pop() };
        let work = start.next(queue, &mut self.resync);
        if work.is_none() {
            self.start = None;
        }
        work
    }

    fn goes_on(&self) -> bool {
        self.start.as_ref().is_some_and(Start::goes_on)
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        if Resync::is_own(work) {
            self.resync.tick(cx);
            return Action::Done;
        }
        if let Some(operation) = Operation::of(work) {
            return match self.operate(work.id, operation, cx) {
                Ok(()) | Err(SyncError::Plugin(_)) => Action::Done,
                Err(error) => Action::Fail(error.to_string().into()),
            };
        }
        let only_looks = self.start.as_ref().is_some_and(|start| start.only_looks_at(work));
        if only_looks && self.would_write(work.id, cx) {
            self.start.as_mut().expect("it looks only as it starts").put_off(work);
            return Action::Done;
        }
        self.resync.remove(work.id);
        let result = if only_looks { self.look(work.id, cx) } else { self.sync_at_last(work.id, cx) };
        if result != Ok(Outcome::Settled) {
            self.resync.add(work.id, cx);
        }
        match result {
            Ok(_) => Action::Done,
            Err(error) => Action::Fail(error.to_string().into()),
        }
    }
}

impl PvcBinder {
    fn sync(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Synced {
        match id.kind {
            Kind::PersistentVolumeClaim => self.sync_claim_of(id, cx),
            Kind::PersistentVolume => self.sync_volume_of(id, cx),
            other => unreachable!("nothing queues a {other}"),
        }
    }

    fn volume_changed(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let (old, new) = (change.old_as::<PersistentVolume>(), change.new_as::<PersistentVolume>());
        self.cache.volume_delivered(change.id, new);
        let refs = [old, new].into_iter().flatten().filter_map(|volume| volume.spec.claim_ref.as_ref());
        for claim_ref in refs {
            let claim = self.cache.claim_named(view, &claim_ref.namespace, &claim_ref.name);
            let Some(claim) = claim else { continue };
            if new.is_none() {
                queue.add(claim.id);
            }
            self.resync.mark(claim.id);
        }
        match new {
            Some(_) => queue.add(change.id),
            None => self.forget(change.id),
        }
    }

    fn claim_changed(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let (old, new) = (change.old_as::<PersistentVolumeClaim>(), change.new_as::<PersistentVolumeClaim>());
        self.cache.claim_delivered(change.id, new);
        let named = old.map(|claim| &claim.spec.volume_name).filter(|name| !name.is_empty());
        let volume = named.and_then(|name| self.cache.volume_named(view, name));
        match new {
            Some(_) => queue.add(change.id),
            None => {
                queue_deleted_claims_volume(volume.map(|volume| volume.id), queue);
                self.forget(change.id);
            }
        }
        let moved = old.map(|claim| &claim.spec.volume_name) != new.map(|claim| &claim.spec.volume_name);
        if moved {
            self.mark_volumes_of(change, view);
        }
    }

    /// Volumes do not hear of claims; those that this one's coming, going or turning concerns wait for the resync.
    fn mark_volumes_of(&mut self, change: &Change, view: View<'_>) {
        let meta = change.object().metadata();
        let claim = change.new_as::<PersistentVolumeClaim>();
        for id in self.cache.index.naming(&meta.namespace, &meta.name) {
            let Some(volume) = self.cache.volume(view, *id) else { continue };
            let bound = volume.object.status.phase == "Bound"
                && claim.is_some_and(|claim| claim.spec.volume_name == volume.object.metadata.name);
            if !bound {
                self.resync.mark(*id);
            }
        }
        let left = change.old_as::<PersistentVolumeClaim>().map(|claim| &claim.spec.volume_name);
        let left = left.filter(|name| !name.is_empty()).and_then(|name| self.cache.volume_named(view, name));
        if let Some(volume) = left {
            self.resync.mark(volume.id);
        }
    }

    fn forget(&mut self, id: ObjectId) {
        self.resync.remove(id);
        self.operations.forget(id);
    }
}

/// A volume need not wait for the resync to be released (`deleteClaim`).
fn queue_deleted_claims_volume(volume: Option<ObjectId>, queue: &mut WorkQueue) {
    if let Some(id) = volume {
        queue.add(id);
    }
}
