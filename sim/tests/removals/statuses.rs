//! The rows of a machine's printable status, and what each asks.

use crate::Group;

const STATUSES: &[(&str, &str)] =
    &[("vectors", "status/conditions"), ("vectors", "status/"), ("status_worlds", "every_question")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "vm_status/mod.rs",
        noticed_by: STATUSES,
        rows: &[
            (
                "row 1, Terminating",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Terminating && holds(situation))",
            ),
            (
                "row 2, Stopping",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Stopping && holds(situation))",
            ),
            (
                "row 3, Migrating",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Migrating && holds(situation))",
            ),
            (
                "row 4, Paused",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Paused && holds(situation))",
            ),
            (
                "row 5, Running",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Running && holds(situation))",
            ),
            (
                "row 6, PvcNotFound",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::PvcNotFound && holds(situation))",
            ),
            (
                "row 7, DataVolumeError",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::DataVolumeError && holds(situation))",
            ),
            (
                "row 8, Unschedulable",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Unschedulable && holds(situation))",
            ),
            (
                "row 9, Provisioning",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Provisioning && holds(situation))",
            ),
            (
                "row 10, WaitingForVolumeBinding",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::WaitingForVolumeBinding && holds(situation))",
            ),
            (
                "row 11, ErrImagePull",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::ErrImagePull && holds(situation))",
            ),
            (
                "row 12, ImagePullBackOff",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::ImagePullBackOff && holds(situation))",
            ),
            (
                "row 13, Starting",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Starting && holds(situation))",
            ),
            (
                "row 14, CrashLoopBackOff",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::CrashLoopBackOff && holds(situation))",
            ),
            (
                "row 15, Stopped",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::Stopped && holds(situation))",
            ),
            (
                "row 16, WaitingForReceiver",
                "TABLE.iter().find(|(_, holds)| holds(situation))",
                "TABLE.iter().find(|(status, holds)| *status != PrintableStatus::WaitingForReceiver && holds(situation))",
            ),
        ],
    },
    Group {
        file: "vm_status/rules.rs",
        noticed_by: STATUSES,
        rows: &[
            (
                "Paused: the phase is Running",
                "s.vmi.is_some_and(|vmi| helpers::is_in_phase(vmi, \"Running\") && helpers::has_paused_condition(vmi))",
                "s.vmi.is_some_and(|vmi| helpers::has_paused_condition(vmi))",
            ),
            (
                "ErrorPvcNotFound: for this reason",
                "helpers::is_false_because(s.vmi, \"Synchronized\", \"FailedPvcNotFound\")",
                "s.vmi.and_then(|vmi| crate::objects::Conditions::condition(vmi.status.conditions.as_slice(), \"Synchronized\")) \
                 .is_some_and(|found| found.status == crate::objects::Truth::False)",
            ),
            (
                "ErrorPvcNotFound: the condition is False",
                "helpers::is_false_because(s.vmi, \"Synchronized\", \"FailedPvcNotFound\")",
                "s.vmi.and_then(|vmi| crate::objects::Conditions::condition(vmi.status.conditions.as_slice(), \"Synchronized\")) \
                 .is_some_and(|found| found.reason == \"FailedPvcNotFound\")",
            ),
            (
                "ErrorUnschedulable: for this reason",
                "helpers::is_false_because(s.vmi, \"PodScheduled\", \"Unschedulable\")",
                "s.vmi.and_then(|vmi| crate::objects::Conditions::condition(vmi.status.conditions.as_slice(), \"PodScheduled\")) \
                 .is_some_and(|found| found.status == crate::objects::Truth::False)",
            ),
            (
                "ErrorUnschedulable: the condition is False",
                "helpers::is_false_because(s.vmi, \"PodScheduled\", \"Unschedulable\")",
                "s.vmi.and_then(|vmi| crate::objects::Conditions::condition(vmi.status.conditions.as_slice(), \"PodScheduled\")) \
                 .is_some_and(|found| found.reason == \"Unschedulable\")",
            ),
            (
                "WaitingForVolumeBinding: the machine is to run",
                "helpers::is_set_to_start(s) && volumes::unbound_claim(s).is_some()",
                "volumes::unbound_claim(s).is_some()",
            ),
            (
                "ErrImagePull: for this reason",
                "helpers::is_false_because(s.vmi, \"Synchronized\", \"ErrImagePull\")",
                "s.vmi.and_then(|vmi| crate::objects::Conditions::condition(vmi.status.conditions.as_slice(), \"Synchronized\")) \
                 .is_some_and(|found| found.status == crate::objects::Truth::False)",
            ),
            (
                "ErrImagePull: the condition is False",
                "helpers::is_false_because(s.vmi, \"Synchronized\", \"ErrImagePull\")",
                "s.vmi.and_then(|vmi| crate::objects::Conditions::condition(vmi.status.conditions.as_slice(), \"Synchronized\")) \
                 .is_some_and(|found| found.reason == \"ErrImagePull\")",
            ),
            (
                "ImagePullBackOff: for this reason",
                "helpers::is_false_because(s.vmi, \"Synchronized\", \"ImagePullBackOff\")",
                "s.vmi.and_then(|vmi| crate::objects::Conditions::condition(vmi.status.conditions.as_slice(), \"Synchronized\")) \
                 .is_some_and(|found| found.status == crate::objects::Truth::False)",
            ),
            (
                "ImagePullBackOff: the condition is False",
                "helpers::is_false_because(s.vmi, \"Synchronized\", \"ImagePullBackOff\")",
                "s.vmi.and_then(|vmi| crate::objects::Conditions::condition(vmi.status.conditions.as_slice(), \"Synchronized\")) \
                 .is_some_and(|found| found.reason == \"ImagePullBackOff\")",
            ),
            (
                "CrashLoopBackOff: no instance that goes on",
                "s.vmi.is_none_or(|vmi| vmi.is_final()) && !s.expected.create",
                "!s.expected.create",
            ),
            (
                "CrashLoopBackOff: no creation was asked for",
                "s.vmi.is_none_or(|vmi| vmi.is_final()) && !s.expected.create",
                "s.vmi.is_none_or(|vmi| vmi.is_final())",
            ),
            (
                "CrashLoopBackOff: more than no failure",
                "s.status.start_failure.as_ref().is_some_and(|failure| failure.consecutive_fail_count > 0)",
                "s.status.start_failure.as_ref().is_some()",
            ),
            (
                "CrashLoopBackOff: starts have failed",
                "at_rest && failed && helpers::is_restarted(s.vm)",
                "at_rest && helpers::is_restarted(s.vm)",
            ),
            (
                "CrashLoopBackOff: the strategy tries again",
                "at_rest && failed && helpers::is_restarted(s.vm)",
                "at_rest && failed",
            ),
            (
                "WaitingForReceiver: the strategy is WaitAsReceiver",
                "s.vm.spec.run_strategy() == Ok(RunStrategy::WaitAsReceiver)",
                "true",
            ),
            (
                "WaitingForReceiver: the phase is WaitingForSync",
                "s.vmi.is_some_and(|vmi| helpers::is_in_phase(vmi, \"WaitingForSync\"))",
                "s.vmi.is_some()",
            ),
        ],
    },
];
