//! What a preference fills in where a machine says nothing.
//!
//! KubeVirt main 2026-08 (`d923fdb815cd`): `pkg/instancetype/preference/apply`.

use super::add_annotations;
use crate::objects::{PreferenceSpec, StrMap, VirtualMachineInstanceSpec};
use serde_json::{Map, Value, json};

/// How vCPUs become sockets, cores and threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topology {
    Sockets,
    Cores,
    Threads,
    /// So many cores a socket.
    SocketsCores(u32),
    /// So many threads a core.
    CoresThreads(u32),
    /// Two threads a core and so many cores a socket.
    SocketsCoresThreads(u32),
}

impl Topology {
    /// What the number of vCPUs must be a multiple of.
    pub(super) fn divisor(self) -> u64 {
        match self {
            Self::Sockets | Self::Cores | Self::Threads => 1,
            Self::SocketsCores(ratio) | Self::CoresThreads(ratio) => ratio.into(),
            Self::SocketsCoresThreads(ratio) => 2 * u64::from(ratio),
        }
    }
}

/// Fields of a preference's devices, and the devices that they fill in.
const DEVICES: [(&str, &str); 6] = [
    ("preferredAutoattachGraphicsDevice", "autoattachGraphicsDevice"),
    ("preferredAutoattachMemBalloon", "autoattachMemBalloon"),
    ("preferredAutoattachPodInterface", "autoattachPodInterface"),
    ("preferredAutoattachSerialConsole", "autoattachSerialConsole"),
    ("preferredAutoattachInputDevice", "autoattachInputDevice"),
    ("preferredTPM", "tpm"),
];

impl PreferenceSpec {
    /// `GetPreferredTopology` and `GetSpreadOptions`: sockets unless something else is preferred.
    pub(super) fn topology(&self) -> Topology {
        let Some(cpu) = &self.cpu else { return Topology::Sockets };
        let own = Some(self.prefer_spread_socket_to_core_ratio).filter(|ratio| *ratio != 0);
        let ratio = cpu.spread.ratio.or(own).unwrap_or(2).max(1);
        match (cpu.topology.as_deref().unwrap_or_default(), cpu.spread.across.as_deref()) {
            ("cores" | "preferCores", _) => Topology::Cores,
            ("threads" | "preferThreads", _) => Topology::Threads,
            ("spread" | "preferSpread", Some("CoresThreads")) => Topology::CoresThreads(ratio),
            ("spread" | "preferSpread", Some("SocketsCoresThreads")) => Topology::SocketsCoresThreads(ratio),
            ("spread" | "preferSpread", _) => Topology::SocketsCores(ratio),
            _ => Topology::Sockets,
        }
    }

    /// `ApplyArchitecturePreferences`.
    pub(super) fn apply_architecture(&self, spec: &mut VirtualMachineInstanceSpec) {
        if spec.architecture.is_empty() {
            spec.architecture = self.preferred_architecture.clone();
        }
    }

    /// `ApplyDevicePreferences`.
    pub(super) fn apply_devices(&self, spec: &mut VirtualMachineInstanceSpec) {
        for (preferred, device) in DEVICES {
            if let Some(value) = self.devices.get(preferred).filter(|value| !value.is_null()) {
                devices(spec).entry(device).or_insert_with(|| value.clone());
            }
        }
        let Some(model) = self.devices.get("preferredInterfaceModel").and_then(Value::as_str) else { return };
        let interfaces = devices(spec).get_mut("interfaces").and_then(Value::as_array_mut);
        for interface in interfaces.into_iter().flatten().filter(|interface| interface["model"].is_null()) {
            interface["model"] = model.into();
        }
    }

    /// What is filled in once the instance type has spoken.
    pub(super) fn apply(&self, spec: &mut VirtualMachineInstanceSpec, annotations: &mut StrMap) {
        self.apply_devices(spec);
        self.apply_cpu_features(spec);
        let kind = self.machine.as_ref().map_or("", |machine| &machine.preferred_machine_type);
        let given = spec.domain.rest.get("machine").and_then(|machine| machine["type"].as_str());
        if !kind.is_empty() && given.is_none_or(str::is_empty) {
            spec.domain.rest.insert("machine", json!({ "type": kind }));
        }
        let grace = &mut spec.termination_grace_period_seconds;
        *grace = grace.or(self.preferred_termination_grace_period_seconds);
        // What the machine says already stays: no conflict here.
        let _ = add_annotations(&self.annotations, annotations);
    }

    /// `applyCPUPreferences`: features that the machine does not name.
    fn apply_cpu_features(&self, spec: &mut VirtualMachineInstanceSpec) {
        let preferred = self.cpu.as_ref().map_or(&[][..], |cpu| &cpu.features);
        if preferred.is_empty() {
            return;
        }
        let cpu = spec.domain.cpu.get_or_insert_default();
        let mut features = cpu.rest.get("features").and_then(Value::as_array).cloned().unwrap_or_default();
        let own: Vec<Value> = features.iter().map(|feature| feature["name"].clone()).collect();
        features.extend(preferred.iter().filter(|feature| !own.contains(&feature["name"])).cloned());
        cpu.rest.insert("features", features.into());
    }
}

/// The devices of an instance, to change them.
pub(super) fn devices(spec: &mut VirtualMachineInstanceSpec) -> &mut Map<String, Value> {
    if !spec.domain.devices.is_object() {
        spec.domain.devices = json!({});
    }
    spec.domain.devices.as_object_mut().expect("it is an object")
}
