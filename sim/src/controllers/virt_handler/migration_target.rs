//! virt-handler of the node that an instance goes to, KubeVirt main 2026-08 as 1.9.0 has it:
//! `pkg/virt-handler/migration-target.go`. The ports that it listens on are left out.

use super::transfer::Ends;
use crate::context::{Context, EventType};
use crate::controllers::evacuation::EVICTION_SOURCE;
use crate::controllers::virtual_machine_instance::{NODE_NAME_LABEL, TARGET_NODE};
use crate::kind::ObjectId;
use crate::objects::{MigrationState, Node, Pod, VirtualMachineInstance};
use arcstr::ArcStr;

/// One look at an instance that is to come, or has come (`sync`).
pub(super) fn look(id: ObjectId, vmi: &VirtualMachineInstance, state: &MigrationState, cx: &mut Context<'_>) {
    let is_ours = vmi.metadata.labels.has(&TARGET_NODE, &state.target_node);
    if !is_ours || cx.environment.machines.is_lost(&state.target_node) {
        return;
    }
    if state.is_done() {
        clean_up(id, vmi, state, cx);
    } else if state.start_timestamp.is_some() && state.end_timestamp.is_some() {
        finalize(id, vmi, state, cx);
    } else if state.start_timestamp.is_none() && state.target_node_address.is_empty() {
        prepare(id, vmi, state, cx);
    }
}

/// Mounts what the guest needs and listens for it, if the launcher is there.
fn prepare(id: ObjectId, vmi: &VirtualMachineInstance, state: &MigrationState, cx: &mut Context<'_>) {
    if Ends::of(vmi, state, cx.view()).target.is_none() {
        return;
    }
    cx.event(vmi, EventType::Normal, "PreparingTarget", "VirtualMachineInstance Migration Target Prepared.");
    let address = address_of(&state.target_node, cx);
    write(id, cx, |_, state| state.target_node_address = address);
}

/// The guest runs here now (`ackMigrationCompletion`).
pub(super) fn acknowledge(id: ObjectId, vmi: &VirtualMachineInstance, cx: &mut Context<'_>) {
    let now = cx.now.truncate_to_secs();
    write(id, cx, |vmi, state| {
        state.target_node_domain_detected = true;
        state.target_node_domain_ready_timestamp = Some(now);
        state.end_timestamp = Some(now);
        vmi.status.node_name = state.target_node.clone();
        vmi.status.evacuation_node_name = ArcStr::new();
        vmi.status.launcher_container_image_version = ArcStr::new();
        vmi.metadata.labels.insert(NODE_NAME_LABEL, state.target_node.clone());
        vmi.metadata.annotations.remove(EVICTION_SOURCE);
    });
    tell(vmi, cx);
}

/// The instance is all this node's (`finalizeMigration`); upstream tells once more that it came. Where no guest is here, somebody
/// else has written that the migration ended.
fn finalize(id: ObjectId, vmi: &VirtualMachineInstance, state: &MigrationState, cx: &mut Context<'_>) {
    let target = Ends::of(vmi, state, cx.view()).target;
    if !target.is_some_and(|(_, pod)| cx.environment.launchers.houses_guest(&pod)) {
        write(id, cx, |_, state| (state.failed, state.completed) = (true, true));
        return;
    }
    write(id, cx, |_, state| state.completed = true);
    tell(vmi, cx);
}

fn tell(vmi: &VirtualMachineInstance, cx: &mut Context<'_>) {
    let state = vmi.status.migration_state.as_deref();
    let node = state.map(|state| state.target_node.clone()).unwrap_or_default();
    let message = format!("The VirtualMachineInstance migrated to node {node}.");
    cx.event(vmi, EventType::Normal, "Migrated", &message);
}

/// The migration is over: a launcher that no guest has come to ends (`finalCleanup`).
fn clean_up(id: ObjectId, vmi: &VirtualMachineInstance, state: &MigrationState, cx: &mut Context<'_>) {
    let target = cx.view().named::<Pod>(&vmi.metadata.namespace, &state.target_pod).map(|(id, _)| id);
    if let Some(target) = target.filter(|_| state.failed) {
        cx.environment.launchers.end_launcher(target);
    }
    write(id, cx, |vmi, _| {
        vmi.metadata.labels.remove(&TARGET_NODE);
    });
}

/// Where a node listens: its own address, since virt-handler's pod is not modelled.
fn address_of(node: &str, cx: &Context<'_>) -> ArcStr {
    let found = cx.view().named::<Node>("", node);
    let addresses = found.and_then(|(_, node)| node.status.rest.get("addresses")?.as_array());
    let internal = |address: &&serde_json::Value| address["type"] == "InternalIP";
    let address = addresses.and_then(|all| all.iter().find(internal)?["address"].as_str());
    address.unwrap_or(node).into()
}

/// Changes an instance and the migration that it shows.
pub(super) fn write(
    id: ObjectId,
    cx: &mut Context<'_>,
    change: impl FnOnce(&mut VirtualMachineInstance, &mut MigrationState),
) {
    let written = cx.patch::<VirtualMachineInstance>(id, |vmi| {
        if let Some(mut state) = vmi.status.migration_state.take() {
            change(vmi, &mut state);
            vmi.status.migration_state = Some(state);
        }
    });
    assert!(written.is_ok(), "an instance that was just read exists: {written:?}");
}
