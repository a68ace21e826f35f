//! Claims, volumes and disks, as the scheduler sees them.

use crate::Group;

const SCHEDULE: &[(&str, &str)] =
    &[("vectors", "schedule/volumes"), ("vectors", "schedule"), ("schedule_rules", "")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/scheduler/plugins/volume_binding.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "a bound volume must be within reach",
                "!self.bound.iter().all(|volume| is_reachable(volume, node.labels()))",
                "false",
            ),
            (
                "a claim that waits must find a volume",
                "!self.waiting.is_empty() && self.find(snapshot, node).is_none()",
                "false",
            ),
            (
                "a chosen volume must be within reach",
                "free.find(|volume| is_reachable(volume, node.labels()))",
                "free.next()",
            ),
            (
                "two claims do not get one volume",
                "found.bindings.iter().any(|(_, chosen)| Arc::ptr_eq(chosen, volume))",
                "false",
            ),
            (
                "the smallest volume is chosen",
                "free.sort_by_key(|volume| size(volume))",
                "free.sort_by_key(|volume| std::cmp::Reverse(size(volume)))",
            ),
            (
                "the smallest claim chooses first",
                "state.waiting.sort_by_key(|waiting| requested(&waiting.claim))",
                "()",
            ),
            ("the volume must be large enough", "size(volume) >= wanted", "true"),
            ("a volume of the very size is large enough", "size(volume) >= wanted", "size(volume) > wanted"),
            (
                "volumeMode must be the same",
                "mode(spec.volume_mode.as_ref()) == mode(claim.spec.volume_mode.as_ref())",
                "true",
            ),
            (
                "the attributes class must be the same",
                "attributes_class(&spec.rest) == attributes_class(&claim.spec.rest)",
                "true",
            ),
            ("a volume that is being deleted is none", "!volume.metadata.is_deleting()", "true"),
            (
                "a volume of another claim is none",
                "(spec.claim_ref.is_none() || is_kept_for(volume, claim))",
                "true",
            ),
            (
                "a volume that is kept for the claim comes first",
                "fitting.iter().find(|volume| is_kept_for(volume, claim))",
                "None::<&&Arc<PersistentVolume>>",
            ),
            ("only available volumes are free", "volume.status.phase == \"Available\"", "true"),
            (
                "the claim's selector",
                "claim.spec.selector.as_ref().is_none_or(|selector| selector.matches(&volume.metadata.labels))",
                "true",
            ),
            (
                "access modes",
                "claim.spec.access_modes.iter().all(|mode| volume.spec.access_modes.contains(mode))",
                "true",
            ),
            (
                "a volume kept for a claim of another uid is not kept",
                "(to.uid.is_empty() || to.uid == meta.uid)",
                "true",
            ),
            (
                "some classes make no volumes",
                "makes && topologies.is_none_or(allowed)",
                "topologies.is_none_or(allowed)",
            ),
            ("allowedTopologies", "makes && topologies.is_none_or(allowed)", "makes"),
            (
                "all expressions of a topology term",
                "!expressions.is_empty() && expressions.iter().all(matches)",
                "!expressions.is_empty() && expressions.iter().any(matches)",
            ),
            (
                "a topology term without expressions matches nothing",
                "!expressions.is_empty() && expressions.iter().all(matches)",
                "expressions.iter().all(matches)",
            ),
            (
                "a claim whose volume is being made for a node goes there only",
                "claim.metadata.annotations.get(SELECTED_NODE)",
                "None::<&ArcStr>",
            ),
            (
                "a claim that binds at once refuses the pod while it has no volume",
                "claim.spec.volume_name.is_empty() && waits_for_pod(snapshot, &claim)",
                "claim.spec.volume_name.is_empty()",
            ),
            (
                "a claim that names a volume is bound only when it is marked",
                "!claim.spec.volume_name.is_empty()\n        && claim.metadata.annotations.contains_key(\"pv.kubernetes.io/bind-completed\")",
                "!claim.spec.volume_name.is_empty()",
            ),
            ("a lost claim refuses the pod", "claim.status.phase == \"Lost\"", "false"),
            ("a claim that is being deleted refuses the pod", "claim.metadata.is_deleting()", "false"),
            ("an ephemeral claim of another pod refuses the pod", "ephemeral && !is_owner", "false"),
            (
                "an ephemeral claim that is not there yet has words of its own",
                "volume.persistent_volume_claim.is_none()",
                "false",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/plugins/volume_zone.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "nodes without any zone label pass",
                "!TOPOLOGY.iter().any(|key| labels.contains_key(key))",
                "false",
            ),
            (
                "a list of zones with an empty part is ignored",
                "zones.split(\"__\").all(|zone| !zone.trim().is_empty())",
                "true",
            ),
            ("every label of the volume counts", "self.0.iter().all(reached)", "self.0.iter().any(reached)"),
            ("a label may list zones", "values.split(\"__\").any(|value| value == zone)", "values == zone"),
            (
                "a beta label falls back on the stable one",
                "labels.get(key).or_else(|| labels.get(&stable))",
                "labels.get(key)",
            ),
            (
                "a volume that is missing refuses the pod",
                "return refuse(arcstr::format!(\"persistentvolume \\\"{name}\\\" not found\"))",
                "continue",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/plugins/volume_restrictions.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "a plugin that skips a pod does not hear of nominated ones",
                "snapshot.profile.skips_for_good && state.is_silent(pod)",
                "false",
            ),
            ("in-line disks", "pod.needs.disks && node.disks > 0", "false"),
            ("ReadWriteOncePod", "self.conflicts > 0", "false"),
            (
                "a claim that is missing refuses the pod",
                "arcstr::format!(\"persistentvolumeclaim \\\"{name}\\\" not found\")",
                "arcstr::format!(\"not found\")",
            ),
            ("two readers may have a disk", "!(is_read_only(a) && is_read_only(b))", "true"),
            (
                "gcePersistentDisk",
                "both(\"gcePersistentDisk\").filter(writer).is_some_and(|pair| same(\"pdName\")(&pair))",
                "false",
            ),
            (
                "awsElasticBlockStore",
                "both(\"awsElasticBlockStore\").is_some_and(|pair| same(\"volumeID\")(&pair))",
                "false",
            ),
            (
                "awsElasticBlockStore, readers too",
                "both(\"awsElasticBlockStore\").is_some_and(|pair| same(\"volumeID\")(&pair))",
                "both(\"awsElasticBlockStore\").filter(writer).is_some_and(|pair| same(\"volumeID\")(&pair))",
            ),
            ("iscsi", "both(\"iscsi\").filter(writer).is_some_and(|pair| same(\"iqn\")(&pair))", "false"),
            ("rbd", "both(\"rbd\").filter(writer).is_some_and(|(a, b)| same_rbd(a, b))", "false"),
            (
                "rbd: a monitor in common",
                "monitors(a).iter().any(|monitor| theirs.contains(monitor))",
                "true",
            ),
            ("rbd: the pool", "pool(a) == pool(b)", "true"),
            ("rbd: the image", "a.get(\"image\") == b.get(\"image\")", "true"),
            (
                "rbd: the pool's name when none is given",
                "disk.get(\"pool\").and_then(Value::as_str).unwrap_or(\"rbd\")",
                "disk.get(\"pool\").and_then(Value::as_str).unwrap_or(\"\")",
            ),
        ],
    },
];
