//! How guests are told to end, and what becomes of those that do not.
//!
//! KubeVirt main of August 2026, the same in every release: `helperVmShutdown`, `hasGracePeriodExpired` and `isACPIEnabled` in
//! `pkg/virt-handler/vm.go`; ACPI is on unless it is switched off, or the architecture has none (`pkg/defaults/s390x.go`).

use super::guest_event::{Guest, GuestEvent};
use super::{VirtHandler, pause};
use crate::context::{Context, EventType};
use crate::kind::ObjectId;
use crate::objects::{VirtualMachineInstance, VirtualMachineInstanceSpec};
use serde_json::Value;
use std::time::Duration;

impl VirtHandler {
    /// Tells a running guest to shut down. Without a guest the launcher ends with its pod.
    pub(super) fn shut_down(&mut self, id: ObjectId, vmi: &VirtualMachineInstance, cx: &mut Context<'_>) {
        if vmi.status.phase != "Running" || self.guests.contains_key(&id) {
            return;
        }
        if !grace(vmi).is_zero() {
            cx.event(vmi, EventType::Normal, "ShuttingDown", "Signaled Graceful Shutdown");
        }
        self.guests.insert(id, Guest::ShuttingDown);
        let takes = if heeds_power_button(vmi, cx) { cx.config.latency.guest_shutdown } else { grace(vmi) };
        cx.complete_after(takes, GuestEvent::ShutDown.of(id));
    }
}

/// The seconds that the guest gets to shut down; then the domain is destroyed.
fn grace(vmi: &VirtualMachineInstance) -> Duration {
    let seconds = vmi.spec.termination_grace_period_seconds.unwrap_or(30);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// Whether the guest shuts down when it is told to, in the time that it gets; else the domain is destroyed at its end.
pub(super) fn heeds_power_button(vmi: &VirtualMachineInstance, cx: &Context<'_>) -> bool {
    hears_power_button(vmi) && !pause::is_paused(vmi) && grace(vmi) >= cx.config.latency.guest_shutdown
}

/// Whether the guest is told to shut down at all. If it is, and its domain is destroyed nevertheless, the instance has
/// failed; else it has succeeded.
pub(super) fn hears_power_button(vmi: &VirtualMachineInstance) -> bool {
    grace(vmi) > Duration::ZERO && has_acpi(&vmi.spec)
}

/// Whether the guest has the button that is pressed.
pub(super) fn has_acpi(spec: &VirtualMachineInstanceSpec) -> bool {
    let features = spec.domain.rest.get("features");
    let enabled = features.and_then(|features| features.get("acpi")?.get("enabled").and_then(Value::as_bool));
    enabled.unwrap_or(spec.architecture != "s390x")
}
