//! How far a migration has come: `updateStatus` and `processMigrationPhase` of `migration.go`.

use super::{MigrationController, Pass};
use crate::admission::virtual_machine_instance_migration::FINALIZER;
use crate::context::{Context, EventType};
use crate::controllers::virtual_machine_instance::{current_pod, is_pod_ready, owned_by};
use crate::objects::{
    Condition, Conditions as _, PhaseTransition, Pod, Truth, VirtualMachineInstanceMigration,
};
use arcstr::{ArcStr, literal};
use stuckvm_detector::Time;

/// The user does not want it any more.
const ABORT_REQUESTED: ArcStr = literal!("migrationAbortRequested");

/// A quota refuses the target.
const REJECTED_BY_QUOTA: ArcStr = literal!("migrationRejectedByResourceQuota");

/// When a network may send the guest's traffic to the target (`MigrationTargetReadyTimestamp`).
const TARGET_READY: ArcStr = literal!("kubevirt.io/migration-target-ready-timestamp");

/// What is said of a migration that its user has deleted in time.
const CANCELLED: &str = "Migration failed due to being canceled";

/// Something that ends a migration: whether it has come, and what is said then.
type Failure = (fn(&MigrationController, &Pass) -> bool, &'static str);

/// What ends a migration, the first that holds.
const FAILURES: &[Failure] = &[
    (|_, pass| pass.vmi.is_final(), "Migration failed vmi shutdown during migration."),
    (|controller, pass| pass.migration.metadata.is_deleting() && !controller.is_handed_off(pass), CANCELLED),
    (
        |_, pass| pass.target().is_some_and(Pod::is_finished),
        "Migration failed because target pod shutdown during migration",
    ),
    (
        |_, pass| pass.migration.target_is_created() && pass.pod.is_none(),
        "Migration target pod was removed during active migration.",
    ),
    (
        |_, pass| pass.migration.target_is_handed_off() && pass.state().is_none(),
        "VMI's migration state was cleared during the active migration.",
    ),
    (
        |_, pass| pass.migration.target_is_handed_off() && pass.own_state().is_none(),
        "VMI's migration state was taken over by another migration job during active migration.",
    ),
    (|_, pass| pass.own_state().is_some_and(|state| state.failed), "source node reported migration failed"),
];

impl MigrationController {
    /// Writes how far it has come; an error means that nothing was written.
    pub(super) fn update_status(
        &self,
        pass: &Pass,
        error: Option<&ArcStr>,
        cx: &mut Context<'_>,
    ) -> Result<(), ArcStr> {
        let mut copy = VirtualMachineInstanceMigration::clone(&pass.migration);
        if pass.migration.is_final() {
            if let Some(state) = pass.own_state() {
                copy.status.migration_state = Some(Box::new(state.clone()));
            }
            copy.metadata.remove_finalizer(&FINALIZER);
        } else if let Some((_, message)) = FAILURES.iter().find(|(has_come, _)| has_come(self, pass)) {
            if *message == CANCELLED {
                add_condition(&mut copy, ABORT_REQUESTED, cx.now);
            }
            copy.status.phase = literal!("Failed");
            cx.event(&*pass.migration, EventType::Warning, "FailedMigration", message);
        } else if pass.migration.metadata.is_deleting() && !has_condition(&copy, &ABORT_REQUESTED) {
            add_condition(&mut copy, ABORT_REQUESTED, cx.now);
        } else {
            self.advance(pass, &mut copy, error, cx)?;
        }
        if copy.status.phase != pass.migration.status.phase {
            note_phase(&mut copy, cx.now);
        }
        note_source(pass, &mut copy, cx);
        if copy == *pass.migration {
            return Ok(());
        }
        cx.update(pass.id, copy).map_err(|error| error.to_string().into())
    }

    /// The next phase, where the world has come that far (`processMigrationPhase`).
    fn advance(
        &self,
        pass: &Pass,
        copy: &mut VirtualMachineInstanceMigration,
        error: Option<&ArcStr>,
        cx: &mut Context<'_>,
    ) -> Result<(), ArcStr> {
        let state = pass.state();
        let next = match pass.migration.status.phase.as_str() {
            "" if self.can_migrate(pass, cx.view()) => Some(literal!("Pending")),
            "" => {
                let message =
                    "VMI is not eligible for migration because another migration job is in progress.";
                cx.event(&*pass.migration, EventType::Warning, "FailedMigration", message);
                Some(literal!("Failed"))
            }
            "Pending" if pass.pod.is_some() => Some(literal!("Scheduling")),
            "Pending" => {
                if error.is_some_and(|error| error.contains("exceeded quota")) {
                    add_condition(copy, REJECTED_BY_QUOTA, cx.now);
                }
                None
            }
            "Scheduling" => {
                copy.status.conditions.retain(|found| found.kind != REJECTED_BY_QUOTA);
                pass.target().is_some_and(is_pod_ready).then(|| literal!("Scheduled"))
            }
            "Scheduled" => {
                let preparing = pass.own_state().is_some_and(|state| !state.target_node.is_empty());
                preparing.then(|| literal!("PreparingTarget"))
            }
            "PreparingTarget" => {
                let ready = state.is_some_and(|state| {
                    !state.target_node.is_empty() && !state.target_node_address.is_empty()
                });
                ready.then(|| literal!("TargetReady"))
            }
            "TargetReady" => {
                state.is_some_and(|state| state.start_timestamp.is_some()).then(|| literal!("Running"))
            }
            "Running" => running(pass, cx)?,
            _ => None,
        };
        if let Some(next) = next {
            copy.status.phase = next;
        }
        Ok(())
    }
}

/// While the guest moves, and after.
fn running(pass: &Pass, cx: &mut Context<'_>) -> Result<Option<ArcStr>, ArcStr> {
    let (Some(state), Some((id, pod))) = (pass.state(), &pass.pod) else { return Ok(None) };
    if let Some(ready) = state.target_node_domain_ready_timestamp
        && !pod.metadata.annotations.contains_key(&TARGET_READY)
    {
        let shown = as_go_shows(ready);
        let annotate = |pod: &mut Pod| {
            pod.metadata.annotations.insert(TARGET_READY, shown);
        };
        cx.patch(*id, annotate).map_err(|error| ArcStr::from(error.to_string()))?;
    }
    if !state.completed {
        return Ok(None);
    }
    let message = "Source node reported migration succeeded";
    cx.event(&*pass.migration, EventType::Normal, "SuccessfulMigration", message);
    Ok(Some(literal!("Succeeded")))
}

/// A time as Go prints one: `2022-10-03 11:11:07 +0000 UTC`.
fn as_go_shows(time: Time) -> ArcStr {
    time.to_string().replace('T', " ").replace('Z', " +0000 UTC").into()
}

fn has_condition(migration: &VirtualMachineInstanceMigration, kind: &str) -> bool {
    migration.status.conditions.condition(kind).is_some()
}

fn add_condition(migration: &mut VirtualMachineInstanceMigration, kind: ArcStr, now: Time) {
    if !has_condition(migration, &kind) {
        let last_probe_time = Some(now.truncate_to_secs());
        let condition = Condition { kind, status: Truth::True, last_probe_time, ..Condition::default() };
        migration.status.conditions.push(condition);
    }
}

/// `SetVMIMigrationPhaseTransitionTimestamp`: the first time of each phase.
fn note_phase(migration: &mut VirtualMachineInstanceMigration, now: Time) {
    let status = &mut migration.status;
    let phase = status.phase.clone();
    if status.phase_transition_timestamps.iter().all(|known| known.phase != phase) {
        let phase_transition_timestamp = Some(now.truncate_to_secs());
        status.phase_transition_timestamps.push(PhaseTransition { phase, phase_transition_timestamp });
    }
}

/// `SetSourcePod`: while it is pending, it shows the launcher that the guest is in.
fn note_source(pass: &Pass, copy: &mut VirtualMachineInstanceMigration, cx: &Context<'_>) {
    if copy.status.phase != "Pending" {
        return;
    }
    let pods = owned_by(&pass.vmi, cx.view());
    if let Some((_, source)) = current_pod(&pass.vmi, &pods) {
        let state = copy.status.migration_state.get_or_insert_default();
        state.source_pod = source.metadata.name.clone();
    }
}
