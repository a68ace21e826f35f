//! Fields of a pod that the API server of an older release does not know, or drops while their gate is off: whoever reads
//! the stored pod never sees them.
//!
//! Kubernetes: `pkg/features/kube_features.go` says since when a gate is on, `dropDisabledFields` of `pkg/api/pod/util.go`
//! what goes with it. A profile stands for its release only, so that what came between two of them came with the later.

use crate::objects::{Affinity, PodAffinityTerm, PodSpec, TopologySpreadConstraint};
use crate::release::KubernetesRelease::{self, V1_30, V1_34};
use std::sync::Arc;

/// Since when some fields are kept; whether a spec has one of them; what takes them away.
type Row = (KubernetesRelease, fn(&PodSpec) -> bool, fn(&mut PodSpec));

const FIELDS: &[Row] = &[
    // PodSchedulingReadiness, on since 1.27.
    (V1_30, |spec| !spec.scheduling_gates.is_empty(), |spec| spec.scheduling_gates.clear()),
    // SidecarContainers, on since 1.29.
    (V1_30, has_sidecars, drop_sidecars),
    // MinDomainsInPodTopologySpread, NodeInclusionPolicyInPodTopologySpread and MatchLabelKeysInPodTopologySpread, on
    // since 1.25, 1.26 and 1.27.
    (
        V1_30,
        |spec| spec.topology_spread_constraints.iter().any(is_refined),
        |spec| {
            spec.topology_spread_constraints.iter_mut().for_each(simplify);
        },
    ),
    // MatchLabelKeysInPodAffinity, on since 1.31.
    (
        V1_34,
        |spec| spec.affinity.as_ref().is_some_and(Affinity::has_label_keys),
        |spec| {
            spec.affinity.iter_mut().flat_map(Affinity::terms_mut).for_each(drop_label_keys);
        },
    ),
];

/// Takes away what a release does not keep; a spec that has nothing of it stays shared.
pub(super) fn drop(spec: &mut Arc<PodSpec>, release: KubernetesRelease) {
    for (since, has, take) in FIELDS {
        if release < *since && has(spec) {
            take(Arc::make_mut(spec));
        }
    }
}

fn has_sidecars(spec: &PodSpec) -> bool {
    spec.init_containers.iter().any(|container| container.restart_policy.is_some())
}

fn drop_sidecars(spec: &mut PodSpec) {
    spec.init_containers.iter_mut().for_each(|container| container.restart_policy = None);
}

fn is_refined(constraint: &TopologySpreadConstraint) -> bool {
    constraint.min_domains.is_some()
        || constraint.node_affinity_policy.is_some()
        || constraint.node_taints_policy.is_some()
        || !constraint.match_label_keys.is_empty()
}

fn simplify(constraint: &mut TopologySpreadConstraint) {
    constraint.min_domains = None;
    constraint.node_affinity_policy = None;
    constraint.node_taints_policy = None;
    constraint.match_label_keys.clear();
}

fn drop_label_keys(term: &mut PodAffinityTerm) {
    term.match_label_keys.clear();
    term.mismatch_label_keys.clear();
}
