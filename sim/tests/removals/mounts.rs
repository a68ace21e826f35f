//! Volumes of pods that cannot be mounted, and the volumes of launchers.

use crate::Group;

const MOUNTS: &[(&str, &str)] = &[("kubelet", "mounts")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/kubelet/volume_manager.rs",
        noticed_by: MOUNTS,
        rows: &[
            ("each failure doubles the wait", "(back_off * 2).min(MAX_BACK_OFF)", "back_off"),
            ("up to 122 s", "(back_off * 2).min(MAX_BACK_OFF)", "back_off * 2"),
            ("the wait must be over when the loop comes round", "back_off + MOUNT_LOOP", "back_off"),
            ("a sync looks every 0.3 s", "late > 0 && !is_over", "false"),
            ("it waits for 2m3s", "waited >= MOUNT_TIMEOUT", "false"),
            (
                "a refusal ends it at the first poll",
                "if known.refusals.is_empty() { MOUNT_TIMEOUT } else { MOUNT_POLL }",
                "MOUNT_TIMEOUT",
            ),
            ("each sync asks anew", "known.refusals.clear()", "()"),
            (
                "what is mounted is not mounted again",
                "volume.mount == Mount::Undesired",
                "volume.mount == Mount::Undesired || volume.mount == Mount::Mounted",
            ),
            ("only 1.23 tells of the time", "!self.profile().cancels_volume_waits", "true"),
            (
                "the pod's deletion ends the wait",
                "can_be && matches!(self.worker.step, Step::AwaitVolumes(_))",
                "false",
            ),
            (
                "but not in 1.23",
                "can_be && matches!(self.worker.step, Step::AwaitVolumes(_))",
                "matches!(self.worker.step, Step::AwaitVolumes(_))",
            ),
            ("names are sorted", "names.sort_unstable()", "()"),
        ],
    },
    Group {
        file: "controllers/kubelet/volume_populator.rs",
        noticed_by: MOUNTS,
        rows: &[
            (
                "a volume that nobody mounts is not waited for",
                "says_nothing || is_named(pod, MOUNTS, name) || is_named(pod, DEVICES, name)",
                "true",
            ),
            (
                "a pod without mounts mounts all",
                "says_nothing || is_named(pod, MOUNTS, name) || is_named(pod, DEVICES, name)",
                "is_named(pod, MOUNTS, name) || is_named(pod, DEVICES, name)",
            ),
            (
                "a claim of the pod's own must be the pod's",
                "volume.persistent_volume_claim.is_none() && !is_owner",
                "false",
            ),
            (
                "but a claim that is named need not be",
                "volume.persistent_volume_claim.is_none() && !is_owner",
                "!is_owner",
            ),
            ("a claim that is being deleted is refused", "claim.metadata.is_deleting() && !spared", "false"),
            ("unless it is protected", "is_protected && spares", "false"),
            ("which counts since 1.34", "is_protected && spares", "is_protected"),
            ("a claim must be bound", "claim.status.phase != \"Bound\"", "false"),
            ("it must name a volume", "claim.spec.volume_name.is_empty()", "false"),
            ("the volume must name it", "reference.uid != claim.metadata.uid", "false"),
            ("a block device is no directory", "is_named(pod, misused, name)", "false"),
        ],
    },
    Group {
        file: "controllers/kubelet/volume_plugins.rs",
        noticed_by: MOUNTS,
        rows: &[
            (
                "a volume may be of another node",
                "node.is_none_or(|(_, node)| is_reachable(persistent, &node.metadata.labels))",
                "true",
            ),
            ("every namespace has the root CA", "name == ROOT_CA", "false"),
            ("what is optional may be missing", "source[\"optional\"] == true", "false"),
            (
                "keys that are wanted must be there",
                "wanted.map(|item| text(item, \"key\")).find(|key| !has(key))",
                "wanted.map(|item| text(item, \"key\")).find(|_| false)",
            ),
            (
                "each thing is told once",
                "config_map.or(secret).filter(|error| !errors.contains(error))",
                "config_map.or(secret)",
            ),
            ("bytes have names too", "map.names().any(|name| name == key)", "map.data.contains_key(key)"),
        ],
    },
    Group {
        file: "launcher_pod/volumes.rs",
        noticed_by: &[("lib", "launcher_pod::volumes")],
        rows: &[
            (
                "Secrets and ConfigMaps come first",
                "spec.volumes.iter().filter_map(files).collect()",
                "Vec::new()",
            ),
            ("what is optional is so in the pod", "given[\"optional\"].is_boolean()", "false"),
            (
                "user data of a Secret",
                "claim(volume).into_iter().chain(set_up(volume))",
                "claim(volume).into_iter().chain(Vec::new())",
            ),
            ("credentials", "volumes.extend(credentials(spec))", "()"),
            ("answers of a ConfigMap", "sysprep[\"secret\"].is_object()", "true"),
        ],
    },
];
