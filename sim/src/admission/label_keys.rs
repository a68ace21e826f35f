//! LABEL KEYS: a rule about the pod's own value of a label becomes part of the selector when the pod is stored.
//!
//! Kubernetes 1.36.2: `mutatePodAffinity` and `mutateTopologySpreadConstraints` of `pkg/registry/core/pod/strategy.go`.

use crate::objects::{Affinity, LabelSelector, Pod, PodSpec, SelectorRequirement, StrMap};
use crate::release::KubernetesRelease;
use arcstr::ArcStr;
use std::sync::Arc;

/// Merges the keys of affinity terms and, since 1.34 (MatchLabelKeysInPodTopologySpreadSelectorMerge), those of spread
/// constraints into their selectors. A pod without keys keeps its spec shared.
pub(super) fn merge(pod: &mut Pod, release: KubernetesRelease) {
    if !has_keys(&pod.spec) {
        return;
    }
    let (labels, spec) = (&pod.metadata.labels, Arc::make_mut(&mut pod.spec));
    for term in spec.affinity.iter_mut().flat_map(Affinity::terms_mut) {
        // Without a selector a term selects no pod.
        let Some(selector) = &mut term.label_selector else { continue };
        add(selector, labels, (&term.match_label_keys, "In"));
        add(selector, labels, (&term.mismatch_label_keys, "NotIn"));
    }
    if release >= KubernetesRelease::V1_34 {
        for constraint in &mut spec.topology_spread_constraints {
            let Some(selector) = &mut constraint.label_selector else { continue };
            add(selector, labels, (&constraint.match_label_keys, "In"));
        }
    }
}

fn has_keys(spec: &PodSpec) -> bool {
    spec.affinity.as_ref().is_some_and(Affinity::has_label_keys)
        || spec.topology_spread_constraints.iter().any(|constraint| !constraint.match_label_keys.is_empty())
}

/// `applyLabelKeysToLabelSelector`. A key may not stand in the selector that a user writes: where it does, the pod has been
/// stored before.
fn add(selector: &mut LabelSelector, labels: &StrMap, (keys, operator): (&[ArcStr], &str)) {
    for key in keys {
        let merged = selector.match_expressions.iter().any(|requirement| requirement.key == *key);
        let Some(value) = labels.get(key).filter(|_| !merged) else { continue };
        let (key, values) = (key.clone(), vec![value.clone()]);
        selector.match_expressions.push(SelectorRequirement { key, operator: operator.into(), values });
    }
}

#[cfg(test)]
mod tests {
    use super::merge;
    use crate::objects::Pod;
    use crate::release::KubernetesRelease::{self, V1_30, V1_34};

    /// How many requirements a spread constraint's keys have added to its selector after so many reads.
    fn stored(release: KubernetesRelease, times: usize) -> usize {
        let selector = serde_json::json!({"matchLabels": {"app": "web"}});
        let constraint = serde_json::json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": selector, "matchLabelKeys": ["rev", "absent"]});
        let pod = serde_json::json!({"metadata": {"name": "p", "labels": {"rev": "1"}},
            "spec": {"topologySpreadConstraints": [constraint]}});
        let mut pod: Pod = serde_json::from_value(pod).unwrap();
        (0..times).for_each(|_| merge(&mut pod, release));
        let constraint = &pod.spec.topology_spread_constraints[0];
        constraint.label_selector.as_ref().unwrap().match_expressions.len()
    }

    /// Before 1.34 the scheduler alone looked at the keys of spread constraints. A label that the pod lacks adds nothing.
    #[test]
    fn keys_of_spread_constraints_are_merged_once_since_1_34() {
        assert_eq!(stored(V1_30, 1), 0);
        assert_eq!(stored(V1_34, 1), 1);
        assert_eq!(stored(V1_34, 2), 1);
    }
}
