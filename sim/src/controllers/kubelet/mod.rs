//! The kubelets of all nodes, Kubernetes 1.36.2: `pkg/kubelet`.
//!
//! One controller plays them all. What it knows of a pod lives in that pod's worker, and goes with the pod; an idle pod
//! has no timer and costs nothing.

mod admission;
mod backoff;
mod clock;
mod conditions;
mod go_duration;
mod image_manager;
mod image_name;
mod image_puller;
mod keyring;
mod kill;
mod node;
mod phase;
mod pod_actions;
mod pod_status;
mod pod_worker;
mod prober;
mod profile;
mod pull_records;
mod runtime;
mod start_container;
mod status;
mod status_manager;
mod sync_pod;
mod task;
mod transfer;
mod volume_manager;
mod volume_plugins;
mod volume_populator;

pub use clock::{RELIST, STATUS, TICK};
pub use image_manager::{Ensured, ImageError, ImageEvent, ImageManager, ImageRequest, Inspection, Pulled};
pub use image_puller::{Begun, ImagePuller, PullLimits, Running, Ticket, order_of_waking};
pub use keyring::{SecretCoordinates, TrackedAuthConfig};
pub use pull_records::CredentialVerification;
pub use runtime::{ContainerRecord, Exit, PodRuntime, RunState, Sandbox};
pub use status::{Observation, Probed, Reason, generate_api_pod_status};
pub use status_manager::update_status;

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::kind::ObjectId;
use crate::objects::{Conditions, Pod};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use indexmap::IndexMap;
use node::NodeState;
use pod_worker::{PodWorker, Stage, Turn};
use runtime::Slots;
use rustc_hash::FxBuildHasher;
use std::sync::Arc;
use stuckvm_detector::Time;
use task::{Task, run_number};

/// The kubelets of all nodes.
#[derive(Debug, Default)]
pub(crate) struct Kubelet {
    nodes: IndexMap<arcstr::ArcStr, NodeState, FxBuildHasher>,
    /// By the pod's index.
    workers: Vec<Option<Box<PodWorker>>>,
}

impl Controller for Kubelet {
    fn name(&self) -> &'static str {
        "kubelet"
    }

    fn on_change(&mut self, change: &Change, _view: View<'_>, queue: &mut WorkQueue) {
        if change.id.kind == crate::kind::Kind::Pod {
            self.on_pod(change, queue);
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        self.work(work, cx);
        Action::Done
    }

    fn complete(&mut self, work: Work, cx: &mut Context<'_>) {
        self.work(work, cx);
    }

    /// What came up meanwhile happens now, and every pod is looked at: its status may have been changed by others.
    fn on_machine(&mut self, node: &str, lost: bool, cx: &mut Context<'_>) {
        let Some(state) = self.nodes.get_mut(node).filter(|_| !lost) else { return };
        for work in std::mem::take(&mut state.held) {
            if Task::from_work(work).is_completion() {
                cx.complete_after(std::time::Duration::ZERO, work);
            } else {
                cx.requeue_after(std::time::Duration::ZERO, work);
            }
        }
        let pods: Vec<ObjectId> = cx.view().pods_on(node).map(|(id, _)| id).collect();
        for id in pods {
            cx.requeue_after(std::time::Duration::ZERO, Task::Return.of(id, 0));
        }
    }
}

impl Kubelet {
    /// Keeps what a pod's worker knows of the object up to date, and queues what is worth a look.
    fn on_pod(&mut self, change: &Change, queue: &mut WorkQueue) {
        let slot = self.workers.get_mut(change.id.index as usize);
        let Some(known) = slot.filter(|slot| slot.is_some()) else {
            if change.new_as::<Pod>().is_some_and(|pod| pod.node().is_some() && !pod.is_finished()) {
                queue.add(Task::Pod.of(change.id, 0));
            }
            return;
        };
        let worker = known.as_mut().expect("the pod has a worker");
        let over = worker.stage == Stage::Finished;
        match change.new_as::<Pod>() {
            Some(pod) if over && pod.is_finished() => *known = None,
            None if over => *known = None,
            Some(pod) => {
                let news = is_worth_a_sync(&worker.pod, pod);
                if worker.takes_room() && !Arc::ptr_eq(&worker.pod.spec, &pod.spec) {
                    let used = &mut self.nodes[worker.node].used;
                    used.remove(change.id.index, &worker.pod);
                    used.add(change.id.index, pod);
                }
                worker.pod = Arc::clone(pod);
                if news {
                    queue.add(Task::Pod.of(change.id, 0));
                }
            }
            None => {
                worker.gone = true;
                queue.add(Task::Pod.of(change.id, 0));
            }
        }
    }

    /// The pod that a tick takes out of the work queue next, where it takes out several.
    ///
    /// Upstream leaves their order to Go's maps and its scheduler. Wherever the order of a real kubelet shows, the pod
    /// that was put in last came first.
    fn next_of_tick(&mut self, work: Work, now: Time) -> Option<Work> {
        let worker = self.workers.get(work.id.index as usize)?.as_ref()?;
        let requeued = &mut self.nodes[worker.node].requeued;
        while requeued.first_key_value().is_some_and(|(tick, _)| *tick < now) {
            requeued.pop_first();
        }
        // A tick that the machine was lost at comes at another instant.
        let Some(due) = requeued.get_mut(&now) else { return Some(work) };
        let counts = |next: &Work| {
            let worker = self.workers[next.id.index as usize].as_ref();
            worker.is_some_and(|worker| worker.is_requeued(next.number))
        };
        std::iter::from_fn(|| due.pop_last().map(|(_, next)| next)).find(counts)
    }

    /// Lets a pod's worker do something, unless its machine is lost.
    fn work(&mut self, work: Work, cx: &mut Context<'_>) {
        let tick = Task::from_work(work) == Task::Tick;
        let next = if tick { self.next_of_tick(work, cx.now) } else { Some(work) };
        let Some(work) = next else { return };
        let index = work.id.index as usize;
        if self.workers.get(index).is_none_or(Option::is_none)
            && (Task::from_work(work).is_completion() || !self.accept(work.id, cx))
        {
            return;
        }
        let mut worker = self.workers[index].take().expect("the pod has a worker");
        let node = &mut self.nodes[worker.node];
        if cx.environment.machines.is_lost(&node.name) {
            node.held.push(work);
            self.workers[index] = Some(worker);
            return;
        }
        if !worker.admitted && !(Turn { id: work.id, worker: &mut worker, node, cx }).admit() {
            return;
        }
        if Task::from_work(work) == Task::Exited {
            self.finish_transfer(&mut worker, work.number, cx);
        }
        let node = &mut self.nodes[worker.node];
        let mut turn = Turn { id: work.id, worker: &mut worker, node, cx };
        match Task::from_work(work) {
            Task::Pod | Task::Return => turn.look_at_pod(),
            Task::Tick => turn.tick(work.number),
            Task::Relist => turn.relist(),
            Task::Probe => turn.probe(work.number),
            Task::Volumes => turn.poll(),
            Task::Mount => turn.mount(work.number),
            Task::Status => turn.sync_status(),
            Task::Sandbox => turn.sandbox_ready(),
            Task::Pulled => turn.answered(),
            Task::Started => turn.started(work.number as usize),
            Task::Exited => turn.exited(work.number),
            Task::Stopped => turn.stop_returned(work.number),
        }
        let done = worker.stage == Stage::Finished && worker.gone;
        self.workers[index] = (!done).then_some(worker);
    }

    /// Takes on a pod that was bound to a node.
    fn accept(&mut self, id: ObjectId, cx: &mut Context<'_>) -> bool {
        let Some(pod) = cx.view().get::<Pod>(id).filter(|pod| !pod.is_finished()).cloned() else {
            return false;
        };
        let Some(name) = pod.node().cloned() else { return false };
        let node = match self.nodes.get_index_of(&name) {
            Some(node) => node,
            None => self.nodes.insert_full(name.clone(), NodeState::new(name, cx)).0,
        };
        let index = id.index as usize;
        if self.workers.len() <= index {
            self.workers.resize_with(index + 1, || None);
        }
        self.workers[index] = Some(Box::new(PodWorker::new(pod, node)));
        true
    }
}

impl Turn<'_, '_> {
    /// The pod is new or has changed.
    fn look_at_pod(&mut self) {
        if self.worker.gone || self.worker.pod.metadata.is_deleting() {
            self.worker.ending = true;
        }
        self.update();
        if self.worker.ending {
            self.cancel_wait();
        }
    }
}

/// The ends of a pod's containers, but for init containers, as work of its kubelet: of those that the API shows running.
pub(crate) fn container_exits(id: ObjectId, pod: &Pod) -> Vec<Work> {
    let running = |slot: &usize| {
        let name = &pod.container(*slot).name;
        let mut statuses = pod.status.container_statuses.iter();
        statuses.find(|status| status.name == *name && status.running().is_some())
    };
    let runs = pod.regular().filter_map(|slot| Some((slot, running(&slot)?.restart_count)));
    runs.map(|(slot, restarts)| Task::Exited.of(id, run_number(slot, restarts))).collect()
}

/// Whether kubelet syncs a pod for this change: not for what is but a status, save for conditions that its readiness
/// gates ask for.
fn is_worth_a_sync(old: &Pod, new: &Pod) -> bool {
    let (before, after) = (&old.metadata, &new.metadata);
    let gates = &new.spec.readiness_gates;
    let gate = |pod: &Pod, kind: &str| pod.status.conditions.condition(kind).map(|found| found.status);
    !Arc::ptr_eq(&old.spec, &new.spec)
        || before.deletion_timestamp != after.deletion_timestamp
        || before.deletion_grace_period_seconds != after.deletion_grace_period_seconds
        || before.labels != after.labels
        || before.annotations != after.annotations
        || gates.iter().any(|found| gate(old, &found.condition_type) != gate(new, &found.condition_type))
}
