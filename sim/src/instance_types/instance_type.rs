//! What an instance type sets; a machine that says the same itself is refused.
//!
//! KubeVirt main 2026-08 (`d923fdb815cd`): `pkg/instancetype/apply`.

use super::preference::{Preference, Topology};
use super::{InstanceTypeError, add_annotations};
use crate::objects::{Cpu, Domain, HugePages, StrMap, VirtualMachineInstanceSpec};
use crate::quantity::Quantity;
use arcstr::ArcStr;
use serde::Deserialize;
use serde_json::Value;

/// `spec` of an instance type.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct InstanceType {
    cpu: TypeCpu,
    memory: TypeMemory,
    node_selector: Option<StrMap>,
    scheduler_name: ArcStr,
    annotations: StrMap,
    launch_security: Option<Value>,
    gpus: Vec<Value>,
    host_devices: Vec<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TypeCpu {
    guest: u32,
    model: Option<ArcStr>,
    #[serde(rename = "dedicatedCPUPlacement")]
    dedicated_cpu_placement: Option<bool>,
    isolate_emulator_thread: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TypeMemory {
    guest: Quantity,
    hugepages: Option<HugePages>,
    overcommit_percent: u8,
}

/// A field of the machine's template, and whether it is set although the instance type sets it.
type Conflict = (&'static str, bool);

impl InstanceType {
    /// Fills in the instance's spec and annotations.
    pub(super) fn apply(
        &self,
        preference: Option<&Preference>,
        spec: &mut VirtualMachineInstanceSpec,
        annotations: &mut StrMap,
    ) -> Result<(), InstanceTypeError> {
        let conflicts = self.conflicts(spec).into_iter().filter(|(_, conflicts)| *conflicts);
        let mut conflicts: Vec<String> =
            conflicts.map(|(field, _)| format!("spec.template.spec.{field}")).collect();
        let annotated = add_annotations(&self.annotations, annotations);
        conflicts.extend(annotated.iter().map(|key| format!("annotations.{key}")));
        if !conflicts.is_empty() {
            return Err(InstanceTypeError::Conflicts(conflicts));
        }
        self.set_cpu(preference, spec.domain.cpu.get_or_insert_default())?;
        self.set_memory(&mut spec.domain);
        if let Some(selector) = &self.node_selector {
            spec.node_selector = selector.clone();
        }
        if !self.scheduler_name.is_empty() {
            spec.scheduler_name = self.scheduler_name.clone();
        }
        if let Some(security) = &self.launch_security {
            spec.domain.rest.insert("launchSecurity", security.clone());
        }
        for (list, devices) in [("gpus", &self.gpus), ("hostDevices", &self.host_devices)] {
            if !devices.is_empty() {
                super::preference::devices(spec).insert(list.into(), devices.clone().into());
            }
        }
        Ok(())
    }

    fn conflicts(&self, spec: &VirtualMachineInstanceSpec) -> [Conflict; 17] {
        let Domain { resources, memory, devices, .. } = &spec.domain;
        let cpu = spec.domain.cpu.clone().unwrap_or_default();
        let guest = memory.as_ref().is_some_and(|memory| memory.guest.is_some());
        let pages = memory.as_ref().is_some_and(|memory| memory.hugepages.is_some());
        let any =
            |list: &str| devices.get(list).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        let own = &self.cpu;
        [
            ("nodeSelector", self.node_selector.is_some() && !spec.node_selector.is_empty()),
            ("schedulerName", !self.scheduler_name.is_empty() && !spec.scheduler_name.is_empty()),
            ("domain.resources.requests.cpu", resources.requests.contains("cpu")),
            ("domain.resources.limits.cpu", resources.limits.contains("cpu")),
            ("domain.cpu.sockets", cpu.sockets != 0),
            ("domain.cpu.cores", cpu.cores != 0),
            ("domain.cpu.threads", cpu.threads != 0),
            ("domain.cpu.model", own.model.is_some() && !cpu.model.is_empty()),
            (
                "domain.cpu.dedicatedCPUPlacement",
                own.dedicated_cpu_placement.is_some() && cpu.dedicated_cpu_placement,
            ),
            (
                "domain.cpu.isolateEmulatorThread",
                own.isolate_emulator_thread.is_some() && cpu.isolate_emulator_thread,
            ),
            ("domain.memory.guest", guest),
            ("domain.memory.hugepages", pages && self.memory.hugepages.is_some()),
            ("domain.resources.requests.memory", resources.requests.contains("memory")),
            ("domain.resources.limits.memory", resources.limits.contains("memory")),
            (
                "domain.launchSecurity",
                self.launch_security.is_some() && spec.domain.rest.get("launchSecurity").is_some(),
            ),
            ("domain.devices.gpus", !self.gpus.is_empty() && any("gpus")),
            ("domain.devices.hostDevices", !self.host_devices.is_empty() && any("hostDevices")),
        ]
    }

    /// `applyCPU` and `applyGuestCPUTopology`.
    fn set_cpu(&self, preference: Option<&Preference>, cpu: &mut Cpu) -> Result<(), InstanceTypeError> {
        let own = &self.cpu;
        if let Some(model) = &own.model {
            cpu.model = model.clone();
        }
        cpu.dedicated_cpu_placement = own.dedicated_cpu_placement.unwrap_or(cpu.dedicated_cpu_placement);
        cpu.isolate_emulator_thread = own.isolate_emulator_thread.unwrap_or(cpu.isolate_emulator_thread);
        let topology = preference.map_or(Topology::Sockets, Preference::topology);
        let divisor = topology.divisor();
        if !own.guest.is_multiple_of(divisor) && own.guest > 1 {
            return Err(InstanceTypeError::Spread { vcpus: own.guest, divisor });
        }
        (cpu.sockets, cpu.cores, cpu.threads) = match topology {
            _ if own.guest == 1 => (1, 1, 1),
            Topology::Sockets => (own.guest, 1, 1),
            Topology::Cores => (1, own.guest, 1),
            Topology::Threads => (1, 1, own.guest),
            Topology::SocketsCores(ratio) => (own.guest / ratio, ratio, 1),
            Topology::CoresThreads(ratio) => (1, own.guest / ratio, ratio),
            Topology::SocketsCoresThreads(ratio) => (own.guest / 2 / ratio, ratio, 2),
        };
        Ok(())
    }

    /// `applyMemory`: overcommitted, the launcher asks for less than the guest sees, by 32-bit floats as upstream.
    fn set_memory(&self, domain: &mut Domain) {
        let own = &self.memory;
        if own.overcommit_percent > 0 {
            let share = 1.0 - f32::from(own.overcommit_percent) / 100.0;
            let asked = (own.guest.value() as f32 * share) as i64;
            domain.resources.requests.insert("memory", Quantity::whole(asked, own.guest.format()));
        }
        let memory = domain.memory.get_or_insert_default();
        memory.guest = Some(own.guest.clone());
        if own.hugepages.is_some() {
            memory.hugepages.clone_from(&own.hugepages);
        }
    }
}
