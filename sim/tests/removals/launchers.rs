//! What a launcher needs beside its guest's memory, and of its node.

use crate::Group;

const LAUNCHERS: &[(&str, &str)] = &[("vectors", "launcher/"), ("launcher_memory", "overhead")];

/// What no vector reaches.
const RULES: &[(&str, &str)] = &[("launcher_memory", ""), ("launcher_rules", "")];

pub(crate) const GROUPS: &[Group] = &[OVERHEAD, ENCRYPTED, NODES, DEVICES, RESERVED, PROBES, KERNELS];

const OVERHEAD: Group = Group {
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
        ("overhead: 8 Mi for the I/O thread", "IO_THREAD + devices(spec, release)", "devices(spec, release)"),
        ("overhead: 8 Mi for each vCPU", "vcpus.max(1).wrapping_mul(8 * MI)", "8 * MI"),
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
        ("overhead: what the instance reserves is added", "overhead += &added", "drop(added)"),
        (
            "overhead: vCPUs by limits before requests",
            "resources.limits.get(\"cpu\").or_else(|| resources.requests.get(\"cpu\"))",
            "resources.requests.get(\"cpu\").or_else(|| resources.limits.get(\"cpu\"))",
        ),
        (
            "overhead: vCPUs by requests",
            "resources.limits.get(\"cpu\").or_else(|| resources.requests.get(\"cpu\"))",
            "resources.limits.get(\"cpu\")",
        ),
        (
            "overhead: a TPM that is off costs nothing",
            "tpm.get(\"enabled\").and_then(Value::as_bool).unwrap_or(true)",
            "true",
        ),
        ("overhead: GPUs are host devices", "any(\"gpus\")", "false"),
        ("overhead: host devices", "any(\"hostDevices\")", "false"),
        ("overhead: SR-IOV interfaces are host devices", "is_bound(devices, \"sriov\")", "false"),
        ("overhead: passt", "is_bound(devices, \"passtBinding\")", "false"),
        ("overhead: downward metrics", "(metrics, 1)", "(metrics, 0)"),
        ("overhead: encrypted memory", "security::has_sev(spec)", "false"),
    ],
};

const ENCRYPTED: Group = Group {
    file: "launcher_pod/security.rs",
    noticed_by: RULES,
    rows: &[
        ("encrypted memory: SEV", "kind(spec, \"sev\").is_some() || has_sev_snp(spec)", "has_sev_snp(spec)"),
        (
            "encrypted memory: SEV-SNP is SEV too",
            "kind(spec, \"sev\").is_some() || has_sev_snp(spec)",
            "kind(spec, \"sev\").is_some()",
        ),
    ],
};

const NODES: Group = Group {
    file: "launcher_pod/node_selector.rs",
    noticed_by: RULES,
    rows: &[
        ("a forbidden feature keeps off nodes", "*policy == \"forbid\"", "false"),
        ("selector: realtime", "!realtime.is_null()", "false"),
        ("selector: SEV", "security::has_sev(spec)", "false"),
        ("selector: SEV-ES", "security::has_sev_es(spec)", "false"),
        ("selector: SEV-SNP", "security::has_sev_snp(spec)", "false"),
        ("selector: Secure Execution", "security::has_secure_execution(spec)", "false"),
        ("selector: TDX", "security::has_tdx(spec)", "false"),
    ],
};

const DEVICES: Group = Group {
    file: "launcher_pod/plugin_devices.rs",
    noticed_by: RULES,
    rows: &[
        ("devices: the instance's own amount stands", "fixed.contains(device)", "false"),
        ("devices: each one counts", "amount += known", "()"),
        ("devices: not those of claims", "!name.is_empty() && !claimed", "!name.is_empty()"),
        ("devices: SEV", "security::has_sev(spec)", "false"),
        ("devices: TDX", "security::has_tdx(spec)", "false"),
    ],
};

const RESERVED: Group = Group {
    file: "launcher_pod/plugin_devices.rs",
    noticed_by: LAUNCHERS,
    rows: &[("devices: disks that are reserved by SCSI", "reserves_luns(spec)", "false")],
};

const PROBES: Group = Group {
    file: "launcher_pod/containers.rs",
    noticed_by: RULES,
    rows: &[
        (
            "probes begin 10 s later",
            "probe.initial_delay_seconds += LIBVIRT_STARTUP_DELAY",
            "probe.initial_delay_seconds += 0",
        ),
        ("commands take a second longer", "command != \"virt-probe\"", "false"),
    ],
};

const KERNELS: Group = Group {
    file: "launcher_pod/disk_images.rs",
    noticed_by: RULES,
    rows: &[(
        "the image of a kernel",
        "kernel(spec).map(|kernel| (KERNEL_BOOT_VOLUME, kernel))",
        "None::<(ArcStr, ContainerDisk)>",
    )],
};
