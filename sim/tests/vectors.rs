//! The vectors: small worlds with the answers of the real code, one trial a suite.
//!
//! `cargo test vectors -- --nocapture` prints a line a suite, `quantities 530/530`, and below it the first five cases
//! that disagree. `STUCKVM_VECTORS` names another folder of the same layout; floors hold for the project's own only.

#[path = "vectors/datavolume_environment.rs"]
mod datavolume_environment;
#[path = "vectors/datavolume_history.rs"]
mod datavolume_history;
#[path = "vectors/datavolume_step.rs"]
mod datavolume_step;
#[path = "vectors/datavolume_steps.rs"]
mod datavolume_steps;
#[path = "vectors/files.rs"]
mod files;
#[path = "vectors/images.rs"]
mod images;
#[path = "vectors/launcher.rs"]
mod launcher;
#[path = "vectors/nodes.rs"]
mod nodes;
#[path = "vectors/patches.rs"]
mod patches;
#[path = "vectors/pod_status.rs"]
mod pod_status;
#[path = "vectors/pod_timeline.rs"]
mod pod_timeline;
#[path = "vectors/quantities.rs"]
mod quantities;
#[path = "vectors/schedule.rs"]
mod schedule;
#[path = "vectors/status.rs"]
mod status;
#[path = "vectors/status_backoff.rs"]
mod status_backoff;
#[path = "vectors/status_chain.rs"]
mod status_chain;
#[path = "vectors/status_chain_environment.rs"]
mod status_chain_environment;
#[path = "vectors/status_conditions.rs"]
mod status_conditions;
#[path = "vectors/status_metrics.rs"]
mod status_metrics;
#[path = "vectors/status_releases.rs"]
mod status_releases;
#[path = "vectors/suite.rs"]
mod suite;
#[path = "vectors/vmi.rs"]
mod vmi;
#[path = "vectors/volume_world.rs"]
mod volume_world;
#[path = "vectors/volumes_history.rs"]
mod volumes_history;
#[path = "vectors/volumes_step.rs"]
mod volumes_step;

use std::process::ExitCode;

use suite::Suite;

/// Every suite with a model behind it: the name, what plays one case, and how many cases must agree (`None`: all).
/// A floor may only rise.
const SUITES: &[Suite] = &[
    Suite { name: "datavolume/dv-history", run: datavolume_history::run, floor: None },
    Suite { name: "datavolume/dv-step", run: datavolume_step::run, floor: None },
    Suite { name: "datavolume/import-step", run: datavolume_step::run, floor: None },
    Suite { name: "datavolume/recorded", run: datavolume_step::run, floor: None },
    Suite { name: "kubelet/images", run: images::run, floor: None },
    Suite { name: "kubelet/pod-status", run: pod_status::run, floor: None },
    Suite { name: "kubelet/pod-timeline", run: pod_timeline::run, floor: None },
    Suite { name: "kubelet/recorded", run: pod_status::run, floor: None },
    Suite { name: "launcher/launcher", run: launcher::run, floor: None },
    Suite { name: "launcher/launcher-table", run: launcher::run, floor: None },
    Suite { name: "launcher/recorded", run: launcher::run, floor: None },
    Suite { name: "nodes/lifecycle", run: nodes::run, floor: None },
    Suite { name: "nodes/lifecycle-table", run: nodes::run, floor: None },
    Suite { name: "nodes/podgc", run: nodes::run, floor: None },
    Suite { name: "quantities", run: quantities::run, floor: None },
    Suite { name: "schedule/fit", run: schedule::run, floor: None },
    Suite { name: "schedule/inter-pod", run: schedule::run, floor: None },
    Suite { name: "schedule/preemption-message", run: schedule::run, floor: None },
    Suite { name: "schedule/recorded", run: schedule::run, floor: None },
    Suite { name: "schedule/runbook", run: schedule::run, floor: None },
    Suite { name: "schedule/scoring", run: schedule::run, floor: None },
    Suite { name: "schedule/taints-affinity", run: schedule::run, floor: None },
    Suite { name: "schedule/volumes", run: schedule::run, floor: None },
    Suite { name: "status/backoff", run: status_backoff::run, floor: None },
    Suite { name: "status/chain", run: status_chain::run, floor: None },
    Suite { name: "status/conditions", run: status_conditions::run, floor: None },
    Suite { name: "status/metrics", run: status_metrics::run, floor: None },
    Suite { name: "status/pairs", run: status::run, floor: None },
    Suite { name: "status/random", run: status::run, floor: None },
    Suite { name: "status/recorded", run: status_recorded, floor: None },
    Suite { name: "status/recorded-metrics", run: status_metrics::run, floor: None },
    Suite { name: "status/recorded-releases", run: status_releases::run, floor: None },
    Suite { name: "status/table", run: status::run, floor: None },
    Suite { name: "vmi/recorded", run: vmi::run, floor: None },
    Suite { name: "vmi/vmi-step", run: vmi::run, floor: None },
    Suite { name: "vmi/vmi-table", run: vmi::run, floor: None },
    Suite { name: "volumes/binder-history", run: volumes_history::run, floor: None },
    Suite { name: "volumes/binder-step", run: volumes_step::run, floor: None },
    Suite { name: "volumes/binder-table", run: volumes_step::run, floor: None },
    Suite { name: "volumes/protection", run: volumes_history::run, floor: None },
    Suite { name: "volumes/recorded", run: volumes_recorded, floor: None },
];

/// Of either shape: one sync, or changes over time.
fn volumes_recorded(case: &serde_json::Value) -> Result<(), String> {
    if case.get("sync").is_some() { volumes_step::run(case) } else { volumes_history::run(case) }
}

/// Of either shape: the statuses, or a whole reconcile at an instant.
fn status_recorded(case: &serde_json::Value) -> Result<(), String> {
    if case.get("now").is_some() { status_conditions::run(case) } else { status::run(case) }
}

fn main() -> ExitCode {
    // `scenarios/tests/vectors.rs` plays those: the engine of rules is there.
    suite::run_all(SUITES, &[], |name| !name.starts_with("rules/"))
}
