//! What differs between the releases of kube-scheduler that are modelled.
//!
//! 1.34 stands for its last patch release.

use crate::release::KubernetesRelease;

/// The switches of a release.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    /// A rejection by PreFilter stands once in the message, not once a node (1.25).
    pub(super) prefilter_message: bool,
    /// The message ends with what preemption says (1.24).
    pub(super) preemption_message: bool,
    /// DynamicResources takes part and speaks before preemption (1.34).
    pub(super) dynamic_resources: bool,
    /// Requests of the pod as a whole count (1.34).
    pub(super) pod_level_resources: bool,
    /// A request above what the node could ever give is not resolved by preemption (1.34).
    pub(super) unresolvable_requests: bool,
    /// The reason of TaintToleration names the taint (until 1.34.1).
    pub(super) names_taint: bool,
    /// The reason of VolumeBinding speaks of the volume's node affinity (1.33).
    pub(super) volume_affinity_wording: bool,
    /// The head of backoffQ is popped when activeQ is empty, and back-offs end on whole seconds (1.33).
    pub(super) pops_backoff: bool,
    /// Events move only the pods that they may help (1.32).
    pub(super) queueing_hints: bool,
    /// Conditions carry `observedGeneration` (1.34).
    pub(super) observes_generation: bool,
    /// Equal scores are decided by the heap, without a draw (1.35).
    pub(super) heap_ties: bool,
    /// BalancedAllocation scores the change of balance (1.36).
    pub(super) scores_balance_change: bool,
}

impl Profile {
    /// The switches of a release.
    pub(super) fn of(release: KubernetesRelease) -> Self {
        let since_1_30 = release >= KubernetesRelease::V1_30;
        let since_1_34 = release >= KubernetesRelease::V1_34;
        let since_1_36 = release >= KubernetesRelease::V1_36;
        Self {
            prefilter_message: since_1_30,
            preemption_message: since_1_30,
            dynamic_resources: since_1_34,
            pod_level_resources: since_1_34,
            unresolvable_requests: since_1_34,
            names_taint: !since_1_34,
            volume_affinity_wording: since_1_34,
            pops_backoff: since_1_34,
            queueing_hints: since_1_34,
            observes_generation: since_1_34,
            heap_ties: since_1_36,
            scores_balance_change: since_1_36,
        }
    }
}
