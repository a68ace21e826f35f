//! `stuckvm status`.

use super::objects::StoredObjects;
use super::{CommandResult, print};
use clap::Args;
use serde::Serialize;
use stuckvm_sim::kubevirt::InstanceTypes;
use stuckvm_sim::{KubeVirtRelease, VmStatus, statuses};

/// What the VM controller looks at, beside instance types and preferences.
const KINDS: [&str; 5] =
    ["VirtualMachine", "VirtualMachineInstance", "DataVolume", "PersistentVolumeClaim", "ControllerRevision"];

/// What `status` takes.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    stored: StoredObjects,
    /// The release of KubeVirt.
    #[arg(long, value_name = "RELEASE", default_value = "main-2026-08", value_parser = release)]
    release: KubeVirtRelease,
}

pub(super) fn run(arguments: &Arguments) -> CommandResult {
    let (input, now) = arguments.stored.read(&[&KINDS[..], &InstanceTypes::KINDS].concat())?;
    for vm in statuses(&input.objects, arguments.release, now)? {
        print(&serde_json::to_string(&Line::of(&vm))?);
    }
    Ok(input.exit_code())
}

fn release(name: &str) -> Result<KubeVirtRelease, String> {
    let known = KubeVirtRelease::ALL.map(KubeVirtRelease::as_str).join(", ");
    KubeVirtRelease::parse(name).ok_or_else(|| format!("expected one of {known}"))
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
