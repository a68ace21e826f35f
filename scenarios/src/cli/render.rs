//! `stuckvm render`.

use super::objects::{Sources, Taken};
use super::{BAD_INPUT, CommandResult, Format, print, tell};
use clap::Args;
use std::process::ExitCode;
use std::sync::Arc;
use stuckvm_sim::kubevirt::{InstanceTypeError, InstanceTypes, RenderError, render};
use stuckvm_sim::manifest::to_yaml;
use stuckvm_sim::objects::Pod;
use stuckvm_sim::{KubeVirtRelease, Object};

const EXPECTED: &str = "a template, and an instance type and a preference that go with it";
const REPEATED: &str = "-f may be repeated; without `kind` the cluster's own is meant";

/// What `render` takes.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    sources: Sources,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> CommandResult {
    let kinds = [&["VirtualMachine", "VirtualMachineInstance"][..], &InstanceTypes::KINDS].concat();
    let input = arguments.sources.read(&kinds, Taken::AsStored)?;
    let types = InstanceTypes::of(&input.objects);
    let mut code = input.exit_code();
    for (number, object) in input.objects.iter().enumerate() {
        match render(object, &types, KubeVirtRelease::default()) {
            Ok(pod) => pod.into_iter().for_each(|pod| show(pod, format)),
            Err(error) => {
                let (field, advice) = place_and_advice(&error);
                tell(input.error(number, field, [EXPECTED, &error.to_string(), advice]));
                code = ExitCode::from(BAD_INPUT);
            }
        }
    }
    Ok(code)
}

/// Which field of the machine it is about, and what to try.
fn place_and_advice(error: &RenderError) -> (&'static str, &'static str) {
    let RenderError::InstanceType { source, .. } = error else {
        return ("spec.template", "write one, or render the instance");
    };
    match source {
        InstanceTypeError::NotInInput(name) if name.contains("Preference") => ("spec.preference", REPEATED),
        InstanceTypeError::NotInInput(_) => ("spec.instancetype", REPEATED),
        InstanceTypeError::Inferred { field: "preference" } => ("spec.preference", "write its name and kind"),
        InstanceTypeError::Inferred { .. } => ("spec.instancetype", "write its name and kind"),
        InstanceTypeError::UnexpectedKind { matcher: "PreferenceMatcher", .. } => {
            ("spec.preference.kind", "VirtualMachinePreference, or VirtualMachineClusterPreference")
        }
        InstanceTypeError::UnexpectedKind { .. } => {
            ("spec.instancetype.kind", "VirtualMachineInstancetype, or VirtualMachineClusterInstancetype")
        }
        InstanceTypeError::Conflicts(_) => ("spec.template", "leave these fields to the instance type"),
    }
}

fn show(pod: Pod, format: Format) {
    let value = Object::Pod(Arc::new(pod)).to_value();
    print(&match format {
        Format::Json => value.to_string(),
        Format::Text => format!("---\n{}", to_yaml(&value).trim_end()),
    });
}
