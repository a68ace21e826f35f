//! What an instance type sets; a machine that says the same itself is refused.
//!
//! KubeVirt main 2026-08 (`d923fdb815cd`): `pkg/instancetype/apply`.

use super::preference::Topology;
use super::{Conflict, add_annotations};
use crate::objects::{Cpu, Domain, InstancetypeSpec, PreferenceSpec, StrMap, VirtualMachineInstanceSpec};
use crate::quantity::Quantity;
use serde_json::Value;

/// A field of the machine's template, and whether it is set although the instance type sets it.
type Row = (&'static str, bool);

impl InstancetypeSpec {
    /// Fills in the instance's spec and annotations, or says which fields below `base` it must not have.
    pub(super) fn apply(
        &self,
        base: &str,
        preference: Option<&PreferenceSpec>,
        (spec, annotations): (&mut VirtualMachineInstanceSpec, &mut StrMap),
    ) -> Result<(), Vec<Conflict>> {
        let mut conflicts = self.conflicts(base, spec);
        let annotated = add_annotations(&self.annotations, annotations);
        conflicts.extend(annotated.iter().map(|key| Conflict::of(format!("annotations.{key}"))));
        if !conflicts.is_empty() {
            return Err(conflicts);
        }
        self.set_cpu(preference, spec.domain.cpu.get_or_insert_default());
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

    /// Each part adds its own, in upstream's order: `applyMemory` the first only.
    fn conflicts(&self, base: &str, spec: &VirtualMachineInstanceSpec) -> Vec<Conflict> {
        let named = |(field, _): &Row| Conflict::of(format!("{base}.{field}"));
        let is_set = |(_, is_set): &&Row| *is_set;
        let (placement, cpu) = (self.placement(spec), self.cpus(spec));
        let (memory, devices) = (self.memory_fields(spec), self.device_fields(spec));
        let mut found: Vec<Conflict> = placement.iter().filter(is_set).map(named).collect();
        found.extend(cpu.iter().filter(is_set).map(named));
        found.extend(memory.iter().find(is_set).map(named));
        found.extend(devices.iter().filter(is_set).map(named));
        found
    }

    fn placement(&self, spec: &VirtualMachineInstanceSpec) -> [Row; 2] {
        [
            ("nodeSelector", self.node_selector.is_some() && !spec.node_selector.is_empty()),
            ("schedulerName", !self.scheduler_name.is_empty() && !spec.scheduler_name.is_empty()),
        ]
    }

    /// `validateCPU`.
    fn cpus(&self, spec: &VirtualMachineInstanceSpec) -> [Row; 8] {
        let resources = &spec.domain.resources;
        let (cpu, own) = (spec.domain.cpu.clone().unwrap_or_default(), &self.cpu);
        [
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
        ]
    }

    /// `applyMemory`.
    fn memory_fields(&self, spec: &VirtualMachineInstanceSpec) -> [Row; 4] {
        let Domain { resources, memory, .. } = &spec.domain;
        let guest = memory.as_ref().is_some_and(|memory| memory.guest.is_some());
        let pages = memory.as_ref().is_some_and(|memory| memory.hugepages.is_some());
        [
            ("domain.memory.guest", guest),
            ("domain.memory.hugepages", pages && self.memory.hugepages.is_some()),
            ("domain.resources.requests.memory", resources.requests.contains("memory")),
            ("domain.resources.limits.memory", resources.limits.contains("memory")),
        ]
    }

    fn device_fields(&self, spec: &VirtualMachineInstanceSpec) -> [Row; 3] {
        let Domain { devices, rest, .. } = &spec.domain;
        let any =
            |list: &str| devices.get(list).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
        let is_secured = self.launch_security.is_some() && rest.get("launchSecurity").is_some();
        [
            ("domain.launchSecurity", is_secured),
            ("domain.devices.gpus", !self.gpus.is_empty() && any("gpus")),
            ("domain.devices.hostDevices", !self.host_devices.is_empty() && any("hostDevices")),
        ]
    }

    /// `CheckSpreadCPUTopology`: vCPUs that cannot be spread as the preference wants it.
    pub(super) fn spread(&self, preference: Option<&PreferenceSpec>) -> Option<Conflict> {
        const RATIO: &str = "Spec.PreferSpreadSocketToCoreRatio or Spec.CPU.PreferSpreadOptions.Ratio of";
        let (topology, vcpus) = (preference?.topology(), self.cpu.guest);
        if u64::from(vcpus).is_multiple_of(topology.divisor()) {
            return None;
        }
        let start = format!("{vcpus} vCPUs provided by the instance type are not divisible by the");
        let threads = "number of threads per core";
        let message = match topology {
            Topology::SocketsCores(ratio) => format!("{start} {RATIO} {ratio} provided by the preference"),
            Topology::CoresThreads(ratio) => format!("{start} {threads} {ratio}"),
            Topology::SocketsCoresThreads(ratio) => format!("{start} {threads} 2 and {RATIO} {ratio}"),
            Topology::Sockets | Topology::Cores | Topology::Threads => return None,
        };
        Some(Conflict { field: "instancetype.spec.cpu.guest".to_owned(), message: Some(message) })
    }

    /// `applyCPU` and `applyGuestCPUTopology`.
    fn set_cpu(&self, preference: Option<&PreferenceSpec>, cpu: &mut Cpu) {
        let own = &self.cpu;
        if let Some(model) = &own.model {
            cpu.model = model.clone();
        }
        cpu.dedicated_cpu_placement = own.dedicated_cpu_placement.unwrap_or(cpu.dedicated_cpu_placement);
        cpu.isolate_emulator_thread = own.isolate_emulator_thread.unwrap_or(cpu.isolate_emulator_thread);
        let topology = preference.map_or(Topology::Sockets, PreferenceSpec::topology);
        (cpu.sockets, cpu.cores, cpu.threads) = match topology {
            _ if own.guest == 1 => (1, 1, 1),
            Topology::Sockets => (own.guest, 1, 1),
            Topology::Cores => (1, own.guest, 1),
            Topology::Threads => (1, 1, own.guest),
            Topology::SocketsCores(ratio) => (own.guest / ratio, ratio, 1),
            Topology::CoresThreads(ratio) => (1, own.guest / ratio, ratio),
            Topology::SocketsCoresThreads(ratio) => (own.guest / 2 / ratio, ratio, 2),
        };
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
