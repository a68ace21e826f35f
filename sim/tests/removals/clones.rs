//! Copies that two pods make, copies across namespaces, and uploads.

use crate::Group;

const CLONES: &[(&str, &str)] = &[("clones", "")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/data_volume_cloner/mod.rs",
        noticed_by: CLONES,
        rows: &[
            (
                "nobody reads before the pod that writes is ready",
                "parse_bool(ready).map_err(error)? || is_complete(&claim.object)",
                "false",
            ),
            ("a source in use is waited for", "report_users(cx, &source, &told, Use::Clone)", "false"),
            (
                "a whole copy is marked as one",
                "cx.event(&claim.object, EventType::Normal, \"CloneSucceeded\", \"Clone Complete\")",
                "()",
            ),
        ],
    },
    Group {
        file: "controllers/cdi/users.rs",
        noticed_by: CLONES,
        rows: &[(
            "who only reads is not in the way",
            "(wanted != Use::Clone || !only_reads(pod, &meta.name))",
            "true",
        )],
    },
    Group {
        file: "controllers/cdi/tokens.rs",
        noticed_by: &[("clones", ""), ("lib", "tokens")],
        rows: &[
            ("a token counts for its source only", "name == subject.name", "true"),
            ("a token counts for the namespace of its source only", "namespace == subject.namespace", "true"),
            ("a token counts for its target only", "*target_name == target.name", "true"),
            ("a token with a uid counts for that only", "(uid.is_empty() || *uid == target.uid)", "true"),
        ],
    },
    Group {
        file: "controllers/data_volume/clone.rs",
        noticed_by: CLONES,
        rows: &[(
            "a copy from elsewhere needs a token",
            "clone_tokens::extend(&mut state.dv.metadata)?",
            "false",
        )],
    },
    Group {
        file: "controllers/populators/clone/mod.rs",
        noticed_by: CLONES,
        rows: &[(
            "a source elsewhere is looked for there",
            "meta.annotations.get(&ann::DATA_SOURCE_NAMESPACE).unwrap_or(&meta.namespace)",
            "&meta.namespace",
        )],
    },
    Group {
        file: "controllers/kubelet/transfer.rs",
        noticed_by: CLONES,
        rows: &[
            (
                "a receiver ends when it has everything",
                "(is_the_same && !is_lost).then(|| (id, run_number(slot, run.restarts)))",
                "None",
            ),
            ("a receiver that was started later got nothing", "running_since(run)? <= since", "true"),
        ],
    },
    Group {
        file: "uploads.rs",
        noticed_by: CLONES,
        rows: &[("an image that does not fit is refused", "size > *available", "false")],
    },
];
