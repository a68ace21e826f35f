//! What the controller tells virt-handler through the instance: `handleTargetPodHandoff`, `handleMarkMigrationFailedOnVMI`,
//! `markMigrationAbortInVmiStatus` of `migration.go`.

use super::{MigrationController, Pass};
use crate::context::{Context, EventType};
use crate::controllers::virtual_machine_instance::TARGET_NODE;
use crate::objects::{MigrationState, Pod, VirtualMachineInstance};
use arcstr::ArcStr;

impl MigrationController {
    /// Tells the target's virt-handler, which finds the instance by its label, to prepare for the guest.
    pub(super) fn hand_off(&mut self, pass: &Pass, pod: &Pod, cx: &mut Context<'_>) -> Result<(), ArcStr> {
        if pass.own_state().is_some() {
            return Ok(());
        }
        let pending = pass.migration.status.migration_state.as_deref();
        let state = MigrationState {
            migration_uid: pass.migration.metadata.uid.clone(),
            source_node: pass.vmi.status.node_name.clone(),
            source_pod: pending.map(|state| state.source_pod.clone()).unwrap_or_default(),
            target_node: pod.node_name.clone(),
            target_pod: pod.metadata.name.clone(),
            ..MigrationState::default()
        };
        let written = patch(pass, cx, |vmi| {
            vmi.status.migration_state = Some(Box::new(state));
            vmi.metadata.labels.insert(TARGET_NODE, pod.node_name.clone());
        });
        if let Err(error) = written {
            let message = format!("Failed to set MigrationStat in VMI status. :{error}");
            cx.event(&*pass.migration, EventType::Warning, "FailedHandOver", &message);
            return Err(error);
        }
        self.handed_off.insert(pass.id);
        let message = "Migration target pod is ready for preparation by virt-handler.";
        cx.event(&*pass.migration, EventType::Normal, "SuccessfulHandOver", message);
        Ok(())
    }

    /// Whether virt-handler has the migration (`isMigrationHandedOff`).
    pub(super) fn is_handed_off(&self, pass: &Pass) -> bool {
        pass.own_state().is_some() || self.handed_off.contains(&pass.id)
    }
}

/// A target that ended before it was prepared ends the migration on the instance too; once virt-handler has begun it, it is
/// virt-handler's to end.
pub(super) fn fail_unstarted(pass: &Pass, cx: &mut Context<'_>) -> Result<(), ArcStr> {
    let has_target = pass.target().is_some_and(|pod| !pod.is_finished());
    let unstarted = |state: &MigrationState| {
        state.target_node_address.is_empty()
            && state.start_timestamp.is_none()
            && !state.failed
            && !state.completed
    };
    if has_target || !pass.state().is_some_and(unstarted) {
        return Ok(());
    }
    let now = cx.now.truncate_to_secs();
    patch(pass, cx, |vmi| {
        let Some(state) = vmi.status.migration_state.as_deref_mut() else { return };
        (state.start_timestamp, state.end_timestamp) = (Some(now), Some(now));
        (state.failed, state.completed) = (true, true);
    })?;
    // Upstream sets the reason after it has written the instance, so that it is told only here.
    let uid = &pass.migration.metadata.uid;
    let message = format!("VirtualMachineInstance migration uid {uid} failed. reason: Target pod is down");
    cx.event(&*pass.vmi, EventType::Warning, "FailedMigration", &message);
    Ok(())
}

/// Asks the source's virt-handler to give up.
pub(super) fn request_abort(pass: &Pass, cx: &mut Context<'_>) -> Result<(), ArcStr> {
    if pass.state().is_none_or(|state| state.abort_requested) {
        return Ok(());
    }
    patch(pass, cx, |vmi| {
        if let Some(state) = vmi.status.migration_state.as_deref_mut() {
            state.abort_requested = true;
        }
    })?;
    let message = "Migration is ready to be canceled by virt-handler.";
    cx.event(&*pass.migration, EventType::Normal, "SuccessfulAbortMigration", message);
    Ok(())
}

/// Changes an instance if nobody has changed its migration or its labels since they were read (`patchVMI`).
fn patch(
    pass: &Pass,
    cx: &mut Context<'_>,
    change: impl FnOnce(&mut VirtualMachineInstance),
) -> Result<(), ArcStr> {
    let live = cx.newest().get::<VirtualMachineInstance>(pass.vmi_id);
    let same = |live: &VirtualMachineInstance| {
        live.status.migration_state == pass.vmi.status.migration_state
            && live.metadata.labels == pass.vmi.metadata.labels
    };
    if live.is_some_and(|live| !same(live)) {
        return Err(arcstr::literal!("the server rejected our request due to an error in our request"));
    }
    cx.patch(pass.vmi_id, change).map(drop).map_err(|error| error.to_string().into())
}
