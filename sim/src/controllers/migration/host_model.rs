//! What the CPU of another node must be: `prepareNodeSelectorForHostCpuModel`, `getCPUVendorLabelKey` and
//! `alertIfHostModelIsUnschedulable` of `migration.go`.

use super::Pass;
use crate::context::{Context, EventType};
use crate::objects::{Node, Pod, StrMap, VirtualMachineInstance};
use crate::store::View;
use arcstr::ArcStr;

/// A node's own CPU model, by its name behind the slash (`HostModelCPULabel`).
pub(crate) const HOST_MODEL: &str = "host-model-cpu.node.kubevirt.io/";

/// The models that a node can take guests of (`SupportedHostModelMigrationCPU`).
const MIGRATION_MODEL: &str = "cpu-model-migration.node.kubevirt.io/";

/// The features that belong to a node's own model, and those that it has (`HostModelRequiredFeaturesLabel`, `CPUFeatureLabel`).
const REQUIRED_FEATURE: &str = "host-model-required-features.node.kubevirt.io/";
const FEATURE: &str = "cpu-feature.node.kubevirt.io/";

/// Who made a node's CPU (`CPUModelVendorLabel`).
const VENDOR: &str = "cpu-vendor.node.kubevirt.io/";

/// Whether the guest has its node's CPU model.
pub(crate) fn has_host_model(vmi: &VirtualMachineInstance) -> bool {
    vmi.spec.domain.cpu.as_ref().is_some_and(|cpu| cpu.model == "host-model")
}

/// Whether a node has said which CPU model it is.
pub(crate) fn is_known(node: &Node) -> bool {
    node.metadata.labels.iter().any(|(key, _)| key.starts_with(HOST_MODEL))
}

/// What a target's node must have for the guest's CPU; nothing where the guest does not have its node's.
pub(super) fn selector(pass: &Pass, source: &Pod, view: View<'_>) -> Result<StrMap, ArcStr> {
    if !has_host_model(&pass.vmi) {
        return Ok(StrMap::new());
    }
    let node = node(pass, view)?;
    let moved_before = required(&source.spec.node_selector);
    if !moved_before.is_empty() {
        return Ok(moved_before);
    }
    if !is_known(node) {
        // Upstream forgets the error that it makes here.
        return Ok(StrMap::new());
    }
    let renamed = |(key, value): (&ArcStr, &ArcStr)| {
        let names = [(HOST_MODEL, MIGRATION_MODEL), (REQUIRED_FEATURE, FEATURE)];
        let mut found =
            names.into_iter().filter_map(|(from, to)| Some(format!("{to}{}", key.strip_prefix(from)?)));
        found.next().map(|key| (ArcStr::from(key), value.clone()))
    };
    Ok(node.metadata.labels.iter().filter_map(renamed).collect())
}

/// The label by which the target's node has a CPU of the same make, if neither the selector says so nor the node does not.
pub(super) fn vendor(pass: &Pass, selector: &StrMap, view: View<'_>) -> Result<Option<ArcStr>, ArcStr> {
    let key =
        |labels: &StrMap| labels.iter().map(|(key, _)| key).find(|key| key.starts_with(VENDOR)).cloned();
    if key(selector).is_some() { Ok(None) } else { Ok(key(&node(pass, view)?.metadata.labels)) }
}

/// The instance's node (`getNodeForVMI`).
fn node<'a>(pass: &Pass, view: View<'a>) -> Result<&'a Node, ArcStr> {
    let name = &pass.vmi.status.node_name;
    let found = view.named::<Node>("", name).map(|(_, node)| &**node);
    found.ok_or_else(|| {
        let vmi = &pass.vmi.metadata.name;
        arcstr::format!("node \"{name}\" associated with vmi \"{vmi}\" does not exist")
    })
}

/// What a selector asks of a node's CPU.
fn required(selector: &StrMap) -> StrMap {
    let of_cpu = |key: &str| key.contains(FEATURE) || key.contains(MIGRATION_MODEL);
    let found = selector.iter().filter(|(key, _)| of_cpu(key));
    found.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Says so if no other node has the CPU that the guest needs.
pub(super) fn warn_of_missing_nodes(pass: &Pass, target: &Pod, cx: &mut Context<'_>) {
    if !has_host_model(&pass.vmi) {
        return;
    }
    let required = required(&target.spec.node_selector);
    let fits = |node: &Node| required.iter().all(|(key, value)| node.metadata.labels.has(key, value));
    let source = &pass.vmi.status.node_name;
    let suits = |(_, node): (_, &std::sync::Arc<Node>)| node.metadata.name != *source && fits(node);
    if cx.view().iter::<Node>().any(suits) {
        return;
    }
    let shown: Vec<String> = required.iter().map(|(key, value)| format!("{key}:{value}")).collect();
    let message = format!(
        "Migration cannot proceed since no node is suitable to run the required CPU model / required features: map[{}]",
        shown.join(" ")
    );
    cx.event(&*pass.vmi, EventType::Warning, "NoSuitableNodesForHostModelMigration", &message);
}
