//! Defaults of nodes and TaintNodesByCondition admission, Kubernetes 1.36.2: `pkg/apis/core/v1/defaults.go`,
//! `plugin/pkg/admission/nodetaint/admission.go`.

use super::Admit;
use crate::objects::{Conditions as _, Node, Taint};
use crate::store::View;
use stuckvm_detector::Time;

/// What reading a node fills in: pods may use all that it has unless it says otherwise (`SetDefaults_NodeStatus`).
pub(crate) fn read(node: &mut Node) {
    if node.status.allocatable.is_empty() {
        node.status.allocatable = node.status.capacity.clone();
    }
}

impl Admit for Node {
    /// A new node takes no pods until it is known to be ready. One that comes with its Ready condition was ready or not
    /// before this cluster was looked at, so it keeps what it has.
    fn admit(&mut self, _view: View<'_>, _now: Time) {
        const KEY: &str = "node.kubernetes.io/not-ready";
        const EFFECT: &str = "NoSchedule";
        read(self);
        let known = self.status.conditions.condition("Ready").is_some();
        let tainted = self.spec.taints.iter().any(|taint| taint.key == KEY && taint.effect == EFFECT);
        if !known && !tainted {
            self.spec.taints.push(Taint { key: KEY.into(), effect: EFFECT.into(), ..Taint::default() });
        }
    }
}
