//! Where a launcher may run, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/services/nodeselectorrenderer.go` and `template.go`.

use super::security;
use crate::objects::{
    Affinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, StrMap, VirtualMachineInstanceSpec,
};
use crate::release::KubeVirtRelease;
use arcstr::ArcStr;
use serde_json::Value;

/// Labels that the node must have. Labels for machine types are there since 1.5, those for architectures since 1.0.
pub(super) fn node_selector(spec: &VirtualMachineInstanceSpec, release: KubeVirtRelease) -> StrMap {
    let mut selector = StrMap::new();
    selector.insert(arcstr::literal!("kubevirt.io/schedulable"), arcstr::literal!("true"));
    if !spec.architecture.is_empty() && release.profile().selects_architecture {
        selector.insert(arcstr::literal!("kubernetes.io/arch"), spec.architecture.to_lowercase());
    }
    for (key, value) in spec.node_selector.iter() {
        selector.insert(key.clone(), value.clone());
    }
    let mut require = |label: ArcStr| selector.insert(label, arcstr::literal!("true"));
    if spec.has_dedicated_cpus() {
        require(arcstr::literal!("kubevirt.io/cpumanager"));
    }
    let machine = spec.domain.rest.get("machine").and_then(|machine| machine.get("type"));
    let machine = machine.and_then(Value::as_str).filter(|_| release.profile().selects_machine_type);
    if let Some(machine) = machine {
        require(arcstr::format!("machine-type.node.kubevirt.io/{machine}"));
    }
    for label in capabilities(spec) {
        require(label);
    }
    let Some(cpu) = spec.domain.cpu.as_ref().filter(|cpu| !cpu.model.is_empty()) else { return selector };
    if !matches!(cpu.model.as_str(), "host-model" | "host-passthrough") {
        require(arcstr::format!("cpu-model.node.kubevirt.io/{}", cpu.model));
    }
    for (policy, label) in features(spec) {
        if matches!(policy, "" | "require") {
            require(label);
        }
    }
    selector
}

/// What only some hosts can do.
fn capabilities(spec: &VirtualMachineInstanceSpec) -> impl Iterator<Item = ArcStr> {
    let cpu = spec.domain.cpu.as_ref();
    let realtime = cpu.and_then(|cpu| cpu.rest.get("realtime")).is_some_and(|realtime| !realtime.is_null());
    [
        (realtime, arcstr::literal!("kubevirt.io/realtime")),
        (security::has_sev(spec), arcstr::literal!("kubevirt.io/sev")),
        (security::has_sev_es(spec), arcstr::literal!("kubevirt.io/sev-es")),
        (security::has_sev_snp(spec), arcstr::literal!("kubevirt.io/sev-snp")),
        (security::has_secure_execution(spec), arcstr::literal!("kubevirt.io/s390-pv")),
        (security::has_tdx(spec), arcstr::literal!("kubevirt.io/tdx")),
    ]
    .into_iter()
    .filter_map(|(needed, label)| needed.then_some(label))
}

/// Features of the CPU that the instance has a policy for: the policy and the label of nodes that have the feature.
fn features(spec: &VirtualMachineInstanceSpec) -> impl Iterator<Item = (&str, ArcStr)> {
    let list = spec.domain.cpu.as_ref().and_then(|cpu| cpu.rest.get("features")?.as_array());
    list.into_iter().flatten().map(|feature| {
        let label = arcstr::format!("cpu-feature.node.kubevirt.io/{}", text(feature, "name"));
        (text(feature, "policy"), label)
    })
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// The instance's own affinity, and what a node must not have (`setNodeAffinityForPod`): for the host's CPU model an obsolete
/// model, and features that are forbidden.
pub(super) fn affinity(spec: &VirtualMachineInstanceSpec) -> Option<Affinity> {
    let model = spec.domain.cpu.as_ref().map_or("", |cpu| cpu.model.as_str());
    let of_host = matches!(model, "" | "host-model");
    let obsolete = of_host.then_some(arcstr::literal!("node-labeller.kubevirt.io/obsolete-host-model"));
    let forbidden = features(spec).filter(|(policy, _)| *policy == "forbid").map(|(_, label)| label);
    let mut affinity = spec.affinity.clone();
    for label in obsolete.into_iter().chain(forbidden) {
        reject(affinity.get_or_insert_default(), label);
    }
    affinity
}

/// Keeps the pod from nodes with the label, whichever of the terms they match (`modifyNodeAffintyToRejectLabel`).
fn reject(affinity: &mut Affinity, label: ArcStr) {
    let requirement = NodeSelectorRequirement {
        key: label,
        operator: arcstr::literal!("DoesNotExist"),
        ..NodeSelectorRequirement::default()
    };
    let required = affinity
        .node_affinity
        .get_or_insert_default()
        .required
        .get_or_insert_with(|| NodeSelector { node_selector_terms: vec![NodeSelectorTerm::default()] });
    for term in &mut required.node_selector_terms {
        term.match_expressions.push(requirement.clone());
    }
}
