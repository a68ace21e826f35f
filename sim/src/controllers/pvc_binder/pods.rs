//! Pods as users of a claim: `IsPodTerminated` of `pkg/volume/util/util.go`.

use crate::objects::{ContainerState, ContainerStatus, Pod};
use crate::store::View;
use std::sync::Arc;

/// Pods that name a claim and are not through with it.
pub(super) fn users<'a>(
    view: View<'a>,
    namespace: &'a str,
    claim: &'a str,
) -> impl Iterator<Item = &'a Arc<Pod>> {
    let pods = view.users_of_claim::<Pod>(namespace, claim).map(|(_, pod)| pod);
    pods.filter(|pod| !is_terminated(pod))
}

/// Whether a pod has finished, or is being deleted and none of its containers runs.
pub(crate) fn is_terminated(pod: &Pod) -> bool {
    let status = &pod.status;
    let mut containers = status.init_container_statuses.iter().chain(&status.container_statuses);
    pod.is_finished() || (pod.metadata.is_deleting() && !containers.any(may_run))
}

/// Whether it runs, for all that its status says.
fn may_run(container: &ContainerStatus) -> bool {
    !matches!(container.state, Some(ContainerState::Waiting(_) | ContainerState::Terminated(_)))
}
