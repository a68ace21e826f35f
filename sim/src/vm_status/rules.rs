//! STATUS RULES: the rows of the table of printable statuses: when each status holds, given that no row before it does.
//!
//! KubeVirt main of August 2026 (`d923fdb815cd`): the functions `isVirtualMachineStatus…` in
//! `pkg/virt-controller/watch/vm/vm.go`.

use super::{Situation, helpers, volumes};
use crate::objects::RunStrategy;

/// The machine is being deleted.
pub(super) fn is_terminating(s: &Situation<'_>) -> bool {
    s.vm.metadata.is_deleting()
}

/// The instance is being deleted, or its deletion was asked for.
pub(super) fn is_stopping(s: &Situation<'_>) -> bool {
    s.vmi.is_some_and(|vmi| !vmi.is_final() && (vmi.metadata.is_deleting() || s.expected.delete))
}

/// The instance moves to another node, in whatever phase it is.
pub(super) fn is_migrating(s: &Situation<'_>) -> bool {
    s.vmi.is_some_and(|vmi| helpers::is_migrating(vmi, s.now))
}

/// The guest runs and is paused.
pub(super) fn is_paused(s: &Situation<'_>) -> bool {
    s.vmi.is_some_and(|vmi| helpers::is_in_phase(vmi, "Running") && helpers::has_paused_condition(vmi))
}

/// The guest runs. (Upstream asks again that it is not paused.)
pub(super) fn is_running(s: &Situation<'_>) -> bool {
    s.vmi.is_some_and(|vmi| helpers::is_in_phase(vmi, "Running"))
}

/// The instance waits for a claim that is not there.
pub(super) fn is_pvc_not_found(s: &Situation<'_>) -> bool {
    helpers::is_false_because(s.vmi, "Synchronized", "FailedPvcNotFound")
}

/// A DataVolume of the machine is broken, whether the machine should run or not.
pub(super) fn is_data_volume_error(s: &Situation<'_>) -> bool {
    volumes::broken_data_volume(s).is_some()
}

/// No node has room for the launcher.
pub(super) fn is_unschedulable(s: &Situation<'_>) -> bool {
    helpers::is_false_because(s.vmi, "PodScheduled", "Unschedulable")
}

/// A DataVolume of the machine is being filled.
pub(super) fn is_provisioning(s: &Situation<'_>) -> bool {
    volumes::data_volume_in_progress(s).is_some()
}

/// The machine is to run and a claim of it is not bound.
pub(super) fn is_waiting_for_volume_binding(s: &Situation<'_>) -> bool {
    helpers::is_set_to_start(s) && volumes::unbound_claim(s).is_some()
}

/// The last pull of an image failed.
pub(super) fn is_err_image_pull(s: &Situation<'_>) -> bool {
    helpers::is_false_because(s.vmi, "Synchronized", "ErrImagePull")
}

/// The kubelet waits before it pulls an image again.
pub(super) fn is_image_pull_back_off(s: &Situation<'_>) -> bool {
    helpers::is_false_because(s.vmi, "Synchronized", "ImagePullBackOff")
}

/// The instance is on its way to the guest, or its creation was asked for.
pub(super) fn is_starting(s: &Situation<'_>) -> bool {
    let Some(vmi) = s.vmi else { return s.expected.create };
    matches!(vmi.status.phase.as_str(), "" | "Pending" | "Scheduling" | "Scheduled")
}

/// Starts have failed in a row and the next one is not under way.
pub(super) fn is_crash_loop_back_off(s: &Situation<'_>) -> bool {
    let at_rest = s.vmi.is_none_or(|vmi| vmi.is_final()) && !s.expected.create;
    let failed = s.status.start_failure.as_ref().is_some_and(|failure| failure.consecutive_fail_count > 0);
    at_rest && failed && helpers::is_restarted(s.vm)
}

/// No instance, or one that has ended. (Upstream asks again that no creation was asked for: that is Starting.)
pub(super) fn is_stopped(s: &Situation<'_>) -> bool {
    s.vmi.is_none_or(|vmi| vmi.is_final())
}

/// The target of a migration between clusters, since release 1.6. (Upstream has it without an instance too: that is
/// Starting or Stopped.)
pub(super) fn is_waiting_for_receiver(s: &Situation<'_>) -> bool {
    s.release.profile().knows_receivers
        && s.vm.spec.run_strategy() == Ok(RunStrategy::WaitAsReceiver)
        && s.vmi.is_some_and(|vmi| helpers::is_in_phase(vmi, "WaitingForSync"))
}
