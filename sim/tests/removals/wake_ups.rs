//! Fields that depend on the pod itself or on the release.

use crate::Group;

const RULES: &[(&str, &str)] = &[("schedule_rules", "label_keys"), ("schedule_rules", "releases")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "admission/label_keys.rs",
        noticed_by: RULES,
        rows: &[
            (
                "matchLabelKeys become part of the selector",
                "add(selector, labels, (&term.match_label_keys, \"In\"))",
                "()",
            ),
            (
                "mismatchLabelKeys become part of the selector",
                "add(selector, labels, (&term.mismatch_label_keys, \"NotIn\"))",
                "()",
            ),
            (
                "what is stored is not merged again",
                "selector.match_expressions.iter().any(|requirement| requirement.key == *key)",
                "false",
            ),
        ],
    },
    Group {
        file: "admission/unknown_fields.rs",
        noticed_by: RULES,
        rows: &[
            ("1.23 knows no gates", "spec.scheduling_gates.clear()", "()"),
            ("1.23 knows no sidecars", "container.restart_policy = None", "()"),
            ("1.23 knows no minDomains", "constraint.min_domains = None", "()"),
            ("1.23 knows no nodeAffinityPolicy", "constraint.node_affinity_policy = None", "()"),
            ("1.23 knows no nodeTaintsPolicy", "constraint.node_taints_policy = None", "()"),
            ("1.23 knows no keys of spread", "constraint.match_label_keys.clear()", "()"),
            ("1.30 knows no keys of affinity", "term.match_label_keys.clear()", "()"),
        ],
    },
];
