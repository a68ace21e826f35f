//! NodeUnschedulable: cordoned nodes take no pods. Kubernetes 1.36.2: `plugins/nodeunschedulable`.

use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::pod_info::PodInfo;
use crate::controllers::scheduler::status::{Plugin, Reason, Rejection};
use crate::objects::{Pod, Taint};

/// Whether the pod goes to cordoned nodes too.
#[derive(Clone, Debug)]
pub(in crate::controllers::scheduler) struct State {
    tolerates: bool,
}

impl State {
    /// Asked once a pod.
    pub(in crate::controllers::scheduler) fn of(pod: &PodInfo) -> Self {
        Self { tolerates: tolerates_unschedulable(&pod.pod) }
    }

    /// Rejects a cordoned node.
    pub(in crate::controllers::scheduler) fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if node.unschedulable && !self.tolerates {
            return Err(Rejection::unresolvable(Plugin::NodeUnschedulable, Reason::Unschedulable));
        }
        Ok(())
    }
}

/// Whether a pod tolerates the taint that stands for a cordon.
pub(in crate::controllers::scheduler) fn tolerates_unschedulable(pod: &Pod) -> bool {
    let taint = Taint {
        key: arcstr::literal!("node.kubernetes.io/unschedulable"),
        effect: arcstr::literal!("NoSchedule"),
        ..Taint::default()
    };
    pod.spec.tolerations.iter().any(|toleration| toleration.tolerates(&taint))
}
