//! Where a launcher may run, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/services/nodeselectorrenderer.go` and `template.go`.

use crate::objects::{
    Affinity, NodeSelectorRequirement, NodeSelectorTerm, StrMap, VirtualMachineInstanceSpec,
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
    let Some(cpu) = spec.domain.cpu.as_ref().filter(|cpu| !cpu.model.is_empty()) else { return selector };
    if !matches!(cpu.model.as_str(), "host-model" | "host-passthrough") {
        require(arcstr::format!("cpu-model.node.kubevirt.io/{}", cpu.model));
    }
    let features = cpu.rest.get("features").and_then(Value::as_array).into_iter().flatten();
    for feature in features {
        let text = |field: &str| feature.get(field).and_then(Value::as_str).unwrap_or_default();
        if matches!(text("policy"), "" | "require") {
            require(arcstr::format!("cpu-feature.node.kubevirt.io/{}", text("name")));
        }
    }
    selector
}

/// The instance's own affinity and, for the host's CPU model, no node whose model is obsolete (`setNodeAffinityForPod`).
pub(super) fn affinity(spec: &VirtualMachineInstanceSpec) -> Option<Affinity> {
    let model = spec.domain.cpu.as_ref().map_or("", |cpu| cpu.model.as_str());
    if model != "host-model" {
        return spec.affinity.clone();
    }
    let requirement = NodeSelectorRequirement {
        key: arcstr::literal!("node-labeller.kubevirt.io/obsolete-host-model"),
        operator: arcstr::literal!("DoesNotExist"),
        ..NodeSelectorRequirement::default()
    };
    let mut affinity = spec.affinity.clone().unwrap_or_default();
    let required = affinity.node_affinity.get_or_insert_default().required.get_or_insert_default();
    if required.node_selector_terms.is_empty() {
        required.node_selector_terms.push(NodeSelectorTerm::default());
    }
    for term in &mut required.node_selector_terms {
        term.match_expressions.push(requirement.clone());
    }
    Some(affinity)
}
