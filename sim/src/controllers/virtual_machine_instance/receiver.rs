//! Receivers of migrations between clusters, KubeVirt main 2026-08 (`d923fdb815cd`): the branches `IsMigrationTarget` of `sync`
//! and `updateStatus` in `pkg/virt-controller/watch/vmi/lifecycle.go`. Receivers came with 1.6.

use crate::objects::{Pod, VirtualMachineInstance};
use crate::release::KubeVirtRelease;
use arcstr::ArcStr;

/// Marks the target of a migration between clusters (`CreateMigrationTarget`).
pub(crate) const MIGRATION_TARGET: ArcStr = arcstr::literal!("kubevirt.io/create-migration-target");

/// The label by which the migration's controllers say where the target is to run (`MigrationTargetNodeNameLabel`).
pub(crate) const TARGET_NODE: ArcStr = arcstr::literal!("kubevirt.io/migrationTargetNodeName");

/// Whether the instance is the target of a migration between clusters (`IsMigrationTarget`).
pub(super) fn is_target(vmi: &VirtualMachineInstance, release: KubeVirtRelease) -> bool {
    release.profile().knows_receivers && vmi.metadata.annotations.has(&MIGRATION_TARGET, "true")
}

/// Whether the instance waits for its twin: it gets no pod of its own, and the phase is WaitingForSync.
pub(super) fn waits_for_sync(vmi: &VirtualMachineInstance, release: KubeVirtRelease) -> bool {
    is_target(vmi, release) && !vmi.metadata.labels.contains_key(&TARGET_NODE)
}

/// Whether a target has to wait for its twin again, since its launcher has ended or the migration has failed.
pub(super) fn is_lost(vmi: &VirtualMachineInstance, launcher: &Pod, release: KubeVirtRelease) -> bool {
    let failed = vmi.status.migration_state.as_ref().is_some_and(|state| state.failed);
    is_target(vmi, release) && (failed || launcher.is_finished())
}

/// The phase of an instance without a launcher.
pub(super) fn without_launcher(vmi: &VirtualMachineInstance, release: KubeVirtRelease) -> ArcStr {
    if is_target(vmi, release) { arcstr::literal!("WaitingForSync") } else { arcstr::literal!("Failed") }
}
