//! Launcher pods as the controller looks at them, KubeVirt main 2026-08 (`d923fdb815cd`):
//! `pkg/controller/controller.go`.

use super::OwnedPod;
use crate::launcher_pod::EPHEMERAL_PROVISIONING;
use crate::objects::{ContainerStatus, Pod, VirtualMachineInstance};
use crate::store::{ApiError, View};
use arcstr::ArcStr;
use std::sync::Arc;

/// Every pod that the instance controls, oldest first.
pub(crate) fn controlled(vmi: &VirtualMachineInstance, view: View<'_>) -> Vec<OwnedPod> {
    let uid = vmi.metadata.uid.as_str();
    let controls = |pod: &Arc<Pod>| pod.metadata.controller().is_some_and(|owner| owner.uid == uid);
    let owned = view.owned::<Pod>(uid).filter(|(_, pod)| controls(pod));
    owned.map(|(id, pod)| (id, Arc::clone(pod))).collect()
}

/// The newest of the pods on the instance's node or, before it has one, of all (`CurrentVMIPod`).
pub(crate) fn current_pod<'a>(vmi: &VirtualMachineInstance, pods: &'a [OwnedPod]) -> Option<&'a OwnedPod> {
    let node = &vmi.status.node_name;
    let here = pods.iter().filter(|(_, pod)| node.is_empty() || pod.node_name == *node);
    here.reduce(|current, next| {
        let newer = current.1.metadata.creation_timestamp < next.1.metadata.creation_timestamp;
        if newer { next } else { current }
    })
}

/// Whether the pod only makes claims bind (`isTempPod`).
pub(super) fn is_temporary(pod: &Pod) -> bool {
    pod.metadata.annotations.contains_key(EPHEMERAL_PROVISIONING)
}

/// Whether the pod can be handed over to virt-handler (`IsPodReady`).
pub(crate) fn is_ready(pod: &Pod) -> bool {
    let up = |status: &ContainerStatus| match status.name.as_str() {
        "compute" | "istio-proxy" => status.running().is_some(),
        _ => status.ready,
    };
    !is_down_or_going(pod) && pod.status.phase == "Running" && pod.status.container_statuses.iter().all(up)
}

/// `IsPodDownOrGoingDown`.
pub(super) fn is_down_or_going(pod: &Pod) -> bool {
    pod.is_finished() || is_compute_down(pod) || pod.metadata.is_deleting()
}

/// `IsPodFailedOrGoingDown`.
pub(super) fn is_failed_or_going(pod: &Pod) -> bool {
    let ended = compute(pod).and_then(ContainerStatus::terminated);
    pod.status.phase == "Failed"
        || ended.is_some_and(|ended| ended.exit_code != 0)
        || pod.metadata.is_deleting()
}

/// Whether the compute container has ended (`isComputeContainerDown`).
pub(crate) fn is_compute_down(pod: &Pod) -> bool {
    compute(pod).is_some_and(|status| status.terminated().is_some())
}

fn compute(pod: &Pod) -> Option<&ContainerStatus> {
    pod.status.container_statuses.iter().find(|status| status.name == "compute")
}

/// The server's words; a pod that is gone is not found by its name.
pub(super) fn named(error: &ApiError, pod: &Pod) -> ArcStr {
    match error {
        ApiError::Gone { kind, .. } => {
            let error = ApiError::NotFound { kind: *kind, name: pod.metadata.name.clone() };
            error.to_string().into()
        }
        other => other.to_string().into(),
    }
}
