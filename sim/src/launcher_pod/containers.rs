//! The containers of a launcher, KubeVirt main 2026-08 (`d923fdb815cd`): `pkg/virt-controller/services/template.go`,
//! `serialconsolelog.go` and `pkg/container-disk/container-disk.go`.

use super::{LAUNCHER_IMAGE, disk_images};
use crate::kubevirt_profile::ConsoleLog;
use crate::objects::{
    Container, ContainerDisk, ContainerResources, Probe, ResourceList, VirtualMachineInstanceSpec,
};
use crate::quantity::Quantity;
use crate::release::KubeVirtRelease;
use arcstr::ArcStr;
use serde_json::Value;
use std::sync::Arc;

/// What runs in the pod.
pub(super) struct Containers {
    pub(super) containers: Vec<Container>,
    pub(super) init_containers: Vec<Container>,
}

/// Since main, container disks are pod image volumes that an init container each pulls first; before, each is a container
/// that is pulled by an init container.
pub(super) fn render(
    spec: &VirtualMachineInstanceSpec,
    release: KubeVirtRelease,
    compute: ContainerResources,
) -> Containers {
    let mut all = Containers { containers: vec![compute_container(spec, compute)], init_containers: vec![] };
    let disks = disk_images::of(spec);
    let rigid = spec.has_dedicated_cpus() || spec.wants_guaranteed_qos();
    let disk = |name: ArcStr, image: &ContainerDisk| disk_container(name, image, rigid);
    if release.profile().image_volumes {
        all.init_containers.extend(console_log(spec, rigid, release));
        let disks = disks.iter().map(|(name, image)| disk(arcstr::format!("volume{name}"), image));
        all.init_containers.extend(disks);
        return all;
    }
    if !disks.is_empty() {
        all.init_containers.push(copy_step(rigid));
    }
    for (name, image) in &disks {
        all.containers.push(disk(arcstr::format!("volume{name}"), image));
        all.init_containers.push(disk(arcstr::format!("volume{name}-init"), image));
    }
    all.containers.extend(console_log(spec, rigid, release));
    all
}

fn compute_container(spec: &VirtualMachineInstanceSpec, resources: ContainerResources) -> Container {
    Container {
        readiness_probe: probe(spec.rest.get("readinessProbe")),
        liveness_probe: probe(spec.rest.get("livenessProbe")),
        resources,
        ..helper(arcstr::literal!("compute"), LAUNCHER_IMAGE)
    }
}

/// Seconds that libvirt needs to start, by which every probe begins later (`LibvirtStartupDelay`).
const LIBVIRT_STARTUP_DELAY: i32 = 10;

/// A probe of the guest, `updateReadinessProbe` and `updateLivenessProbe`. A command in the guest, a ping of its agent among
/// them, goes through virt-probe, which gets a second more; what is not given is 1 s.
fn probe(probe: Option<&Value>) -> Option<Arc<Probe>> {
    let given = probe.filter(|probe| !probe.is_null())?;
    let mut probe: Probe = serde_json::from_value(given.clone()).ok()?;
    if probe.rest.get("guestAgentPing").is_some() {
        let command = ["virt-probe", "--guestAgentPing"];
        probe.rest.insert("exec", serde_json::json!({ "command": command }));
        probe.timeout_seconds = probe.timeout_seconds.max(1) + 1;
    } else if is_wrapped(&probe) {
        probe.timeout_seconds = probe.timeout_seconds.max(1) + 1;
    }
    probe.initial_delay_seconds += LIBVIRT_STARTUP_DELAY;
    Some(Arc::new(probe))
}

/// Whether the command is not virt-probe's already (`wrapExecProbeWithVirtProbe`).
fn is_wrapped(probe: &Probe) -> bool {
    let command = probe.rest.get("exec").and_then(|exec| exec.get("command")?.as_array()?.first()?.as_str());
    command.is_some_and(|command| command != "virt-probe")
}

/// `generateSerialConsoleLogContainer`: since 1.1, and a sidecar among the init containers on main.
fn console_log(
    spec: &VirtualMachineInstanceSpec,
    rigid: bool,
    release: KubeVirtRelease,
) -> Option<Container> {
    let switch = |name: &str| spec.domain.devices.get(name).and_then(Value::as_bool);
    let attached = switch("autoattachSerialConsole").unwrap_or(true);
    let wanted = attached && switch("logSerialConsole").unwrap_or(true);
    let place = release.profile().console_log;
    if !wanted || place == ConsoleLog::None {
        return None;
    }
    let limits = amounts(&[("cpu", "15m"), ("memory", "60M")]);
    let requests = if rigid { limits.clone() } else { amounts(&[("cpu", "5m"), ("memory", "35M")]) };
    let sidecar = place == ConsoleLog::Sidecar;
    Some(Container {
        resources: ContainerResources { requests, limits, ..ContainerResources::default() },
        restart_policy: sidecar.then(|| arcstr::literal!("Always")),
        ..helper(arcstr::literal!("guest-console-log"), LAUNCHER_IMAGE)
    })
}

/// The container of a container disk, `CreateImageVolumeInitContainer` among them.
fn disk_container(name: ArcStr, disk: &ContainerDisk, rigid: bool) -> Container {
    let limits = amounts(&[("cpu", "10m"), ("memory", "40M")]);
    let mut requests = if rigid { limits.clone() } else { amounts(&[("cpu", "1m"), ("memory", "1M")]) };
    requests.insert("ephemeral-storage", quantity("50M"));
    Container {
        image_pull_policy: disk.image_pull_policy.clone(),
        resources: ContainerResources { requests, limits, ..ContainerResources::default() },
        ..helper(name, disk.image.clone())
    }
}

/// Copies the server of the container disks to where their containers find it.
fn copy_step(rigid: bool) -> Container {
    let limits = amounts(&[("cpu", if rigid { "10m" } else { "100m" }), ("memory", "40M")]);
    let requests = if rigid { limits.clone() } else { amounts(&[("cpu", "10m"), ("memory", "1M")]) };
    Container {
        resources: ContainerResources { requests, limits, ..ContainerResources::default() },
        ..helper(arcstr::literal!("container-disk-binary"), LAUNCHER_IMAGE)
    }
}

fn helper(name: ArcStr, image: ArcStr) -> Container {
    Container { name, image, image_pull_policy: arcstr::literal!("IfNotPresent"), ..Container::default() }
}

fn amounts(list: &[(&'static str, &str)]) -> ResourceList {
    list.iter().map(|(resource, text)| (*resource, quantity(text))).collect()
}

fn quantity(text: &str) -> Quantity {
    Quantity::parse(text).expect("a constant is a quantity")
}
