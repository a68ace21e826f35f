//! What the rows of the table share.
//!
//! KubeVirt main of August 2026 (`d923fdb815cd`): `isSetToStart` and its neighbours in
//! `pkg/virt-controller/watch/vm/vm.go`, `IsMigrating` in `pkg/util/migrations/migrations.go`, the methods of
//! VirtualMachineInstance in `staging/src/kubevirt.io/api/core/v1/types.go`.

use super::Situation;
use crate::objects::{
    Conditions, RunStrategy, StateChangeRequest, VirtualMachine, VirtualMachineInstance, VirtualMachineStatus,
};
use stuckvm_detector::Time;

/// Whether the instance is in this phase.
pub(super) fn is_in_phase(vmi: &VirtualMachineInstance, phase: &str) -> bool {
    vmi.status.phase == phase
}

/// Whether the instance's condition `Paused` is True.
pub(super) fn has_paused_condition(vmi: &VirtualMachineInstance) -> bool {
    vmi.status.conditions.is_true("Paused")
}

/// Whether a condition of the instance is False for exactly this reason.
pub(super) fn is_false_because(vmi: Option<&VirtualMachineInstance>, kind: &str, reason: &str) -> bool {
    let condition = vmi.and_then(|vmi| vmi.status.conditions.condition(kind));
    condition.is_some_and(|condition| condition.is_false_because(reason))
}

/// Whether a live migration has begun and not ended.
pub(crate) fn is_migrating(vmi: &VirtualMachineInstance, now: Time) -> bool {
    let Some(state) = vmi.status.migration_state.as_ref() else { return false };
    let is_past = |at: Option<Time>| at.is_some_and(|at| at <= now);
    is_past(state.start_timestamp) && !is_past(state.end_timestamp)
}

/// Whether failed starts of the machine are counted and tried again.
pub(crate) fn is_restarted(vm: &VirtualMachine) -> bool {
    matches!(
        vm.spec.run_strategy(),
        Ok(RunStrategy::Always | RunStrategy::RerunOnFailure | RunStrategy::Once)
    )
}

/// Whether the machine is meant to run (`isSetToStart`).
pub(super) fn is_set_to_start(s: &Situation<'_>) -> bool {
    match (s.vm.spec.run_strategy(), s.vmi) {
        (Ok(RunStrategy::Always), _) => true,
        (Ok(RunStrategy::Manual), Some(vmi)) => !has_stop_request_for(s.status, vmi),
        (Ok(RunStrategy::Manual), None) => has_start_request(s.status),
        (Ok(RunStrategy::RerunOnFailure), Some(vmi)) => !is_in_phase(vmi, "Succeeded"),
        (Ok(RunStrategy::RerunOnFailure), None) => {
            let is_new = s.status.run_strategy != RunStrategy::RerunOnFailure.as_str();
            has_start_request(s.status) || is_new || !s.release.profile().reruns_as_asked
        }
        (Ok(RunStrategy::Once), vmi) => vmi.is_none(),
        (Ok(RunStrategy::Halted | RunStrategy::WaitAsReceiver) | Err(_), _) => false,
    }
}

/// Whether the first request is to start.
pub(crate) fn has_start_request(status: &VirtualMachineStatus) -> bool {
    status.state_change_requests.first().is_some_and(|request| request.action == StateChangeRequest::START)
}

/// Whether the first request is to stop this very instance.
pub(crate) fn has_stop_request_for(status: &VirtualMachineStatus, vmi: &VirtualMachineInstance) -> bool {
    let is_stop = |request: &StateChangeRequest| {
        request.action == StateChangeRequest::STOP && request.uid.as_ref() == Some(&vmi.metadata.uid)
    };
    status.state_change_requests.first().is_some_and(is_stop)
}
