//! virt-handler on every node, KubeVirt main 2026-08 (`d923fdb815cd`): `pkg/virt-handler/vm.go`,
//! `launcher-clients/launcher-clients.go`, `heartbeat/heartbeat.go`; and virt-controller's node controller,
//! `pkg/virt-controller/watch/node/node.go`, which judges the heartbeats.
//!
//! Heartbeats are not sent one by one: only the instant counts at which one is missed.

mod guest;
mod guest_event;
mod migratable;
mod migration_source;
mod migration_target;
mod node;
mod pause;
mod shutdown;
mod transfer;

use super::virtual_machine_instance::{OwnedPod, current_pod, is_compute_down, owned_by};
use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::kind::{Kind, Object, ObjectId};
use crate::launcher_pod::{MIGRATION_JOB, instance_of};
use crate::objects::{Node, Pod, VirtualMachineInstance};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use guest_event::Guest;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::collections::BTreeSet;
use transfer::Transfer;

pub(crate) use guest_event::GuestEvent;

/// All virt-handlers together.
#[derive(Debug, Default)]
pub(crate) struct VirtHandler {
    /// What is under way with a guest; no entry while nothing is.
    guests: IndexMap<ObjectId, Guest, FxBuildHasher>,
    /// Guests on their way to another node.
    transfers: IndexMap<ObjectId, Transfer, FxBuildHasher>,
    transfers_begun: u32,
    /// How often each machine was lost or came back.
    losses: IndexMap<ObjectId, u32, FxBuildHasher>,
    /// Nodes whose virt-handler has missed its heartbeat for too long.
    unresponsive: BTreeSet<ArcStr>,
}

impl Controller for VirtHandler {
    fn name(&self) -> &'static str {
        "virt-handler"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.object() {
            Object::VirtualMachineInstance(_) if is_instance_of_interest(change) => queue.add(change.id),
            Object::Pod(pod) if ends_launcher(change) => {
                instance(pod, view).into_iter().for_each(|id| queue.add(id));
            }
            Object::Node(node) if change.new.is_none() => {
                let pods = view.pods_on(&node.metadata.name);
                pods.filter_map(|(_, pod)| instance(pod, view)).for_each(|id| queue.add(id));
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let view = cx.view();
        let vmi = view.get::<VirtualMachineInstance>(work.id).cloned();
        let Some(vmi) = vmi else {
            self.guests.swap_remove(&work.id);
            self.transfers.swap_remove(&work.id);
            return Action::Done;
        };
        if !is_handled(&vmi) {
            self.delete_domain(work.id, &vmi, cx);
            return Action::Done;
        }
        let Some((_, pod)) = launcher(&vmi, view) else { return Action::Done };
        let node = &vmi.status.node_name;
        let lost = cx.environment.machines.is_lost(node);
        let absent = view.named::<Node>("", node).is_none();
        if absent || lost && self.unresponsive.contains(node) {
            node::fail_without_launcher(work.id, &vmi, &pod, cx);
        }
        self.look_at_migration(work.id, &vmi, cx);
        if lost || absent {
            return Action::Done;
        }
        self.look_at_guest(work.id, &vmi, &pod, cx)
    }

    fn complete(&mut self, work: Work, cx: &mut Context<'_>) {
        if work.id.kind == Kind::Node {
            self.heartbeat_missed(work, cx);
        } else if work.what == GuestEvent::Moved as u16 {
            self.transfer_ended(work, cx);
        } else {
            self.guest_event(work, cx);
        }
    }

    fn on_machine(&mut self, node: &str, lost: bool, cx: &mut Context<'_>) {
        if lost {
            self.break_transfers(node, cx);
            self.machine_lost(node, cx);
        } else {
            self.machine_back(node, cx);
        }
    }
}

impl VirtHandler {
    /// One look at an instance that is moved: on the node that it leaves, and on the one that it goes to.
    fn look_at_migration(&mut self, id: ObjectId, vmi: &VirtualMachineInstance, cx: &mut Context<'_>) {
        let Some(state) = vmi.status.migration_state.as_deref() else { return };
        let live = cx.newest().get::<VirtualMachineInstance>(id);
        // Upstream waits until it has seen what it wrote last (`vmiExpectations`).
        let is_seen = live.is_some_and(|live| live.status.migration_state == vmi.status.migration_state);
        if is_seen && !vmi.metadata.is_deleting() {
            migration_target::look(id, vmi, state, cx);
            self.look_at_source(id, vmi, state, cx);
        }
    }
}

/// The instance that controls a launcher.
fn instance(pod: &Pod, view: View<'_>) -> Option<ObjectId> {
    let owner = instance_of(pod)?;
    let (id, vmi) = view.named::<VirtualMachineInstance>(&pod.metadata.namespace, &owner.name)?;
    (vmi.metadata.uid == owner.uid).then_some(id)
}

/// The launcher of an instance on its node.
fn launcher(vmi: &VirtualMachineInstance, view: View<'_>) -> Option<OwnedPod> {
    current_pod(vmi, &owned_by(vmi, view)).cloned()
}

/// Whether virt-handler owns the phase.
fn is_handled(vmi: &VirtualMachineInstance) -> bool {
    matches!(vmi.status.phase.as_str(), "Scheduled" | "Running") && !vmi.status.node_name.is_empty()
}

/// A phase that begins or ends, a deletion, or news of a migration.
fn is_instance_of_interest(change: &Change) -> bool {
    let state = |vmi: &VirtualMachineInstance| {
        (vmi.status.phase.clone(), vmi.metadata.is_deleting(), vmi.status.migration_state.clone())
    };
    let old = change.old_as::<VirtualMachineInstance>();
    let new = change.new_as::<VirtualMachineInstance>();
    let handled = old.is_some_and(|vmi| is_handled(vmi)) || new.is_some_and(|vmi| is_handled(vmi));
    handled && old.map(|vmi| state(vmi)) != new.map(|vmi| state(vmi))
}

/// Whether a launcher's compute container was seen to end, or the target of a migration to go.
fn ends_launcher(change: &Change) -> bool {
    if change.new.is_none() {
        return change.object().metadata().labels.contains_key(MIGRATION_JOB);
    }
    let ended = |pod: &Pod| pod.is_finished() || is_compute_down(pod);
    let was = change.old_as::<Pod>().is_some_and(|pod| ended(pod));
    change.new_as::<Pod>().is_some_and(|pod| !was && ended(pod))
}
