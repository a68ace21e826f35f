//! Fields of pods that older API servers do not know, or drop while a gate is off (`dropDisabledFields`,
//! `pkg/api/pod/util.go`): the scheduler never sees them.

use crate::{all, asking_for, node, pod};
use serde_json::{Value, json};
use stuckvm_sim::KubernetesRelease::{V1_23, V1_30, V1_36};

fn labelled(name: &str, spec: Value) -> Value {
    let mut pod = pod(name, spec);
    pod["metadata"]["labels"] = json!({"app": "web"});
    pod
}

fn spread(fields: Value) -> Value {
    let mut constraint = json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}}});
    for (field, value) in fields.as_object().expect("fields") {
        constraint[field] = value.clone();
    }
    json!({"topologySpreadConstraints": [constraint]})
}

/// Whether the pod finds a node by the rules of 1.23, 1.30 and 1.36.
fn fits(objects: &[Value]) -> [bool; 3] {
    [V1_23, V1_30, V1_36].map(|release| all(objects, release).pop().expect("a pod waits").node.is_some())
}

/// PodSchedulingReadiness: beta, and on, since 1.27.
#[test]
fn gates_hold_since_1_27() {
    let world = [node("n1", json!({})), pod("p", json!({"schedulingGates": [{"name": "a/b"}]}))];
    assert_eq!(fits(&world), [true, false, false]);
}

/// MinDomainsInPodTopologySpread: on since 1.25. With one domain of two, 0 counts as the least: 1 + 1 - 0 is too much.
#[test]
fn min_domains_count_since_1_25() {
    let there = labelled("there", json!({"nodeName": "n1"}));
    let world = [node("n1", json!({"zone": "a"})), there, labelled("p", spread(json!({"minDomains": 2})))];
    assert_eq!(fits(&world), [true, false, false]);
}

/// NodeInclusionPolicyInPodTopologySpread: on since 1.26. The second zone is tainted and empty: honoured, it is no domain,
/// and 1 + 1 - 1 will do; without the policy it is, and 1 + 1 - 0 is too much.
#[test]
fn inclusion_policies_count_since_1_26() {
    let mut tainted = node("n2", json!({"zone": "b"}));
    tainted["spec"] = json!({"taints": [{"key": "k", "effect": "NoSchedule"}]});
    let there = labelled("there", json!({"nodeName": "n1"}));
    let waiting = labelled("p", spread(json!({"nodeTaintsPolicy": "Honor"})));
    let world = [node("n1", json!({"zone": "a"})), tainted.clone(), there.clone(), waiting];
    assert_eq!(fits(&world), [false, true, true]);
    // The selector leaves the second zone out by default; to ignore it makes a domain of it.
    let mut waiting = labelled("p", spread(json!({"nodeAffinityPolicy": "Ignore"})));
    waiting["spec"]["nodeSelector"] = json!({"zone": "a"});
    assert_eq!(fits(&[node("n1", json!({"zone": "a"})), tainted, there, waiting]), [true, false, false]);
}

/// SidecarContainers: on since 1.29. A sidecar adds to the containers (3 + 2); before, it is a step of the initialisation,
/// and the larger of both counts (3).
#[test]
fn sidecars_add_up_since_1_29() {
    let mut sidecar = asking_for("2");
    sidecar["name"] = json!("s");
    sidecar["restartPolicy"] = json!("Always");
    let waiting = pod("p", json!({"initContainers": [sidecar], "containers": [asking_for("3")]}));
    assert_eq!(fits(&[node("n1", json!({})), waiting]), [true, false, false]);
}
