//! Samples as Prometheus' text format: each family with its help and type.
//!
//! KubeVirt main of August 2026: the texts of `vmstats_collector.go` and `vmistats_collector.go`. As a registry of
//! client_golang does, families come in the order of their names.

use crate::metrics::Sample;
use std::fmt::Write as _;

/// Name, type and help of each family, by name.
const FAMILIES: [(&str, &str, &str); 7] = [
    (
        "kubevirt_vm_error_status_last_transition_timestamp_seconds",
        "counter",
        "Virtual Machine last transition timestamp to error status.",
    ),
    ("kubevirt_vm_info", "gauge", "Information about Virtual Machines."),
    (
        "kubevirt_vm_migrating_status_last_transition_timestamp_seconds",
        "counter",
        "Virtual Machine last transition timestamp to migrating status.",
    ),
    (
        "kubevirt_vm_non_running_status_last_transition_timestamp_seconds",
        "counter",
        "Virtual Machine last transition timestamp to paused/stopped status.",
    ),
    (
        "kubevirt_vm_running_status_last_transition_timestamp_seconds",
        "counter",
        "Virtual Machine last transition timestamp to running status.",
    ),
    (
        "kubevirt_vm_starting_status_last_transition_timestamp_seconds",
        "counter",
        "Virtual Machine last transition timestamp to starting status.",
    ),
    ("kubevirt_vmi_info", "gauge", "Information about VirtualMachineInstances."),
];

/// The text of a scrape; a family without samples is left out. Samples of a family keep their order.
///
/// ```
/// # use stuckvm_sim::{exposition::exposition, metrics::Sample};
/// let sample = Sample { metric: "kubevirt_vm_info", labels: vec![("name", "vm1".into())], value: 1 };
/// let text = "# HELP kubevirt_vm_info Information about Virtual Machines.\n# TYPE kubevirt_vm_info gauge\n";
/// assert_eq!(exposition(&[sample]), format!("{text}kubevirt_vm_info{{name=\"vm1\"}} 1\n"));
/// ```
pub fn exposition(samples: &[Sample]) -> String {
    let known = |sample: &Sample| FAMILIES.iter().any(|(name, ..)| *name == sample.metric);
    assert!(samples.iter().all(known), "every metric has its help");
    let mut text = String::new();
    for (name, kind, help) in FAMILIES {
        let mut family = samples.iter().filter(|sample| sample.metric == name).peekable();
        if family.peek().is_some() {
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        }
        for sample in family {
            let _ = writeln!(text, "{sample}");
        }
    }
    text
}
