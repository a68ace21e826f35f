//! What a kubelet asks before it takes a pod.

use crate::Group;

const ADMISSION: &[(&str, &str)] = &[("kubelet", "admission")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/scheduler/admission_check.rs",
        noticed_by: ADMISSION,
        rows: &[
            ("one pod more must be allowed", "pods + 1 > node.allowed_pods", "pods > node.allowed_pods"),
            (
                "an extended resource that the node does not know is not asked of it",
                "!is_extended(name) || offer.get(name).is_some()",
                "true",
            ),
            (
                "but one that Kubernetes itself has is",
                "!is_extended(name) || offer.get(name).is_some()",
                "offer.get(name).is_some()",
            ),
            ("resources", "self.first_lack(&info.needs.requests, offer)", "None"),
            ("node affinity", "!node_affinity::matches_required(&pod.spec, node)", "false"),
            (
                "ports of the node",
                "node_ports::filter(&info, &self.info).map_err(|_| rejected(Plugin::NodePorts, Reason::Ports))",
                "Ok(())",
            ),
        ],
    },
    Group {
        file: "controllers/kubelet/admission.rs",
        noticed_by: ADMISSION,
        rows: &[
            ("a pod takes room", "self.node.used.add(self.id.index, &self.worker.pod)", "()"),
            ("taints that evict", "taint.effect == \"NoExecute\"", "false"),
            ("but not others", "taint.effect == \"NoExecute\"", "true"),
            ("and not in 1.23", "self.profile().admits_by_taints", "true"),
        ],
    },
];
