//! SCHEDULER: kube-scheduler 1.36.2 with its default profile, and older releases by switches.
//!
//! `pkg/scheduler/scheduler.go`, `schedule_one.go`. The parts: [`queue`] says which pod is tried next and [`hints`] what
//! wakes one that waits; [`cycle`] finds the nodes that do (`plugins/`) and [`score`] the best; [`preemption`] looks where
//! room could be made and [`message`] says why there is none; [`binding`] writes the choice. [`snapshot`] is what the
//! scheduler knows of the cluster, and [`one_shot`] runs the same cycle over manifests.
//!
//! An attempt takes no virtual time: it happens within one turn, so nothing is missed while a pod is in flight.

mod admission_check;
mod binding;
mod cycle;
mod explanation;
mod failure;
mod hints;
mod images;
mod informer;
mod matches;
mod message;
mod node_answers;
mod node_info;
mod node_tree;
mod one_shot;
mod plugins;
mod pod_info;
mod preemption;
mod profile;
mod queue;
pub(crate) mod requests;
mod score;
mod snapshot;
mod status;
mod storage;
mod taint_sets;

pub(crate) use admission_check::{NodeUse, Unfit};
pub use explanation::{NodeByNode, RejectedNode};
pub use one_shot::{OneShotOptions, Placement, schedule};
pub(crate) use plugins::volume_binding::is_reachable;

use crate::config::Config;
use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::kind::{Kind, ObjectId};
use crate::objects::{ObjectMeta, Rest};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use binding::VolumeBinding;
use cycle::{Rotation, schedule_pod};
use informer::Pending;
use profile::Profile;
use queue::SchedulingQueue;
use snapshot::{PodId, Snapshot};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::Time;

/// The scheduler.
#[derive(Debug)]
pub(crate) struct Scheduler {
    snapshot: Snapshot,
    rotation: Rotation,
    queue: SchedulingQueue,
    /// What the informers have brought since the last turn.
    pending: Vec<Pending>,
    /// Pods without a node that the informers have shown.
    known: BTreeSet<PodId>,
    /// Pods that have been placed and wait for their volumes.
    binding: BTreeMap<PodId, VolumeBinding>,
    /// When the queue is flushed next.
    timer: Option<Time>,
    /// `observedGeneration: 1` as nearly every condition has it, shared.
    first_generation: Rest,
}

/// Work: try the next pod.
const CYCLE: u16 = 0;
/// Work: flush the queue.
const FLUSH: u16 = 1;
/// Work: look whether a pod's volumes are bound.
const CHECK_VOLUMES: u16 = 2;

impl Scheduler {
    /// A scheduler that starts with the cluster.
    pub(crate) fn new(config: &Config) -> Self {
        let profile = Profile::of(config.kubernetes);
        let mut first_generation = Rest::default();
        first_generation.insert("observedGeneration", 1.into());
        Self {
            snapshot: Snapshot::new(profile),
            rotation: Rotation::default(),
            queue: SchedulingQueue::new(profile.pops_backoff, config.start),
            pending: Vec::new(),
            known: BTreeSet::new(),
            binding: BTreeMap::new(),
            timer: None,
            first_generation,
        }
    }
}

impl Controller for Scheduler {
    fn name(&self) -> &'static str {
        "scheduler"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        self.take(change);
        self.wake_bindings(change, view, queue);
        if !self.pending.is_empty() {
            queue.add(any(CYCLE));
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        self.catch_up(cx.now, cx.view());
        match work.what {
            CHECK_VOLUMES => self.check_volumes(work.id.index, cx),
            FLUSH => self.timer = None,
            _ => {}
        }
        self.queue.flush(cx.now);
        self.schedule_one(cx);
        self.set_timer(cx);
        if self.queue.is_ready() && work.what == CYCLE {
            return Action::RequeueAfter(Duration::ZERO);
        }
        if self.queue.is_ready() {
            cx.requeue_after(Duration::ZERO, any(CYCLE));
        }
        Action::Done
    }
}

impl Scheduler {
    fn set_timer(&mut self, cx: &mut Context<'_>) {
        let Some(at) = self.queue.next_flush() else { return };
        if self.timer.is_none_or(|timer| at < timer) {
            self.timer = Some(at);
            cx.requeue_at(at, any(FLUSH));
        }
    }

    /// `ScheduleOne`.
    fn schedule_one(&mut self, cx: &mut Context<'_>) {
        let Some(id) = self.queue.pop() else { return };
        let info = self.queue.get(id).expect("a popped pod is in the queue").info.clone();
        let meta = &info.pod.metadata;
        if meta.is_deleting() {
            cx.event(&*info.pod, EventType::Warning, "FailedScheduling", &skips_deleting(meta));
            self.snapshot.blank_nomination(id);
            return;
        }
        self.snapshot.update_order();
        let draw = |equals: u64| cx.draw(0..=equals - 1);
        match schedule_pod(&self.snapshot, &mut self.rotation, &info, draw) {
            Ok(chosen) => self.assume_and_bind(id, info, chosen, cx),
            Err(failure) => self.handle_failure(id, &info, &failure, cx),
        }
    }
}

/// `skipPodSchedule`: what is said of a pod that is being deleted when its turn comes.
fn skips_deleting(meta: &ObjectMeta) -> String {
    format!("skip schedule deleting pod: {}/{}", meta.namespace, meta.name)
}

fn pod_id(index: PodId) -> ObjectId {
    ObjectId { kind: Kind::Pod, index }
}

/// Work on the queue as a whole.
fn any(what: u16) -> Work {
    Work { id: pod_id(0), what, number: 0 }
}
