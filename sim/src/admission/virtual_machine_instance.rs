//! Defaults of a virtual machine instance, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go` and `pkg/defaults/defaults.go`, with 0.59 and 1.3
//! where they differ.
//!
//! Left out is what nothing that is modelled reads: firmware uuids, disk buses, hot plug maxima, topology in the status.

use super::Admit;
use crate::config::Config;
use crate::controllers::virtual_machine_instance::OBSERVED_API_VERSIONS;
use crate::objects::{
    ContainerDisk, Cpu, Domain, PhaseTransition, VirtualMachineInstance, VirtualMachineInstanceSpec,
};
use crate::quantity::Quantity;
use crate::release::KubeVirtRelease;
use crate::store::View;
use arcstr::ArcStr;
use serde_json::{Value, json};
use std::sync::Arc;
use stuckvm_detector::Time;

impl Admit for VirtualMachineInstance {
    /// Fills in the spec and makes it Pending, kept by the finalizer that lets virt-controller clean up.
    fn admit_configured(&mut self, _: View<'_>, now: Time, config: &Config) {
        self.spec = with_defaults(&self.spec, config.kubevirt);
        self.status.phase = arcstr::literal!("Pending");
        self.status.phase_transition_timestamps = vec![PhaseTransition {
            phase: arcstr::literal!("Pending"),
            phase_transition_timestamp: Some(now.truncate_to_secs()),
        }]
        .into();
        self.metadata.add_finalizer(foreground_finalizer(config.kubevirt));
        // virt-controller's first pass over a new instance only adds these, and starts again. They stand here from the
        // beginning, as those of the virtual machine do, so that one reaction after the creation is the first real pass.
        for key in OBSERVED_API_VERSIONS {
            self.metadata.annotations.insert(key, arcstr::literal!("v1"));
        }
    }
}

/// The finalizer's name before it was qualified.
pub(crate) const UNQUALIFIED_FINALIZER: &str = "foregroundDeleteVirtualMachine";

/// The finalizer that virt-controller removes when no pod of the instance is left.
pub(crate) fn foreground_finalizer(release: KubeVirtRelease) -> ArcStr {
    match release.profile().qualifies_finalizer {
        true => arcstr::literal!("kubevirt.io/foregroundDeleteVirtualMachine"),
        false => UNQUALIFIED_FINALIZER.into(),
    }
}

/// The spec with everything filled in that the webhook fills in. All instances of one template get the same spec.
pub(crate) fn with_defaults(
    spec: &Arc<VirtualMachineInstanceSpec>,
    release: KubeVirtRelease,
) -> Arc<VirtualMachineInstanceSpec> {
    let (made_for, known) = spec.defaulted.get_or_make(|| (release, fill_in(spec, release)));
    if *made_for == release { Arc::clone(known) } else { fill_in(spec, release) }
}

fn fill_in(spec: &VirtualMachineInstanceSpec, release: KubeVirtRelease) -> Arc<VirtualMachineInstanceSpec> {
    let mut spec = spec.clone();
    if spec.architecture.is_empty() {
        spec.architecture = arcstr::literal!("amd64");
    }
    set_machine_type(&mut spec);
    set_resource_requests(&mut spec.domain, release);
    set_guest_memory(&mut spec.domain);
    set_cpu_topology(&mut spec.domain);
    for volume in &mut spec.volumes {
        volume.container_disk.iter_mut().for_each(set_pull_policy);
    }
    set_network_interface(&mut spec);
    require_vmx(&mut spec.domain);
    set_cpu_model(&mut spec);
    Arc::new(spec)
}

/// Whether the machine type is given.
pub(super) fn has_machine_type(spec: &VirtualMachineInstanceSpec) -> bool {
    let given = spec.domain.rest.get("machine").and_then(|machine| machine.get("type"));
    given.and_then(Value::as_str).is_some_and(|kind| !kind.is_empty())
}

/// `setDefaultMachineType`.
pub(super) fn set_machine_type(spec: &mut VirtualMachineInstanceSpec) {
    if has_machine_type(spec) {
        return;
    }
    let machine = match spec.architecture.as_str() {
        "arm64" => "virt",
        "s390x" => "s390-ccw-virtio",
        _ => "q35",
    };
    spec.domain.rest.insert("machine", json!({ "type": machine }));
}

/// `setDefaultResourceRequests`; old releases also ask for the guest's memory.
fn set_resource_requests(domain: &mut Domain, release: KubeVirtRelease) {
    let set = |amount: Option<&Quantity>| amount.filter(|amount| !amount.is_zero()).cloned();
    let resources = &mut domain.resources;
    if let (Some(limit), None) = (set(resources.limits.get("cpu")), set(resources.requests.get("cpu"))) {
        resources.requests.insert("cpu", limit);
    }
    let guest = domain.memory.as_ref().and_then(|memory| memory.guest.clone());
    let guest = guest.filter(|_| release.profile().requests_guest_memory);
    if let (Some(guest), None) = (guest, resources.requests.get("memory")) {
        resources.requests.insert("memory", guest);
    }
}

/// `setGuestMemory`.
fn set_guest_memory(domain: &mut Domain) {
    let memory = domain.memory.get_or_insert_default();
    if memory.guest.is_some() {
        return;
    }
    let set = |amount: Option<&Quantity>| amount.filter(|amount| !amount.is_zero()).cloned();
    memory.guest = set(domain.resources.requests.get("memory"))
        .or_else(|| set(domain.resources.limits.get("memory")))
        .or_else(|| memory.hugepages.as_ref().and_then(|pages| Quantity::parse(&pages.page_size).ok()));
}

/// `SetDefaultGuestCPUTopology`: without a topology the CPUs asked for become sockets, cut to 32 bits as upstream does.
fn set_cpu_topology(domain: &mut Domain) {
    let resources = &domain.resources;
    let asked = resources.limits.get("cpu").or_else(|| resources.requests.get("cpu")).map(Quantity::value);
    let cpu = domain.cpu.get_or_insert_default();
    let Cpu { sockets, cores, threads, .. } = cpu;
    if (*sockets, *cores, *threads) == (0, 0, 0) {
        (*sockets, *cores, *threads) = (asked.unwrap_or(1) as u32, 1, 1);
    }
}

/// `setDefaultPullPoliciesOnContainerDisks`.
fn set_pull_policy(disk: &mut ContainerDisk) {
    if disk.image_pull_policy.is_empty() {
        let moves = disk.image.ends_with(":latest") || !disk.image.contains([':', '@']);
        disk.image_pull_policy =
            if moves { arcstr::literal!("Always") } else { arcstr::literal!("IfNotPresent") };
    }
}

/// `SetDefaultNetworkInterface`: the pod network by masquerade, where nothing is said of networks.
pub(crate) fn set_network_interface(spec: &mut VirtualMachineInstanceSpec) {
    let devices = &spec.domain.devices;
    let wanted = devices.get("autoattachPodInterface").and_then(Value::as_bool).unwrap_or(true);
    let interfaces = devices.get("interfaces").and_then(Value::as_array).map_or(0, Vec::len);
    if !wanted || interfaces > 0 || !spec.networks.is_empty() {
        return;
    }
    if !spec.domain.devices.is_object() {
        spec.domain.devices = json!({});
    }
    spec.domain.devices["interfaces"] = json!([{ "name": "default", "masquerade": {} }]);
    spec.networks.push(json!({ "name": "default", "pod": {} }));
}

/// `setDefaultCPUModel`, and `SetArm64Defaults` before it.
fn set_cpu_model(spec: &mut VirtualMachineInstanceSpec) {
    let cpu = spec.domain.cpu.get_or_insert_default();
    if cpu.model.is_empty() {
        cpu.model = match spec.architecture.as_str() {
            "arm64" => arcstr::literal!("host-passthrough"),
            _ => arcstr::literal!("host-model"),
        };
    }
}

/// `setEVMCSDependency`: enlightened VMCS of Hyper-V need the CPU's feature vmx, whatever is said of it.
fn require_vmx(domain: &mut Domain) {
    let evmcs = domain.rest.get("features").and_then(|features| features.pointer("/hyperv/evmcs"));
    let enabled = |evmcs: &Value| evmcs.get("enabled").and_then(Value::as_bool).unwrap_or(true);
    if !evmcs.is_some_and(|evmcs| !evmcs.is_null() && enabled(evmcs)) {
        return;
    }
    let cpu = domain.cpu.get_or_insert_default();
    let mut features = cpu.rest.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
    match features.iter_mut().find(|feature| feature["name"] == "vmx") {
        Some(feature) => feature["policy"] = json!("require"),
        None => features.push(json!({ "name": "vmx", "policy": "require" })),
    }
    cpu.rest.insert("features", json!(features));
}
