//! Whether the template has changed in a way that the running instance does not get.
//!
//! KubeVirt main of August 2026: `syncRestartRequired`, `validLiveUpdateVolumes`, `validLiveUpdateDisks` and `setRestartRequired` in
//! `pkg/virt-controller/watch/vm/vm.go`, `pkg/network/vmliveupdate/restart.go`; 1.3 as the stored source of 1.2 has it. Left out: what
//! hot plug of CPUs and memory says of changes that it cannot make.

use super::conditions::update_condition;
use super::reconcile::Reconcile;
use crate::objects::{
    Condition, Truth, VirtualMachineInstanceSpec, VirtualMachineSpec, VirtualMachineStatus, VmVolume,
};
use arcstr::ArcStr;
use serde_json::{Value, json};
use std::sync::Arc;

/// The condition's type.
pub(super) const RESTART_REQUIRED: ArcStr = arcstr::literal!("RestartRequired");

impl Reconcile<'_, '_> {
    /// Compares the template with that of the last start. Without an instance, or without its start, nothing is said.
    pub(super) fn sync_restart_required(&mut self) {
        let profile = self.cx.config.kubevirt.profile();
        if self.vmi.is_none() || !profile.requires_restarts {
            return;
        }
        let Some(start) = self.start_spec() else { return };
        match self.differs(&start) {
            Some(true) => self.require_restart(),
            Some(false) if profile.takes_back_restarts => self.drop_restart_required(),
            Some(false) | None => {}
        }
    }

    fn require_restart(&mut self) {
        let message = arcstr::literal!("a non-live-updatable field was changed in the template spec");
        let required = Condition::new(RESTART_REQUIRED, Truth::True, ArcStr::new(), self.cx.now);
        update_condition(&mut self.status.conditions, required.with_message(message));
    }

    /// Whether a field differs that only a start brings to the guest; `None` where instance type or preference stand in the
    /// way.
    fn differs(&self, start: &Arc<VirtualMachineSpec>) -> Option<bool> {
        if Arc::ptr_eq(start, &self.vm.spec) {
            return Some(false);
        }
        let vm = Arc::clone(&self.vm);
        let mut last = self.expanded(start, None)?;
        let now = self.expanded(&vm.spec, Some(&self.status))?;
        if last == now || !self.cx.config.kubevirt.profile().updates_live {
            return Some(last != now);
        }
        let migrates = vm.spec.rest.get("updateVolumesStrategy").is_some_and(|found| found == "Migration");
        take_over_live_fields(&mut last, &now, migrates);
        let vmi = self.vmi.as_ref().map(|vmi| Arc::clone(&vmi.object))?;
        if !networks_need_restart(&now, &vmi.spec) {
            set_devices(&mut last, "interfaces", devices(&now, "interfaces").to_vec());
            last.networks.clone_from(&now.networks);
        }
        take_over_firmware_uuid(&mut last, &now, &vmi.spec);
        Some(last != now)
    }

    /// The spec of a template with instance type and preference.
    fn expanded(
        &self,
        spec: &VirtualMachineSpec,
        status: Option<&VirtualMachineStatus>,
    ) -> Option<VirtualMachineInstanceSpec> {
        let template = spec.template.as_ref()?;
        let mut expanded = VirtualMachineInstanceSpec::clone(&template.spec);
        let mut annotations = template.metadata.annotations.clone();
        let chosen = self.chosen(spec, status).ok()?;
        chosen.apply_to_template("spec", &mut expanded, &mut annotations).ok()?;
        if expanded.domain.devices.is_null() {
            expanded.domain.devices = json!({});
        }
        Some(expanded)
    }
}

/// Fields that a running instance gets, or that hot plug looks after.
fn take_over_live_fields(
    last: &mut VirtualMachineInstanceSpec,
    now: &VirtualMachineInstanceSpec,
    migrates_volumes: bool,
) {
    let disks_are_live = disks_are_live(last, now);
    if volumes_are_live(&last.volumes, &now.volumes, migrates_volumes) {
        last.volumes.clone_from(&now.volumes);
    }
    if disks_are_live {
        set_devices(last, "disks", devices(now, "disks").to_vec());
    }
    if let (Some(last), Some(now)) = (&mut last.domain.cpu, &now.domain.cpu) {
        last.sockets = now.sockets;
    }
    if let Some(guest) = now.domain.memory.as_ref().and_then(|memory| memory.guest.as_ref()) {
        last.domain.memory.get_or_insert_default().guest = Some(guest.clone());
    }
    last.node_selector.clone_from(&now.node_selector);
    last.affinity.clone_from(&now.affinity);
    last.tolerations.clone_from(&now.tolerations);
}

/// `validLiveUpdateVolumes`: volumes that are plugged in and out come and go; others stay, but for a claim that is migrated.
fn volumes_are_live(old: &[VmVolume], new: &[VmVolume], migrates: bool) -> bool {
    let before = |name: &str| old.iter().find(|volume| volume.name == name);
    let may_change = |volume: &VmVolume| {
        volume.is_hot_pluggable()
            || before(&volume.name).is_some_and(|old| old == volume || migrates && volume.is_claim())
    };
    let stays = |volume: &VmVolume| new.iter().any(|new| new.name == volume.name);
    new.iter().all(may_change) && old.iter().all(|volume| stays(volume) || volume.is_hot_pluggable())
}

/// `validLiveUpdateDisks`: those of such volumes come and go, but a CD-ROM does not go.
fn disks_are_live(last: &VirtualMachineInstanceSpec, now: &VirtualMachineInstanceSpec) -> bool {
    let (old, new) = (devices(last, "disks"), devices(now, "disks"));
    let plugs = |volumes: &[VmVolume], disk: &Value| {
        volumes.iter().find(|volume| disk["name"] == volume.name.as_str()).map(VmVolume::is_hot_pluggable)
    };
    let named = |disks: &[Value], disk: &Value| disks.iter().any(|other| other["name"] == disk["name"]);
    let may_change = |disk: &Value| plugs(&now.volumes, disk) == Some(true) || old.contains(disk);
    let may_go = |disk: &Value| plugs(&last.volumes, disk) != Some(false) && disk["cdrom"].is_null();
    new.iter().all(may_change) && old.iter().all(|disk| named(new, disk) || may_go(disk))
}

/// `IsRestartRequired`: an interface or a network of the instance is gone or another one; the state of the one and the
/// reference of the other may differ.
fn networks_need_restart(now: &VirtualMachineInstanceSpec, vmi: &VirtualMachineInstanceSpec) -> bool {
    let stateless = |interface: &Value| {
        let mut interface = interface.clone();
        interface.as_object_mut().map(|fields| fields.remove("state"));
        interface
    };
    let wanted: Vec<Value> = devices(now, "interfaces").iter().map(stateless).collect();
    let networks: Vec<Value> = now.networks.iter().map(without_reference).collect();
    let is_pod_network = |network: &Value| !network["pod"].is_null();
    let gets_pod_network =
        now.networks.iter().any(is_pod_network) && !vmi.networks.iter().any(is_pod_network);
    let interfaces = devices(vmi, "interfaces").iter().map(stateless);
    gets_pod_network
        || interfaces.into_iter().any(|interface| !wanted.contains(&interface))
        || vmi.networks.iter().any(|network| !networks.contains(&without_reference(network)))
}

/// A network without what it is called in the cluster.
fn without_reference(network: &Value) -> Value {
    let mut network = network.clone();
    network.get_mut("multus").and_then(Value::as_object_mut).map(|fields| fields.remove("networkName"));
    network
}

/// A uuid of the firmware that the instance has too was written into the machine after its start.
fn take_over_firmware_uuid(
    last: &mut VirtualMachineInstanceSpec,
    now: &VirtualMachineInstanceSpec,
    vmi: &VirtualMachineInstanceSpec,
) {
    let uuid =
        |spec: &VirtualMachineInstanceSpec| Some(spec.domain.rest.get("firmware")?.get("uuid").cloned());
    let Some(now) = uuid(now).filter(|now| uuid(vmi).as_ref() == Some(now)) else { return };
    let mut firmware = last.domain.rest.get("firmware").cloned().unwrap_or_else(|| json!({}));
    let Some(fields) = firmware.as_object_mut() else { return };
    match now {
        Some(now) => drop(fields.insert("uuid".to_owned(), now)),
        None => drop(fields.remove("uuid")),
    }
    last.domain.rest.insert("firmware", firmware);
}

fn devices<'a>(spec: &'a VirtualMachineInstanceSpec, list: &str) -> &'a [Value] {
    spec.domain.devices.get(list).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Devices that are no mapping have no lists, and stay as they are.
fn set_devices(spec: &mut VirtualMachineInstanceSpec, list: &str, values: Vec<Value>) {
    let Some(devices) = spec.domain.devices.as_object_mut() else { return };
    match values.is_empty() {
        true => drop(devices.remove(list)),
        false => drop(devices.insert(list.to_owned(), values.into())),
    }
}
