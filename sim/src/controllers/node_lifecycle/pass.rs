//! One pass over every node, Kubernetes 1.36.2: `pkg/controller/nodelifecycle/node_lifecycle_controller.go`
//! (`monitorNodeHealth`, `processTaintBaseEviction`), `pkg/controller/util/node/controller_utils.go`.

use super::health::{self, HealthData, LeaseSeen};
use super::zones::{Disruption, ZoneCount, zone_key};
use super::{NodeLifecycle, pods, taints};
use crate::context::{Context, EventType};
use crate::environment::Heartbeat;
use crate::kind::ObjectId;
use crate::objects::{Conditions as _, Node, ObjectMeta, Pod, Truth};
use arcstr::ArcStr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A pass that is under way.
#[derive(Debug, Default)]
pub(super) struct Pass {
    /// The nodes as the pass found them, by name.
    nodes: Vec<(ObjectId, Arc<Node>)>,
    zones: BTreeMap<ArcStr, ZoneCount>,
    /// Whether the next pass may find something to do that nothing announces.
    unsettled: bool,
}

/// What is left to do, in order; all hear of a write before the next step.
#[derive(Debug)]
pub(super) enum Step {
    /// Take away what says that a node cannot be reached.
    Reachable(usize),
    /// Take away a NoExecute taint.
    Remove { id: ObjectId, key: ArcStr },
    /// Look at a node.
    Health(usize),
    /// Look at all zones.
    Disruption,
}

/// What `tryUpdateNodeHealth` finds: the node, Ready as it was and as it is.
struct Found {
    node: Arc<Node>,
    observed: Truth,
    current: Option<Truth>,
    wrote: bool,
}

impl NodeLifecycle {
    /// Lists the nodes and says which have come and gone.
    pub(super) fn begin_pass(&mut self, cx: &mut Context<'_>) {
        assert!(self.steps.is_empty(), "a pass is over before the next one");
        assert!(
            self.next_pass.is_some_and(|due| due <= cx.now),
            "passes come when they are due, or when a slow API lets them"
        );
        self.next_pass = None;
        self.last_pass = Some(cx.now);
        let mut nodes: Vec<_> = cx.view().iter::<Node>().map(|(id, node)| (id, node.clone())).collect();
        nodes.sort_by(|(_, a), (_, b)| a.metadata.name.cmp(&b.metadata.name));
        self.pass = Pass { nodes, ..Pass::default() };
        self.classify_nodes(cx);
        self.steps.extend((0..self.pass.nodes.len()).map(Step::Health));
        self.steps.push_back(Step::Disruption);
        self.run_steps(cx);
    }

    fn classify_nodes(&mut self, cx: &mut Context<'_>) {
        let flags = &cx.config.controller_manager;
        for (index, (_, node)) in self.pass.nodes.iter().enumerate() {
            let zone = zone_key(node);
            if !self.zones.contains(&zone) {
                self.zones.add(zone, flags);
            }
            if self.known.insert(node.metadata.name.clone()) {
                let message = format!("Registered Node {} in Controller", node.metadata.name);
                node_event(node, "RegisteredNode", &message, cx);
                self.steps.push_back(Step::Reachable(index));
            }
        }
        if self.known.len() == self.pass.nodes.len() {
            return;
        }
        let listed: BTreeSet<&ArcStr> = self.pass.nodes.iter().map(|(_, node)| &node.metadata.name).collect();
        let gone: Vec<ArcStr> = self.known.iter().filter(|name| !listed.contains(name)).cloned().collect();
        for name in gone {
            self.known.remove(&name);
            let message = format!("Removing Node {name} from Controller");
            let metadata = ObjectMeta { name, ..ObjectMeta::default() };
            node_event(&Node { metadata, ..Node::default() }, "RemovingNode", &message, cx);
        }
    }

    /// Takes steps up to the next write; the pass is over when none is left.
    pub(super) fn run_steps(&mut self, cx: &mut Context<'_>) {
        while let Some(step) = self.steps.pop_front() {
            let wrote = match step {
                Step::Reachable(index) => {
                    let (id, node) = self.pass.nodes[index].clone();
                    self.mark_node_as_reachable(id, &node);
                    false
                }
                Step::Remove { id, key } => {
                    let unset =
                        |node: &mut Node| taints::unset(&mut node.spec.taints, &key, &taints::NO_EXECUTE);
                    // A node that is gone has no taint.
                    cx.patch::<Node>(id, unset).unwrap_or(false)
                }
                Step::Health(index) => self.monitor_node(index, cx),
                Step::Disruption => {
                    self.handle_disruption(cx);
                    false
                }
            };
            if wrote {
                self.run_later(cx);
                break;
            }
        }
        self.schedule_taints(cx);
        if self.steps.is_empty() && std::mem::take(&mut self.pass).unsettled {
            self.arm(cx);
        }
    }

    /// Nothing keeps the pods of this node from it any more (`markNodeAsReachable`).
    fn mark_node_as_reachable(&mut self, id: ObjectId, node: &Node) {
        if let Some(tainter) = self.zones.tainter(&zone_key(node)) {
            tainter.remove(&node.metadata.name);
        }
        for key in [taints::NOT_READY, taints::UNREACHABLE] {
            if taints::evicts(node, &key) {
                self.steps.push_front(Step::Remove { id, key });
            }
        }
    }

    /// Looks at one node: is it heard of, does it need a taint, must its pods be told?
    fn monitor_node(&mut self, index: usize, cx: &mut Context<'_>) -> bool {
        let (id, node) = self.pass.nodes[index].clone();
        // The node is gone since the pass began.
        let Some(found) = self.try_update_node_health(id, node, cx) else { return false };
        let Found { node, observed, current, mut wrote } = found;
        if !node.metadata.labels.contains_key("node.kubernetes.io/exclude-disruption") {
            let count = self.pass.zones.entry(zone_key(&node)).or_default();
            let ready = current == Some(Truth::True);
            count.ready += usize::from(ready);
            count.not_ready += usize::from(!ready);
        }
        let Some(current) = current else { return wrote };
        wrote |= self.process_taint_base_eviction(id, &node, current, cx);
        if current != Truth::True && observed == Truth::True {
            let message = format!("Node {} status is now: NodeNotReady", node.metadata.name);
            cx.event(&*node, EventType::Normal, "NodeNotReady", &message);
            let pods: Vec<(ObjectId, Arc<Pod>)> =
                cx.view().pods_on(&node.metadata.name).map(|(id, pod)| (id, pod.clone())).collect();
            wrote |= pods::mark_pods_not_ready(pods, cx);
        }
        wrote
    }

    fn try_update_node_health(
        &mut self,
        id: ObjectId,
        node: Arc<Node>,
        cx: &mut Context<'_>,
    ) -> Option<Found> {
        let name = node.metadata.name.clone();
        let lease = self.lease_seen(&name, cx);
        let mut health = HealthData::observe(self.health.remove(&name), &node, lease, cx.now);
        let current = ready(&node);
        let flags = &cx.config.controller_manager;
        let grace = match current {
            Some(_) => flags.grace_period(cx.config.kubernetes),
            None => flags.node_startup_grace_period,
        };
        // Real passes drift, so that the period's multiple has always passed: not before, rather than after.
        let silent = cx.now >= health.probe() + grace;
        let mut found = Found { node, observed: current.unwrap_or_default(), current, wrote: false };
        if silent && current != Some(Truth::Unknown) {
            // A conflict makes the controller read the node again, with the same outcome: only the status is written.
            let now = cx.now;
            let wrote = cx.patch::<Node>(id, |node| health::mark_unknown(node, now));
            let Some(written) = cx.newest().get::<Node>(id).filter(|_| wrote.is_ok()) else {
                self.health.insert(name, health);
                return None;
            };
            found.node = written.clone();
            found.current = ready(written);
            found.wrote = true;
            health.wrote(&found.node, lease);
        }
        self.pass.unsettled |= found.current != Some(Truth::True) || !self.is_settled(&name, cx);
        self.health.insert(name, health);
        Some(found)
    }

    /// A machine that renews by itself is announced when it stops to do so.
    fn is_settled(&self, name: &str, cx: &Context<'_>) -> bool {
        cx.environment.leases.heartbeat(name) == Heartbeat::Live
    }

    fn lease_seen(&mut self, name: &str, cx: &mut Context<'_>) -> LeaseSeen {
        match cx.environment.leases.heartbeat(name) {
            Heartbeat::None => LeaseSeen::None,
            Heartbeat::Live => LeaseSeen::SeenAt(cx.now),
            Heartbeat::Silent(last) => LeaseSeen::SeenAt(self.pass_at_or_after(last, cx).min(cx.now)),
            Heartbeat::Renewed(at) => LeaseSeen::Renewed(at),
        }
    }

    fn process_taint_base_eviction(
        &mut self,
        id: ObjectId,
        node: &Node,
        current: Truth,
        cx: &mut Context<'_>,
    ) -> bool {
        let (key, opposite) = match current {
            Truth::False => (taints::NOT_READY, taints::UNREACHABLE),
            Truth::Unknown => (taints::UNREACHABLE, taints::NOT_READY),
            Truth::True => {
                self.mark_node_as_reachable(id, node);
                return false;
            }
        };
        if taints::evicts(node, &opposite) {
            self.swap(node, id, [&key, &opposite], cx);
            return true;
        }
        let tainter = self.zones.tainter(&zone_key(node)).expect("every zone has a queue");
        if !taints::evicts(node, &key) {
            tainter.remove(&node.metadata.name);
        }
        tainter.add(&node.metadata.name);
        false
    }

    fn handle_disruption(&mut self, cx: &Context<'_>) {
        match self.zones.update(&self.pass.zones, &cx.config.controller_manager, cx.now) {
            Disruption::Unchanged => {}
            Disruption::Enters => self.steps.extend((0..self.pass.nodes.len()).map(Step::Reachable)),
            Disruption::Exits => {
                for (_, node) in &self.pass.nodes {
                    if let Some(health) = self.health.get_mut(&node.metadata.name) {
                        health.reset(cx.now);
                    }
                }
            }
        }
    }
}

/// The status of a node's Ready condition.
pub(super) fn ready(node: &Node) -> Option<Truth> {
    node.status.conditions.condition("Ready").map(|condition| condition.status)
}

fn node_event(node: &Node, reason: &str, what: &str, cx: &mut Context<'_>) {
    let message = format!("Node {} event: {what}", node.metadata.name);
    cx.event(node, EventType::Normal, reason, &message);
}
