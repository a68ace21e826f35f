//! Phases and conditions of instances.

use crate::Group;

const INSTANCES: &[(&str, &str)] = &[("vectors", "vmi/")];
const RECEIVERS: &[(&str, &str)] = &[("virtual_machine_instance", "a_receiver")];
const GUESTS: &[(&str, &str)] = &[("virt_handler", "pause"), ("virt_handler", "still")];
const ENDS: &[(&str, &str)] =
    &[("virt_handler", "paused"), ("virt_handler", "grace"), ("virt_handler", "acpi")];

pub(crate) const GROUPS: &[Group] = &[
    Group {
        file: "controllers/virtual_machine_instance/phase.rs",
        noticed_by: INSTANCES,
        rows: &[
            (
                "an unknown phase ends the reconcile",
                "return Err(arcstr::format!(\"unknown vmi phase {other}\"))",
                "()",
            ),
            (
                "Pending to Scheduling with the launcher",
                "unprocessed(pass, launcher.is_some(), (copy, error.as_ref()), release)",
                "if launcher.is_none() { unprocessed(pass, false, (copy, error.as_ref()), release) } else { copy.status.phase = arcstr::literal!(\"Pending\") }",
            ),
            (
                "Scheduling to Failed without a launcher",
                "scheduling(pass, launcher, (copy, error), cx)",
                "if launcher.is_some() { scheduling(pass, launcher, (copy, error), cx) } else { remove_condition(&mut copy.status.conditions, \"Provisioning\") }",
            ),
            (
                "Running to Failed without a launcher",
                "launcher.is_none()",
                "launcher.is_none() && pass.vmi.status.phase != \"Running\"",
            ),
            (
                "Scheduled to Failed without a launcher",
                "launcher.is_none_or(|launcher| receiver::is_lost(copy, launcher, release))",
                "launcher.is_some_and(|launcher| receiver::is_lost(copy, launcher, release))",
            ),
            (
                "PodScheduled goes when the pod is placed",
                "match pod.status.conditions.condition(\"PodScheduled\") {\n        Some(found) if found.status == Truth::False => {\n            add_pod_condition(&mut copy.status.conditions, found);\n        }\n        _ => remove_condition(&mut copy.status.conditions, \"PodScheduled\"),\n    }",
                "if let Some(found) = pod.status.conditions.condition(\"PodScheduled\").filter(|found| found.status == Truth::False) { add_pod_condition(&mut copy.status.conditions, found); }",
            ),
            (
                "Pending to Failed with a failed DataVolume",
                "pass.vmi.metadata.is_deleting() || failed",
                "pass.vmi.metadata.is_deleting()",
            ),
            ("Pending to Failed when it is deleted", "pass.vmi.metadata.is_deleting() || failed", "failed"),
            (
                "Provisioning while a DataVolume waits for its consumer",
                "in_phase(\"WaitForFirstConsumer\")",
                "false",
            ),
            ("a missing claim shows as PodScheduled False", "error.reason == \"FailedPvcNotFound\"", "false"),
            ("a failed temporary pod fails the instance", "pods::is_failed_or_going(pod)", "false"),
            (
                "Provisioning ends with Scheduling",
                "remove_condition(&mut copy.status.conditions, \"Provisioning\")",
                "()",
            ),
            (
                "Scheduling to Scheduled when the launcher is ready",
                "pods::is_ready(pod) && !pass.vmi.metadata.is_deleting()",
                "!pass.vmi.metadata.is_deleting()",
            ),
            (
                "not to Scheduled while it is being deleted",
                "pods::is_ready(pod) && !pass.vmi.metadata.is_deleting()",
                "pods::is_ready(pod)",
            ),
            ("Scheduling to Failed with a launcher that goes down", "pods::is_down_or_going(pod)", "false"),
            (
                "init containers are looked at first",
                "pod.status.init_container_statuses.iter().chain(&pod.status.container_statuses)",
                "pod.status.container_statuses.iter().chain(&pod.status.init_container_statuses)",
            ),
            (
                "image errors show in Synchronized",
                "waiting.find(|waiting| matches!(waiting.reason.as_str(), \"ErrImagePull\" | \"ImagePullBackOff\"))?",
                "waiting.find(|waiting| matches!(waiting.reason.as_str(), \"ImagePullBackOff\"))?",
            ),
            (
                "the finalizer stays while there are pods",
                "pass.pods.is_empty()",
                "pass.pods.is_empty() || copy.metadata.is_deleting()",
            ),
        ],
    },
    Group {
        file: "controllers/virtual_machine_instance/conditions.rs",
        noticed_by: INSTANCES,
        rows: &[
            (
                "Synchronized stays while its reason does",
                "shown.is_some_and(|shown| shown.is_false_because(&error.reason))",
                "false",
            ),
            (
                "the first message of PodScheduled stays",
                "conditions.condition(&condition.kind).is_none()",
                "remove_condition(conditions, &condition.kind); true",
            ),
        ],
    },
    Group {
        file: "controllers/virtual_machine_instance/receiver.rs",
        noticed_by: INSTANCES,
        rows: &[
            ("a receiver whose launcher has ended waits again", "failed || launcher.is_finished()", "failed"),
            (
                "a receiver whose migration has failed waits again",
                "failed || launcher.is_finished()",
                "launcher.is_finished()",
            ),
        ],
    },
    Group {
        file: "controllers/virtual_machine_instance/descheduling.rs",
        noticed_by: INSTANCES,
        rows: &[
            ("an instance that is to leave shows it", "!conditions.is_true(\"EvictionRequested\")", "false"),
            ("the launcher of such an instance shows it", "leaves == shown", "true"),
            ("what users say to the descheduler reaches the launcher", "&DYNAMIC_ANNOTATIONS", "&[]"),
        ],
    },
    Group {
        file: "controllers/virtual_machine_instance/phase.rs",
        noticed_by: RECEIVERS,
        rows: &[("a receiver waits for its twin", "receiver::waits_for_sync(&pass.vmi, release)", "false")],
    },
    Group {
        file: "controllers/virtual_machine_instance/sync.rs",
        noticed_by: RECEIVERS,
        rows: &[(
            "a receiver gets no pod",
            "receiver::waits_for_sync(&pass.vmi, cx.config.kubevirt)",
            "false",
        )],
    },
    Group {
        file: "controllers/virtual_machine_instance/subresources.rs",
        noticed_by: GUESTS,
        rows: &[
            ("no pause but of what runs", "vmi.status.phase != \"Running\"", "false"),
            ("no pause of what a probe would find dead", "is_probed(&vmi, self.config().kubevirt)", "false"),
            ("no pause of what is paused", "vmi.status.conditions.condition(\"Paused\").is_some()", "false"),
            (
                "no unpause of what is not paused",
                "vmi.status.conditions.condition(\"Paused\").is_none()",
                "false",
            ),
        ],
    },
    Group {
        file: "controllers/virt_handler/guest.rs",
        noticed_by: GUESTS,
        rows: &[
            ("a paused guest does nothing by itself", "running && !pause::is_paused(&vmi)", "running"),
            ("a guest may start paused", "pause::starts_paused(vmi)", "false"),
        ],
    },
    Group {
        file: "controllers/virt_handler/shutdown.rs",
        noticed_by: ENDS,
        rows: &[
            ("a paused guest does not heed the power button", "!pause::is_paused(vmi)", "true"),
            ("without grace a guest is told nothing", "grace(vmi) > Duration::ZERO", "true"),
            ("nor without ACPI", "has_acpi(&vmi.spec)", "true"),
            ("s390x has no ACPI", "spec.architecture != \"s390x\"", "true"),
        ],
    },
];
