//! The pod garbage collector, Kubernetes 1.36.2: `pkg/controller/podgc/gc_controller.go`.
//!
//! Its passes are played only while one may find something.

use crate::config::Config;
use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::kind::{Kind, ObjectId};
use crate::objects::{Condition, Conditions as _, Node, Pod, Truth};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use stuckvm_detector::Time;

/// Between two passes (`gcCheckPeriod`).
const PERIOD: Duration = Duration::from_secs(20);
/// How long a node must be missing (`quarantineTime`).
const QUARANTINE: Duration = Duration::from_secs(40);

const PASS: u16 = 1;

/// The controller.
#[derive(Debug)]
pub(crate) struct PodGc {
    /// How many finished pods may stay; `None` is any number.
    threshold: Option<usize>,
    /// An instant of the grid of passes; drawn when the first is needed.
    origin: Option<Time>,
    next_pass: Option<Time>,
    last_pass: Option<Time>,
    /// Finished pods.
    terminated: BTreeSet<ObjectId>,
    /// Pods on nodes that are being deleted.
    terminating: BTreeSet<ObjectId>,
    /// Pods on no node that are being deleted.
    unscheduled: BTreeSet<ObjectId>,
    /// Nodes that pods name and that do not exist, as far as passes have not found otherwise.
    missing: BTreeSet<ArcStr>,
    /// Nodes with the out-of-service taint.
    out_of_service: BTreeSet<ObjectId>,
    /// Missing nodes and when their quarantine ends (`nodeQueue`).
    quarantine: BTreeMap<ArcStr, Time>,
}

impl Controller for PodGc {
    fn name(&self) -> &'static str {
        "pod-gc"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.id.kind {
            Kind::Pod => self.pod_changed(change, view),
            Kind::Node => self.node_changed(change, view),
            _ => return,
        }
        if self.next_pass.is_none() && self.may_find_something() {
            queue.add(own(0));
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        if work.what == PASS {
            self.gc(cx);
        }
        if self.may_find_something() {
            self.arm(cx);
        }
        Action::Done
    }
}

impl PodGc {
    /// A collector with the flags of this cluster.
    pub(crate) fn new(config: &Config) -> Self {
        let threshold = config.controller_manager.terminated_pod_gc_threshold;
        Self {
            threshold: usize::try_from(threshold).ok().filter(|threshold| *threshold > 0),
            origin: None,
            next_pass: None,
            last_pass: None,
            terminated: BTreeSet::new(),
            terminating: BTreeSet::new(),
            unscheduled: BTreeSet::new(),
            missing: BTreeSet::new(),
            out_of_service: BTreeSet::new(),
            quarantine: BTreeMap::new(),
        }
    }

    fn pod_changed(&mut self, change: &Change, view: View<'_>) {
        let id = change.id;
        let pod = change.new_as::<Pod>();
        let deleting = pod.filter(|pod| pod.metadata.is_deleting());
        keep(&mut self.terminated, id, pod.is_some_and(|pod| is_terminated(pod)));
        keep(&mut self.terminating, id, deleting.is_some_and(|pod| pod.node().is_some()));
        keep(&mut self.unscheduled, id, deleting.is_some_and(|pod| pod.node().is_none()));
        let moved = change.old_as::<Pod>().map(|old| &old.node_name) != pod.map(|pod| &pod.node_name);
        let node = pod.filter(|_| moved).and_then(|pod| pod.node());
        if let Some(node) = node.filter(|node| view.named::<Node>("", node).is_none()) {
            self.missing.insert(node.clone());
        }
    }

    fn node_changed(&mut self, change: &Change, view: View<'_>) {
        let node = change.new_as::<Node>();
        keep(&mut self.out_of_service, change.id, node.is_some_and(|node| is_out_of_service(node)));
        let name = &change.object().metadata().name;
        if node.is_none() && view.pods_on(name).next().is_some() {
            self.missing.insert(name.clone());
        }
    }

    /// Whether a pass is worth while. Terminating pods on nodes in service are the kubelet's.
    fn may_find_something(&self) -> bool {
        !self.missing.is_empty()
            || !self.quarantine.is_empty()
            || !self.unscheduled.is_empty()
            || !self.terminating.is_empty() && !self.out_of_service.is_empty()
            || self.surplus() > 0
    }

    fn surplus(&self) -> usize {
        self.threshold.map_or(0, |threshold| self.terminated.len().saturating_sub(threshold))
    }

    /// Sees to it that a pass comes.
    fn arm(&mut self, cx: &mut Context<'_>) {
        if self.next_pass.is_some() {
            return;
        }
        let period = PERIOD.as_nanos() as u64;
        let origin = *self
            .origin
            .get_or_insert_with(|| cx.config.start + Duration::from_nanos(cx.draw(0..=period - 1)));
        let earliest = match self.last_pass {
            Some(last) if last == cx.now => last + Duration::from_nanos(1),
            _ => cx.now,
        };
        let periods = earliest.saturating_since(origin).as_nanos().div_ceil(PERIOD.as_nanos());
        let at = origin + PERIOD.saturating_mul(u32::try_from(periods).unwrap_or(u32::MAX));
        self.next_pass = Some(at);
        cx.requeue_at(at, own(PASS));
    }

    /// One pass, over what the informers show at its beginning.
    fn gc(&mut self, cx: &mut Context<'_>) {
        assert!(
            self.next_pass.is_some_and(|due| due <= cx.now),
            "passes come when they are due, or when a slow API lets them"
        );
        self.next_pass = None;
        self.last_pass = Some(cx.now);
        let surplus = self.surplus();
        if surplus > 0 {
            let mut pods = listed(&self.terminated, cx);
            pods.sort_by_cached_key(|(_, pod)| eviction_and_creation(pod));
            pods.iter().take(surplus).for_each(|pod| mark_failed_and_delete(pod, None, cx));
        }
        self.gc_terminating(cx);
        self.gc_orphaned(cx);
        for pod in listed(&self.unscheduled, cx) {
            mark_failed_and_delete(&pod, None, cx);
        }
    }

    /// Pods that terminate on nodes that are out of service.
    fn gc_terminating(&self, cx: &mut Context<'_>) {
        if self.out_of_service.is_empty() {
            return;
        }
        for pod in listed(&self.terminating, cx) {
            let node = cx.view().named::<Node>("", &pod.1.node_name);
            if node
                .is_some_and(|(_, node)| is_out_of_service(node) && !node.status.conditions.is_true("Ready"))
            {
                mark_failed_and_delete(&pod, None, cx);
            }
        }
    }

    /// Pods on nodes that do not exist, once the quarantine of the node is over.
    fn gc_orphaned(&mut self, cx: &mut Context<'_>) {
        let now = cx.now;
        let waiting = std::mem::take(&mut self.quarantine);
        let (over, waiting): (BTreeMap<_, _>, _) = waiting.into_iter().partition(|(_, until)| *until <= now);
        self.quarantine = waiting;
        let orphaned = |node: &ArcStr| {
            cx.view().named::<Node>("", node).is_none() && cx.view().pods_on(node).next().is_some()
        };
        self.missing.retain(orphaned);
        for node in &self.missing {
            self.quarantine.entry(node.clone()).or_insert(now + QUARANTINE);
        }
        for node in over.into_keys() {
            let exists = cx.view().named::<Node>("", &node).is_some()
                || cx.newest().named::<Node>("", &node).is_some();
            let pods: Vec<_> = cx.view().pods_on(&node).map(|(id, pod)| (id, pod.clone())).collect();
            for pod in pods.iter().filter(|_| !exists) {
                mark_failed_and_delete(pod, Some("PodGC: node no longer exists"), cx);
            }
        }
    }
}

/// Fails the pod, unless it is finished, and deletes it without grace (`markFailedAndDeletePodWithCondition`).
fn mark_failed_and_delete((id, pod): &(ObjectId, Arc<Pod>), why: Option<&'static str>, cx: &mut Context<'_>) {
    let now = cx.now;
    let failed = |pod: &mut Pod| {
        pod.status.phase = literal!("Failed");
        if let Some(why) = why {
            let kind = literal!("DisruptionTarget");
            let condition =
                Condition::new(kind, Truth::True, literal!("DeletionByPodGC"), now).with_message(why);
            condition.put_into(&mut pod.status.conditions);
        }
    };
    // What is refused is gone already.
    if pod.is_finished() || cx.patch::<Pod>(*id, failed).is_ok() {
        let _ = cx.remove_pod(*id);
    }
}

/// Work that is about no object.
fn own(what: u16) -> Work {
    Work { id: ObjectId { kind: Kind::Pod, index: 0 }, what, number: 0 }
}

fn keep(set: &mut BTreeSet<ObjectId>, id: ObjectId, belongs: bool) {
    if belongs {
        set.insert(id);
    } else {
        set.remove(&id);
    }
}

fn listed(ids: &BTreeSet<ObjectId>, cx: &Context<'_>) -> Vec<(ObjectId, Arc<Pod>)> {
    ids.iter().filter_map(|id| Some((*id, cx.view().get::<Pod>(*id)?.clone()))).collect()
}

/// `isPodTerminated`; the API server leaves no phase empty.
fn is_terminated(pod: &Pod) -> bool {
    !matches!(pod.status.phase.as_str(), "" | "Pending" | "Running" | "Unknown")
}

fn is_out_of_service(node: &Node) -> bool {
    node.spec.taints.iter().any(|taint| taint.key == "node.kubernetes.io/out-of-service")
}

/// Evicted pods first, then the oldest (`byEvictionAndCreationTimestamp`).
fn eviction_and_creation(pod: &Pod) -> (bool, Option<Time>, ArcStr) {
    let evicted = pod.status.phase == "Failed" && pod.status.reason == "Evicted";
    (!evicted, pod.metadata.creation_timestamp, pod.metadata.name.clone())
}
