//! Whether a guest can be moved to another node, KubeVirt main 2026-08 as 1.9.0 has it: `calculateLiveMigrationCondition` and
//! what it asks in `pkg/virt-handler/{vm,controller}.go`, and `VerifyVMIMigratable` of `pkg/network/vmispec`.
//!
//! Left out are encryption, persistent reservations, TSC frequencies and Hyper-V passthrough. What upstream reads of a claim in the
//! instance's status comes from the claim.

use crate::context::{Context, EventType};
use crate::controllers::migration::host_model;
use crate::objects::{Condition, Node, PersistentVolumeClaim, Truth, VirtualMachineInstance, VmVolume};
use crate::store::View;
use arcstr::{ArcStr, literal};
use serde_json::Value;

/// Lets a guest on the bridge of the pod's network be moved all the same.
const BRIDGE_MAY_MOVE: &str = "kubevirt.io/allow-pod-bridge-network-live-migration";

/// A reason and its message.
type Obstacle = (ArcStr, ArcStr);

/// The condition LiveMigratable of an instance.
pub(super) fn condition(vmi: &VirtualMachineInstance, view: View<'_>) -> Condition {
    let kind = literal!("LiveMigratable");
    let found = network(vmi).or_else(|| cpu(vmi, view)).or_else(|| devices(vmi)).or_else(|| disks(vmi, view));
    match found {
        None => Condition { kind, status: Truth::True, ..Condition::default() },
        Some((reason, message)) => {
            Condition { kind, status: Truth::False, reason, message, ..Condition::default() }
        }
    }
}

/// Says so where an instance that a drain is to move cannot be moved.
pub(super) fn warn(vmi: &VirtualMachineInstance, condition: &Condition, cx: &mut Context<'_>) {
    let strategy = vmi.spec.rest.get("evictionStrategy").and_then(Value::as_str);
    if condition.status == Truth::False && strategy == Some("LiveMigrate") {
        let message = format!("EvictionStrategy is set but vmi is not migratable; {}", condition.message);
        cx.event(vmi, EventType::Warning, "Migrated", &message);
    }
}

/// The pod's network must be reached by masquerade, or by a bridge that may move.
fn network(vmi: &VirtualMachineInstance) -> Option<Obstacle> {
    let has = |value: &Value, key: &str| value.get(key).is_some_and(|found| !found.is_null());
    let interfaces = vmi.spec.domain.devices.get("interfaces").and_then(Value::as_array)?;
    let pod_network = vmi.spec.networks.iter().find(|network| has(network, "pod"))?;
    let interface = interfaces.iter().find(|interface| interface.get("name") == pod_network.get("name"))?;
    let bridge_may_move = vmi.metadata.annotations.contains_key(BRIDGE_MAY_MOVE);
    let moves = has(interface, "masquerade") || has(interface, "passtBinding");
    if moves || bridge_may_move && has(interface, "bridge") {
        return None;
    }
    let message = literal!(
        "cannot migrate VMI which does not use masquerade or a migratable plugin to connect to the pod network"
    );
    Some((literal!("InterfaceNotLiveMigratable"), message))
}

/// The node must know its own CPU model if that is the guest's.
fn cpu(vmi: &VirtualMachineInstance, view: View<'_>) -> Option<Obstacle> {
    let name = &vmi.status.node_name;
    let known = view.named::<Node>("", name).is_some_and(|(_, node)| host_model::is_known(node));
    if known || !host_model::has_host_model(vmi) {
        return None;
    }
    let message = arcstr::format!("the node \"{name}\" does not allow migration with host-model");
    Some((literal!("CPUModeLiveMigratable"), message))
}

/// `vmiContainsNonMigratablePCIHostDevices`, where feature gates are as they come.
fn devices(vmi: &VirtualMachineInstance) -> Option<Obstacle> {
    let devices = &vmi.spec.domain.devices;
    let count = |key: &str| devices.get(key).and_then(Value::as_array).map_or(0, Vec::len);
    let message = match (count("hostDevices"), count("gpus")) {
        (0, 0) => return None,
        (0, 1) => literal!("VMI specifies a GPU but feature gate VGPULiveMigration is not enabled"),
        (0, _) => literal!("VMI specifies too many GPUs"),
        _ => literal!("VMI specifies non-migratable generic PCI host device"),
    };
    Some((literal!("HostDeviceNotLiveMigratable"), message))
}

/// Both nodes must reach what the guest writes to (`checkVolumesForMigration`).
fn disks(vmi: &VirtualMachineInstance, view: View<'_>) -> Option<Obstacle> {
    let obstacle = vmi.spec.volumes.iter().find_map(|volume| disk(volume, vmi, view))?;
    Some((literal!("DisksNotLiveMigratable"), obstacle))
}

fn disk(volume: &VmVolume, vmi: &VirtualMachineInstance, view: View<'_>) -> Option<ArcStr> {
    if volume.data_volume.is_none() && volume.persistent_volume_claim.is_none() {
        let host_disk = volume.rest.get("hostDisk").filter(|disk| !disk.is_null())?;
        let shared = host_disk.get("shared").and_then(Value::as_bool).unwrap_or(false);
        return (!shared).then(|| literal!("cannot migrate VMI with non-shared HostDisk"));
    }
    let name = volume.claim_name()?;
    let rule = "live migration requires that all PVCs must be shared (using ReadWriteMany access mode)";
    let Some((_, claim)) = view.named::<PersistentVolumeClaim>(&vmi.metadata.namespace, name) else {
        return Some(arcstr::format!(
            "cannot migrate VMI: Unable to determine if PVC {name} is shared, {rule}"
        ));
    };
    let shared = claim.spec.access_modes.iter().any(|mode| mode == "ReadWriteMany");
    (!shared).then(|| arcstr::format!("cannot migrate VMI: PVC {name} is not shared, {rule}"))
}
