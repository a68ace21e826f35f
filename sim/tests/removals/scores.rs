//! Which of the feasible nodes is best, and which of equals.

use crate::Group;

const SCHEDULE: &[(&str, &str)] =
    &[("vectors", "schedule/scoring"), ("vectors", "schedule"), ("schedule_rules", "")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/scheduler/score.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("TaintToleration scores", "sheet.add(Plugin::TaintToleration, 3, taints)", "drop(taints)"),
            (
                "TaintToleration weighs 3",
                "sheet.add(Plugin::TaintToleration, 3, taints)",
                "sheet.add(Plugin::TaintToleration, 1, taints)",
            ),
            (
                "fewer unwelcome taints are better",
                "normalize(&mut taints, true)",
                "normalize(&mut taints, false)",
            ),
            ("NodeAffinity scores", "sheet.add(Plugin::NodeAffinity, 2, scores)", "drop(scores)"),
            (
                "NodeAffinity weighs 2",
                "sheet.add(Plugin::NodeAffinity, 2, scores)",
                "sheet.add(Plugin::NodeAffinity, 1, scores)",
            ),
            ("preferred terms are stretched over 0 to 100", "normalize(&mut scores, false)", "()"),
            (
                "NodeResourcesFit scores",
                "resources.iter().map(|scores| scores.fit).collect()",
                "vec![0; feasible.len()]",
            ),
            ("PodTopologySpread scores", "sheet.add(Plugin::PodTopologySpread, 2, scores)", "drop(scores)"),
            (
                "PodTopologySpread weighs 2",
                "sheet.add(Plugin::PodTopologySpread, 2, scores)",
                "sheet.add(Plugin::PodTopologySpread, 1, scores)",
            ),
            ("InterPodAffinity scores", "sheet.add(Plugin::InterPodAffinity, 2, scores)", "drop(scores)"),
            (
                "InterPodAffinity weighs 2",
                "sheet.add(Plugin::InterPodAffinity, 2, scores)",
                "sheet.add(Plugin::InterPodAffinity, 1, scores)",
            ),
            (
                "NodeResourcesBalancedAllocation scores",
                "sheet.add(Plugin::NodeResourcesBalancedAllocation, 1, scores)",
                "drop::<Vec<i64>>(scores)",
            ),
            (
                "NodeResourcesBalancedAllocation skips pods without requests",
                "balanced_allocation::skips(&pod.needs.requests)",
                "false",
            ),
            (
                "ImageLocality scores",
                "sheet.add(Plugin::ImageLocality, 1, each(&|slot| images.score(slot)))",
                "()",
            ),
            (
                "a score out of range fails the attempt",
                "scores.iter().position(|score| !RANGE.contains(score))",
                "None",
            ),
            (
                "the first node with one is named",
                "wrong.filter(|at| self.invalid.is_none_or(|(first, ..)| *at < first))",
                "wrong",
            ),
            ("equals are decided by a heap", "heap_root(&self.totals)", "self.tied()[0]"),
            (
                "the right child only if it is greater",
                "totals[heap[right]] > totals[heap[left]]",
                "totals[heap[right]] >= totals[heap[left]]",
            ),
            (
                "down only for something greater",
                "totals[heap[child]] <= totals[heap[parent]]",
                "totals[heap[child]] < totals[heap[parent]]",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/cycle.rs",
        noticed_by: SCHEDULE,
        rows: &[(
            "of nodes that the pod names one is drawn",
            "(snapshot.profile.heap_ties, narrowed)",
            "(true, false)",
        )],
    },
    Group {
        file: "controllers/scheduler/plugins/taint_toleration.rs",
        noticed_by: SCHEDULE,
        rows: &[(
            "what is tolerated is welcome",
            "tolerations.iter().any(|toleration| toleration.tolerates(taint))",
            "false",
        )],
    },
    Group {
        file: "controllers/scheduler/plugins/node_affinity.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "every preference that cannot be read is named",
                "format!(\"[{}]\", all.join(\", \"))",
                "all[0].to_owned()",
            ),
            ("weights of preferred terms", "i64::from(term.weight)", "1"),
            (
                "who has preferences at all gets scores for them",
                "!terms.is_empty()",
                "terms.iter().any(counts)",
            ),
            ("a preference that cannot be read fails the attempt", "errors.is_empty()", "true"),
        ],
    },
    Group {
        file: "controllers/scheduler/plugins/node_resources_fit.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("LeastAllocated: more than all is used", "all == 0 || used > all", "all == 0"),
            (
                "LeastAllocated: a resource that a node has not is no part of the mean",
                "if resources == 0 { 0 } else { sum / resources }",
                "sum / 2",
            ),
            ("LeastAllocated counts the pod itself", "used.wrapping_add(asked)", "used"),
            (
                "LeastAllocated wraps",
                "all.wrapping_sub(used).wrapping_mul(100).wrapping_div(all)",
                "all.saturating_sub(used).saturating_mul(100).wrapping_div(all)",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/plugins/balanced_allocation.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "the change of balance is scored",
                "50_i64.wrapping_add(50_i64.wrapping_add(change) / 2)",
                "balance(with, all)",
            ),
            (
                "a share is at most one",
                "(used[at] as f64 / all[at] as f64).min(1.0)",
                "(used[at] as f64 / all[at] as f64)",
            ),
            ("one resource alone is balanced", "all[0] == 0 || all[1] == 0", "false"),
        ],
    },
    Group {
        file: "controllers/scheduler/plugins/image_locality.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "an image counts by the share of nodes that have it",
                "state.size as f64 * spread",
                "state.size as f64",
            ),
            (
                "images of init containers and volumes count",
                "spec.init_containers.len() + spec.containers.len() + volumes.len()",
                "spec.containers.len()",
            ),
            ("a name without tag is the latest", "image.rfind(':') > image.rfind('/')", "true"),
            (
                "below 23 MiB an image counts nothing",
                "(23 * MEBI, 1000 * MEBI * self.count)",
                "(0, 1000 * MEBI * self.count)",
            ),
            (
                "from 1000 MiB a container on it counts no more",
                "(23 * MEBI, 1000 * MEBI * self.count)",
                "(23 * MEBI, 2000 * MEBI * self.count)",
            ),
        ],
    },
];
