//! The launcher on the other node: `createTargetPod` of `migration.go`, `RenderMigrationManifest` of `services/template.go`.
//!
//! Images are named as in the source pod; upstream names those of container disks by the digest that the source runs.

use super::{MIGRATION_JOB_NAME, Pass, host_model};
use crate::context::Context;
use crate::launcher_pod::{self, MIGRATION_JOB};
use crate::objects::{LabelSelector, Pod, PodAffinityTerm, PodSpec, StrMap, VirtualMachineInstance};
use arcstr::ArcStr;
use std::sync::Arc;

/// A launcher like the source's, for another node.
pub(super) fn render(pass: &Pass, source: &Pod, cx: &Context<'_>) -> Result<Pod, ArcStr> {
    let mut metadata = launcher_pod::metadata(&pass.vmi);
    metadata.labels.insert(MIGRATION_JOB, pass.migration.metadata.uid.clone());
    metadata.annotations.insert(MIGRATION_JOB_NAME, pass.migration.metadata.name.clone());
    let rendered = launcher_pod::render_spec(&pass.vmi, cx.config.kubevirt).admitted;
    let mut spec = PodSpec::clone(&rendered);
    let affinity = spec.affinity.get_or_insert_default();
    affinity.pod_anti_affinity.get_or_insert_default().required.push(away_from(&pass.vmi));
    let of_cpu = host_model::selector(pass, source, cx.view())?;
    let added = &pass.migration.spec.added_node_selector;
    let all = added.iter().chain(rendered.node_selector.iter()).chain(of_cpu.iter());
    spec.node_selector = StrMap::new();
    for (key, value) in all {
        spec.node_selector.insert(key.clone(), value.clone());
    }
    if let Some(vendor) = host_model::vendor(pass, &spec.node_selector, cx.view())? {
        spec.node_selector.insert(vendor, arcstr::literal!("true"));
    }
    Ok(Pod { metadata, spec: Arc::new(spec), ..Pod::default() })
}

/// Never beside another launcher of the instance (`createMigrationPodAntiAffinityRule`).
fn away_from(vmi: &VirtualMachineInstance) -> PodAffinityTerm {
    let mut match_labels = StrMap::new();
    match_labels.insert(arcstr::literal!("kubevirt.io/created-by"), vmi.metadata.uid.clone());
    PodAffinityTerm {
        label_selector: Some(LabelSelector { match_labels, ..LabelSelector::default() }),
        topology_key: arcstr::literal!("kubernetes.io/hostname"),
        ..PodAffinityTerm::default()
    }
}
