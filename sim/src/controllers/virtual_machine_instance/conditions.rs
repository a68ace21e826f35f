//! Conditions of an instance, KubeVirt main 2026-08 (`d923fdb815cd`): `pkg/controller/conditions.go` and
//! `virtinformers.go`.

use super::SyncError;
use crate::objects::{Condition, Conditions, PhaseTransition, Truth, VirtualMachineInstance};
use stuckvm_detector::Time;

/// Sets a condition unless it stands there with this status and reason (`UpdateCondition`).
pub(super) fn update_condition(conditions: &mut Vec<Condition>, condition: Condition) {
    match conditions.iter_mut().find(|found| found.kind == condition.kind) {
        Some(found) if found.status == condition.status && found.reason == condition.reason => {}
        Some(found) => *found = condition,
        None => conditions.push(condition),
    }
}

/// Takes a condition away (`RemoveCondition`).
pub(crate) fn remove_condition(conditions: &mut Vec<Condition>, kind: &str) {
    conditions.retain(|found| found.kind != kind);
}

/// Copies a pod's condition unless there is one of its type (`AddPodCondition`).
pub(super) fn add_pod_condition(conditions: &mut Vec<Condition>, condition: &Condition) {
    if conditions.condition(&condition.kind).is_none() {
        conditions.push(condition.clone());
    }
}

/// Shows a sync error as Synchronized False, and its absence by having no such condition (`CheckFailure`).
pub(super) fn check_failure(conditions: &mut Vec<Condition>, error: Option<&SyncError>, now: Time) {
    let shown = conditions.condition("Synchronized");
    match error {
        None => remove_condition(conditions, "Synchronized"),
        Some(error) if shown.is_some_and(|shown| shown.is_false_because(&error.reason)) => {}
        Some(error) => {
            remove_condition(conditions, "Synchronized");
            let condition =
                Condition::new(arcstr::literal!("Synchronized"), Truth::False, error.reason.clone(), now);
            conditions.push(condition.with_message(error.message.clone()));
        }
    }
}

/// Whether both have the same types with the same status and reason (`ConditionsEqual`).
pub(super) fn conditions_equal(left: &[Condition], right: &[Condition]) -> bool {
    left.len() == right.len()
        && left.iter().all(|condition| {
            right
                .condition(&condition.kind)
                .is_some_and(|found| found.status == condition.status && found.reason == condition.reason)
        })
}

/// Notes when the instance first came into the phase that it has now (`SetVMIPhaseTransitionTimestamp`).
pub(crate) fn set_phase_transition(vmi: &mut VirtualMachineInstance, now: Time) {
    let phase = vmi.status.phase.clone();
    if !vmi.was_in_phase(&phase) {
        let phase_transition_timestamp = Some(now.truncate_to_secs());
        vmi.status.phase_transition_timestamps.push(PhaseTransition { phase, phase_transition_timestamp });
    }
}
