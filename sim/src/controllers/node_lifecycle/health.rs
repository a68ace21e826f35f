//! When a node was last heard of, and what is said of it when it was not, Kubernetes 1.36.2:
//! `pkg/controller/nodelifecycle/node_lifecycle_controller.go` (`tryUpdateNodeHealth`).

use crate::objects::{Condition, Conditions as _, Node, Truth};
use stuckvm_detector::Time;

/// `nodeHealthData`: what the passes have seen of a node.
#[derive(Clone, Debug)]
pub(super) struct HealthData {
    /// The Ready condition that was seen last.
    ready: Option<ReadySeen>,
    /// When something else than a lease was last heard of the node.
    probe: Time,
    /// The newest renewal that was seen; a status heartbeat makes the controller forget it.
    lease: Option<Time>,
    /// The pass that saw it.
    lease_probe: Option<Time>,
}

#[derive(Clone, Copy, Debug)]
struct ReadySeen {
    status: Truth,
    heartbeat: Option<Time>,
}

/// What a pass sees of a node's lease.
#[derive(Clone, Copy, Debug)]
pub(super) enum LeaseSeen {
    /// There is none.
    None,
    /// It was last renewed then; whether that is news is for the pass to find out.
    Renewed(Time),
    /// The last renewal was seen by the pass of this instant.
    SeenAt(Time),
}

impl HealthData {
    /// What a pass at `now` makes of a node, given what it knew of a node of that name.
    pub(super) fn observe(saved: Option<Self>, node: &Node, lease: LeaseSeen, now: Time) -> Self {
        let ready = node.status.conditions.condition("Ready").map(ReadySeen::of);
        let saved_lease = saved.as_ref().and_then(|health| health.lease);
        let mut health = match (saved, ready) {
            (None, None) => Self { probe: created(node, now), ..Self::heard(None, now) },
            (Some(health), None) => Self { ready: None, ..health },
            (Some(health), Some(ready))
                if health.ready.is_some_and(|seen| seen.heartbeat == ready.heartbeat) =>
            {
                health
            }
            (_, Some(ready)) => Self::heard(Some(ready), now),
        };
        match lease {
            LeaseSeen::Renewed(at) if saved_lease.is_none_or(|saved| saved < at) => {
                health.lease = Some(at);
                health.lease_probe = Some(now);
            }
            LeaseSeen::SeenAt(pass) => health.lease_probe = Some(pass),
            LeaseSeen::Renewed(_) | LeaseSeen::None => {}
        }
        health
    }

    /// The instant from which the grace counts.
    pub(super) fn probe(&self) -> Time {
        self.lease_probe.map_or(self.probe, |lease| lease.max(self.probe))
    }

    /// The grace begins anew.
    pub(super) fn reset(&mut self, now: Time) {
        self.probe = now;
    }

    /// The controller itself has written the status.
    pub(super) fn wrote(&mut self, node: &Node, lease: LeaseSeen) {
        self.ready = node.status.conditions.condition("Ready").map(ReadySeen::of);
        if let LeaseSeen::Renewed(at) = lease {
            self.lease = Some(at);
        }
    }

    /// Whether the node was seen not ready, which pods that arrive there are told.
    pub(super) fn is_not_ready(&self) -> bool {
        self.ready.is_some_and(|ready| ready.status != Truth::True)
    }

    fn heard(ready: Option<ReadySeen>, now: Time) -> Self {
        Self { ready, probe: now, lease: None, lease_probe: None }
    }
}

impl ReadySeen {
    fn of(condition: &Condition) -> Self {
        Self { status: condition.status, heartbeat: condition.last_heartbeat_time }
    }
}

/// What is said of a silent node: its conditions are Unknown, those never posted are added. NetworkUnavailable, which
/// the kubelet does not post, stays.
pub(super) fn mark_unknown(node: &mut Node, now: Time) {
    let created = created(node, now);
    for kind in ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"] {
        match node.status.conditions.iter_mut().find(|condition| condition.kind == kind) {
            Some(condition) if condition.status == Truth::Unknown => {}
            Some(condition) => {
                condition.status = Truth::Unknown;
                condition.reason = arcstr::literal!("NodeStatusUnknown");
                condition.message = arcstr::literal!("Kubelet stopped posting node status.");
                condition.last_transition_time = Some(now);
            }
            None => node.status.conditions.push(Condition {
                last_heartbeat_time: Some(created),
                ..Condition::new(kind, Truth::Unknown, arcstr::literal!("NodeStatusNeverUpdated"), now)
                    .with_message(arcstr::literal!("Kubelet never posted node status."))
            }),
        }
    }
}

fn created(node: &Node, now: Time) -> Time {
    node.metadata.creation_timestamp.unwrap_or(now)
}
