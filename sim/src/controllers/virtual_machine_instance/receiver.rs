//! Receivers of migrations between clusters, KubeVirt main 2026-08 (`d923fdb815cd`): the branches `IsMigrationTarget` of `sync`
//! and `updateStatus` in `pkg/virt-controller/watch/vmi/lifecycle.go`. Receivers came with 1.6.

use crate::objects::VirtualMachineInstance;
use crate::release::KubeVirtRelease;
use arcstr::ArcStr;

/// Marks the target of a migration between clusters (`CreateMigrationTarget`).
pub(crate) const MIGRATION_TARGET: ArcStr = arcstr::literal!("kubevirt.io/create-migration-target");

/// The label by which the migration's controllers say where the target is to run (`MigrationTargetNodeNameLabel`).
pub(crate) const TARGET_NODE: ArcStr = arcstr::literal!("kubevirt.io/migrationTargetNodeName");

/// Whether the instance waits for its twin: it gets no pod of its own, and the phase is WaitingForSync.
pub(super) fn waits_for_sync(vmi: &VirtualMachineInstance, release: KubeVirtRelease) -> bool {
    let is_target = vmi.metadata.annotations.has(&MIGRATION_TARGET, "true");
    release.profile().knows_receivers && is_target && !vmi.metadata.labels.contains_key(&TARGET_NODE)
}
