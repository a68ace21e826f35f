//! What the labels and values of virt-controller's metrics are taken from.

use crate::Group;

const METRICS: &[(&str, &str)] = &[("vectors", "status/metrics"), ("vectors", "status/recorded-metrics")];

pub(crate) const GROUPS: &[Group] = &[TIMESTAMPS, INFOS];

const TIMESTAMPS: Group = Group {
    file: "metrics/mod.rs",
    noticed_by: METRICS,
    rows: &[
        (
            "timestamps: only three conditions count",
            "[\"Ready\", \"Failure\", \"Paused\"].contains(&kind)",
            "!kind.is_empty()",
        ),
        (
            "timestamps: all conditions of a type count",
            "conditions.filter_map(|condition| condition.last_transition_time).max()",
            "conditions.filter_map(|condition| condition.last_transition_time).next()",
        ),
        (
            "timestamps: a status of no group is an error",
            "Group::of(vm.status.printable_word()).unwrap_or(Group::Error)",
            "Group::of(vm.status.printable_word()).unwrap_or(Group::NonRunning)",
        ),
    ],
};

const INFOS: Group = Group {
    file: "metrics/info.rs",
    noticed_by: METRICS,
    rows: &[
        (
            "info: only pods that run are launchers",
            "pod.status.phase == \"Running\"",
            "!pod.status.phase.is_empty()",
        ),
        (
            "info: the launcher is of the instance's namespace",
            "pod.metadata.namespace == vmi.metadata.namespace && pod.node_name == vmi.status.node_name",
            "pod.node_name == vmi.status.node_name",
        ),
        (
            "info: the launcher is on the instance's node",
            "pod.metadata.namespace == vmi.metadata.namespace && pod.node_name == vmi.status.node_name",
            "pod.metadata.namespace == vmi.metadata.namespace",
        ),
        ("info: the machine type, not the architecture", "self.profile.tells_machine_type", "false"),
        ("info: the architecture in 1.3", "self.profile.tells_machine_type", "true"),
        ("info: what is not there has no label", "self.profile.spells_out_none", "true"),
        ("info: what is not there is <none> in 1.3", "self.profile.spells_out_none", "false"),
        (
            "info: types of a namespace are not found in 1.3",
            "self.profile.finds_namespaced_types || !kind.is_namespaced()",
            "true",
        ),
        (
            "info: types of a namespace are found",
            "self.profile.finds_namespaced_types || !kind.is_namespaced()",
            "!kind.is_namespaced()",
        ),
        (
            "info: only known vendors are named",
            "KNOWN_VENDORS.contains(&vendor.as_str())",
            "!vendor.is_empty()",
        ),
        (
            "info: LiveMigrateIfPossible asks all conditions",
            "migratable.any(|condition| condition.status == Truth::True)",
            "migratable.next().is_some_and(|condition| condition.status == Truth::True)",
        ),
        (
            "info: not known to be able to migrate is not evictable",
            "matches!(first, None | Some(Truth::False))",
            "matches!(first, Some(Truth::False))",
        ),
    ],
};
