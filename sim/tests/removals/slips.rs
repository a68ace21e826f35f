//! Slips that a hand may make in the other controllers.

use crate::Group;

const STARTED: &str = "{ let runtime = Arc::clone(&self.worker.runtime); let status = self.generate(&runtime, false); \
     self.set_status(status, true); self.requeue(RESYNC, true) }";
const FOUND_OUT: &str = "{ let cache = Arc::clone(&self.worker.cache); let status = self.generate(&cache, false); \
     self.set_status(status, true); self.requeue(left.min(RESYNC), false) }";
const START: &[(&str, &str)] =
    &[("pvc_binder", "as_the_controller_starts"), ("vectors", "volumes/binder-"), ("vectors", "volumes/")];
const FITS: &str = "capacity(&volume.spec.capacity) >= request(claim)";

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "flags.rs",
        noticed_by: &[("vectors", "nodes/")],
        rows: &[(
            "grace of 50 s made 40 s",
            "Profile::of(release).node_monitor_grace_period",
            "V1_23.node_monitor_grace_period",
        )],
    },
    Group {
        file: "controllers/node_lifecycle/zones.rs",
        noticed_by: &[("vectors", "nodes/lifecycle")],
        rows: &[
            (
                "a zone is unhealthy above the threshold only",
                "share >= flags.unhealthy_zone_threshold",
                "share > flags.unhealthy_zone_threshold",
            ),
            ("a zone of two may be unhealthy", "not_ready > 2", "not_ready > 1"),
            (
                "large zones are not told from small ones",
                "self.ready + self.not_ready > flags.large_cluster_size_threshold",
                "true",
            ),
        ],
    },
    Group {
        file: "controllers/node_lifecycle/health.rs",
        noticed_by: &[("vectors", "nodes/lifecycle")],
        rows: &[("a renewed lease does not count", "health.lease_probe = Some(now)", "()")],
    },
    Group {
        file: "controllers/taint_eviction.rs",
        noticed_by: &[("vectors", "nodes/lifecycle")],
        rows: &[
            (
                "the last matching toleration counts",
                "tolerations.iter().find(|toleration| toleration.tolerates(taint))",
                "tolerations.iter().rev().find(|toleration| toleration.tolerates(taint))",
            ),
            (
                "the longest time counts",
                "[least, first.toleration_seconds].into_iter().flatten().min()",
                "[least, first.toleration_seconds].into_iter().flatten().max()",
            ),
        ],
    },
    Group {
        file: "controllers/pod_gc.rs",
        noticed_by: &[("vectors", "nodes/podgc")],
        rows: &[
            ("no quarantine", "now + QUARANTINE", "now"),
            (
                "evicted pods do not go first",
                "pod.status.phase == \"Failed\" && pod.status.reason == \"Evicted\"",
                "false",
            ),
            (
                "pods on nodes in service are ended too",
                "is_out_of_service(node) && !node.status.conditions.is_true(\"Ready\")",
                "!node.status.conditions.is_true(\"Ready\")",
            ),
        ],
    },
    Group {
        file: "controllers/pvc_binder/matching.rs",
        noticed_by: &[("vectors", "volumes/binder-")],
        rows: &[
            (
                "a claim gets the larger volume",
                "if free { capacity(&volume.spec.capacity) } else { Quantity::default() }",
                "if free { -capacity(&volume.spec.capacity) } else { Quantity::default() }",
            ),
            (
                "a volume must be larger than asked for",
                FITS,
                "capacity(&volume.spec.capacity) > request(claim)",
            ),
            (
                "the volume with the most access modes comes first",
                "modes.count_ones()",
                "8 - modes.count_ones()",
            ),
            (
                "a volume of another claim of that name is taken",
                "claim_ref.uid.is_empty() || claim_ref.uid == claim.metadata.uid",
                "true",
            ),
        ],
    },
    Group {
        file: "controllers/pvc_binder/class.rs",
        noticed_by: &[("vectors", "volumes/binder-")],
        rows: &[(
            "of two default classes the older",
            "a.creation_timestamp.cmp(&b.creation_timestamp)",
            "b.creation_timestamp.cmp(&a.creation_timestamp)",
        )],
    },
    Group {
        file: "controllers/pvc_binder/start.rs",
        noticed_by: START,
        rows: &[
            ("as the controller starts, a look may write at once", "self.looks_at == Some(work)", "false"),
            (
                "the volumes' worker writes before the claims'",
                "self.claims.writes.take().or_else(|| self.operation.take())",
                "self.volumes.writes.take().or_else(|| self.claims.writes.take()).or_else(|| self.operation.take())",
            ),
            (
                "an operation that is overtaken is forgotten",
                "self.late_operations.extend(late)",
                "drop(late)",
            ),
            (
                "what is said does not wait for a write that is on its way",
                "self.start.as_ref().is_some_and(Start::claims_write)",
                "false",
            ),
        ],
    },
    Group {
        file: "controllers/pvc_protection.rs",
        noticed_by: &[("vectors", "volumes/protection")],
        rows: &[(
            "a claim that is used goes",
            "pods.any(|(_, pod)| pod.node().is_some() && uses(pod, claim))",
            "false",
        )],
    },
    Group {
        file: "controllers/kubelet/backoff.rs",
        noticed_by: &[("vectors", "kubelet/images")],
        rows: &[
            ("back-off doubled", "(before.delay * 2).min(MAX)", "(before.delay * 4).min(MAX)"),
            ("back-off without end", "(before.delay * 2).min(MAX)", "before.delay * 2"),
            ("back-off is not reset", "event.saturating_since(self.updated) > FORGET", "false"),
        ],
    },
    Group {
        file: "controllers/kubelet/pod_worker.rs",
        noticed_by: &[("kubelet", "restarts::"), ("vectors", "kubelet/pod-timeline")],
        rows: &[
            ("what a sync starts shows as it ends", "self.requeue(RESYNC, true)", STARTED),
            ("what a sync finds out shows as it ends", "self.requeue(left.min(RESYNC), false)", FOUND_OUT),
        ],
    },
];
