//! Which taints conditions ask for, and how taints are set, Kubernetes 1.36.2:
//! `pkg/controller/nodelifecycle/node_lifecycle_controller.go` (`doNoScheduleTaintingPass`, `reconcileNodeLabels`),
//! `pkg/util/taints/taints.go`.

use crate::objects::{Node, Taint, Truth};
use arcstr::ArcStr;
use stuckvm_detector::Time;

/// The node's kubelet says that it is not ready.
pub(super) const NOT_READY: ArcStr = arcstr::literal!("node.kubernetes.io/not-ready");
/// The node's kubelet says nothing.
pub(super) const UNREACHABLE: ArcStr = arcstr::literal!("node.kubernetes.io/unreachable");
/// Evicts.
pub(super) const NO_EXECUTE: ArcStr = arcstr::literal!("NoExecute");
/// Keeps new pods away.
pub(super) const NO_SCHEDULE: ArcStr = arcstr::literal!("NoSchedule");

const UNSCHEDULABLE: ArcStr = arcstr::literal!("node.kubernetes.io/unschedulable");

/// `nodeConditionToTaintKeyStatusMap`: a condition, its status and the key of the NoSchedule taint.
static CONDITION_TAINTS: [(&str, Truth, ArcStr); 6] = [
    ("Ready", Truth::False, NOT_READY),
    ("Ready", Truth::Unknown, UNREACHABLE),
    ("MemoryPressure", Truth::True, arcstr::literal!("node.kubernetes.io/memory-pressure")),
    ("DiskPressure", Truth::True, arcstr::literal!("node.kubernetes.io/disk-pressure")),
    ("NetworkUnavailable", Truth::True, arcstr::literal!("node.kubernetes.io/network-unavailable")),
    ("PIDPressure", Truth::True, arcstr::literal!("node.kubernetes.io/pid-pressure")),
];

/// `labelReconcileInfo`: the label, and the old one that must say the same.
static LABELS: [(&str, &str); 2] =
    [("kubernetes.io/os", "beta.kubernetes.io/os"), ("kubernetes.io/arch", "beta.kubernetes.io/arch")];

/// Whether a node has the NoExecute taint of a key.
pub(super) fn evicts(node: &Node, key: &str) -> bool {
    has(&node.spec.taints, key, &NO_EXECUTE)
}

/// Sets a taint, in its place if the node has it.
pub(super) fn set(taints: &mut Vec<Taint>, key: &ArcStr, effect: &ArcStr, now: Time) {
    let taint = Taint { key: key.clone(), effect: effect.clone(), time_added: Some(now), ..Taint::default() };
    match taints.iter_mut().find(|found| found.key == *key && found.effect == *effect) {
        Some(found) => *found = taint,
        None => taints.push(taint),
    }
}

/// Takes a taint away.
pub(super) fn unset(taints: &mut Vec<Taint>, key: &str, effect: &str) {
    taints.retain(|taint| taint.key != key || taint.effect != effect);
}

/// The NoSchedule taints that a node lacks, and those that it has without cause.
pub(super) fn no_schedule_changes(node: &Node) -> (Vec<ArcStr>, Vec<ArcStr>) {
    let wanted = wanted(node);
    let taints = node.spec.taints.iter().filter(|taint| taint.effect == NO_SCHEDULE);
    let present: Vec<&ArcStr> = taints.map(|taint| &taint.key).filter(|key| is_ours(key)).collect();
    let missing = wanted.iter().filter(|key| !present.contains(key)).cloned().collect();
    let left_over = present.into_iter().filter(|key| !wanted.contains(key)).cloned().collect();
    (missing, left_over)
}

/// The old labels that must be set, with their values.
pub(super) fn label_changes(node: &Node) -> Vec<(&'static str, ArcStr)> {
    let labels = &node.metadata.labels;
    let change = |(new, old): &(&'static str, &'static str)| {
        let value = labels.get(new)?;
        (labels.get(old) != Some(value)).then(|| (*old, value.clone()))
    };
    LABELS.iter().filter_map(change).collect()
}

fn wanted(node: &Node) -> Vec<ArcStr> {
    let mut keys = Vec::new();
    for condition in &node.status.conditions {
        let asks = |(kind, status, _): &&(&str, Truth, ArcStr)| {
            condition.kind == *kind && condition.status == *status
        };
        keys.extend(CONDITION_TAINTS.iter().find(asks).map(|(.., key)| key.clone()));
    }
    if node.spec.unschedulable {
        keys.push(UNSCHEDULABLE);
    }
    keys
}

fn is_ours(key: &ArcStr) -> bool {
    *key == UNSCHEDULABLE || CONDITION_TAINTS.iter().any(|(.., ours)| ours == key)
}

fn has(taints: &[Taint], key: &str, effect: &str) -> bool {
    taints.iter().any(|taint| taint.key == key && taint.effect == effect)
}
