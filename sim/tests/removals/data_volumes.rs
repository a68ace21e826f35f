//! Phases and conditions of DataVolumes.

use crate::Group;

const DATA_VOLUMES: &[(&str, &str)] = &[("vectors", "datavolume/")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/data_volume/phases.rs",
        noticed_by: &[("clones", "until_1_43")],
        rows: &[("1.43 fails with its pod", "cx.config.cdi.release.profile().fails_with_its_pod", "false")],
    },
    Group {
        file: "admission/data_volume.rs",
        noticed_by: &[("clones", "since_1_65")],
        rows: &[(
            "a checksum is dropped before 1.65",
            "!config.cdi.release.profile().knows_checksums",
            "false",
        )],
    },
    Group {
        file: "controllers/data_volume/conditions.rs",
        noticed_by: DATA_VOLUMES,
        rows: &[
            (
                "Ready is True once Succeeded",
                "match status.phase.as_str() {\n        \"Succeeded\" => Truth::True,\n        \"Unknown\" => Truth::Unknown,\n        _ => Truth::False,\n    }",
                "match status.phase.as_str() { \"Unknown\" => Truth::Unknown, _ => Truth::False }",
            ),
            (
                "Ready is Unknown in phase Unknown",
                "match status.phase.as_str() {\n        \"Succeeded\" => Truth::True,\n        \"Unknown\" => Truth::Unknown,\n        _ => Truth::False,\n    }",
                "match status.phase.as_str() { \"Succeeded\" => Truth::True, _ => Truth::False }",
            ),
            (
                "another reason leaves the transition time",
                "is_new || condition.status != status",
                "is_new || condition.status != status || condition.reason != why.reason",
            ),
            (
                "another message renews the heartbeat time",
                "turns || condition.reason != why.reason || condition.message != why.message",
                "turns || condition.reason != why.reason",
            ),
            (
                "another reason renews the heartbeat time",
                "turns || condition.reason != why.reason || condition.message != why.message",
                "turns || condition.message != why.message",
            ),
            (
                "not bound is not ready, without a reason",
                "self.set(READY, Truth::False, Why::default())",
                "()",
            ),
            (
                "Bound is False/NotFound without a claim",
                "or(&why.reason, literal!(\"NotFound\"))",
                "or(&why.reason, literal!(\"Missing\"))",
            ),
            (
                "annotations overrule a bound claim",
                "bound_override(claim)",
                "bound_override(claim).filter(|_| claim.status.phase != \"Bound\")",
            ),
            (
                "Bound is True with a bound claim",
                "self.set(BOUND, Truth::True, Why::new(\"Bound\", arcstr::format!(\"PVC {name} Bound\")))",
                "self.not_bound(Why::default())",
            ),
            (
                "Bound is False/Pending with a pending claim",
                "Why::new(\"Pending\", arcstr::format!(\"PVC {name} Pending\"))",
                "Why::default()",
            ),
            (
                "Bound is False/ClaimLost with a lost claim",
                "Why::new(\"ClaimLost\", \"Claim Lost\")",
                "Why::default()",
            ),
            (
                "Running is False/Unschedulable with a pod that fits nowhere",
                "annotations.has(&ann::POD_SCHEDULABLE, \"false\")",
                "annotations.has(&ann::POD_SCHEDULABLE, \"no\")",
            ),
            (
                "Running is False without a word",
                "truth(annotations.get(&ann::RUNNING_CONDITION))",
                "truth(annotations.get(&ann::RUNNING_CONDITION)).or(Some(Truth::Unknown))",
            ),
            (
                "Running is Unknown for other words",
                "self.set(RUNNING, Truth::Unknown, target.why)",
                "self.set(RUNNING, Truth::False, target.why)",
            ),
            (
                "a running transfer is not ready",
                "self.set(READY, Truth::False, Why::new(\"TransferRunning\", \"\"))",
                "()",
            ),
            (
                "the source side must run too",
                "self.set(RUNNING, status, source.why)",
                "self.set(RUNNING, Truth::True, source.why)",
            ),
            (
                "both sides say why they do not run",
                "arcstr::format!(\"{} and {}\", target.why.reason, source.why.reason)",
                "target.why.reason",
            ),
            ("words count in whatever case", "text.eq_ignore_ascii_case(\"true\")", "text == \"true\""),
            (
                "annotations that say bound overrule nothing",
                "truth(annotations.get(&ann::BOUND_CONDITION))? == Truth::True",
                "{ truth(annotations.get(&ann::BOUND_CONDITION))?; false }",
            ),
        ],
    },
    Group {
        file: "controllers/data_volume/phases.rs",
        noticed_by: DATA_VOLUMES,
        rows: &[
            (
                "the pod's phase counts once the filled claim is bound",
                "is_bound(filled) && filled.metadata.annotations.contains_key(pod_annotation)",
                "filled.metadata.annotations.contains_key(pod_annotation)",
            ),
            (
                "the pod's phase counts once the pod is named",
                "is_bound(filled) && filled.metadata.annotations.contains_key(pod_annotation)",
                "is_bound(filled) && !pod_annotation.is_empty()",
            ),
            ("ImportScheduled once there is a pod", "update.status.phase = phase(\"ImportScheduled\")", "()"),
            (
                "ImportInProgress with a running pod",
                "update.status.phase = phase(\"ImportInProgress\")",
                "()",
            ),
            ("Failed only after a fatal error", "claim.has(&ann::IMPORT_FATAL_ERROR, \"true\")", "true"),
            ("Paused between the stages of an import", "update.status.phase = phase(\"Paused\")", "()"),
            ("progress is 100 % at the end", "update.status.progress = literal!(\"100.0%\")", "()"),
            ("UploadReady when the server is ready", "claim.has(&ann::POD_READY, \"true\")", "true"),
        ],
    },
    Group {
        file: "controllers/data_volume/status.rs",
        noticed_by: DATA_VOLUMES,
        rows: &[
            (
                "a restart count below 0 is passed over",
                "restarts.filter(|restarts| *restarts >= 0)",
                "restarts",
            ),
            (
                "the restart count follows the claim",
                "self.status.restart_count = restarts",
                "self.status.restart_count = self.status.restart_count.max(restarts)",
            ),
            ("no work gives Succeeded", "!requires_work", "false"),
            (
                "a bound claim gives PVCBound",
                "matches!(phase.as_str(), \"Pending\" | \"WaitForFirstConsumer\" | \"Unknown\")",
                "matches!(phase.as_str(), \"Pending\" | \"Unknown\")",
            ),
            ("a lost claim fails the DataVolume", "*phase = literal!(\"Failed\")", "()"),
            (
                "PendingPopulation ends with the selected node",
                "waits && !selected && claim.annotation(&ann::IMMEDIATE_BINDING).is_none()",
                "waits && claim.annotation(&ann::IMMEDIATE_BINDING).is_none()",
            ),
            (
                "PendingPopulation not with immediate binding",
                "waits && !selected && claim.annotation(&ann::IMMEDIATE_BINDING).is_none()",
                "waits && !selected",
            ),
            (
                "WaitForFirstConsumer where it is honored",
                "waits && cx.config.cdi.honor_wait_for_first_consumer",
                "waits",
            ),
            ("progress is N/A until known", "self.status.progress.is_empty()", "false"),
        ],
    },
];
