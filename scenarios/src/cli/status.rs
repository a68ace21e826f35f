//! `stuckvm status`.

use super::objects::StoredObjects;
use super::{CommandResult, print};
use serde::Serialize;
use stuckvm_sim::kubevirt::InstanceTypes;
use stuckvm_sim::{VmStatus, statuses};

/// What the VM controller looks at, beside instance types and preferences.
const KINDS: [&str; 5] =
    ["VirtualMachine", "VirtualMachineInstance", "DataVolume", "PersistentVolumeClaim", "ControllerRevision"];

pub(super) fn run(arguments: &StoredObjects) -> CommandResult {
    let (input, now) = arguments.read(&[&KINDS[..], &InstanceTypes::KINDS].concat())?;
    for vm in statuses(&input.objects, now)? {
        print(&serde_json::to_string(&Line::of(&vm))?);
    }
    Ok(input.exit_code())
}

/// A line of the answer.
#[derive(Serialize)]
struct Line<'a> {
    namespace: &'a str,
    name: &'a str,
    status: &'a str,
    error: bool,
    reconcile: &'a str,
    because: &'a str,
}

impl<'a> Line<'a> {
    fn of(vm: &'a VmStatus) -> Self {
        Self {
            namespace: &vm.namespace,
            name: &vm.name,
            status: vm.status.as_str(),
            error: vm.status.is_error(),
            reconcile: vm.reconcile.as_str(),
            because: &vm.because,
        }
    }
}
