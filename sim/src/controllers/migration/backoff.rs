//! What the cluster itself tried to move and could not is not tried again at once: `handleMigrationBackoff` of `migration.go`.

use super::{EVACUATION, MigrationController, Pass};
use crate::context::Context;
use crate::objects::VirtualMachineInstanceMigration;
use std::cmp::Reverse;
use std::time::Duration;
use stuckvm_detector::Time;

/// Marks the migrations that renew launchers (`WorkloadUpdateMigrationAnnotation`), which nobody here makes but users.
const WORKLOAD_UPDATE: &str = "kubevirt.io/workloadUpdateMigration";

/// After the first failure; each one more doubles it.
const FIRST: Duration = Duration::from_secs(20);

impl MigrationController {
    /// How long the newest of an instance's migrations by the cluster itself has to wait; nothing where it need not.
    pub(super) fn back_off(&self, pass: &Pass, cx: &Context<'_>) -> Option<Duration> {
        let mut all = self.of_instance(pass, cx.view());
        all.retain(|(_, migration)| backs_off(migration));
        all.sort_by_key(|(id, migration)| Reverse((migration.metadata.creation_timestamp, *id)));
        // Who was asked for by hand is not among them, and need not wait.
        let [(newest, _), before @ ..] = &all[..] else { return None };
        if *newest != pass.id {
            return None;
        }
        let since_success = before.iter().take_while(|(_, earlier)| earlier.status.phase != "Succeeded");
        let failures = since_success
            .filter(|(_, earlier)| !earlier.metadata.is_deleting() && earlier.status.phase == "Failed")
            .count();
        let doublings = u32::try_from(failures.checked_sub(1)?).unwrap_or(u32::MAX);
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(doublings));
        let (_, last) = before.first()?;
        let until = failed_at(last).unwrap_or(Time::ZERO).checked_add(wait).unwrap_or(Time::MAX);
        let left = until.saturating_since(cx.now);
        (left > Duration::ZERO).then_some(left)
    }
}

/// `listBackoffEligibleMigrations`.
fn backs_off(migration: &VirtualMachineInstanceMigration) -> bool {
    let annotations = &migration.metadata.annotations;
    annotations.contains_key(&EVACUATION) || annotations.contains_key(WORKLOAD_UPDATE)
}

/// When a migration failed, if it did.
fn failed_at(migration: &VirtualMachineInstanceMigration) -> Option<Time> {
    let mut phases = migration.status.phase_transition_timestamps.iter();
    phases.find(|entry| entry.phase == "Failed")?.phase_transition_timestamp
}
