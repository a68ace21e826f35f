//! The launcher pod of a virtual machine instance, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/services/template.go`, with 0.59 and 1.3 where they differ. Cluster configuration: the defaults.
//!
//! Commands, mounts, environment, host name and security context are left out: they name the instance, so that no two
//! pods could share a spec, and nothing that is modelled reads them. Binding plugins, virtiofs and hook sidecars are not
//! rendered.

mod compute_resources;
mod containers;
mod disk_images;
mod memory_overhead;
mod node_selector;
mod plugin_devices;
mod security;
mod volumes;

use crate::kind::Kind;
use crate::objects::{
    LocalObjectReference, ObjectMeta, OwnerReference, Pod, PodReadinessGate, PodSpec, StrMap,
    VirtualMachineInstance, VirtualMachineInstanceSpec,
};
use crate::release::KubeVirtRelease;
use arcstr::ArcStr;
use std::sync::Arc;
use std::time::Duration;

pub use memory_overhead::memory_overhead;

/// The image of the compute container and its helpers.
pub(crate) const LAUNCHER_IMAGE: ArcStr = arcstr::literal!("quay.io/kubevirt/virt-launcher:v1");

/// Marks a pod that only makes its claims bind.
pub(crate) const EPHEMERAL_PROVISIONING: &str = "kubevirt.io/ephemeral-provisioning";

/// The migration that a launcher is the target of, by uid (`MigrationJobLabel`).
pub(crate) const MIGRATION_JOB: &str = "kubevirt.io/migrationJobUID";

/// The condition by which the guest's being paused keeps its pod from being Ready.
pub(crate) const UNPAUSED: ArcStr = arcstr::literal!("kubevirt.io/virtual-machine-unpaused");

/// Seconds by which virt-launcher outlasts the guest's grace, and the kubelet's patience virt-launcher.
const GRACE_PERIOD_PADDING: i64 = 15;

/// How long the guest of a launcher gets to shut down before it is destroyed.
pub(crate) fn guest_grace(pod: &PodSpec) -> Duration {
    let seconds = pod.termination_grace_period_seconds.unwrap_or(0).wrapping_sub(2 * GRACE_PERIOD_PADDING);
    Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

/// What rendering the spec of an instance comes to. All instances that share the spec share it.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The pod's spec as the template service makes it.
    pub pod: Arc<PodSpec>,
    /// The same with what pod admission fills in.
    pub admitted: Arc<PodSpec>,
    /// The instance's own spec, where rendering has changed it.
    ///
    /// A memory quantity that Go keeps as a big decimal is shared, not copied, so that the overhead is added to the
    /// instance's own amount too; the reconcile then writes that back.
    pub instance: Option<Arc<VirtualMachineInstanceSpec>>,
}

/// Renders the spec of the launcher pod, or gives what was rendered before for the same spec.
pub fn render_spec(vmi: &VirtualMachineInstance, release: KubeVirtRelease) -> Rendered {
    let spec = &vmi.spec;
    let even = vmi.metadata.annotations.contains_key(compute_resources::EVEN_PARITY);
    if even {
        return render_anew(spec, release, even);
    }
    let (made_for, known) = spec.launcher.get_or_make(|| (release, render_anew(spec, release, even)));
    if *made_for == release { known.clone() } else { render_anew(spec, release, even) }
}

/// Renders the launcher pod of an instance, as virt-controller sends it to the API server (`RenderLaunchManifest`).
pub(crate) fn render(vmi: &VirtualMachineInstance, release: KubeVirtRelease) -> Pod {
    Pod { metadata: metadata(vmi), spec: render_spec(vmi, release).pod, ..Pod::default() }
}

/// The metadata of the launcher pod; the name is left to the API server.
pub(crate) fn metadata(vmi: &VirtualMachineInstance) -> ObjectMeta {
    let meta = &vmi.metadata;
    ObjectMeta {
        generate_name: arcstr::format!("virt-launcher-{}-", meta.name),
        namespace: meta.namespace.clone(),
        labels: labels(vmi),
        annotations: annotations(vmi),
        owner_references: vec![OwnerReference {
            api_version: arcstr::literal!("kubevirt.io/v1"),
            kind: arcstr::literal!("VirtualMachineInstance"),
            name: meta.name.clone(),
            uid: meta.uid.clone(),
            controller: true,
            block_owner_deletion: true,
        }]
        .into(),
        ..ObjectMeta::default()
    }
}

/// `podLabels`.
fn labels(vmi: &VirtualMachineInstance) -> StrMap {
    let mut labels = vmi.metadata.labels.clone();
    labels.insert(arcstr::literal!("kubevirt.io"), arcstr::literal!("virt-launcher"));
    labels.insert(arcstr::literal!("kubevirt.io/created-by"), vmi.metadata.uid.clone());
    labels.insert(arcstr::literal!("vm.kubevirt.io/name"), host_name(vmi));
    labels.insert(arcstr::literal!("vmi.kubevirt.io/id"), label_value(&vmi.metadata.name));
    labels
}

/// `generatePodAnnotations`.
fn annotations(vmi: &VirtualMachineInstance) -> StrMap {
    const KEPT_BACK: [&str; 3] = [
        "kubectl.kubernetes.io",
        "kubevirt.io/storage-observed-api-version",
        "kubevirt.io/latest-observed-api-version",
    ];
    let own = vmi.metadata.annotations.iter();
    let mut annotations: StrMap = own
        .filter(|(key, _)| !KEPT_BACK.iter().any(|prefix| key.starts_with(prefix)))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    annotations.insert(arcstr::literal!("kubevirt.io/domain"), vmi.metadata.name.clone());
    annotations
        .insert(arcstr::literal!("kubectl.kubernetes.io/default-container"), arcstr::literal!("compute"));
    annotations.insert(arcstr::literal!("kubevirt.io/migrationTransportUnix"), arcstr::literal!("true"));
    annotations.insert(arcstr::literal!("descheduler.alpha.kubernetes.io/request-evict-only"), ArcStr::new());
    annotations
}

/// `SanitizeHostname`: the instance's name up to its first dot, if no other is asked for.
fn host_name(vmi: &VirtualMachineInstance) -> ArcStr {
    let asked = vmi.spec.rest.get("hostname").and_then(serde_json::Value::as_str).unwrap_or_default();
    if !asked.is_empty() {
        return asked.into();
    }
    match vmi.metadata.name.split_once('.') {
        Some((first, _)) => label_value(&first.into()),
        None => label_value(&vmi.metadata.name),
    }
}

/// A name cut to the length of a label value.
fn label_value(name: &ArcStr) -> ArcStr {
    name.get(..63).map_or_else(|| name.clone(), ArcStr::from)
}

fn render_anew(spec: &VirtualMachineInstanceSpec, release: KubeVirtRelease, even_parity: bool) -> Rendered {
    let overhead = memory_overhead(spec, release);
    let resources = compute_resources::render(spec, &overhead, even_parity);
    let instance = resources.changed.map(|domain| {
        let mut changed = spec.clone();
        changed.domain.resources = domain.resources;
        changed.domain.memory = domain.memory;
        Arc::new(changed)
    });
    // The other containers look at the instance after it has changed: limits that were its requests may be so no longer.
    let containers::Containers { containers, init_containers } =
        containers::render(instance.as_deref().unwrap_or(spec), release, resources.list);
    let grace = spec.termination_grace_period_seconds.unwrap_or(30);
    let pod = PodSpec {
        containers,
        init_containers,
        volumes: volumes::render(spec, release),
        image_pull_secrets: pull_secrets(spec),
        restart_policy: arcstr::literal!("Never"),
        termination_grace_period_seconds: Some(grace.wrapping_add(2 * GRACE_PERIOD_PADDING)),
        node_selector: node_selector::node_selector(spec, release),
        affinity: node_selector::affinity(spec),
        tolerations: spec.tolerations.clone(),
        topology_spread_constraints: spec.topology_spread_constraints.clone(),
        priority_class_name: spec.priority_class_name.clone(),
        scheduler_name: spec.scheduler_name.clone(),
        readiness_gates: vec![PodReadinessGate { condition_type: UNPAUSED }],
        ..PodSpec::default()
    };
    let admitted = crate::admission::pod::admitted(pod.clone());
    Rendered { pod: Arc::new(pod), admitted, instance }
}

/// `imgPullSecrets`: each Secret that an image names, once.
fn pull_secrets(spec: &VirtualMachineInstanceSpec) -> Vec<LocalObjectReference> {
    let mut secrets: Vec<LocalObjectReference> = Vec::new();
    for (_, disk) in disk_images::of(spec) {
        let secret = LocalObjectReference { name: disk.image_pull_secret };
        if !secret.name.is_empty() && !secrets.contains(&secret) {
            secrets.push(secret);
        }
    }
    secrets
}

/// The instance that controls a pod, if one does.
pub(crate) fn instance_of(pod: &Pod) -> Option<&OwnerReference> {
    pod.metadata.controller().filter(|owner| owner.kind == Kind::VirtualMachineInstance.as_str())
}
