//! TaintToleration: taints keep pods away that do not tolerate them. Kubernetes 1.36.2: `plugins/tainttoleration`.

use crate::controllers::scheduler::node_info::NodeInfo;
use crate::controllers::scheduler::pod_info::PodInfo;
use crate::controllers::scheduler::snapshot::Snapshot;
use crate::controllers::scheduler::status::{Plugin, Reason, Rejection};
use crate::controllers::scheduler::taint_sets::untolerated;
use crate::objects::{Taint, Toleration};

/// What the pod makes of each set of taints.
#[derive(Clone, Debug)]
pub(in crate::controllers::scheduler) struct State(Vec<Verdict>);

#[derive(Clone, Copy, Debug)]
struct Verdict {
    forbidden: bool,
    /// How many taints with effect PreferNoSchedule it does not tolerate.
    unwelcome: i64,
}

impl State {
    /// Compares the pod's tolerations with each set of taints.
    pub(in crate::controllers::scheduler) fn of(snapshot: &Snapshot, pod: &PodInfo) -> Self {
        let tolerations = &pod.pod.spec.tolerations;
        let verdict = |taints: &[Taint]| Verdict {
            forbidden: untolerated(taints, tolerations).is_some(),
            unwelcome: unwelcome(taints, tolerations),
        };
        Self(snapshot.taints.iter().map(verdict).collect())
    }

    /// Rejects a node with a taint that is not tolerated.
    pub(in crate::controllers::scheduler) fn filter(&self, node: &NodeInfo) -> Result<(), Rejection> {
        if self.0[node.taints as usize].forbidden {
            return Err(Rejection::unresolvable(Plugin::TaintToleration, Reason::UntoleratedTaint));
        }
        Ok(())
    }

    /// The number of taints that would rather not have the pod.
    pub(in crate::controllers::scheduler) fn score(&self, node: &NodeInfo) -> i64 {
        self.0[node.taints as usize].unwelcome
    }
}

/// How many taints are not tolerated. A node that is scored has passed the filter: all of them have effect
/// PreferNoSchedule.
fn unwelcome(taints: &[Taint], tolerations: &[Toleration]) -> i64 {
    let tolerated = |taint: &Taint| tolerations.iter().any(|toleration| toleration.tolerates(taint));
    let unwelcome = taints.iter().filter(|taint| !tolerated(taint));
    i64::try_from(unwelcome.count()).expect("few taints")
}
