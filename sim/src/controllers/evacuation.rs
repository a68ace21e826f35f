//! virt-controller's evacuation controller, KubeVirt main 2026-08 as 1.9.0 has it:
//! `pkg/virt-controller/watch/drain/evacuation/evacuation.go`. It moves the instances of a node that is drained.
//!
//! A node is looked at only while something of it is to move. Instances come in the order of their launchers; upstream takes
//! them as its maps have them.

use super::migration::{EVACUATION, active_pods};
use super::virtual_machine_instance::Expectations;
use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::kind::{Object, ObjectId};
use crate::launcher_pod::instance_of;
use crate::objects::{
    Conditions as _, Node, VirtualMachineInstance, VirtualMachineInstanceMigration,
    VirtualMachineInstanceMigrationSpec,
};
use crate::store::{ApiError, Change, View};
use crate::vm_status::is_migrating;
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Who has this taint wants every instance moved, marked or not (`NodeDrainTaintKey`; deprecated).
const DRAIN_TAINT: &str = "kubevirt.io/drain";

/// Who has asked for an eviction (`EvictionSourceAnnotation`).
pub(crate) const EVICTION_SOURCE: &str = "kubevirt.io/eviction-source";

/// The controller.
#[derive(Debug, Default)]
pub(crate) struct EvacuationController {
    /// By node.
    expectations: Expectations,
}

impl Controller for EvacuationController {
    fn name(&self) -> &'static str {
        "evacuation"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.object() {
            Object::Node(node) if wants_all_moved(node) => queue.add(change.id),
            Object::VirtualMachineInstance(vmi) => {
                let node = view.named::<Node>("", &vmi.status.node_name);
                let is_marked = !vmi.status.evacuation_node_name.is_empty();
                let concerned = node.filter(|(_, node)| is_marked || wants_all_moved(node));
                concerned.into_iter().for_each(|(id, _)| queue.add(id));
            }
            Object::VirtualMachineInstanceMigration(migration) => {
                let own = migration.metadata.annotations.get(&EVACUATION).filter(|_| change.old.is_none());
                if let Some((id, _)) = own.and_then(|node| view.named::<Node>("", node)) {
                    self.expectations.creation_observed(id);
                    queue.add(id);
                } else if let Some((id, _)) = node_of(migration, view) {
                    queue.add(id);
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(node) = cx.view().get::<Node>(work.id).cloned() else {
            self.expectations.forget(work.id);
            return Action::Done;
        };
        if !self.expectations.are_satisfied(work.id, cx.now) {
            return Action::Done;
        }
        self.empty(work.id, &node, cx)
    }
}

impl EvacuationController {
    /// Asks for migrations of all instances that are to move (`sync`); the migration controller has them wait for a place.
    fn empty(&mut self, id: ObjectId, node: &Node, cx: &mut Context<'_>) -> Action {
        let mut action = Action::Done;
        for vmi in &ready(node, cx) {
            self.expectations.expect_creation(id, cx.now);
            if let Err(error) = evacuate(vmi, node, cx) {
                self.expectations.creation_observed(id);
                action = Action::Fail(error.to_string().into());
            }
        }
        action
    }
}

/// Creates the migration of an instance.
fn evacuate(vmi: &VirtualMachineInstance, node: &Node, cx: &mut Context<'_>) -> Result<(), ApiError> {
    let spec = VirtualMachineInstanceMigrationSpec {
        vmi_name: vmi.metadata.name.clone(),
        priority: priority(vmi),
        ..VirtualMachineInstanceMigrationSpec::default()
    };
    let mut migration = VirtualMachineInstanceMigration { spec, ..Default::default() };
    migration.metadata.generate_name = literal!("kubevirt-evacuation-");
    migration.metadata.namespace = vmi.metadata.namespace.clone();
    migration.metadata.annotations.insert(EVACUATION, node.metadata.name.clone());
    match cx.create(migration) {
        Ok(id) => {
            let created = cx.newest().get::<VirtualMachineInstanceMigration>(id).cloned();
            let created = created.expect("it was just created");
            let message = format!("Created Migration {}", created.metadata.name);
            cx.event(vmi, EventType::Normal, "SuccessfulCreate", &message);
            Ok(())
        }
        Err(error) => {
            let message = format!("Error creating a Migration: {error}");
            cx.event(vmi, EventType::Warning, "FailedCreate", &message);
            Err(error)
        }
    }
}

/// What is drained by hand goes before what is only spread anew.
fn priority(vmi: &VirtualMachineInstance) -> ArcStr {
    match vmi.metadata.annotations.has(EVICTION_SOURCE, "descheduler") {
        true => literal!("system-maintenance"),
        false => literal!("system-critical"),
    }
}

/// Those of a node that are to move, can, and do not yet (`filterRunningNonMigratingVMIs`).
fn ready(node: &Node, cx: &Context<'_>) -> Vec<Arc<VirtualMachineInstance>> {
    let view = cx.view();
    let all = wants_all_moved(node);
    let mut instances = instances_on(&node.metadata.name, view);
    instances.retain(|vmi| (all || is_to_move(vmi, cx)) && can_move(vmi));
    if instances.is_empty() {
        return instances;
    }
    let unfinished =
        view.iter::<VirtualMachineInstanceMigration>().filter(|(_, migration)| !migration.is_final());
    let moving: BTreeSet<(&str, &str)> = unfinished
        .map(|(_, migration)| (migration.metadata.namespace.as_str(), migration.spec.vmi_name.as_str()))
        .collect();
    let moves = |vmi: &VirtualMachineInstance| {
        moving.contains(&(vmi.metadata.namespace.as_str(), vmi.metadata.name.as_str()))
    };
    instances.retain(|vmi| !moves(vmi) && active_pods(vmi, view) <= 1);
    instances
}

/// Whether an instance goes where a drain asks it to.
fn can_move(vmi: &VirtualMachineInstance) -> bool {
    let is_leaving = vmi.is_final() || vmi.metadata.is_deleting();
    !is_leaving && moves_on_eviction(vmi) && vmi.status.conditions.is_true("LiveMigratable")
}

/// Whether a drain has marked the instance, and it is neither gone from the node nor about to go (`getMarkedForEvictionVMIs`).
fn is_to_move(vmi: &VirtualMachineInstance, cx: &Context<'_>) -> bool {
    let status = &vmi.status;
    let moves = is_migrating(vmi, cx.now);
    !status.evacuation_node_name.is_empty() && status.node_name == status.evacuation_node_name && !moves
}

/// `VMIMigratableOnEviction`; the cluster's own default is to move nothing.
fn moves_on_eviction(vmi: &VirtualMachineInstance) -> bool {
    match vmi.spec.rest.get("evictionStrategy").and_then(serde_json::Value::as_str) {
        Some("LiveMigrate") => true,
        Some("LiveMigrateIfPossible") => vmi.status.conditions.is_true("LiveMigratable"),
        _ => false,
    }
}

fn wants_all_moved(node: &Node) -> bool {
    node.spec.taints.iter().any(|taint| taint.key == DRAIN_TAINT && taint.effect == "NoSchedule")
}

/// The instances of a node, each once.
fn instances_on(node: &str, view: View<'_>) -> Vec<Arc<VirtualMachineInstance>> {
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for (_, pod) in view.pods_on(node) {
        let Some(owner) = instance_of(pod) else { continue };
        let instance = view.named::<VirtualMachineInstance>(&pod.metadata.namespace, &owner.name);
        let here = instance.filter(|(_, vmi)| vmi.metadata.uid == owner.uid && vmi.status.node_name == node);
        found.extend(here.filter(|(id, _)| known.insert(*id)).map(|(_, vmi)| Arc::clone(vmi)));
    }
    found
}

/// The node of the instance that a migration moves.
fn node_of<'a>(
    migration: &VirtualMachineInstanceMigration,
    view: View<'a>,
) -> Option<(ObjectId, &'a Arc<Node>)> {
    let (namespace, name) = (&migration.metadata.namespace, &migration.spec.vmi_name);
    let (_, vmi) = view.named::<VirtualMachineInstance>(namespace, name)?;
    view.named::<Node>("", &vmi.status.node_name)
}
