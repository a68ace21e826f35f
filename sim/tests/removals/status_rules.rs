//! What each row of a machine's printable status asks.

use crate::Group;

const STATUSES: &[(&str, &str)] =
    &[("vectors", "status/conditions"), ("vectors", "status/"), ("status_worlds", "every_question")];

pub(crate) const GROUPS: &[Group] = &[Group {
    file: "vm_status/rules.rs",
    noticed_by: STATUSES,
    rows: &[
        (
            "Stopping: its deletion was asked for",
            "s.vmi.is_some_and(|vmi| !vmi.is_final() && (vmi.metadata.is_deleting() || s.expected.delete))",
            "s.vmi.is_some_and(|vmi| !vmi.is_final() && vmi.metadata.is_deleting())",
        ),
        (
            "Stopping: the instance is being deleted",
            "s.vmi.is_some_and(|vmi| !vmi.is_final() && (vmi.metadata.is_deleting() || s.expected.delete))",
            "s.vmi.is_some_and(|vmi| !vmi.is_final() && s.expected.delete)",
        ),
        (
            "Stopping: not once the instance has ended",
            "s.vmi.is_some_and(|vmi| !vmi.is_final() && (vmi.metadata.is_deleting() || s.expected.delete))",
            "s.vmi.is_some_and(|vmi| (vmi.metadata.is_deleting() || s.expected.delete))",
        ),
        (
            "Paused: the phase is Running",
            "s.vmi.is_some_and(|vmi| helpers::is_in_phase(vmi, \"Running\") && helpers::has_paused_condition(vmi))",
            "s.vmi.is_some_and(|vmi| helpers::has_paused_condition(vmi))",
        ),
        (
            "Running: the phase is Running",
            "s.vmi.is_some_and(|vmi| helpers::is_in_phase(vmi, \"Running\"))",
            "s.vmi.is_some()",
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
        ("Starting: the creation was asked for", "return s.expected.create", "return false"),
        (
            "Starting: phase not yet given",
            "matches!(vmi.status.phase.as_str(), \"\" | \"Pending\" | \"Scheduling\" | \"Scheduled\")",
            "matches!(vmi.status.phase.as_str(), \"Pending\" | \"Scheduling\" | \"Scheduled\")",
        ),
        (
            "Starting: phase Pending",
            "matches!(vmi.status.phase.as_str(), \"\" | \"Pending\" | \"Scheduling\" | \"Scheduled\")",
            "matches!(vmi.status.phase.as_str(), \"\" | \"Scheduling\" | \"Scheduled\")",
        ),
        (
            "Starting: phase Scheduled",
            "matches!(vmi.status.phase.as_str(), \"\" | \"Pending\" | \"Scheduling\" | \"Scheduled\")",
            "matches!(vmi.status.phase.as_str(), \"\" | \"Pending\" | \"Scheduling\")",
        ),
        (
            "Starting: phase Scheduling",
            "matches!(vmi.status.phase.as_str(), \"\" | \"Pending\" | \"Scheduling\" | \"Scheduled\")",
            "matches!(vmi.status.phase.as_str(), \"\" | \"Pending\" | \"Scheduled\")",
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
}];
