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
        let same = |live: &VirtualMachineInstance| {
            live.status.migration_state == pass.vmi.status.migration_state
                && live.metadata.labels == pass.vmi.metadata.labels
        };
        let written = patch(pass, cx, same, |vmi| {
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

/// A target that has ended before the guest was sent ends the migration on the instance too.
pub(super) fn fail_unstarted(pass: &Pass, cx: &mut Context<'_>) -> Result<(), ArcStr> {
    let has_target = pass.target().is_some_and(|pod| !pod.is_finished());
    let unstarted =
        |state: &MigrationState| state.start_timestamp.is_none() && !state.failed && !state.completed;
    if has_target || !pass.state().is_some_and(unstarted) {
        return Ok(());
    }
    mark_failed(pass, cx)
}

/// What has failed before virt-handler said so fails on the instance too.
pub(super) fn fail_unnoticed(pass: &Pass, cx: &mut Context<'_>) -> Result<(), ArcStr> {
    if pass.state().is_none_or(|state| state.failed) { Ok(()) } else { mark_failed(pass, cx) }
}

/// `handleMarkMigrationFailedOnVMI`: refused where the instance shows another migration by now.
fn mark_failed(pass: &Pass, cx: &mut Context<'_>) -> Result<(), ArcStr> {
    const WHY: ArcStr = arcstr::literal!("Target pod is down");
    let uid = &pass.migration.metadata.uid;
    let same = |live: &VirtualMachineInstance| {
        live.status.migration_state.as_deref().is_some_and(|state| state.migration_uid == *uid)
    };
    let now = cx.now.truncate_to_secs();
    patch(pass, cx, same, |vmi| {
        let Some(state) = vmi.status.migration_state.as_deref_mut() else { return };
        (state.failed, state.completed) = (true, true);
        state.start_timestamp.get_or_insert(now);
        state.end_timestamp.get_or_insert(now);
        if state.failure_reason.is_empty() {
            state.failure_reason = WHY;
        }
    })?;
    let message = format!("VirtualMachineInstance migration uid {uid} failed. reason: {WHY}");
    cx.event(&*pass.vmi, EventType::Warning, "FailedMigration", &message);
    Ok(())
}

/// Asks the source's virt-handler to give up; refused where anything of the instance's status has changed.
pub(super) fn request_abort(pass: &Pass, cx: &mut Context<'_>) -> Result<(), ArcStr> {
    if pass.state().is_none_or(|state| state.abort_requested) {
        return Ok(());
    }
    let same = |live: &VirtualMachineInstance| live.status == pass.vmi.status;
    let written = patch(pass, cx, same, |vmi| {
        if let Some(state) = vmi.status.migration_state.as_deref_mut() {
            state.abort_requested = true;
        }
    });
    if let Err(error) = written {
        let message = arcstr::format!("failed to set MigrationState in VMI status. :{error}");
        cx.event(&*pass.migration, EventType::Warning, "FailedAbortMigration", &message);
        return Err(message);
    }
    let message = "Migration is ready to be canceled by virt-handler.";
    cx.event(&*pass.migration, EventType::Normal, "SuccessfulAbortMigration", message);
    Ok(())
}

/// Changes an instance if what the patch tests still holds of it.
fn patch(
    pass: &Pass,
    cx: &mut Context<'_>,
    holds: impl FnOnce(&VirtualMachineInstance) -> bool,
    change: impl FnOnce(&mut VirtualMachineInstance),
) -> Result<(), ArcStr> {
    let live = cx.newest().get::<VirtualMachineInstance>(pass.vmi_id);
    if live.is_some_and(|live| !holds(live)) {
        return Err(arcstr::literal!("the server rejected our request due to an error in our request"));
    }
    cx.patch(pass.vmi_id, change).map(drop).map_err(|error| error.to_string().into())
}
