//! The containers of a launcher, KubeVirt main 2026-08 (`d923fdb815cd`): `pkg/virt-controller/services/template.go`,
//! `serialconsolelog.go` and `pkg/container-disk/container-disk.go`.

use super::LAUNCHER_IMAGE;
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
    let disks =
        spec.volumes.iter().filter_map(|volume| Some((&volume.name, volume.container_disk.as_ref()?)));
    let rigid = spec.has_dedicated_cpus() || spec.wants_guaranteed_qos();
    let disk = |name: ArcStr, image: &ContainerDisk| disk_container(name, image, rigid);
    if release.profile().image_volumes {
        all.init_containers.extend(console_log(spec, rigid, release));
        all.init_containers.extend(disks.map(|(name, image)| disk(arcstr::format!("volume{name}"), image)));
        return all;
    }
    if disks.clone().next().is_some() {
        all.init_containers.push(copy_step(rigid));
    }
    for (name, image) in disks {
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

/// A probe of the guest; a ping of its agent becomes a command that takes a second longer.
fn probe(probe: Option<&Value>) -> Option<Arc<Probe>> {
    let given = probe.filter(|probe| !probe.is_null())?;
    let mut probe: Probe = serde_json::from_value(given.clone()).ok()?;
    if probe.rest.get("guestAgentPing").is_some() {
        let command = ["virt-probe", "--guestAgentPing"];
        probe.rest.insert("exec", serde_json::json!({ "command": command }));
        probe.timeout_seconds += 1;
    }
    Some(Arc::new(probe))
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
