//! Devices that a launcher asks of device plugins by name, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/services/renderresources.go`, `WithGPUsDevicePlugins`, `WithHostDevicesDevicePlugins`, `WithSEV`,
//! `WithTDX` and `WithPersistentReservation`. Devices of resource claims (DRA) are left out.

use super::security;
use crate::objects::{ContainerResources, ResourceList, VirtualMachineInstanceSpec};
use crate::quantity::{Format, Quantity};
use arcstr::ArcStr;
use serde_json::Value;

/// Adds one for each device to requests and limits. What is fixed stands: an amount that the instance itself gives, and the
/// limits of what every guest needs (`requestResource`, and the order of `Limits` and `Requests`).
pub(super) fn request(
    spec: &VirtualMachineInstanceSpec,
    fixed: &ContainerResources,
    list: &mut ContainerResources,
) {
    for device in devices(spec) {
        add_one(&mut list.requests, &fixed.requests, &device);
        add_one(&mut list.limits, &fixed.limits, &device);
    }
}

fn devices(spec: &VirtualMachineInstanceSpec) -> Vec<ArcStr> {
    let listed =
        ["gpus", "hostDevices"].into_iter().filter_map(|list| spec.domain.devices.get(list)?.as_array());
    let mut devices: Vec<ArcStr> = listed.flatten().filter_map(of_plugin).collect();
    if security::has_sev(spec) {
        devices.push(arcstr::literal!("devices.kubevirt.io/sev"));
    }
    if security::has_tdx(spec) {
        devices.push(arcstr::literal!("devices.kubevirt.io/tdx"));
    }
    if reserves_luns(spec) {
        devices.push(arcstr::literal!("devices.kubevirt.io/pr-helper"));
    }
    devices
}

/// Whether a disk is reserved by SCSI (`HasVMIPersistentReservation`).
fn reserves_luns(spec: &VirtualMachineInstanceSpec) -> bool {
    let disks = spec.domain.devices.get("disks").and_then(Value::as_array).into_iter().flatten();
    disks.into_iter().any(|disk| disk.pointer("/lun/reservation").and_then(Value::as_bool).unwrap_or(false))
}

/// The resource of a device that no claim provides.
fn of_plugin(device: &Value) -> Option<ArcStr> {
    let claimed = ["claimName", "requestName"].into_iter().any(|field| device.get(field).is_some());
    let name = device.get("deviceName").and_then(Value::as_str).filter(|name| !name.is_empty() && !claimed);
    name.map(ArcStr::from)
}

fn add_one(list: &mut ResourceList, fixed: &ResourceList, device: &ArcStr) {
    if fixed.contains(device) {
        return;
    }
    let mut amount = Quantity::whole(1, Format::DecimalSI);
    if let Some(known) = list.get(device) {
        amount += known;
    }
    list.insert(device.clone(), amount);
}
