//! What nodes are asked once only, and when they are asked anew.

use crate::Group;

const CHANGES: (&str, &str) =
    ("scheduler", "a_node_that_has_changed_answers_anew_to_a_pod_of_a_shape_that_it_knows");

const MAKES_ROOM: (&str, &str) = ("scheduler", "what_a_node_lacks_counts_the_pods_for_which_it_makes_room");

const SCHEDULE: &[(&str, &str)] = &[CHANGES, MAKES_ROOM, ("schedule_rules", ""), ("vectors", "schedule")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/scheduler/node_answers.rs",
        noticed_by: SCHEDULE,
        rows: &[
            (
                "a node that has changed answers anew",
                "known.revision == revision",
                "known.revision != Answer::NONE.revision",
            ),
            ("pods of other requests are another shape", "self.needs.requests == needs.requests", "true"),
            ("pods of other ports", "self.needs.ports == needs.ports", "true"),
            ("pods of other tolerations", "self.spec.tolerations == spec.tolerations", "true"),
            ("pods of other selectors", "same_selector(&self.spec, spec)", "true"),
        ],
    },
    Group {
        file: "controllers/scheduler/snapshot.rs",
        noticed_by: SCHEDULE,
        rows: &[(
            "a pod that comes or goes is a change of its node",
            "self.revisions[slot as usize] += 1;\n        &mut self.nodes[slot as usize]",
            "&mut self.nodes[slot as usize]",
        )],
    },
    Group {
        file: "controllers/scheduler/cycle.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("who skips the other filters is not asked by them", "!skips_surroundings", "false"),
            (
                "a node that makes room answers as it will be",
                "snapshot.nominated.contains_key(&slot)",
                "false",
            ),
        ],
    },
];
