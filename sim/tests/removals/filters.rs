//! Which nodes a pod may go to: the filters, taints, node affinity, and the order in which all that is asked.

use crate::Group;

const SCHEDULE: &[(&str, &str)] =
    &[("vectors", "schedule/taints-affinity"), ("vectors", "schedule"), ("schedule_rules", "")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/scheduler/cycle.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("NodeUnschedulable rejects", "state.unschedulable.filter(node)?", "()"),
            ("TaintToleration rejects", "state.taints.filter(node)?", "()"),
            ("NodeAffinity rejects", "state.affinity.filter(slot, node)?", "()"),
            ("NodePorts rejects", "node_ports::filter(pod, node)?", "()"),
            (
                "NodeResourcesFit rejects",
                "node_resources_fit::filter(&pod.needs.requests, node, snapshot.profile)",
                "Ok(())",
            ),
            ("VolumeRestrictions rejects", "state.restrictions.filter(snapshot, pod, node)?", "()"),
            ("VolumeBinding rejects", "volumes.filter(snapshot, node)?", "()"),
            ("VolumeZone rejects", "state.zones.filter(node)?", "()"),
            ("PodTopologySpread rejects", "state.spread.filter(node)?", "()"),
            ("InterPodAffinity rejects", "state.inter_pod.filter(node)", "Ok(())"),
            (
                "TaintToleration is asked before NodeAffinity",
                "state.taints.filter(node)?",
                "{ state.affinity.filter(slot, node)?; state.taints.filter(node)?; }",
            ),
            (
                "NodePorts is asked before NodeResourcesFit",
                "node_ports::filter(pod, node)?",
                "{ node_resources_fit::filter(&pod.needs.requests, node, snapshot.profile)?; \
                 node_ports::filter(pod, node)?; }",
            ),
            (
                "NodeAffinity's PreFilter leaves the nodes that the pod names",
                "state.affinity.names(snapshot)",
                "None::<Vec<Slot>>",
            ),
            ("what the nominated node has said is told", "filtered.note(slot, rejection)", "()"),
            ("the start index moves on", "(rotation.start + processed) % all.len()", "rotation.start"),
            (
                "the start index moves on by the nodes evaluated",
                "(rotation.start + processed) % all.len()",
                "(rotation.start + 1) % all.len()",
            ),
            (
                "the walk begins at the start index",
                "nodes.split_at(start.checked_rem(nodes.len()).unwrap_or(0))",
                "nodes.split_at(0)",
            ),
        ],
    },
    Group {
        file: "admission/node.rs",
        noticed_by: SCHEDULE,
        rows: &[("pods may use all that a node has", "node.status.allocatable.is_empty()", "false")],
    },
    Group {
        file: "controllers/scheduler/one_shot.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("pods without uid are told apart", "admitted.metadata.uid.is_empty()", "false"),
            ("who was passed over keeps an empty place", "self.snapshot.blank_nomination(id)", "()"),
            (
                "the higher priority comes first",
                "std::cmp::Reverse(pod.spec.priority.unwrap_or(0))",
                "std::cmp::Reverse(0)",
            ),
            ("gated pods come last", "gated(pod)", "false"),
            ("finished pods do not count", "!pod.is_finished()", "true"),
            ("a pod is defaulted", "pod::read(&mut admitted, self.options.release)", "()"),
            ("a pod that waits keeps its room", "world.nominate(&waiting)", "()"),
            ("who is being deleted is passed over", "pod.metadata.is_deleting()", "false"),
            ("a pod gets its class's priority", "pod::resolve_priority(&mut admitted, classes)", "()"),
            ("a pod that has found a node counts there", "self.snapshot.add_pod(id, info, &node)", "()"),
            ("its volumes stay assumed", "self.snapshot.storage.assume(volumes, &node)", "()"),
        ],
    },
    Group {
        file: "controllers/scheduler/node_tree.rs",
        noticed_by: SCHEDULE,
        rows: &[(
            "zones take turns in the list of nodes",
            "(0..rounds).flat_map(round).collect()",
            "self.zones.iter().flat_map(|zone| zone.nodes.clone()).collect()",
        )],
    },
    Group {
        file: "objects/pod.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "a toleration is for its effect only",
                "!self.effect.is_empty() && self.effect != taint.effect",
                "false",
            ),
            (
                "a toleration without effect is for every effect",
                "!self.effect.is_empty() && self.effect != taint.effect",
                "self.effect != taint.effect",
            ),
            ("a toleration is for its key only", "!self.key.is_empty() && self.key != taint.key", "false"),
            (
                "a toleration without key is for every key",
                "!self.key.is_empty() && self.key != taint.key",
                "self.key != taint.key",
            ),
            ("operator Equal compares values", "self.value == taint.value", "true"),
            ("operator Exists does not", "self.operator.as_str()", "\"Equal\""),
            (
                "no operator means Equal",
                "self.operator.as_str()",
                "if self.operator.is_empty() { \"?\" } else { self.operator.as_str() }",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/taint_sets.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "NoSchedule forbids",
                "matches!(taint.effect.as_str(), \"NoSchedule\" | \"NoExecute\")",
                "taint.effect == \"NoExecute\"",
            ),
            (
                "NoExecute forbids",
                "matches!(taint.effect.as_str(), \"NoSchedule\" | \"NoExecute\")",
                "taint.effect == \"NoSchedule\"",
            ),
            (
                "PreferNoSchedule does not forbid",
                "matches!(taint.effect.as_str(), \"NoSchedule\" | \"NoExecute\")",
                "true",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/plugins/node_unschedulable.rs",
        noticed_by: SCHEDULE,
        rows: &[(
            "who tolerates the taint of a cordon passes it",
            "node.unschedulable && !self.tolerates",
            "node.unschedulable",
        )],
    },
    Group {
        file: "controllers/scheduler/plugins/node_affinity.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("nodeSelector", "spec.node_selector.iter().all(|(key, value)| labels.has(key, value))", "true"),
            (
                "required node affinity",
                "required(spec).is_none_or(|selector| matches_selector(selector, labels, &node.metadata.name))",
                "true",
            ),
            (
                "one term is enough",
                "selector.node_selector_terms.iter().any(|term| !is_empty(term) && matches_term(term, labels, name))",
                "selector.node_selector_terms.iter().all(|term| !is_empty(term) && matches_term(term, labels, name))",
            ),
            (
                "an empty term matches nothing",
                "selector.node_selector_terms.iter().any(|term| !is_empty(term) && matches_term(term, labels, name))",
                "selector.node_selector_terms.iter().any(|term| matches_term(term, labels, name))",
            ),
            (
                "every expression of a term must match",
                "term.match_expressions.iter().all(|requirement| matches_labels(requirement, labels))",
                "term.match_expressions.iter().any(|requirement| matches_labels(requirement, labels))",
            ),
            (
                "every field of a term must match",
                "(name.is_empty() || term.match_fields.iter().all(|requirement| matches_name(requirement, name)))",
                "true",
            ),
            (
                "operator In",
                "value.is_some_and(|value| requirement.values.contains(value))",
                "value.is_some()",
            ),
            ("operator NotIn", "value.is_none_or(|value| !requirement.values.contains(value))", "true"),
            (
                "operator NotIn takes nodes without the label",
                "value.is_none_or(|value| !requirement.values.contains(value))",
                "value.is_some_and(|value| !requirement.values.contains(value))",
            ),
            ("operator Exists", "value.is_some()", "true"),
            ("operator DoesNotExist", "value.is_none()", "true"),
            ("operator Gt, of equals", "compare(i64::gt)", "compare(i64::ge)"),
            ("operator Gt", "compare(i64::gt)", "compare(i64::lt)"),
            ("operator Lt, of equals", "compare(i64::lt)", "compare(i64::le)"),
            ("operator Lt", "compare(i64::lt)", "compare(i64::gt)"),
            ("operator NotIn of a field", "(requirement.operator == \"In\") == named", "named"),
            (
                "names in several fields must all hold",
                "a.intersection(&b).cloned().collect()",
                "a.union(&b).cloned().collect()",
            ),
            (
                "only operator In of metadata.name names nodes",
                "field.key == \"metadata.name\" && field.operator == \"In\"",
                "true",
            ),
            (
                "a contradiction of names refuses the pod",
                "names.as_ref().is_some_and(BTreeSet::is_empty)",
                "false",
            ),
            ("Gt and Lt want an integer", "compares && value.parse::<i64>().is_err()", "false"),
            ("Gt and Lt want one value", "compares && values.len() != 1", "false"),
            ("values are label values", "!is_label_value(value)", "false"),
        ],
    },
];
