//! `stuckvm vmi`.

use super::objects::StoredObjects;
use super::{CommandResult, print};
use serde::Serialize;
use stuckvm_sim::KubeVirtRelease;
use stuckvm_sim::kubevirt::{InstanceStatus, reconcile_instances};

/// What the VMI controller looks at.
const KINDS: [&str; 5] =
    ["VirtualMachineInstance", "VirtualMachine", "Pod", "PersistentVolumeClaim", "DataVolume"];

pub(super) fn run(arguments: &StoredObjects) -> CommandResult {
    let (input, now) = arguments.read(&KINDS)?;
    for instance in reconcile_instances(&input.objects, now, KubeVirtRelease::default())? {
        print(&serde_json::to_string(&Line::of(&instance))?);
    }
    Ok(input.exit_code())
}

/// A line of the answer.
#[derive(Serialize)]
struct Line<'a> {
    namespace: &'a str,
    name: &'a str,
    phase: &'a str,
    conditions: Vec<Condition<'a>>,
}

/// A condition without its times: no time passes.
#[derive(Serialize)]
struct Condition<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    reason: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    message: &'a str,
}

impl<'a> Line<'a> {
    fn of(instance: &'a InstanceStatus) -> Self {
        let conditions = instance.conditions.iter().map(|condition| Condition {
            kind: &condition.kind,
            status: condition.status.as_str(),
            reason: &condition.reason,
            message: &condition.message,
        });
        Self {
            namespace: &instance.namespace,
            name: &instance.name,
            phase: &instance.phase,
            conditions: conditions.collect(),
        }
    }
}
