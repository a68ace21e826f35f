//! From the computed status to the API, and the end of a pod, Kubernetes 1.36.2: `pkg/kubelet/kubelet.go`
//! (`SyncTerminatingPod`, `SyncTerminatedPod`) and `pkg/kubelet/status/status_manager.go` (`syncPod`).

use super::kill::AfterKill;
use super::phase::Phase;
use super::pod_worker::{Outcome, Stage, Turn};
use super::runtime::PodRuntime;
use super::status::{Observation, generate_api_pod_status};
use super::status_manager::{merge_pod_status, terminate, update_status};
use super::sync_pod::Plan;
use super::task::Task;
use crate::objects::{Pod, PodStatus};
use std::sync::Arc;

impl Turn<'_, '_> {
    /// The status that kubelet keeps: the API's, but for a phase that it does not tell yet.
    pub(super) fn kept_status(&self) -> Option<PodStatus> {
        let mut status = self.cx.newest().get::<Pod>(self.id)?.status.clone();
        if let Some(phase) = self.worker.kept_phase {
            status.phase = phase.as_str();
        }
        Some(status)
    }

    /// Computes the pod's status from what the runtime holds.
    pub(super) fn generate(&mut self, runtime: &PodRuntime, terminal: bool) -> PodStatus {
        let old = self.kept_status().unwrap_or_else(|| self.worker.pod.status.clone());
        let probed = self.probed();
        let seen = Observation {
            pod: &self.worker.pod,
            old: &old,
            runtime,
            reasons: &self.worker.reasons,
            probes: &probed,
            terminal,
        };
        let status = generate_api_pod_status(&seen, self.cx.config.kubernetes);
        self.trigger_probes(&status);
        status
    }

    /// Keeps a status and tells the API; returns the phase that is kept, or `None` if the pod is gone.
    pub(super) fn set_status(&mut self, new: PodStatus, may_be_running: bool) -> Option<Phase> {
        let old = self.kept_status()?;
        let kept = update_status(&self.worker.pod, &old, new, self.cx.now).unwrap_or(old);
        let phase = Phase::parse(&kept.phase);
        let api = &self.cx.newest().get::<Pod>(self.id)?.status;
        let merged = merge_pod_status(api, &kept, may_be_running);
        self.worker.kept_phase = if merged.phase == kept.phase { None } else { phase };
        self.wake_probes(&merged);
        let written = self.cx.patch::<Pod>(self.id, |pod| pod.status = merged);
        written.expect("the pod exists");
        phase
    }

    /// Ends everything of a pod that is to go, or that has run to its end.
    pub(super) fn sync_terminating_pod(&mut self) {
        let cache = Arc::clone(&self.worker.cache);
        let status = self.generate(&cache, false);
        self.set_status(status, true);
        self.stop_liveness_and_startup();
        self.worker.plan = Plan::default();
        let grace = self.worker.pod.metadata.deletion_grace_period_seconds;
        self.kill_pod(grace, AfterKill::Terminated);
    }

    /// Everything of the pod has ended.
    pub(super) fn stopped(&mut self) {
        assert_eq!(self.worker.stage, Stage::Terminating, "only a pod that is being ended stops");
        self.worker.probes.clear();
        let runtime = Arc::clone(&self.worker.runtime);
        let status = self.generate(&runtime, true);
        self.set_status(status, true);
        if self.worker.kept_phase.is_some() {
            let at = self.node.clock.status_sync_after(self.cx.now);
            self.cx.requeue_at(at, Task::Status.of(self.id, 0));
        }
        self.complete(Outcome::Transition);
    }

    /// Tells a phase that was kept back, now that nothing of the pod runs (`syncBatch`).
    pub(super) fn sync_status(&mut self) {
        let kept_back = self.worker.stage == Stage::Terminated && self.worker.kept_phase.is_some();
        if let Some(kept) = self.kept_status().filter(|_| kept_back) {
            self.set_status(kept, false);
        }
    }

    /// Writes the last status of a pod, and removes the object if it is to go.
    pub(super) fn sync_terminated_pod(&mut self) {
        let cache = Arc::clone(&self.worker.cache);
        let status = self.generate(&cache, true);
        self.set_status(status, true);
        if let Some(mut status) = self.kept_status() {
            terminate(&self.worker.pod, &mut status);
            self.set_status(status, false);
            let api = self.cx.newest().get::<Pod>(self.id);
            if api.is_some_and(|pod| pod.metadata.is_deleting()) {
                self.cx.remove_pod(self.id).expect("the pod exists");
                self.worker.gone = true;
            }
        }
        self.node.images.forget(self.id.index);
        self.complete(Outcome::Transition);
    }
}
