//! Machines that are lost, as KubeVirt sees them: by a heartbeat that is more than five minutes old.

use super::VirtHandler;
use crate::context::{Context, EventType};
use crate::kind::ObjectId;
use crate::objects::{ContainerStatus, Node, Pod, VirtualMachineInstance};
use crate::work_queue::Work;
use std::time::Duration;

/// The label by which launchers find nodes with a working virt-handler.
const SCHEDULABLE: &str = "kubevirt.io/schedulable";

/// An older heartbeat makes a virt-handler unresponsive.
const HEARTBEAT_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Heartbeats come 60 to 132 s apart (a minute with jitter factor 1.2).
const HEARTBEAT_PERIOD: std::ops::RangeInclusive<u64> = 60_000_000_000..=132_000_000_000;

/// The node controller looks again a minute after each look.
const RECHECK_NANOS: u64 = 60_000_000_000;

impl VirtHandler {
    /// The last heartbeat was some time before; when it is too old, the next recheck finds out.
    pub(super) fn machine_lost(&mut self, node: &str, cx: &mut Context<'_>) {
        let Some((id, _)) = cx.newest().named::<Node>("", node) else { return };
        let period = cx.draw(HEARTBEAT_PERIOD);
        let age = Duration::from_nanos(cx.draw(0..=period));
        let recheck = Duration::from_nanos(cx.draw(0..=RECHECK_NANOS));
        let number = self.count_loss(id);
        cx.complete_after(HEARTBEAT_TIMEOUT - age + recheck, Work { id, what: 0, number });
    }

    /// virt-handler beats at once, and looks at every guest of its node.
    pub(super) fn machine_back(&mut self, node: &str, cx: &mut Context<'_>) {
        let newest = cx.newest();
        let Some((id, _)) = newest.named::<Node>("", node) else { return };
        let instances: Vec<ObjectId> =
            newest.pods_on(node).filter_map(|(_, pod)| super::instance(pod, newest)).collect();
        self.count_loss(id);
        if self.unresponsive.remove(node) {
            set_schedulable(id, true, cx);
        }
        for instance in instances {
            let vmi = cx.newest().get::<VirtualMachineInstance>(instance);
            if vmi.is_some_and(|vmi| vmi.status.node_name == node) {
                self.guests.swap_remove(&instance);
            }
            cx.requeue_after(Duration::ZERO, instance);
        }
    }

    /// The node controller finds the heartbeat too old, unless the machine has come back.
    pub(super) fn heartbeat_missed(&mut self, work: Work, cx: &mut Context<'_>) {
        if self.losses.get(&work.id) != Some(&work.number) {
            return;
        }
        let Some(node) = cx.newest().get::<Node>(work.id).cloned() else { return };
        self.unresponsive.insert(node.metadata.name.clone());
        if node.metadata.labels.has(SCHEDULABLE, "true") {
            let message = "virt-handler is not responsive, marking node as unresponsive";
            cx.event(&*node, EventType::Normal, "NodeUnresponsive", message);
            set_schedulable(work.id, false, cx);
        }
        let newest = cx.newest();
        let pods = newest.pods_on(&node.metadata.name);
        let instances: Vec<ObjectId> = pods.filter_map(|(_, pod)| super::instance(pod, newest)).collect();
        instances.into_iter().for_each(|instance| cx.requeue_after(Duration::ZERO, instance));
    }

    fn count_loss(&mut self, node: ObjectId) -> u32 {
        let losses = self.losses.entry(node).or_insert(0);
        *losses += 1;
        *losses
    }
}

/// Fails an instance on an unresponsive node whose launcher does not live either.
pub(super) fn fail_without_launcher(
    id: ObjectId,
    vmi: &VirtualMachineInstance,
    pod: &Pod,
    cx: &mut Context<'_>,
) {
    if is_alive(pod) {
        return;
    }
    let message =
        format!("virt-handler on node {} is not responsive, marking VMI as failed", vmi.status.node_name);
    cx.event(vmi, EventType::Normal, "NodeUnresponsive", &message);
    let written = cx.patch::<VirtualMachineInstance>(id, |vmi| {
        vmi.status.phase = arcstr::literal!("Failed");
        vmi.status.reason = arcstr::literal!("NodeUnresponsive");
    });
    debug_assert!(written.is_ok() || cx.newest().get::<VirtualMachineInstance>(id).is_none());
}

/// Neither finished nor with all containers ended.
fn is_alive(pod: &Pod) -> bool {
    let statuses = &pod.status.container_statuses;
    let ended = |status: &ContainerStatus| status.terminated().is_some();
    !pod.is_finished() && (statuses.is_empty() || !statuses.iter().all(ended))
}

fn set_schedulable(id: ObjectId, schedulable: bool, cx: &mut Context<'_>) {
    let value = if schedulable { arcstr::literal!("true") } else { arcstr::literal!("false") };
    let written = cx.patch::<Node>(id, |node| {
        node.metadata.labels.insert(SCHEDULABLE, value);
    });
    debug_assert!(written.is_ok(), "a node that was just read exists: {written:?}");
}
