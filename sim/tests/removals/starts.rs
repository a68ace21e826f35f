//! Whether a machine is to start, what became of its starts, and migrations.

use crate::Group;

const STATUSES: &[(&str, &str)] =
    &[("vectors", "status/conditions"), ("vectors", "status/"), ("status_worlds", "every_question")];

const FAILURES: &[(&str, &str)] = &[
    ("vectors", "status/conditions"),
    ("vectors", "status/"),
    ("status_worlds", "every_question"),
    ("virtual_machine", "failures"),
];

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
                "failures count: Always",
                "matches!(\n        vm.spec.run_strategy(),\n        Ok(RunStrategy::Always | RunStrategy::RerunOnFailure | RunStrategy::Once)\n    )",
                "matches!(vm.spec.run_strategy(), Ok(RunStrategy::RerunOnFailure | RunStrategy::Once))",
            ),
            (
                "failures count: Once",
                "matches!(\n        vm.spec.run_strategy(),\n        Ok(RunStrategy::Always | RunStrategy::RerunOnFailure | RunStrategy::Once)\n    )",
                "matches!(vm.spec.run_strategy(), Ok(RunStrategy::Always | RunStrategy::RerunOnFailure))",
            ),
            (
                "failures count: RerunOnFailure",
                "matches!(\n        vm.spec.run_strategy(),\n        Ok(RunStrategy::Always | RunStrategy::RerunOnFailure | RunStrategy::Once)\n    )",
                "matches!(vm.spec.run_strategy(), Ok(RunStrategy::Always | RunStrategy::Once))",
            ),
            (
                "set to start: Always",
                "(s.vm.spec.run_strategy(), s.vmi)",
                "(s.vm.spec.run_strategy().map(|found| if found == RunStrategy::Always { RunStrategy::Halted } else { found }), s.vmi)",
            ),
            (
                "set to start: never with Halted",
                "(s.vm.spec.run_strategy(), s.vmi)",
                "(s.vm.spec.run_strategy().map(|found| if found == RunStrategy::Halted { RunStrategy::Always } else { found }), s.vmi)",
            ),
            (
                "set to start: never with WaitAsReceiver",
                "(s.vm.spec.run_strategy(), s.vmi)",
                "(s.vm.spec.run_strategy().map(|found| if found == RunStrategy::WaitAsReceiver { RunStrategy::Always } else { found }), s.vmi)",
            ),
            (
                "set to start: never with a strategy that is none",
                "(s.vm.spec.run_strategy(), s.vmi)",
                "(s.vm.spec.run_strategy().or(Ok(RunStrategy::Always)), s.vmi)",
            ),
            (
                "set to start: Manual, a start is asked for",
                "(s.vm.spec.run_strategy(), s.vmi)",
                "let found = s.vm.spec.run_strategy(); (if s.vmi.is_none() && found == Ok(RunStrategy::Manual) { Ok(RunStrategy::Always) } else { found }, s.vmi)",
            ),
            (
                "set to start: Manual, no stop of this instance is asked for",
                "!has_stop_request_for(s.status, vmi)",
                "true",
            ),
            (
                "set to start: RerunOnFailure, not once it succeeded",
                "!is_in_phase(vmi, \"Succeeded\")",
                "true",
            ),
            (
                "set to start: RerunOnFailure, new to the machine",
                "has_start_request(s.status) || is_new || !s.release.profile().reruns_as_asked",
                "has_start_request(s.status) || !s.release.profile().reruns_as_asked",
            ),
            (
                "set to start: RerunOnFailure, a start is asked for",
                "has_start_request(s.status) || is_new || !s.release.profile().reruns_as_asked",
                "is_new || !s.release.profile().reruns_as_asked",
            ),
            (
                "set to start: RerunOnFailure, without an instance in older releases",
                "has_start_request(s.status) || is_new || !s.release.profile().reruns_as_asked",
                "has_start_request(s.status) || is_new",
            ),
            ("set to start: Once, until it has an instance", "vmi.is_none()", "true"),
            (
                "start request: only the first request counts",
                "status.state_change_requests.first().is_some_and(|request| request.action == StateChangeRequest::START)",
                "status.state_change_requests.iter().any(|request| request.action == StateChangeRequest::START)",
            ),
            (
                "stop request: only the first request counts",
                "status.state_change_requests.first().is_some_and(is_stop)",
                "status.state_change_requests.iter().any(is_stop)",
            ),
            (
                "stop request: it names this instance",
                "request.action == StateChangeRequest::STOP && request.uid.as_ref() == Some(&vmi.metadata.uid)",
                "request.action == StateChangeRequest::STOP && (request.uid.is_some() || vmi.metadata.uid.is_empty())",
            ),
            (
                "stop request: the action is Stop",
                "request.action == StateChangeRequest::STOP && request.uid.as_ref() == Some(&vmi.metadata.uid)",
                "request.uid.as_ref() == Some(&vmi.metadata.uid)",
            ),
        ],
    },
    Group {
        file: "controllers/virtual_machine/start_failure.rs",
        noticed_by: FAILURES,
        rows: &[
            (
                "a count below 1 counts as 1",
                "u64::from(fail_count.max(1).unsigned_abs())",
                "u64::from(fail_count.max(0).unsigned_abs())",
            ),
            (
                "the interval of the back-off is at least 10 s",
                "(max_delay_seconds / 30).max(MIN_INTERVAL)",
                "(max_delay_seconds / 30).max(MIN_INTERVAL - 1)",
            ),
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
                "the back-off is lengthened by up to the half",
                "base.saturating_add(jitter).min(max_delay_seconds)",
                "base.saturating_add(jitter / 2).min(max_delay_seconds)",
            ),
            (
                "whole seconds of a back-off are compared",
                "retry_after.map_or(0, |retry_after| retry_after.as_secs().saturating_sub(now.as_secs()))",
                "retry_after.map_or(0, |retry_after| retry_after.saturating_since(now).as_secs())",
            ),
            (
                "failures are forgotten where they are not tried again",
                "vmi.is_some_and(has_run) || !is_restarted(&self.vm) && strategy != Err(RunStrategyError::BothSet)",
                "vmi.is_some_and(has_run) || strategy == Err(RunStrategyError::BothSet)",
            ),
            (
                "an instance whose guest ran makes failures forgotten",
                "vmi.is_some_and(has_run) || !is_restarted(&self.vm) && strategy != Err(RunStrategyError::BothSet)",
                "vmi.is_some_and(|vmi| has_run(vmi) && !vmi.is_final()) || !is_restarted(&self.vm) && strategy != Err(RunStrategyError::BothSet)",
            ),
            (
                "failures stay while running and runStrategy are both set",
                "vmi.is_some_and(has_run) || !is_restarted(&self.vm) && strategy != Err(RunStrategyError::BothSet)",
                "vmi.is_some_and(has_run) || !is_restarted(&self.vm)",
            ),
            ("only an instance that has ended is a failed start", "vmi.filter(|vmi| vmi.is_final())", "vmi"),
            (
                "a failed instance counts once",
                "before.is_some_and(|failure| failure.last_failed_vmi_uid == vmi.metadata.uid)",
                "before.is_some_and(|failure| failure.last_failed_vmi_uid.is_empty())",
            ),
            (
                "each failure adds one",
                "before.map_or(0, |failure| failure.consecutive_fail_count).saturating_add(1)",
                "before.map_or(0, |failure| failure.consecutive_fail_count).max(1)",
            ),
        ],
    },
    Group {
        file: "controllers/virtual_machine/run_strategy.rs",
        noticed_by: STATUSES,
        rows: &[("a start waits for the back-off", "seconds > 0", "false")],
    },
];
