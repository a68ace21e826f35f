//! NodePorts: a port of the node belongs to one pod. Kubernetes 1.36.2: `plugins/nodeports`.

use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::pod_info::PodInfo;
use crate::controllers::scheduler::status::{Plugin, Reason, Rejection};

/// Rejects a node where a port is taken.
pub(in crate::controllers::scheduler) fn filter(pod: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
    let taken = pod.needs.ports.iter().any(|wanted| node.ports.iter().any(|had| had.conflicts(wanted)));
    if taken {
        return Err(Rejection::unschedulable(Plugin::NodePorts, Reason::Ports));
    }
    Ok(())
}
