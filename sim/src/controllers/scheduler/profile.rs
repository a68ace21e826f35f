//! What differs between the releases of kube-scheduler that are modelled: a table of switches, a column a release.
//!
//! Each switch names the first release that has it, and what upstream calls the change. 1.34 stands for its last patch
//! release.

use crate::release::KubernetesRelease;

/// The switches of a release.
#[derive(Clone, Copy, Debug)]
pub(super) struct Profile {
    /// A rejection by PreFilter stands once in the message, not once a node (1.25).
    pub(super) prefilter_message: bool,
    /// The message ends with what preemption says (1.24, kubernetes#107775).
    pub(super) preemption_message: bool,
    /// DynamicResources takes part and speaks before preemption (1.34, gate DynamicResourceAllocation).
    pub(super) dynamic_resources: bool,
    /// Requests of the pod as a whole count (1.34, gate PodLevelResources).
    pub(super) pod_level_resources: bool,
    /// A request above what the node could ever give is not resolved by preemption (1.34, kubernetes#131345).
    pub(super) unresolvable_requests: bool,
    /// The reason of TaintToleration names the taint (until 1.34.1; kubernetes#134740, picked by #135023).
    pub(super) names_taint: bool,
    /// The reason of VolumeBinding speaks of the volume's node affinity (1.33, kubernetes#129887).
    pub(super) volume_affinity_wording: bool,
    /// The head of backoffQ is popped when activeQ is empty, and back-offs end on whole seconds (1.33, gate
    /// SchedulerPopFromBackoffQ).
    pub(super) pops_backoff: bool,
    /// Events move only the pods that they may help (1.32, gate SchedulerQueueingHints).
    pub(super) queueing_hints: bool,
    /// A plugin that has nothing to say of a pod at PreFilter is not asked again, nor told of other pods (1.27).
    pub(super) skips_for_good: bool,
    /// Preemption waits only for pods that it has sent away itself (1.26).
    pub(super) knows_its_victims: bool,
    /// The end of a nomination is an event (1.34).
    pub(super) nomination_events: bool,
    /// The nominator keeps names only, so that a pod that the queue has no more is an empty one to it (by 1.34).
    pub(super) nominates_names: bool,
    /// A selector of namespaces stays in the terms of the pod that is placed (1.34).
    pub(super) keeps_namespace_selector: bool,
    /// Conditions carry `observedGeneration` (1.34, gate PodObservedGenerationTracking).
    pub(super) observes_generation: bool,
    /// Equal scores are decided by the heap, without a draw (1.35).
    pub(super) heap_ties: bool,
    /// BalancedAllocation scores the change of balance (1.36).
    pub(super) scores_balance_change: bool,
}

const V1_23: Profile = Profile {
    prefilter_message: false,
    preemption_message: false,
    dynamic_resources: false,
    pod_level_resources: false,
    unresolvable_requests: false,
    names_taint: true,
    volume_affinity_wording: false,
    pops_backoff: false,
    queueing_hints: false,
    skips_for_good: false,
    knows_its_victims: false,
    nomination_events: false,
    nominates_names: false,
    keeps_namespace_selector: false,
    observes_generation: false,
    heap_ties: false,
    scores_balance_change: false,
};

const V1_30: Profile = Profile {
    prefilter_message: true,
    preemption_message: true,
    skips_for_good: true,
    knows_its_victims: true,
    ..V1_23
};

const V1_34: Profile = Profile {
    dynamic_resources: true,
    pod_level_resources: true,
    unresolvable_requests: true,
    names_taint: false,
    volume_affinity_wording: true,
    pops_backoff: true,
    queueing_hints: true,
    nomination_events: true,
    nominates_names: true,
    keeps_namespace_selector: true,
    observes_generation: true,
    ..V1_30
};

const V1_36: Profile = Profile { heap_ties: true, scores_balance_change: true, ..V1_34 };

impl Profile {
    /// The switches of a release.
    pub(super) const fn of(release: KubernetesRelease) -> Self {
        match release {
            KubernetesRelease::V1_23 => V1_23,
            KubernetesRelease::V1_30 => V1_30,
            KubernetesRelease::V1_34 => V1_34,
            KubernetesRelease::V1_36 => V1_36,
        }
    }
}
