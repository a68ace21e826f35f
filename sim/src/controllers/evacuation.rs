//! virt-controller's evacuation controller, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/virt-controller/watch/drain/evacuation/evacuation.go`. It moves the instances of a node that is drained.
//!
//! A node is looked at only while something of it is to move. Instances come in the order of their launchers; upstream takes
//! them as its maps have them.

use super::migration::{EVACUATION, PARALLEL_OUTBOUND_PER_NODE, PARALLEL_PER_CLUSTER, active_pods};
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
use std::sync::Arc;
use std::time::Duration;

/// Who has this taint wants every instance moved, marked or not (`NodeDrainTaintKey`; deprecated).
const DRAIN_TAINT: &str = "kubevirt.io/drain";

/// Instances that wait for a place are looked at again after this time, those that cannot move after that.
const NO_PLACE: Duration = Duration::from_secs(5);
const NOT_MIGRATABLE: Duration = Duration::from_secs(60);

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
    /// Moves as many instances as there are places for migrations (`sync`).
    fn empty(&mut self, id: ObjectId, node: &Node, cx: &mut Context<'_>) -> Action {
        let view = cx.view();
        let here = instances_on(&node.metadata.name, view);
        let all = view.iter::<VirtualMachineInstanceMigration>().map(|(_, migration)| &**migration);
        let active: Vec<&VirtualMachineInstanceMigration> =
            all.filter(|migration| !migration.is_final()).collect();
        let to_move = here.iter().filter(|vmi| wants_all_moved(node) || is_to_move(vmi, cx));
        let (ready, stuck) = sort_out(to_move, &active, view);
        if ready.is_empty() && stuck.is_empty() {
            return Action::Done;
        }
        let running = active.iter().filter(|migration| migration.is_running());
        let is_here = |name: &str| here.iter().any(|vmi| vmi.metadata.name == name);
        let outbound = running.clone().filter(|migration| is_here(&migration.spec.vmi_name)).count();
        let places = PARALLEL_PER_CLUSTER
            .saturating_sub(running.count())
            .min(PARALLEL_OUTBOUND_PER_NODE.saturating_sub(outbound));
        if places == 0 {
            return Action::RequeueAfter(NO_PLACE);
        }
        let chosen = ready.len().min(places);
        let told = stuck.len().min(places - chosen);
        for vmi in &stuck[..told] {
            cx.event(&**vmi, EventType::Normal, "FailedCreate", "VirtualMachineInstance is not migrateable");
        }
        if chosen == 0 {
            return Action::RequeueAfter(NOT_MIGRATABLE);
        }
        let mut action = Action::Done;
        for vmi in &ready[..chosen] {
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
        ..VirtualMachineInstanceMigrationSpec::default()
    };
    let mut migration = VirtualMachineInstanceMigration { spec, ..Default::default() };
    migration.metadata.generate_name = arcstr::literal!("kubevirt-evacuation-");
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

/// Those that can be moved now, and those that cannot be moved at all (`filterRunningNonMigratingVMIs`).
fn sort_out<'a>(
    instances: impl Iterator<Item = &'a Arc<VirtualMachineInstance>>,
    active: &[&VirtualMachineInstanceMigration],
    view: View<'_>,
) -> (Vec<Arc<VirtualMachineInstance>>, Vec<Arc<VirtualMachineInstance>>) {
    let (mut ready, mut stuck) = (Vec::new(), Vec::new());
    for vmi in instances {
        let meta = &vmi.metadata;
        let moves = |migration: &&&VirtualMachineInstanceMigration| {
            migration.metadata.namespace == meta.namespace && migration.spec.vmi_name == meta.name
        };
        if vmi.is_final() || meta.is_deleting() || !moves_on_eviction(vmi) {
            continue;
        }
        if !vmi.status.conditions.is_true("LiveMigratable") {
            stuck.push(Arc::clone(vmi));
        } else if active.iter().find(moves).is_none() && active_pods(vmi, view) <= 1 {
            ready.push(Arc::clone(vmi));
        }
    }
    (ready, stuck)
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
    let mut found: Vec<Arc<VirtualMachineInstance>> = Vec::new();
    for (_, pod) in view.pods_on(node) {
        let Some(owner) = instance_of(pod) else { continue };
        let instance = view.named::<VirtualMachineInstance>(&pod.metadata.namespace, &owner.name);
        let here = instance.filter(|(_, vmi)| vmi.metadata.uid == owner.uid && vmi.status.node_name == node);
        let new = here.filter(|(_, vmi)| found.iter().all(|known| known.metadata.uid != vmi.metadata.uid));
        found.extend(new.map(|(_, vmi)| Arc::clone(vmi)));
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
