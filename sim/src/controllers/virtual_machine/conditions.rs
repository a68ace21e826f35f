//! The conditions of a machine: Ready, Failure, and copies of the instance's.
//!
//! KubeVirt main of August 2026: `syncConditions` in `pkg/virt-controller/watch/vm/vm.go` and the condition managers
//! of `pkg/controller/conditions.go`.

use crate::objects::{Condition, Conditions, Truth, VirtualMachineInstance};
use arcstr::ArcStr;
use stuckvm_detector::Time;

/// Conditions of the instance that are not copied as they stand, and of the machine that stay without the instance's.
const OWN: [&str; 3] = ["Ready", "Failure", "RestartRequired"];

/// Brings the conditions up to date. `failure` is reason and message of what went wrong in this reconcile.
pub(super) fn sync_conditions(
    conditions: &mut Vec<Condition>,
    vmi: Option<&VirtualMachineInstance>,
    failure: Option<&(ArcStr, ArcStr)>,
    now: Time,
) {
    update_condition(conditions, ready(vmi, now));
    match failure {
        Some((reason, message)) => {
            let failed = Condition::new(arcstr::literal!("Failure"), Truth::True, reason.clone(), now);
            update_condition(conditions, failed.with_message(message.clone()));
        }
        None => conditions.retain(|condition| condition.kind != "Failure"),
    }
    // The copies of an instance that is gone stay.
    let Some(vmi) = vmi else { return };
    let is_copied = |condition: &Condition| !OWN.contains(&condition.kind.as_str());
    for condition in vmi.status.conditions.iter().filter(|condition| is_copied(condition)) {
        update_condition(conditions, copy(condition));
    }
    conditions.retain(|condition| {
        !is_copied(condition) || vmi.status.conditions.condition(&condition.kind).is_some()
    });
}

/// Adds a condition, or replaces the one of its type if status or reason differ: another message or time alone changes
/// nothing (`UpdateCondition`).
pub(super) fn update_condition(conditions: &mut Vec<Condition>, new: Condition) {
    match conditions.iter_mut().find(|condition| condition.kind == new.kind) {
        None => conditions.push(new),
        Some(old) if old.status != new.status || old.reason != new.reason => *old = new,
        Some(_) => {}
    }
}

fn ready(vmi: Option<&VirtualMachineInstance>, now: Time) -> Condition {
    let copied = vmi.map(|vmi| vmi.status.conditions.condition("Ready").map(copy));
    let (reason, message) = match copied {
        Some(Some(ready)) => return ready,
        Some(None) => {
            (arcstr::literal!("VMIConditionMissing"), arcstr::literal!("VMI is missing the Ready condition"))
        }
        None => (arcstr::literal!("VMINotExists"), arcstr::literal!("VMI does not exist")),
    };
    let mut ready =
        Condition::new(arcstr::literal!("Ready"), Truth::False, reason, now).with_message(message);
    ready.last_probe_time = Some(now);
    ready
}

/// The fields that a machine's condition has.
fn copy(condition: &Condition) -> Condition {
    Condition {
        kind: condition.kind.clone(),
        status: condition.status,
        reason: condition.reason.clone(),
        message: condition.message.clone(),
        last_transition_time: condition.last_transition_time,
        last_probe_time: condition.last_probe_time,
        ..Condition::default()
    }
}
