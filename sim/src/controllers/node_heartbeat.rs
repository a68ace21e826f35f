//! What a kubelet says of its own node, 1.36.2: `pkg/kubelet/kubelet_node_status.go`, `pkg/kubelet/nodestatus/setters.go`.
//!
//! Leases and unchanged statuses are not written one by one: see [`crate::environment::Leases`]. What is played is a
//! machine that joins, the last renewal of one that is lost, and the first status of one that is back.

use crate::context::{Context, EventType};
use crate::controller::{Action, Controller};
use crate::kind::{Kind, ObjectId};
use crate::objects::{Condition, Conditions as _, Node, Truth};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::{ArcStr, literal};
use std::time::Duration;
use stuckvm_detector::Time;

/// A status is computed every ten seconds (`nodeStatusUpdateFrequency`).
const STATUS_PERIOD: Duration = Duration::from_secs(10);
/// A lease of 40 s is renewed every quarter of that, stretched by up to 4% (`component-helpers/apimachinery/lease`).
const RENEW_NANOS: std::ops::RangeInclusive<u64> = 10_000_000_000..=10_400_000_000;

/// Condition, status, reason and message of a node that is well, in the order in which a kubelet posts them.
static WELL: [(ArcStr, Truth, ArcStr, ArcStr); 4] = [
    (
        literal!("MemoryPressure"),
        Truth::False,
        literal!("KubeletHasSufficientMemory"),
        literal!("kubelet has sufficient memory available"),
    ),
    (
        literal!("DiskPressure"),
        Truth::False,
        literal!("KubeletHasNoDiskPressure"),
        literal!("kubelet has no disk pressure"),
    ),
    (
        literal!("PIDPressure"),
        Truth::False,
        literal!("KubeletHasSufficientPID"),
        literal!("kubelet has sufficient PID available"),
    ),
    (literal!("Ready"), Truth::True, literal!("KubeletReady"), literal!("kubelet is posting ready status")),
];

/// The kubelets, as far as they speak of their nodes.
#[derive(Debug, Default)]
pub(crate) struct NodeHeartbeat;

impl Controller for NodeHeartbeat {
    fn name(&self) -> &'static str {
        "node-heartbeat"
    }

    fn on_change(&mut self, change: &Change, _view: View<'_>, queue: &mut WorkQueue) {
        let Some(node) = change.new_as::<Node>() else { return };
        if change.id.kind == Kind::Node
            && change.old.is_none()
            && node.status.conditions.condition("Ready").is_none()
        {
            queue.add(change.id);
        }
    }

    /// A machine joins: its kubelet registers it.
    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        post(work.id, cx, register);
        Action::Done
    }

    /// A machine is back: its kubelet posts that it is well, unless nobody has noticed.
    fn complete(&mut self, work: Work, cx: &mut Context<'_>) {
        let node = cx.newest().get::<Node>(work.id).cloned();
        let ready = node.as_ref().and_then(|node| node.status.conditions.condition("Ready"));
        match (&node, ready) {
            (Some(_), None) => post(work.id, cx, register),
            (Some(node), Some(_)) if !is_well(node) => post(work.id, cx, update_status),
            _ => {}
        }
    }

    fn on_machine(&mut self, name: &str, lost: bool, cx: &mut Context<'_>) {
        if !lost {
            cx.environment.leases.resume(name);
            if let Some((id, _)) = cx.newest().named::<Node>("", name) {
                let period = STATUS_PERIOD.as_nanos() as u64;
                let delay = Duration::from_nanos(cx.draw(0..=period - 1));
                cx.complete_after(delay, id);
            }
            return;
        }
        let interval = cx.draw(RENEW_NANOS);
        let age = cx.draw(0..=interval - 1);
        let created =
            cx.newest().named::<Node>("", name).and_then(|(_, node)| node.metadata.creation_timestamp);
        let last = Time::from_nanos(cx.now.as_nanos().saturating_sub(age));
        cx.environment.leases.silence(name, created.map_or(last, |created| last.max(created)));
    }
}

/// Changes a node as its kubelet does, if the machine is there to do so.
fn post(id: ObjectId, cx: &mut Context<'_>, change: fn(&mut Node, Time)) {
    let Some(node) = cx.newest().get::<Node>(id).cloned() else { return };
    if cx.environment.machines.is_lost(&node.metadata.name) {
        return;
    }
    let now = cx.now;
    let was_ready = node.status.conditions.is_true("Ready");
    // Refused only if the node is gone, which it is not.
    let _ = cx.patch::<Node>(id, |node| change(node, now));
    if !was_ready {
        let message = format!("Node {} status is now: NodeReady", node.metadata.name);
        cx.event(&*node, EventType::Normal, "NodeReady", &message);
    }
}

/// Completes what whoever created the node has left out (`initialNode`).
fn register(node: &mut Node, now: Time) {
    let name = node.metadata.name.clone();
    let labels = [
        ("beta.kubernetes.io/arch", literal!("amd64")),
        ("beta.kubernetes.io/os", literal!("linux")),
        ("kubernetes.io/arch", literal!("amd64")),
        ("kubernetes.io/hostname", name),
        ("kubernetes.io/os", literal!("linux")),
    ];
    for (label, value) in labels {
        if !node.metadata.labels.contains_key(label) {
            node.metadata.labels.insert(label, value);
        }
    }
    let status = &mut node.status;
    if status.capacity.is_empty() {
        status.capacity = status.allocatable.clone();
    } else if status.allocatable.is_empty() {
        status.allocatable = status.capacity.clone();
    }
    update_status(node, now);
}

/// Posts the four conditions of a node that is well, in a kubelet's order, before others.
fn update_status(node: &mut Node, now: Time) {
    let mut old = std::mem::take(&mut node.status.conditions);
    for (kind, status, reason, message) in &WELL {
        let before = old.iter().position(|condition| condition.kind == *kind).map(|at| old.remove(at));
        let same = before.filter(|before| before.status == *status);
        let since = same.and_then(|before| before.last_transition_time).unwrap_or(now);
        let condition = Condition::new(kind.clone(), *status, reason.clone(), since);
        node.status
            .conditions
            .push(Condition { last_heartbeat_time: Some(now), ..condition.with_message(message.clone()) });
    }
    node.status.conditions.append(&mut old);
}

fn is_well(node: &Node) -> bool {
    WELL.iter().all(|(kind, status, ..)| {
        node.status.conditions.condition(kind).is_some_and(|condition| condition.status == *status)
    })
}
