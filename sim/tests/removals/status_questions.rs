//! What the rows of a machine's printable status ask of its volumes, its instance and its failed starts.

use crate::Group;

const STATUSES: &[(&str, &str)] =
    &[("vectors", "status/conditions"), ("vectors", "status/"), ("status_worlds", "every_question")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "vm_status/helpers.rs",
        noticed_by: STATUSES,
        rows: &[
            (
                "Paused: the condition is True",
                "vmi.status.conditions.is_true(\"Paused\")",
                "vmi.status.conditions.condition(\"Paused\").is_some()",
            ),
            (
                "Migrating: times to come do not count",
                "at.is_some_and(|at| at <= now)",
                "at.is_some_and(|at| at <= now || at > now)",
            ),
            (
                "Migrating: the instant itself is past",
                "at.is_some_and(|at| at <= now)",
                "at.is_some_and(|at| at < now)",
            ),
            (
                "Migrating: it has not ended",
                "is_past(state.start_timestamp) && !is_past(state.end_timestamp)",
                "is_past(state.start_timestamp)",
            ),
            (
                "Migrating: the migration has begun",
                "is_past(state.start_timestamp) && !is_past(state.end_timestamp)",
                "!is_past(state.end_timestamp)",
            ),
            (
                "set to start: RerunOnFailure, not once it succeeded",
                "!is_in_phase(vmi, \"Succeeded\")",
                "true",
            ),
        ],
    },
    Group {
        file: "vm_status/volumes.rs",
        noticed_by: STATUSES,
        rows: &[
            (
                "DataVolumeError: phase Failed",
                "data_volumes(s).find(|dv| dv.status.phase == \"Failed\" || has_stopped_running(dv, s.release))",
                "data_volumes(s).find(|dv| has_stopped_running(dv, s.release))",
            ),
            (
                "WaitingForVolumeBinding: the claim is not bound",
                "claims.map(|(_, claim)| claim).find(|claim| claim.status.phase != \"Bound\")",
                "claims.map(|(_, claim)| claim).next()",
            ),
            (
                "DataVolumeError: Running is False",
                "running.is_false_because(\"Error\")",
                "running.reason == \"Error\"",
            ),
            ("DataVolumeError: Running False for Error", "running.is_false_because(\"Error\")", "false"),
            (
                "DataVolumeError: Running False for ImagePullFailed",
                "knows_pull_failures && running.is_false_because(\"ImagePullFailed\")",
                "false",
            ),
            (
                "Provisioning: not in phase PendingPopulation",
                "matches!(phase, \"Succeeded\" | \"PendingPopulation\")",
                "phase == \"Succeeded\"",
            ),
            (
                "Provisioning: not in phase Succeeded",
                "matches!(phase, \"Succeeded\" | \"PendingPopulation\")",
                "phase == \"PendingPopulation\"",
            ),
            (
                "Provisioning: Bound is True",
                "dv.status.conditions.condition(\"Bound\").is_some_and(|bound| bound.status == Truth::True)",
                "dv.status.conditions.condition(\"Bound\").is_some()",
            ),
            (
                "Provisioning: bound counts in every other phase",
                "bound || counts_unbound && phase != \"WaitForFirstConsumer\"",
                "counts_unbound && phase != \"WaitForFirstConsumer\"",
            ),
            (
                "Provisioning: not while it waits for a consumer, unbound",
                "bound || counts_unbound && phase != \"WaitForFirstConsumer\"",
                "bound || counts_unbound",
            ),
            (
                "DataVolumes are those of the machine's namespace",
                "view.named::<DataVolume>(namespace, &source.name)",
                "view.named::<DataVolume>(namespace, &source.name).or_else(|| view.iter::<DataVolume>().find(|(_, dv)| dv.metadata.name == source.name))",
            ),
        ],
    },
    Group {
        file: "objects/virtual_machine_instance.rs",
        noticed_by: STATUSES,
        rows: &[
            (
                "an instance has ended: Failed",
                "matches!(self.status.phase.as_str(), \"Failed\" | \"Succeeded\")",
                "self.status.phase == \"Succeeded\"",
            ),
            (
                "an instance has ended: Succeeded",
                "matches!(self.status.phase.as_str(), \"Failed\" | \"Succeeded\")",
                "self.status.phase == \"Failed\"",
            ),
            (
                "WaitingForVolumeBinding: claims of dataVolume volumes count",
                "self.data_volume\n            .as_ref()\n            .map(|source| &source.name)",
                "None::<&ArcStr>",
            ),
            (
                "WaitingForVolumeBinding: claims of persistentVolumeClaim volumes count",
                "self.persistent_volume_claim.as_ref().map(|source| &source.claim_name)",
                "None",
            ),
            (
                "WaitingForVolumeBinding: claims of memory dumps count",
                "self.memory_dump.as_ref().map(|source| &source.claim_name)",
                "None",
            ),
        ],
    },
    Group {
        file: "controllers/virtual_machine/claim.rs",
        noticed_by: STATUSES,
        rows: &[
            ("an instance of somebody else is none", "owner.uid == vm.uid", "true"),
            (
                "a machine that is being deleted adopts nothing",
                "!vm.is_deleting() && !object.is_deleting()",
                "!object.is_deleting()",
            ),
            (
                "an orphan that is being deleted is not adopted",
                "!vm.is_deleting() && !object.is_deleting()",
                "!vm.is_deleting()",
            ),
            ("an orphan is adopted", "!vm.is_deleting() && !object.is_deleting()", "false"),
        ],
    },
    Group {
        file: "controllers/virtual_machine/start_failure.rs",
        noticed_by: STATUSES,
        rows: &[
            (
                "the back-off grows with the square of the count",
                "interval.saturating_mul(count.saturating_mul(count))",
                "interval.saturating_mul(count)",
            ),
            (
                "the back-off is cut",
                "base.saturating_add(jitter).min(max_delay_seconds)",
                "base.saturating_add(jitter)",
            ),
            (
                "a failed instance counts once",
                "before.is_some_and(|failure| failure.last_failed_vmi_uid == vmi.metadata.uid)",
                "before.is_some_and(|failure| failure.last_failed_vmi_uid.is_empty())",
            ),
        ],
    },
];
