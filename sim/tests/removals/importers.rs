//! What becomes of the pods that fill DataVolumes.

use crate::Group;

const DATA_VOLUMES: &[(&str, &str)] = &[("vectors", "datavolume/")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/data_volume_importer/follow.rs",
        noticed_by: DATA_VOLUMES,
        rows: &[
            ("a checksum mismatch is fatal", "text.contains(\"checksum mismatch\")", "false"),
            (
                "a pod killed for memory is made again",
                "terminated.reason == \"OOMKilled\"",
                "terminated.reason == \"OutOfMemory\"",
            ),
            ("the phase of a pod to be made again does not count", "!keep_phase", "true"),
            ("an unschedulable pod is noted", "it.reason == \"Unschedulable\"", "false"),
        ],
    },
    Group {
        file: "controllers/data_volume_importer/termination.rs",
        noticed_by: DATA_VOLUMES,
        rows: &[
            (
                "the count of restarts never goes down",
                "i64::from(first.restart_count) >= known",
                "i64::from(first.restart_count) >= known.min(0)",
            ),
            (
                "all containers must run",
                "statuses.iter().all(|status| status.running().is_some())",
                "statuses.iter().any(|status| status.running().is_some())",
            ),
            ("CrashLoopBackOff keeps the last reason", "reason == \"CrashLoopBackOff\"", "false"),
            (
                "ImagePullFailed only before the container has started",
                "status.waiting().filter(|_| status.started == Some(false))?",
                "status.waiting()?",
            ),
            (
                "an image that cannot be pulled is ImagePullFailed",
                "matches!(waiting.reason.as_str(), \"ImagePullBackOff\" | \"ErrImagePull\" | \"InvalidImageName\")",
                "matches!(waiting.reason.as_str(), \"ImagePullBackOff\" | \"InvalidImageName\")",
            ),
            (
                "a text of a failed pull is ImagePullFailed",
                "terminated.message.contains(\"failed to pull image\")",
                "terminated.message.contains(\"cannot pull image\")",
            ),
            (
                "texts of full disks are made one",
                "TOO_SMALL.iter().any(|part| message.contains(part))",
                "TOO_SMALL.iter().any(|part| *part != \"no space left on device\" && message.contains(part))",
            ),
        ],
    },
];
