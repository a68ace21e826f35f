//! What a pod asks of a node: requests, ports, and what NodeResourcesFit makes of them.

use crate::Group;

const SCHEDULE: &[(&str, &str)] =
    &[("vectors", "schedule/fit"), ("vectors", "schedule"), ("schedule_rules", "")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/scheduler/plugins/node_resources_fit.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("a node takes so many pods", "pods + 1 > node.allowed_pods", "false"),
            ("the last place is a place", "pods + 1 > node.allowed_pods", "pods + 1 >= node.allowed_pods"),
            (
                "what is left exactly is enough",
                "wanted > 0 && wanted > all.wrapping_sub(used)",
                "wanted > 0 && wanted >= all.wrapping_sub(used)",
            ),
            (
                "nothing asked, nothing lacking",
                "wanted > 0 && wanted > all.wrapping_sub(used)",
                "wanted > all.wrapping_sub(used)",
            ),
            (
                "what pods use is not left",
                "wanted > 0 && wanted > all.wrapping_sub(used)",
                "wanted > 0 && wanted > all",
            ),
            ("a request beyond the node cannot be resolved", "self.beyond_node |= wanted > all", "()"),
            (
                "scalar resources count",
                "wanted > 0 && wanted > share.allocatable.wrapping_sub(share.requested)",
                "false",
            ),
            (
                "scalar resources: what is left exactly is enough",
                "wanted > 0 && wanted > share.allocatable.wrapping_sub(share.requested)",
                "wanted > 0 && wanted >= share.allocatable.wrapping_sub(share.requested)",
            ),
            (
                "scalar resources: nothing asked, nothing lacking",
                "wanted > 0 && wanted > share.allocatable.wrapping_sub(share.requested)",
                "wanted > share.allocatable.wrapping_sub(share.requested)",
            ),
            (
                "a scalar request beyond the node cannot be resolved",
                "self.beyond_node |= *wanted > share.allocatable",
                "()",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/requests.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("the largest step of the initialisation counts", "keep_largest(&mut sum, &largest)", "()"),
            ("sidecars stay", "container.restart_policy.as_deref() == Some(\"Always\")", "false"),
            ("sidecars run beside later steps", "add(&mut step, &sidecars)", "()"),
            ("sidecars run beside the containers", "add(&mut sum, &step)", "()"),
            ("overhead", "add(&mut sum, &spec.overhead)", "()"),
            (
                "requests of the pod as a whole",
                "spec.resources.as_ref().filter(|_| pod_level)",
                "None::<&crate::objects::ContainerResources>",
            ),
            ("padding for containers that name nothing", "requests.get(name).is_none()", "false"),
            ("LeastAllocated ignores requests of the whole pod", "least_allocated = padded(false)", "()"),
            (
                "with requests of the whole pod only what is not named is padded",
                "non_zero = [named[0].unwrap_or(non_zero[0]), named[1].unwrap_or(non_zero[1])]",
                "()",
            ),
            (
                "extended resources are scalars",
                "name.contains('/') && !name.contains(\"kubernetes.io/\") && !name.starts_with(\"requests.\")",
                "false",
            ),
            (
                "huge pages are scalars",
                "name.contains(\"kubernetes.io/\")\n        || name.starts_with(\"hugepages-\")",
                "name.contains(\"kubernetes.io/\")",
            ),
        ],
    },
    Group {
        file: "controllers/scheduler/pod_info.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("ports of different protocols get along", "self.protocol == other.protocol", "true"),
            (
                "ports of different addresses get along",
                "(self.ip == other.ip || any(&self.ip) || any(&other.ip))",
                "true",
            ),
            (
                "0.0.0.0 is every address",
                "(self.ip == other.ip || any(&self.ip) || any(&other.ip))",
                "(self.ip == other.ip)",
            ),
            ("ports of sidecars count", "container.restart_policy.as_deref() == Some(\"Always\")", "false"),
            ("no address is every address", "port.host_ip.is_empty()", "false"),
        ],
    },
    Group {
        file: "controllers/scheduler/node_info.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("pods on a node use its resources", "self.requested.add(requests.counted)", "()"),
            (
                "LeastAllocated counts what pods use",
                "self.change_non_zero(requests.non_zero, i64::wrapping_add)",
                "()",
            ),
            (
                "pods on a node use its scalar resources",
                "share.requested = share.requested.wrapping_add(*amount)",
                "()",
            ),
        ],
    },
    Group {
        file: "admission/pod.rs",
        noticed_by: SCHEDULE,
        rows: &[
            ("a computed request is stored before it is read", "stored(amount)", "amount.clone()"),
            (
                "on the node's network every port is one of the node",
                "port.host_port = port.container_port",
                "()",
            ),
            ("what is limited and not asked for is asked for", "default_requests(requests, limits)", "()"),
            ("limits of the whole pod are asked for", "fill(&mut own.requests, &own.limits)", "()"),
            ("but first what its containers ask for", "fill(&mut own.requests, &wanted)", "()"),
            ("requests are rounded up to thousandths", "round_up(requests)", "()"),
            ("the default class gives its priority", "class.global_default", "false"),
            (
                "the class gives its policy",
                "class.and_then(|class| class.preemption_policy.clone())",
                "None::<ArcStr>",
            ),
        ],
    },
];
