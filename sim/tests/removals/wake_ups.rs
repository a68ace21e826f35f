//! What wakes a pod that waits, and fields that depend on the pod itself or on the release.

use crate::Group;

const WAKE_UPS: &[(&str, &str)] = &[("scheduler", "wake_ups")];
const RULES: &[(&str, &str)] =
    &[("vectors", "schedule/recorded"), ("schedule_rules", "label_keys"), ("schedule_rules", "releases")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/scheduler/hints.rs",
        noticed_by: WAKE_UPS,
        rows: &[
            (
                "the end of a nomination helps those that matter no more",
                "pod.priority() > other.priority()",
                "false",
            ),
            (
                "a node that goes must have had the keys",
                "has_spread_keys(&pod.pod, &gone.metadata.labels)",
                "true",
            ),
            ("another label may change what spread counts", "selects(old) != selects(new)", "false"),
            (
                "only a change of what spread counts does",
                "selects(old) != selects(new)",
                "selects(old) || selects(new)",
            ),
            (
                "another label may change what affinity wants",
                "matches(old) != after && matches(new) == after",
                "false",
            ),
            ("who asks for less frees it", "asked.counted.wants_any(before.counted, after.counted)", "false"),
            (
                "what a node gains must be asked for by the pod as a whole",
                "asked.counted.wants_any(Amounts::of(after), Amounts::of(before))",
                "false",
            ),
            (
                "a toleration counts where taints are honoured",
                "constraint.node_taints_policy.as_deref() == Some(\"Honor\")",
                "false",
            ),
            (
                "a toleration of a cordon is one of its taint",
                "tolerations && tolerates_unschedulable(&new.pod)",
                "tolerations",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/informer.rs",
        noticed_by: WAKE_UPS,
        rows: &[
            (
                "a nominated pod that goes is an event",
                "self.snapshot.profile.nomination_events && !placed && queued.info.is_nominated()",
                "false",
            ),
            (
                "a nomination that is taken back is an event",
                "renominated && old.is_nominated() && self.snapshot.profile.nomination_events",
                "false",
            ),
        ],
    },
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
