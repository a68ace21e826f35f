//! `stuckvm schedule`.

use super::objects::{Sources, Taken};
use super::{CommandResult, Format, explain, print, tell};
use clap::Args;
use serde::Serialize;
use stuckvm_sim::{KubernetesRelease, OneShotOptions, Placement, schedule};

/// What the scheduler looks at.
const KINDS: [&str; 6] =
    ["Node", "Pod", "PersistentVolumeClaim", "PersistentVolume", "StorageClass", "PriorityClass"];

/// What `schedule` takes.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    sources: Sources,
    /// The release of kube-scheduler.
    #[arg(long, value_name = "RELEASE", default_value = "1.36", value_parser = release)]
    release: KubernetesRelease,
    /// Decides where the release draws among equal nodes.
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Also says of each node which plugin rejects it and why, or what it scores: with more keys, and in text on standard
    /// error unless `--format json` is given.
    #[arg(long)]
    explain: bool,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> CommandResult {
    let input = arguments.sources.read(&KINDS, Taken::AsNew)?;
    let Arguments { release, seed, explain, .. } = *arguments;
    for placement in schedule(&input.objects, OneShotOptions { release, seed, node_by_node: explain }) {
        print(&serde_json::to_string(&Line::of(&placement))?);
        if explain && format == Format::Text {
            tell(explain::text(&placement));
        }
    }
    Ok(input.exit_code())
}

fn release(name: &str) -> Result<KubernetesRelease, String> {
    let known = KubernetesRelease::ALL.map(KubernetesRelease::as_str).join(", ");
    KubernetesRelease::parse(name).ok_or_else(|| format!("expected one of {known}"))
}

/// A line of the answer.
#[derive(Serialize)]
struct Line<'a> {
    namespace: &'a str,
    pod: &'a str,
    node: Option<&'a str>,
    feasible: Vec<&'a str>,
    message: Option<&'a str>,
    /// The equals, where the release draws among them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ties: Vec<&'a str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    explanation: Option<explain::Keys<'a>>,
}

impl<'a> Line<'a> {
    fn of(placement: &'a Placement) -> Self {
        let ties = if placement.random_tie { &placement.tied[..] } else { &[] };
        Self {
            namespace: &placement.namespace,
            pod: &placement.pod,
            node: placement.node.as_deref(),
            feasible: placement.feasible.iter().map(|name| name.as_str()).collect(),
            message: placement.message.as_deref(),
            ties: ties.iter().map(|name| name.as_str()).collect(),
            explanation: explain::Keys::of(placement),
        }
    }
}
