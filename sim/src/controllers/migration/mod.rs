//! virt-controller's controller of migrations, KubeVirt main 2026-08 as 1.9.0 has it:
//! `pkg/virt-controller/watch/migration/migration.go`, for migrations within a cluster, whatever the scenario's KubeVirt.
//!
//! Not modelled: migrations between clusters, hot plug, backend storage, backups, migration policies, SELinux levels, the order
//! of the queue by priority. Status and finalizer of a migration are written at once.

mod backoff;
mod hand_off;
pub(crate) mod host_model;
mod pending;
mod places;
mod status;
mod subresource;
mod sync;
mod target_pod;

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::controllers::virtual_machine_instance::{Expectations, OwnedPod};
use crate::kind::{Object, ObjectId};
use crate::launcher_pod::MIGRATION_JOB;
use crate::objects::{MigrationState, Pod, VirtualMachineInstance, VirtualMachineInstanceMigration};
use crate::store::{ApiError, Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use places::Places;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

/// The migration that a launcher is the target of, by name (`MigrationJobNameAnnotation`).
const MIGRATION_JOB_NAME: ArcStr = arcstr::literal!("kubevirt.io/migrationJobName");

/// Marks the migrations of the evacuation controller with the node that is to be empty (`EvacuationMigrationAnnotation`).
pub(crate) const EVACUATION: ArcStr = arcstr::literal!("kubevirt.io/evacuationMigration");

/// Of the migrations of an instance that have ended so many stay (`defaultFinalizedMigrationGarbageCollectionBuffer`).
const KEPT: usize = 5;

/// The controller.
#[derive(Debug, Default)]
pub(crate) struct MigrationController {
    expectations: Expectations,
    /// Migrations by namespace and instance (`ByVMINameIndex`).
    by_instance: BTreeMap<(ArcStr, ArcStr), BTreeSet<ObjectId>>,
    /// Those that virt-handler has; the view of the instance may not show it yet.
    handed_off: BTreeSet<ObjectId>,
    places: Places,
}

/// What one reconcile works on: the caches as they were at its start.
struct Pass {
    id: ObjectId,
    migration: Arc<VirtualMachineInstanceMigration>,
    vmi_id: ObjectId,
    vmi: Arc<VirtualMachineInstance>,
    /// The target, if there is one.
    pod: Option<OwnedPod>,
}

impl Pass {
    /// What the instance shows of a migration, whichever.
    fn state(&self) -> Option<&MigrationState> {
        self.vmi.status.migration_state.as_deref()
    }

    /// What it shows of this one.
    fn own_state(&self) -> Option<&MigrationState> {
        self.state().filter(|state| state.migration_uid == self.migration.metadata.uid)
    }

    fn target(&self) -> Option<&Pod> {
        self.pod.as_ref().map(|(_, pod)| &**pod)
    }
}

impl Controller for MigrationController {
    fn name(&self) -> &'static str {
        "migration"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.object() {
            Object::VirtualMachineInstanceMigration(migration) => {
                let key = (migration.metadata.namespace.clone(), migration.spec.vmi_name.clone());
                let of_instance = self.by_instance.entry(key.clone()).or_default();
                if change.new.is_some() {
                    of_instance.insert(change.id);
                } else {
                    of_instance.remove(&change.id);
                    if of_instance.is_empty() {
                        self.by_instance.remove(&key);
                    }
                }
                queue.add(change.id);
            }
            Object::VirtualMachineInstance(vmi) if !self.by_instance.is_empty() => {
                let key = (vmi.metadata.namespace.clone(), vmi.metadata.name.clone());
                self.by_instance.get(&key).into_iter().flatten().for_each(|id| queue.add(*id));
            }
            Object::Pod(pod) => self.on_pod(pod, change, view, queue),
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let view = cx.view();
        let Some(migration) = view.get::<VirtualMachineInstanceMigration>(work.id).cloned() else {
            self.expectations.forget(work.id);
            self.handed_off.remove(&work.id);
            return Action::Done;
        };
        let (namespace, name) = (&migration.metadata.namespace, &migration.spec.vmi_name);
        let Some((vmi_id, vmi)) = view.named::<VirtualMachineInstance>(namespace, name) else {
            return without_instance(work.id, &migration, cx);
        };
        let vmi = Arc::clone(vmi);
        let pod = target_pods(&migration, &vmi, view).into_iter().next();
        let pass = Pass { id: work.id, migration, vmi_id, vmi, pod };
        match self.execute(&pass, cx) {
            Ok(Some(delay)) => Action::RequeueAfter(delay),
            Ok(None) => Action::Done,
            Err(error) => Action::Fail(error),
        }
    }
}

impl MigrationController {
    /// A pod that appears or goes is what its migration may have waited for.
    fn on_pod(&mut self, pod: &Pod, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let Some(uid) = pod.metadata.labels.get(MIGRATION_JOB) else { return };
        let Some(name) = pod.metadata.annotations.get(&MIGRATION_JOB_NAME) else { return };
        let found = view.named::<VirtualMachineInstanceMigration>(&pod.metadata.namespace, name);
        let Some((id, _)) = found.filter(|(_, migration)| migration.metadata.uid == *uid) else { return };
        if change.new.is_none() || pod.metadata.is_deleting() {
            self.expectations.deletion_observed(id, change.id);
        } else if change.old.is_none() {
            self.expectations.creation_observed(id);
        }
        queue.add(id);
    }

    /// One whole reconcile; returns when to look again by itself.
    fn execute(&mut self, pass: &Pass, cx: &mut Context<'_>) -> Result<Option<Duration>, ArcStr> {
        let synced = match self.expectations.are_satisfied(pass.id, cx.now) {
            true => self.sync(pass, cx),
            false => Ok(None),
        };
        self.update_status(pass, synced.as_ref().err(), cx)?;
        let again = synced?;
        if pass.migration.is_final() {
            self.collect_garbage(pass, cx)?;
            places::wake_waiting(cx);
        }
        Ok(again)
    }

    /// Whether the instance is free for this migration (`canMigrateVMI`).
    fn can_migrate(&self, pass: &Pass, view: View<'_>) -> bool {
        let Some(state) = pass.state() else { return true };
        let uid = &state.migration_uid;
        if uid.is_empty() || *uid == pass.migration.metadata.uid {
            return true;
        }
        let shown = self.of_instance(pass, view).into_iter().find(|(_, other)| other.metadata.uid == *uid);
        shown.is_none_or(|(_, other)| other.is_final())
    }

    /// The migrations of the instance, oldest first.
    fn of_instance(
        &self,
        pass: &Pass,
        view: View<'_>,
    ) -> Vec<(ObjectId, Arc<VirtualMachineInstanceMigration>)> {
        let key = (pass.migration.metadata.namespace.clone(), pass.migration.spec.vmi_name.clone());
        let ids = self.by_instance.get(&key).into_iter().flatten().copied();
        ids.filter_map(|id| Some((id, Arc::clone(view.get(id)?)))).collect()
    }

    /// `garbageCollectFinalizedMigrations`: the oldest go, and with each the launcher that it has left behind.
    fn collect_garbage(&self, pass: &Pass, cx: &mut Context<'_>) -> Result<(), ArcStr> {
        let mut ended = self.of_instance(pass, cx.view());
        ended.retain(|(_, migration)| migration.is_final() && !migration.metadata.is_deleting());
        ended.sort_by_key(|(id, migration)| (migration.metadata.creation_timestamp, *id));
        for (id, migration) in ended.iter().take(ended.len().saturating_sub(KEPT)) {
            let left = migration.status.migration_state.as_deref().map_or("", left_behind);
            if let Some((pod, _)) = cx.newest().named::<Pod>(&migration.metadata.namespace, left) {
                unless_gone(cx.delete::<Pod>(pod))?;
            }
            unless_gone(cx.delete::<VirtualMachineInstanceMigration>(*id))?;
        }
        Ok(())
    }
}

/// The launcher that no guest is in after a migration.
fn left_behind(state: &MigrationState) -> &str {
    match (state.failed, state.completed) {
        (true, _) => state.target_pod.as_str(),
        (false, true) => state.source_pod.as_str(),
        (false, false) => "",
    }
}

/// Of what is to go it does not matter if it has gone already.
fn unless_gone(deleted: Result<(), ApiError>) -> Result<(), ArcStr> {
    match deleted {
        Ok(()) | Err(ApiError::NotFound { .. }) => Ok(()),
        Err(error) => Err(error.to_string().into()),
    }
}

/// A migration of an instance that is gone goes too.
fn without_instance(
    id: ObjectId,
    migration: &VirtualMachineInstanceMigration,
    cx: &mut Context<'_>,
) -> Action {
    if migration.metadata.is_deleting() {
        return Action::Done;
    }
    match cx.delete::<VirtualMachineInstanceMigration>(id) {
        Ok(()) => Action::Done,
        Err(error) => Action::Fail(error.to_string().into()),
    }
}

/// The launchers that were made for a migration (`listMatchingTargetPods`).
fn target_pods(
    migration: &VirtualMachineInstanceMigration,
    vmi: &VirtualMachineInstance,
    view: View<'_>,
) -> Vec<OwnedPod> {
    let uid = &migration.metadata.uid;
    let is_target = |pod: &Pod| {
        let labels = &pod.metadata.labels;
        labels.has(MIGRATION_JOB, uid) && labels.has("kubevirt.io", "virt-launcher")
    };
    let owned = view.owned::<Pod>(&vmi.metadata.uid).filter(|(_, pod)| is_target(pod));
    owned.map(|(id, pod)| (id, Arc::clone(pod))).collect()
}

/// How many launchers of the instance have not ended (`VMIActivePodsCount`).
pub(crate) fn active_pods(vmi: &VirtualMachineInstance, view: View<'_>) -> usize {
    view.owned::<Pod>(&vmi.metadata.uid).filter(|(_, pod)| !pod.is_finished()).count()
}
