//! virt-handler of the node that an instance leaves, KubeVirt main 2026-08 as 1.9.0 has it:
//! `pkg/virt-handler/migration-source.go`, and what virt-launcher tells it, `pkg/virt-launcher/virtwrap/live-migration-source.go`.

use super::VirtHandler;
use super::migration_target::write;
use super::transfer::{Ends, Failure, Outcome, Transfer};
use crate::context::{Context, EventType};
use crate::kind::ObjectId;
use crate::objects::{MigrationState, VirtualMachineInstance};

impl VirtHandler {
    /// One look at an instance that is to leave.
    pub(super) fn look_at_source(
        &mut self,
        id: ObjectId,
        vmi: &VirtualMachineInstance,
        state: &MigrationState,
        cx: &mut Context<'_>,
    ) {
        let is_ours = vmi.status.node_name == state.source_node && !state.is_done();
        if !is_ours || vmi.status.phase != "Running" || cx.environment.machines.is_lost(&state.source_node) {
            return;
        }
        let under_way = self.transfers.get(&id).is_some_and(|known| known.migration == state.migration_uid);
        if state.start_timestamp.is_none() {
            if !state.abort_requested && !state.target_node_address.is_empty() {
                self.begin(id, vmi, state, cx);
            }
        } else if !under_way {
            // This node was away while the guest was sent: the connection is gone.
            self.fail(id, vmi, Failure::KeepAlive, cx);
        } else if state.abort_requested {
            let message = "VirtualMachineInstance is aborting migration.";
            cx.event(vmi, EventType::Normal, "Migrating", message);
            self.fail(id, vmi, Failure::Aborted, cx);
        } else if Ends::of(vmi, state, cx.view()).target.is_none() {
            self.fail(id, vmi, Failure::Closed, cx);
        }
    }

    /// Sends the guest to the target, which takes its time (`migrateVMI`).
    fn begin(
        &mut self,
        id: ObjectId,
        vmi: &VirtualMachineInstance,
        state: &MigrationState,
        cx: &mut Context<'_>,
    ) {
        cx.event(vmi, EventType::Normal, "Migrating", "VirtualMachineInstance is migrating.");
        let now = cx.now.truncate_to_secs();
        write(id, cx, |_, state| {
            state.start_timestamp = Some(now);
            state.mode = arcstr::literal!("PreCopy");
        });
        let transfer = Transfer::of(vmi, state, cx);
        if transfer.outcome == Outcome::Fails(Failure::Closed) {
            self.fail(id, vmi, Failure::Closed, cx);
        } else {
            self.follow(id, transfer, cx);
        }
    }

    /// The guest stays where it is (`setMigrationProgressStatus`).
    pub(super) fn fail(
        &mut self,
        id: ObjectId,
        vmi: &VirtualMachineInstance,
        failure: Failure,
        cx: &mut Context<'_>,
    ) {
        self.transfers.swap_remove(&id);
        let now = cx.now.truncate_to_secs();
        let reason = failure.reason();
        let shown = reason.clone();
        write(id, cx, |_, state| {
            (state.failed, state.completed) = (true, true);
            state.end_timestamp = Some(now);
            state.failure_reason = shown;
            if failure == Failure::Aborted {
                state.abort_status = arcstr::literal!("Succeeded");
            }
        });
        let state = vmi.status.migration_state.as_deref();
        let uid = state.map(|state| state.migration_uid.clone()).unwrap_or_default();
        let message = format!("VirtualMachineInstance migration uid {uid} failed. reason:{reason}");
        cx.event(vmi, EventType::Warning, "Migrated", &message);
    }
}
