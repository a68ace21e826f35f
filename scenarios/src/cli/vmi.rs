//! `stuckvm vmi`.

use super::objects::{Sources, Taken};
use super::{CommandResult, print, time};
use clap::Args;
use serde::Serialize;
use stuckvm_detector::Time;
use stuckvm_sim::kubevirt::{InstanceStatus, reconcile_instances};
use stuckvm_sim::{Config, KubeVirtRelease};

/// What the VMI controller looks at.
const KINDS: [&str; 5] =
    ["VirtualMachineInstance", "VirtualMachine", "Pod", "PersistentVolumeClaim", "DataVolume"];

/// What `vmi` takes.
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
