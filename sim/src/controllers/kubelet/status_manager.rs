//! What becomes of a computed status before the API has it, Kubernetes 1.36.2:
//! `pkg/kubelet/status/status_manager.go`.

use super::conditions::{self, CONTAINERS_READY, READY};
use super::runtime::Slots;
use super::status::{lost, restarts_after};
use crate::objects::{Condition, Conditions, ContainerState, ContainerStatus, Pod, PodStatus, Truth};
use arcstr::literal;
use stuckvm_detector::Time;

/// The status that kubelet keeps after it computed `new`; `None` where a container would come back from its end.
///
/// Transition times and the start time carry over from `old`.
pub fn update_status(pod: &Pod, old: &PodStatus, mut new: PodStatus, now: Time) -> Option<PodStatus> {
    let regular = (old.container_statuses.as_slice(), new.container_statuses.as_slice());
    let init = (old.init_container_statuses.as_slice(), new.init_container_statuses.as_slice());
    if !is_legal(pod, regular, false) || !is_legal(pod, init, true) {
        return None;
    }
    let now = now.truncate_to_secs();
    for condition in new.conditions.iter_mut().filter(|found| conditions::is_kubelets(&found.kind)) {
        let before = old.conditions.condition(&condition.kind);
        let same = before.filter(|before| before.status == condition.status);
        condition.last_transition_time = same.and_then(|same| same.last_transition_time).or(Some(now));
    }
    new.start_time = old.start_time.or(new.start_time).or(Some(now));
    Some(new)
}

/// Whether no container leaves an end that it may not leave.
fn is_legal(pod: &Pod, (old, new): (&[ContainerStatus], &[ContainerStatus]), init: bool) -> bool {
    if pod.spec.restart_policy != "Never" && pod.spec.restart_policy != "OnFailure" {
        return true;
    }
    // By the pod's policy or the container's, whichever lets it.
    let may_restart = |name: &str, code: i32| {
        let mut slots = if init { 0..pod.regular().start } else { pod.regular() };
        let slot = slots.find(|slot| pod.container(*slot).name == name);
        let after_failure = code != 0 && pod.spec.restart_policy == "OnFailure";
        after_failure || slot.is_some_and(|slot| pod.is_sidecar(slot) || restarts_after(pod, slot, code))
    };
    old.iter().all(|before| {
        let Some(end) = before.terminated() else { return true };
        let after = new.iter().find(|after| after.name == before.name);
        may_restart(&before.name, end.exit_code) || after.is_none_or(|after| after.terminated().is_some())
    })
}

/// What of a kept status the API gets: foreign conditions stay, and a pod that may still hold something is not over.
pub(super) fn merge_pod_status(api: &PodStatus, kept: &PodStatus, may_be_running: bool) -> PodStatus {
    let mut merged = kept.clone();
    let foreign = api.conditions.iter().filter(|found| !conditions::is_kubelets(&found.kind));
    let own = kept.conditions.iter().filter(|found| conditions::is_kubelets(&found.kind));
    merged.conditions = foreign.chain(own).cloned().collect();
    if !matches!(kept.phase.as_str(), "Succeeded" | "Failed") {
        return merged;
    }
    if may_be_running {
        merged.phase = api.phase.clone();
        merged.reason = api.reason.clone();
        merged.message = api.message.clone();
    }
    let reason = if kept.phase == "Failed" { literal!("PodFailed") } else { literal!("PodCompleted") };
    let kinds = [READY, CONTAINERS_READY];
    if kinds.iter().any(|kind| merged.conditions.is_true(kind)) {
        for condition in merged.conditions.iter_mut().filter(|found| kinds.contains(&found.kind)) {
            *condition = Condition {
                status: Truth::False,
                reason: reason.clone(),
                message: arcstr::ArcStr::new(),
                ..condition.clone()
            };
        }
    }
    merged
}

/// The final status of a pod that is over: what has no end gets one (`TerminatePod`).
pub(super) fn terminate(pod: &Pod, status: &mut PodStatus) {
    if has_initialized(pod, status) {
        status.container_statuses.iter_mut().for_each(end);
    }
    let started = status.init_container_statuses.iter().rposition(|status| {
        status.waiting().is_none() || matches!(status.last_state, Some(ContainerState::Terminated(_)))
    });
    let count = started.map_or(1, |last| last + 1);
    status.init_container_statuses.iter_mut().take(count).for_each(end);
    if !matches!(status.phase.as_str(), "Succeeded" | "Failed") {
        status.phase = literal!("Failed");
    }
}

fn end(status: &mut ContainerStatus) {
    if status.terminated().is_none() {
        status.state = Some(lost(literal!("The container could not be located when the pod was terminated")));
    }
}

fn has_initialized(pod: &Pod, status: &PodStatus) -> bool {
    let exited_well = |state: &Option<ContainerState>| match state {
        Some(ContainerState::Terminated(terminated)) => terminated.exit_code == 0,
        _ => false,
    };
    let Some(last) = status.init_container_statuses.last() else {
        return pod.spec.init_containers.is_empty();
    };
    let sidecar = pod.is_sidecar(pod.spec.init_containers.len() - 1);
    status.container_statuses.iter().any(super::phase::has_started)
        || match sidecar {
            true => last.running().is_some() && last.started == Some(true),
            false => exited_well(&last.last_state) || exited_well(&last.state),
        }
}
