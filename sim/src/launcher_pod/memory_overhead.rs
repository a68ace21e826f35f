//! Memory that a launcher needs beyond its guest's, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/hypervisor/kvm/hypervisorbackend.go`, with the smaller terms of 0.59.

use super::security;
use crate::objects::VirtualMachineInstanceSpec;
use crate::quantity::{Format, Quantity};
use crate::release::KubeVirtRelease;
use serde::Deserialize;
use serde_json::Value;

const MI: i64 = 1 << 20;

/// Mi for the I/O thread.
const IO_THREAD: i64 = 8;

/// `resource.Kilo`.
const KILO: i32 = 3;

/// `GetMemoryOverhead`, and what the network's bindings add (`MemoryCalculator`).
pub fn memory_overhead(spec: &VirtualMachineInstanceSpec, release: KubeVirtRelease) -> Quantity {
    let bytes = page_tables(spec)
        + MI * (release.profile().fixed_overhead + IO_THREAD + devices(spec, release) + extras(spec));
    let mut overhead = Quantity::whole(bytes, Format::DecimalSI);
    overhead += &Quantity::whole(per_cpu(spec), Format::DecimalSI);
    let reserved = spec.domain.memory.as_ref().and_then(|memory| memory.rest.get("reservedOverhead"));
    let added = reserved.and_then(|reserved| reserved.get("addedOverhead"));
    if let Some(added) = added.and_then(|added| Quantity::deserialize(added).ok()) {
        overhead += &added;
    }
    overhead
}

/// One bit for every 512 bits of the memory that is asked for, counted in thousands of bytes.
fn page_tables(spec: &VirtualMachineInstanceSpec) -> i64 {
    let requested = spec.domain.resources.requests.get("memory");
    requested.map_or(0, |amount| amount.scaled_value(KILO).wrapping_mul(1000) / 512)
}

/// 8 Mi for each vCPU, in bytes; wraps as Go does, where a machine asks for absurdly many.
fn per_cpu(spec: &VirtualMachineInstanceSpec) -> i64 {
    let resources = &spec.domain.resources;
    let vcpus = match &spec.domain.cpu {
        Some(cpu) => cpu.vcpus(),
        None => {
            resources.limits.get("cpu").or_else(|| resources.requests.get("cpu")).map_or(0, Quantity::value)
        }
    };
    vcpus.max(1).wrapping_mul(8 * MI)
}

/// Graphics, firmware of arm64, VFIO (`HasVFIO`: host devices, GPUs, SR-IOV), TPM, and passt once.
fn devices(spec: &VirtualMachineInstanceSpec, release: KubeVirtRelease) -> i64 {
    let devices = &spec.domain.devices;
    let on = |device: &str| devices.get(device).and_then(Value::as_bool).unwrap_or(true);
    let any = |list: &str| devices.get(list).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    let video = release.profile().graphics_overhead;
    let tpm = devices
        .get("tpm")
        .is_some_and(|tpm| !tpm.is_null() && tpm.get("enabled").and_then(Value::as_bool).unwrap_or(true));
    [
        (on("autoattachGraphicsDevice"), video),
        (spec.architecture == "arm64", 128),
        (any("hostDevices") || any("gpus") || is_bound(devices, "sriov"), 1024),
        (tpm, 53),
        (is_bound(devices, "passtBinding"), 250),
    ]
    .into_iter()
    .map(|(has, mi)| if has { mi } else { 0 })
    .sum()
}

/// Whether an interface is bound in this way.
fn is_bound(devices: &Value, binding: &str) -> bool {
    let interfaces = devices.get("interfaces").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    interfaces.iter().any(|interface| interface.get(binding).is_some_and(|binding| !binding.is_null()))
}

/// Downward metrics, exec probes, encrypted memory and dedicated CPUs.
fn extras(spec: &VirtualMachineInstanceSpec) -> i64 {
    let executes = |probe: &str| {
        spec.rest.get(probe).and_then(|probe| probe.get("exec")).is_some_and(|exec| !exec.is_null())
    };
    let (liveness, readiness) = (executes("livenessProbe"), executes("readinessProbe"));
    let metrics = spec.volumes.iter().any(|volume| volume.rest.get("downwardMetrics").is_some());
    [
        (metrics, 1),
        (liveness, 10),
        (readiness, 10),
        (liveness || readiness, 100),
        (security::has_sev(spec), 256),
        (spec.has_dedicated_cpus() || spec.wants_guaranteed_qos(), 100),
    ]
    .into_iter()
    .map(|(has, mi)| if has { mi } else { 0 })
    .sum()
}

#[cfg(test)]
mod tests {
    use super::{MI, memory_overhead};
    use crate::objects::VirtualMachineInstanceSpec;
    use crate::release::KubeVirtRelease;

    #[test]
    fn releases_differ_in_the_fixed_terms_and_graphics() {
        let spec = VirtualMachineInstanceSpec::default();
        let of = |release| memory_overhead(&spec, release).value() / MI;
        assert_eq!(of(KubeVirtRelease::Main2026_08), 240 + 8 + 8 + 32);
        assert_eq!(of(KubeVirtRelease::V0_59), 210 + 8 + 8 + 16);
    }
}
