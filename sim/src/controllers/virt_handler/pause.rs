//! Guests that are paused, KubeVirt main 2026-08 (`d923fdb815cd`): `calculatePausedCondition` in `pkg/virt-handler/vm.go`, and
//! `startStrategy` as virt-launcher heeds it.

use crate::context::Context;
use crate::controllers::virtual_machine_instance::remove_condition;
use crate::kind::ObjectId;
use crate::objects::{Condition, Conditions, Pod, Truth, VirtualMachineInstance};
use stuckvm_detector::Time;

/// Whether the guest is to wait for an unpause from the start on (`ShouldStartPaused`).
pub(super) fn starts_paused(vmi: &VirtualMachineInstance) -> bool {
    vmi.spec.rest.get("startStrategy").and_then(serde_json::Value::as_str) == Some("Paused")
}

/// Whether the guest stands still.
pub(super) fn is_paused(vmi: &VirtualMachineInstance) -> bool {
    vmi.status.conditions.is_true("Paused")
}

/// Shows on the instance that its guest is paused.
pub(super) fn show(vmi: &mut VirtualMachineInstance, now: Time) {
    let now = now.truncate_to_secs();
    let reason = arcstr::literal!("PausedByUser");
    let condition = Condition::new(arcstr::literal!("Paused"), Truth::True, reason, now);
    let message = arcstr::literal!("VMI was paused by user");
    vmi.status.conditions.push(Condition { last_probe_time: Some(now), message, ..condition });
}

/// The domain was paused or goes on, and its event reaches virt-handler at once.
pub(super) fn switch(id: ObjectId, pod: &Pod, paused: bool, cx: &mut Context<'_>) {
    cx.environment.launchers.guest_paused(pod, paused);
    let now = cx.now;
    let written = cx.patch::<VirtualMachineInstance>(id, |vmi| {
        remove_condition(&mut vmi.status.conditions, "Paused");
        if paused {
            show(vmi, now);
        }
    });
    assert!(written.is_ok(), "an instance that was just read exists: {written:?}");
}
