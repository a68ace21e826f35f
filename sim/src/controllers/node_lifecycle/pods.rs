//! What the pods of a node that is not ready are told, Kubernetes 1.36.2:
//! `pkg/controller/util/node/controller_utils.go` (`MarkPodsNotReady`).

use crate::context::{Context, EventType};
use crate::kind::ObjectId;
use crate::objects::{Conditions as _, Pod, Truth};
use std::sync::Arc;

/// Sets Ready to False in every pod that says otherwise. Returns whether one did.
pub(super) fn mark_pods_not_ready(pods: Vec<(ObjectId, Arc<Pod>)>, cx: &mut Context<'_>) -> bool {
    let now = cx.now;
    let mut wrote = false;
    for (id, pod) in pods {
        let ready = pod.status.conditions.condition("Ready");
        if ready.is_none_or(|ready| ready.status == Truth::False) {
            continue;
        }
        let patched = cx.patch::<Pod>(id, |pod| {
            let ready = pod.status.conditions.iter_mut().find(|condition| condition.kind == "Ready");
            if let Some(ready) = ready.filter(|ready| ready.status != Truth::False) {
                ready.status = Truth::False;
                ready.last_transition_time = Some(now);
            }
        });
        // A pod that is gone by now is none of the node's any more.
        if patched.is_ok() {
            wrote = true;
            cx.event(&*pod, EventType::Warning, "NodeNotReady", "Node is not ready");
        }
    }
    wrote
}
