//! What the rows of a machine's printable status ask of its volumes, and whose an instance is.

use crate::Group;

const STATUSES: &[(&str, &str)] =
    &[("vectors", "status/conditions"), ("vectors", "status/"), ("status_worlds", "every_question")];

pub(crate) const GROUPS: &[Group] = &[
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
                "phase == \"Succeeded\" || knows_pending_population && phase == \"PendingPopulation\"",
                "phase == \"Succeeded\"",
            ),
            (
                "Provisioning: not in phase Succeeded",
                "phase == \"Succeeded\" || knows_pending_population && phase == \"PendingPopulation\"",
                "knows_pending_population && phase == \"PendingPopulation\"",
            ),
            (
                "Provisioning: in phase PendingPopulation on 0.59",
                "phase == \"Succeeded\" || knows_pending_population && phase == \"PendingPopulation\"",
                "phase == \"Succeeded\" || phase == \"PendingPopulation\"",
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
];
