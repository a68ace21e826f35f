//! The node lifecycle controller, Kubernetes 1.36.2: `pkg/controller/nodelifecycle/node_lifecycle_controller.go`.
//!
//! Every few seconds a pass looks at every node. While all nodes are well a pass changes nothing, so passes are played
//! only while some node is lost, not ready, new or gone; they stand on the grid on which they all would stand.

mod health;
mod pass;
mod pods;
mod tainter;
mod taints;
mod zones;

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::kind::{Kind, ObjectId};
use crate::objects::{Node, Pod, Truth};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use health::HealthData;
use pass::{Pass, Step};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;
use stuckvm_detector::Time;
use zones::Zones;

const PASS: u16 = 1;
const STEP: u16 = 2;
const TAINT: u16 = 3;

/// The queues of nodes to taint are looked at every 100 ms (`NodeEvictionPeriod`), midway between two of a pass's own.
const TAINT_PERIOD: Duration = Duration::from_millis(100);
const TAINT_PHASE: Duration = Duration::from_millis(50);

/// The controller.
#[derive(Debug, Default)]
pub(crate) struct NodeLifecycle {
    /// An instant of the grid of passes; drawn when the first is needed.
    origin: Option<Time>,
    /// The next pass, if one is due.
    next_pass: Option<Time>,
    last_pass: Option<Time>,
    /// When the queues of nodes to taint are looked at next.
    next_taint: Option<Time>,
    /// What is left to do at this instant, one write at a time.
    steps: VecDeque<Step>,
    /// The pass that these steps belong to.
    pass: Pass,
    /// Nodes that were announced.
    known: BTreeSet<ArcStr>,
    health: BTreeMap<ArcStr, HealthData>,
    zones: Zones,
}

impl Controller for NodeLifecycle {
    fn name(&self) -> &'static str {
        "node-lifecycle"
    }

    fn on_change(&mut self, change: &Change, _view: View<'_>, queue: &mut WorkQueue) {
        match change.id.kind {
            Kind::Node => queue.add(change.id),
            Kind::Pod => {
                let Some(node) = change.new_as::<Pod>().and_then(|pod| pod.node()) else { return };
                let moved = change.old_as::<Pod>().is_none_or(|old| old.node_name != *node);
                if moved && self.health.get(node).is_some_and(HealthData::is_not_ready) {
                    queue.add(change.id);
                }
            }
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        match (work.id.kind, work.what) {
            (Kind::Pod, _) => self.process_pod(work.id, cx),
            (_, PASS) => self.begin_pass(cx),
            (_, STEP) => self.run_steps(cx),
            (_, TAINT) => self.do_no_execute_tainting_pass(cx),
            _ => self.process_node(work.id, cx),
        }
        Action::Done
    }

    fn on_machine(&mut self, _node: &str, _lost: bool, cx: &mut Context<'_>) {
        self.arm(cx);
    }
}

impl NodeLifecycle {
    /// Sets NoSchedule taints and old labels as a changed node asks for, and has the next pass look at it.
    fn process_node(&mut self, id: ObjectId, cx: &mut Context<'_>) {
        self.arm(cx);
        let Some(node) = cx.view().get::<Node>(id).cloned() else { return };
        let now = cx.now;
        let (missing, left_over) = taints::no_schedule_changes(&node);
        let labels = taints::label_changes(&node);
        // Each is refused only if the node is gone, which needs neither taints nor labels.
        if !missing.is_empty() {
            let set = |taints: &mut _, key| taints::set(taints, key, &taints::NO_SCHEDULE, now);
            let _ =
                cx.patch::<Node>(id, |node| missing.iter().for_each(|key| set(&mut node.spec.taints, key)));
        }
        if !left_over.is_empty() {
            let unset = |taints: &mut _, key: &str| taints::unset(taints, key, &taints::NO_SCHEDULE);
            let _ = cx
                .patch::<Node>(id, |node| left_over.iter().for_each(|key| unset(&mut node.spec.taints, key)));
        }
        if !labels.is_empty() {
            let _ = cx.patch::<Node>(id, |node| {
                for (label, value) in labels {
                    node.metadata.labels.insert(label, value);
                }
            });
        }
    }

    /// A pod that has come to a node that is not ready is not ready either.
    fn process_pod(&self, id: ObjectId, cx: &mut Context<'_>) {
        let Some(pod) = cx.view().get::<Pod>(id).cloned() else { return };
        let not_ready = self.health.get(&pod.node_name).is_some_and(HealthData::is_not_ready);
        if not_ready && cx.view().named::<Node>("", &pod.node_name).is_some() {
            pods::mark_pods_not_ready(vec![(id, pod)], cx);
        }
    }

    /// Taints the nodes whose turn it is.
    fn do_no_execute_tainting_pass(&mut self, cx: &mut Context<'_>) {
        // A timer that was set for another turn comes too early; where the API server is slow, each comes late.
        if self.next_taint.is_none_or(|due| due > cx.now) {
            return;
        }
        self.next_taint = None;
        let now = cx.now;
        let due = self.zones.tainters().flat_map(|tainter| std::iter::from_fn(move || tainter.pop(now)));
        for name in due.collect::<Vec<ArcStr>>() {
            let Some((id, node)) = cx.view().named::<Node>("", &name) else { continue };
            let node = node.clone();
            match pass::ready(&node) {
                Some(Truth::False) => self.swap(&node, id, [&taints::NOT_READY, &taints::UNREACHABLE], cx),
                Some(Truth::Unknown) => self.swap(&node, id, [&taints::UNREACHABLE, &taints::NOT_READY], cx),
                Some(Truth::True) | None => {}
            }
        }
        self.schedule_taints(cx);
        self.run_later(cx);
    }

    /// Adds one NoExecute taint and, in a write of its own, takes away the other (`SwapNodeControllerTaint`).
    fn swap(&mut self, node: &Node, id: ObjectId, [add, remove]: [&ArcStr; 2], cx: &mut Context<'_>) {
        let now = cx.now;
        let set = |node: &mut Node| taints::set(&mut node.spec.taints, add, &taints::NO_EXECUTE, now);
        if cx.patch::<Node>(id, set).is_ok() && taints::evicts(node, remove) {
            self.steps.push_front(Step::Remove { id, key: remove.clone() });
        }
    }

    /// Sees to it that a pass comes.
    fn arm(&mut self, cx: &mut Context<'_>) {
        if self.next_pass.is_some() {
            return;
        }
        let earliest = self.last_pass.filter(|last| *last == cx.now).map_or(cx.now, just_after);
        let at = self.pass_at_or_after(earliest, cx);
        self.next_pass = Some(at);
        cx.requeue_at(at, own(PASS));
    }

    /// The first instant of the grid of passes that is not before `at`.
    fn pass_at_or_after(&mut self, at: Time, cx: &mut Context<'_>) -> Time {
        let period = cx.config.controller_manager.node_monitor_period;
        grid(self.origin(cx), period, at)
    }

    /// The grid of passes: where the controller manager happens to have started.
    fn origin(&mut self, cx: &mut Context<'_>) -> Time {
        if let Some(origin) = self.origin {
            return origin;
        }
        let period = cx.config.controller_manager.node_monitor_period.as_nanos();
        let last = u64::try_from(period).unwrap_or(u64::MAX).max(1) - 1;
        let phase = Duration::from_nanos(cx.draw(0..=last));
        *self.origin.insert(cx.config.start + phase)
    }

    /// Sees to it that the queues are looked at when the next node may be tainted.
    fn schedule_taints(&mut self, cx: &mut Context<'_>) {
        let Some(due) = self.zones.tainters().filter_map(|tainter| tainter.due()).min() else { return };
        let origin = self.origin(cx) + TAINT_PHASE;
        let at = grid(origin, TAINT_PERIOD, due.max(just_after(cx.now)));
        if self.next_taint.is_none_or(|next| at < next) {
            self.next_taint = Some(at);
            cx.requeue_at(at, own(TAINT));
        }
    }

    /// Goes on with the steps once all have heard of what was just written.
    fn run_later(&self, cx: &mut Context<'_>) {
        if !self.steps.is_empty() {
            cx.requeue_after(Duration::ZERO, own(STEP));
        }
    }
}

/// Work that is about no object.
fn own(what: u16) -> Work {
    Work { id: ObjectId { kind: Kind::Node, index: 0 }, what, number: 0 }
}

fn just_after(at: Time) -> Time {
    at + Duration::from_nanos(1)
}

/// The first instant that lies a number of periods after `origin` and not before `at`.
fn grid(origin: Time, period: Duration, at: Time) -> Time {
    assert!(!period.is_zero(), "a period lasts");
    let periods = at.saturating_since(origin).as_nanos().div_ceil(period.as_nanos());
    let nanos = u64::try_from(periods * period.as_nanos()).unwrap_or(u64::MAX);
    origin.checked_add(Duration::from_nanos(nanos)).unwrap_or(Time::MAX)
}
