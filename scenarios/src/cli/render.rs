//! `stuckvm render`.

use super::objects::{Sources, Taken};
use super::{BAD_INPUT, CommandResult, Format, print, tell};
use clap::Args;
use std::process::ExitCode;
use std::sync::Arc;
use stuckvm_sim::kubevirt::{InstanceTypes, render};
use stuckvm_sim::manifest::to_yaml;
use stuckvm_sim::objects::Pod;
use stuckvm_sim::{KubeVirtRelease, Object};

/// What `render` takes.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    sources: Sources,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> CommandResult {
    let kinds = [&["VirtualMachine", "VirtualMachineInstance"][..], &InstanceTypes::KINDS].concat();
    let input = arguments.sources.read(&kinds, Taken::AsStored)?;
    let types = InstanceTypes::of(&input.manifests);
    let mut code = input.exit_code();
    for object in &input.objects {
        match render(object, &types, KubeVirtRelease::default()) {
            Ok(pod) => pod.into_iter().for_each(|pod| show(pod, format)),
            Err(error) => {
                tell(error);
                code = ExitCode::from(BAD_INPUT);
            }
        }
    }
    Ok(code)
}

fn show(pod: Pod, format: Format) {
    let value = Object::Pod(Arc::new(pod)).to_value();
    print(&match format {
        Format::Json => value.to_string(),
        Format::Text => format!("---\n{}", to_yaml(&value).trim_end()),
    });
}
