//! Phases of instances, and the memory of their launchers.

use crate::Group;

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/virtual_machine_instance/phase.rs",
        noticed_by: &[("vectors", "vmi/")],
        rows: &[
            (
                "Pending to Failed with a failed DataVolume",
                "pass.vmi.metadata.is_deleting() || failed",
                "pass.vmi.metadata.is_deleting()",
            ),
            (
                "Scheduling to Scheduled when the launcher is ready",
                "pods::is_ready(pod) && !pass.vmi.metadata.is_deleting()",
                "!pass.vmi.metadata.is_deleting()",
            ),
            ("Scheduling to Failed with a launcher that goes down", "pods::is_down_or_going(pod)", "false"),
        ],
    },
    Group {
        file: "launcher_pod/memory_overhead.rs",
        noticed_by: &[("vectors", "launcher/")],
        rows: &[
            ("overhead: page tables", "page_tables(spec)", "0"),
            (
                "overhead: dedicated CPUs and Guaranteed",
                "spec.has_dedicated_cpus() || spec.wants_guaranteed_qos()",
                "false",
            ),
        ],
    },
];
