//! What a launcher needs beside its guest's memory.

use crate::Group;

const LAUNCHERS: &[(&str, &str)] = &[("vectors", "launcher/")];

pub(crate) const GROUPS: &[Group] = &[Group {
    file: "launcher_pod/memory_overhead.rs",
    noticed_by: LAUNCHERS,
    rows: &[
        ("overhead: page tables", "page_tables(spec)", "0"),
        (
            "overhead: the fixed terms",
            "release.profile().fixed_overhead",
            "release.profile().fixed_overhead - 5",
        ),
        (
            "overhead: page tables count thousands of bytes",
            "requested.map_or(0, |amount| amount.scaled_value(KILO).wrapping_mul(1000) / 512)",
            "requested.map_or(0, |amount| amount.scaled_value(0) / 512)",
        ),
        ("overhead: 8 Mi for the I/O thread", "8 * vcpus.max(1) + 8", "8 * vcpus.max(1)"),
        ("overhead: 8 Mi for each vCPU", "8 * vcpus.max(1) + 8", "8 + 8"),
        ("overhead: graphics", "on(\"autoattachGraphicsDevice\")", "false"),
        ("overhead: arm64", "spec.architecture == \"arm64\"", "false"),
        ("overhead: TPM", "(tpm, 53)", "(tpm, 0)"),
        ("overhead: exec liveness probe", "(liveness, 10)", "(liveness, 0)"),
        ("overhead: exec readiness probe", "(readiness, 10)", "(readiness, 0)"),
        ("overhead: any exec probe", "(liveness || readiness, 100)", "(liveness || readiness, 0)"),
        (
            "overhead: dedicated CPUs and Guaranteed",
            "spec.has_dedicated_cpus() || spec.wants_guaranteed_qos()",
            "false",
        ),
    ],
}];
