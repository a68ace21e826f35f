//! Rules about other pods: topology spread, affinity and anti-affinity, as filters and as scores.

use crate::Group;

const SCHEDULE: &[(&str, &str)] = &[
    ("vectors", "schedule/inter-pod"),
    ("vectors", "schedule"),
    ("schedule_rules", ""),
    ("scheduler", "wake_ups"),
];

/// How scores of topology spread are normalised.
const NORMALIZE: &str = "match (is_ignored(slot), most) {\n                (true, _) => 0,\n                (false, 0) => 100,\n                (false, most) => 100 * (most + least - *score) / most,\n            }";

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/scheduler/plugins/pod_topology_spread.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "a skew of maxSkew is allowed",
                "there + itself - least(counts, constraint) > i64::from(constraint.max_skew)",
                "there + itself - least(counts, constraint) >= i64::from(constraint.max_skew)",
            ),
            (
                "the pod itself counts if it is selected",
                "i64::from(selects(constraint, &self.pod, &self.pod.metadata.labels))",
                "0",
            ),
            (
                "the pod itself does not count if it is not selected",
                "i64::from(selects(constraint, &self.pod, &self.pod.metadata.labels))",
                "1",
            ),
            ("minDomains", "counts.len() < wanted", "false"),
            (
                "nodeAffinityPolicy: nodes that the pod may not use do not count",
                "(!honours_affinity || self.affinity.matches(slot, node))",
                "true",
            ),
            (
                "nodeAffinityPolicy Ignore",
                "constraint.node_affinity_policy.as_deref() != Some(\"Ignore\")",
                "true",
            ),
            (
                "nodeTaintsPolicy Honor",
                "constraint.node_taints_policy.as_deref() == Some(\"Honor\")",
                "false",
            ),
            (
                "nodeTaintsPolicy is Ignore unless it is said",
                "constraint.node_taints_policy.as_deref() == Some(\"Honor\")",
                "true",
            ),
            ("pods that are being deleted do not count", "!other.metadata.is_deleting()", "true"),
            (
                "pods of other namespaces do not count",
                "other.metadata.namespace == pod.metadata.namespace",
                "true",
            ),
            (
                "an empty selector counts no pod",
                "constraint.label_selector.as_ref().is_none_or(|selector| selector.is_empty())",
                "constraint.label_selector.is_none()",
            ),
            (
                "pods that are counted have the pod's own values of the keys",
                "own_values(constraint, owner).all(|(key, value)| labels.has(key, value))",
                "true",
            ),
            (
                "with keys an empty selector counts pods",
                "own_values(constraint, pod).next().is_none()",
                "true",
            ),
            ("hints ask hard constraints only", "constraint.when_unsatisfiable == \"DoNotSchedule\"", "true"),
            ("the score weighs a topology by its size", "libm::log((size + 2) as f64)", "1.0"),
            ("the score adds maxSkew less one", "f64::from(constraint.max_skew - 1)", "0.0"),
            (
                "for host names the score counts the node's own pods",
                "match is_hostname(constraint) {\n                true => count_pods(snapshot, node, constraint, &state.pod),\n                false => counts[domain],\n            }",
                "counts.get(domain).copied().unwrap_or(0)",
            ),
            (
                "nodes without the keys score 0",
                NORMALIZE,
                "match (is_ignored(slot), most) { (true, _) => 100, (false, 0) => 100, (false, most) => 100 * (most + least - *score) / most }",
            ),
            (
                "where all score 0 each gets 100",
                NORMALIZE,
                "match (is_ignored(slot), most) { (true, _) => 0, (false, 0) => 0, (false, most) => 100 * (most + least - *score) / most }",
            ),
            (
                "scores are turned round",
                NORMALIZE,
                "match (is_ignored(slot), most) { (true, _) => 0, (false, 0) => 100, (false, most) => 100 * *score / most }",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/plugins/inter_pod_affinity.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "a plugin that skips a pod does not hear of nominated ones",
                "snapshot.profile.skips_for_good && state.is_silent()",
                "false",
            ),
            (
                "a pod goes where those are that it wants near",
                "!self.satisfies_affinity(terms(affinity.and_then(|rules| rules.pod_affinity.as_ref())), labels)",
                "false",
            ),
            (
                "a pod does not go where those are that it wants away",
                "away.iter().any(|term| self.anti_affinity.at(term, labels) > 0)",
                "false",
            ),
            (
                "a pod does not go where it is not wanted",
                "!self.existing.0.is_empty() && labels.iter().any(blocked)",
                "false",
            ),
            (
                "the first of a group may go anywhere",
                "(self.affinity.0.is_empty() && near.iter().all(|term| self.selects(term, &self.pod)))",
                "false",
            ),
            (
                "but only if it belongs to the group itself",
                "(self.affinity.0.is_empty() && near.iter().all(|term| self.selects(term, &self.pod)))",
                "self.affinity.0.is_empty()",
            ),
            (
                "but only if there is none of it",
                "(self.affinity.0.is_empty() && near.iter().all(|term| self.selects(term, &self.pod)))",
                "near.iter().all(|term| self.selects(term, &self.pod))",
            ),
            (
                "the node must have the topology",
                "!near.iter().all(|term| labels.contains_key(&term.topology_key))",
                "false",
            ),
            (
                "a pod must match all affinity terms to count",
                "near.iter().all(|term| self.selects(term, &other.pod))",
                "near.iter().any(|term| self.selects(term, &other.pod))",
            ),
            ("a term is about its own namespace", "own == other", "true"),
            ("or about those that it lists", "term.namespaces.contains(other)", "false"),
            ("or about those that it selects", "selector.matches(&labels)", "false"),
            (
                "a selector of namespaces that no labels satisfy finds all",
                "profile.keeps_namespace_selector && selects_no_labels(term)",
                "false",
            ),
            ("preferences of the pod", "self.weigh_preferred(rules, spoken_of, (labels, sign))", "()"),
            (
                "preferences of the pods that run",
                "self.weigh_preferred(rules, |term| selects(term, &other.pod, &pod.pod), (labels, sign))",
                "()",
            ),
            (
                "a preference to be away counts against",
                "[(pod.affinity(), 1), (pod.anti_affinity(), -1)]",
                "[(pod.affinity(), 1), (pod.anti_affinity(), 1)]",
            ),
            (
                "of the pods that run too",
                "[(other.affinity(), 1), (other.anti_affinity(), -1)]",
                "[(other.affinity(), 1), (other.anti_affinity(), 1)]",
            ),
            (
                "required affinity of the pods that run weighs 1",
                "self.weigh_term(term, labels, HARD_POD_AFFINITY_WEIGHT)",
                "()",
            ),
            ("weights", "sign * i64::from(preferred.weight)", "sign"),
            (
                "scores are stretched over 0 to 100",
                "if most > least { (*score - least) as f64 / (most - least) as f64 } else { 0.0 }",
                "if most > 0 { *score as f64 / most as f64 } else { 0.0 }",
            ),
        ],
    },
];
