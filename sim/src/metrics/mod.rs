//! What virt-controller exports about machines and instances.
//!
//! KubeVirt main of August 2026: `vmstats_collector.go` and `vmistats_collector.go` in
//! `pkg/monitoring/metrics/virt-controller/`. `kubevirt_vmi_info` came with 1.3 (kubevirt/kubevirt#11906), `kubevirt_vm_info` with 1.4 (#12718).

mod info;

use crate::objects::{VirtualMachine, VirtualMachineInstance};
use crate::release::KubeVirtRelease;
use crate::store::View;
use arcstr::ArcStr;
use info::Infos;
use std::fmt;

/// One series of a scrape. As text it is a line of Prometheus' exposition format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The metric.
    pub metric: &'static str,
    /// The labels in the metric's order; those with an empty value are left out, as Prometheus does.
    pub labels: Vec<(&'static str, ArcStr)>,
    /// Seconds since 1970, or 1, 0 and -1.
    pub value: i64,
}

/// A group of printable statuses that has a metric of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Group {
    Starting,
    Running,
    Migrating,
    NonRunning,
    Error,
}

/// Each group with its metric and its statuses.
const GROUPS: [(Group, &str, &[&str]); 5] = [
    (
        Group::Starting,
        "kubevirt_vm_starting_status_last_transition_timestamp_seconds",
        &["Provisioning", "Starting", "WaitingForVolumeBinding"],
    ),
    (Group::Running, "kubevirt_vm_running_status_last_transition_timestamp_seconds", &["Running"]),
    (Group::Migrating, "kubevirt_vm_migrating_status_last_transition_timestamp_seconds", &["Migrating"]),
    (
        Group::NonRunning,
        "kubevirt_vm_non_running_status_last_transition_timestamp_seconds",
        &["Stopped", "Paused", "Stopping", "Terminating"],
    ),
    (
        Group::Error,
        "kubevirt_vm_error_status_last_transition_timestamp_seconds",
        &[
            "CrashLoopBackOff",
            "Unknown",
            "ErrorUnschedulable",
            "ErrImagePull",
            "ImagePullBackOff",
            "ErrorPvcNotFound",
            "DataVolumeError",
        ],
    ),
];

impl Group {
    /// The label `status_group`.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Migrating => "migrating",
            Self::NonRunning => "non_running",
            Self::Error => "error",
        }
    }

    fn of(status: &str) -> Option<Self> {
        GROUPS.iter().find(|(.., statuses)| statuses.contains(&status)).map(|(group, ..)| *group)
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric)?;
        for (index, (label, value)) in self.labels.iter().enumerate() {
            let value = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
            write!(f, "{}{label}=\"{value}\"", if index == 0 { '{' } else { ',' })?;
        }
        write!(f, "{} {}", if self.labels.is_empty() { "" } else { "}" }, self.value)
    }
}

/// The metrics of machines and of instances.
const INFOS: [&str; 2] = ["kubevirt_vm_info", "kubevirt_vmi_info"];

/// The metrics that some release exports, by name.
pub fn metrics() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().map(|(_, metric, _)| *metric).chain(INFOS)
}

/// Whether a release exports a metric.
///
/// ```
/// use stuckvm_sim::{KubeVirtRelease, metrics::is_exported};
///
/// assert!(is_exported("kubevirt_vmi_info", KubeVirtRelease::V1_3));
/// assert!(!is_exported("kubevirt_vm_info", KubeVirtRelease::V1_3));
/// ```
pub fn is_exported(metric: &str, release: KubeVirtRelease) -> bool {
    match metric {
        "kubevirt_vm_info" => release.profile().exports_vm_info,
        "kubevirt_vmi_info" => release.profile().exports_vmi_info,
        _ => metrics().any(|known| known == metric),
    }
}

/// One scrape of the five timestamp metrics and of what the release has of `kubevirt_vm_info` and `kubevirt_vmi_info`: the
/// machines in order of creation, then the instances.
pub fn scrape(view: View<'_>, release: KubeVirtRelease) -> Vec<Sample> {
    let infos = Infos::new(view, release);
    let vms = view.iter::<VirtualMachine>().flat_map(|(_, vm)| {
        let timestamps = GROUPS.map(|(group, metric, _)| timestamp(vm, group, metric));
        timestamps.into_iter().chain(is_exported(INFOS[0], release).then(|| infos.of_machine(vm)))
    });
    let mut samples: Vec<Sample> = vms.collect();
    if is_exported(INFOS[1], release) {
        samples.extend(view.iter::<VirtualMachineInstance>().map(|(_, vmi)| infos.of_instance(vmi)));
    }
    samples
}

/// The time of the last transition where the machine is in the group, else 0. A status of no group counts as an error.
fn timestamp(vm: &VirtualMachine, group: Group, metric: &'static str) -> Sample {
    let own = Group::of(vm.status.printable_word()).unwrap_or(Group::Error);
    let ObjectNames { name, namespace } = ObjectNames::of(&vm.metadata);
    let value = if own == group { last_transition(vm) } else { 0 };
    Sample { metric, labels: vec![("name", name), ("namespace", namespace)], value }
}

/// The newest transition of the conditions that are asked, in seconds; -1 where there is none. It is not when the
/// printable status changed: nothing records that.
fn last_transition(vm: &VirtualMachine) -> i64 {
    let asked = |kind: &str| ["Ready", "Failure", "Paused"].contains(&kind);
    let conditions = vm.status.conditions.iter().filter(|condition| asked(&condition.kind));
    let newest = conditions.filter_map(|condition| condition.last_transition_time).max();
    newest.map_or(-1, |time| i64::try_from(time.as_secs()).expect("a time of this millennium"))
}

struct ObjectNames {
    name: ArcStr,
    namespace: ArcStr,
}

impl ObjectNames {
    fn of(meta: &crate::objects::ObjectMeta) -> Self {
        Self { name: meta.name.clone(), namespace: meta.namespace.clone() }
    }
}
