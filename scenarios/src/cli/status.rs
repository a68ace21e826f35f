//! `stuckvm status`.

use super::objects::{Sources, Taken};
use super::{CommandResult, print, time};
use clap::Args;
use serde::Serialize;
use stuckvm_detector::Time;
use stuckvm_sim::{Config, VmStatus, statuses};

/// What the status function looks at.
const KINDS: [&str; 4] = ["VirtualMachine", "VirtualMachineInstance", "DataVolume", "PersistentVolumeClaim"];

/// What `status` takes.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// When virt-controller looks; the newest timestamp in the input without it.
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<Time>,
}

pub(super) fn run(arguments: &Arguments) -> CommandResult {
    let input = arguments.sources.read(&KINDS, Taken::AsStored)?;
    let now = arguments.now.or(input.newest).unwrap_or_else(|| Config::default().start);
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
