//! What a pod sends to another: when it has sent everything, the one that receives it ends too.
//!
//! Nothing of a kubelet's: the two programs talk to each other (`environment/transfers.rs`), and what containers run is known
//! here.

use super::Kubelet;
use super::pod_worker::PodWorker;
use super::runtime::{ContainerRecord, RunState, Slots};
use super::task::{Task, run_number, slot_and_restarts};
use crate::context::Context;
use crate::controllers::data_volume_cloner::upload_server;
use crate::environment::transfers;
use crate::kind::ObjectId;
use stuckvm_detector::Time;

impl Kubelet {
    /// The run of a container is over. If it has sent something, its receiver is done now; if that is gone, it has failed.
    ///
    /// A real sender notices at once that its receiver is gone; this one at its end.
    pub(super) fn finish_transfer(&self, worker: &mut PodWorker, number: u32, cx: &mut Context<'_>) {
        let (slot, restarts) = slot_and_restarts(number);
        let newest = worker.runtime.newest(slot).filter(|run| run.restarts == restarts);
        let Some(since) = newest.and_then(running_since).filter(|_| transfers::is_sender(&worker.pod)) else {
            return;
        };
        match self.receiver(worker, since, cx) {
            Some((id, run)) => cx.complete_at(cx.now, Task::Exited.of(id, run)),
            None => {
                let failed = transfers::connection_lost(worker.pod.container(slot));
                worker.programs.retain(|(of, _)| *of != slot);
                worker.programs.push((slot, Box::new(failed)));
            }
        }
    }

    /// The run of the upload server that a pod has been sending to, if it still runs: what was started later got nothing.
    fn receiver(&self, worker: &PodWorker, since: Time, cx: &Context<'_>) -> Option<(ObjectId, u32)> {
        let id = upload_server(cx.newest(), &worker.pod)?;
        let receiver = self.workers.get(id.index as usize)?.as_ref()?;
        let slot = receiver.pod.regular().start;
        let run = receiver.runtime.newest(slot)?;
        let is_the_same = running_since(run)? <= since;
        let is_lost = cx.environment.machines.is_lost(&self.nodes[receiver.node].name);
        (is_the_same && !is_lost).then(|| (id, run_number(slot, run.restarts)))
    }
}

fn running_since(run: &ContainerRecord) -> Option<Time> {
    match run.state {
        RunState::Running { started } => Some(started),
        _ => None,
    }
}
