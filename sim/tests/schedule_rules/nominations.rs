//! Pods for which room is being made: `status.nominatedNodeName`, and what that means for them and for others.
//!
//! Kubernetes 1.36.2: `plugins/defaultpreemption/default_preemption.go`, `pkg/scheduler/schedule_one.go`,
//! `framework/runtime/framework.go`.

use crate::{all, asking_for, claim, last, node, pod, required, user, victim, volume};
use serde_json::{Value, json};
use stuckvm_sim::KubernetesRelease::{V1_23, V1_36};
use stuckvm_sim::Placement;

const WAITS: &str = "not eligible due to a terminating pod on the nominated node.";

/// A pod of priority 100 that asks for so many CPUs and was nominated to a node.
fn nominated(name: &str, cpu: &str, node: &str) -> Value {
    let mut pod = pod(name, json!({"priority": 100, "containers": [asking_for(cpu)]}));
    pod["status"] = json!({"nominatedNodeName": node});
    pod
}

/// The pod is going, because the scheduler has preempted it or for another reason.
fn going(mut pod: Value, reason: &str) -> Value {
    pod["metadata"]["deletionTimestamp"] = json!("2022-10-03T11:11:07Z");
    pod["status"]["conditions"] = json!([{"type": "DisruptionTarget", "status": "True", "reason": reason}]);
    pod
}

fn says(placement: &Placement, text: &str) -> bool {
    placement.message.as_deref().unwrap_or_default().contains(text)
}

fn low() -> Value {
    victim("low", "a", 0, ("3", 0))
}

/// `podTerminatingByPreemption`: a pod that goes for another reason is not waited for; and who is not a victim, since it
/// matters as much, is none either.
#[test]
fn only_victims_that_go_are_waited_for() {
    let important = victim("low", "a", 100, ("3", 0));
    let table = [
        (low(), false),
        (going(low(), "PreemptionByScheduler"), true),
        (going(low(), "DeletionByTaintManager"), false),
        (going(important, "PreemptionByScheduler"), false),
    ];
    for (there, waits) in table {
        let placement = last(&[node("a", json!({})), there.clone(), nominated("p", "3", "a")]);
        assert_eq!(says(&placement, WAITS), waits, "{there}: {:?}", placement.message);
    }
}

/// Before the gate PodDisruptionConditions (1.26) a pod had no such condition, and any that went was waited for.
#[test]
fn in_1_23_every_less_important_pod_that_goes_is_waited_for() {
    let world = [node("a", json!({})), going(low(), "DeletionByTaintManager"), nominated("p", "3", "a")];
    // Its message has no word of preemption, so that only the node where it would preempt tells.
    assert!(all(&world, V1_23)[0].nominated.is_empty());
    assert_eq!(all(&world, V1_36)[0].nominated, ["a"]);
}

/// "If the pod's nominated node is considered as UnschedulableAndUnresolvable by the filters, then the pod should be
/// considered for preempting again": a taint is that, and so is a name that no term allows.
#[test]
fn a_nominated_node_that_will_never_do_is_given_up() {
    let mut tainted = node("a", json!({}));
    tainted["spec"] = json!({"taints": [{"key": "k", "effect": "NoSchedule"}]});
    let victims = [going(low(), "PreemptionByScheduler"), victim("low2", "b", 0, ("3", 0))];
    let world = [&[tainted, node("b", json!({}))], &victims[..], &[nominated("p", "3", "a")]].concat();
    assert_eq!(last(&world).nominated, ["b"]);

    let mut narrowed = nominated("p", "3", "a");
    let only_b = json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}]);
    narrowed["spec"]["affinity"] = required(only_b)["affinity"].clone();
    let world = [&[node("a", json!({})), node("b", json!({}))], &victims[..], &[narrowed]].concat();
    assert_eq!(last(&world).nominated, ["b"]);
}

/// `evaluateNominatedNode` looks at the node whatever the terms say, and what it says stays in the diagnosis: the node is
/// then none of those without a status of their own, and its plugin is named for those too.
#[test]
fn what_the_nominated_node_said_is_told() {
    let mut cordoned = node("a", json!({}));
    cordoned["spec"] = json!({"unschedulable": true});
    let mut narrowed = nominated("p", "5", "a");
    let only_b = json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["b"]}]}]);
    narrowed["spec"]["affinity"] = required(only_b)["affinity"].clone();
    let placement = last(&[cordoned, node("b", json!({})), node("c", json!({})), narrowed]);
    let text = "0/3 nodes are available: 1 Insufficient cpu, \
                1 node(s) didn't satisfy plugin(s) [NodeAffinity NodeUnschedulable], 1 node(s) were unschedulable.";
    assert!(says(&placement, text), "{:?}", placement.message);
}

/// The nominator holds the pods that wait too (`PriorityQueue.Add`): less important ones find their room taken.
#[test]
fn room_is_kept_for_a_nominated_pod_that_still_waits() {
    let small = |priority: i32| {
        let only_a = json!([{"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["a"]}]}]);
        let mut spec = required(only_a);
        spec["priority"] = json!(priority);
        spec["containers"] = json!([asking_for("1")]);
        pod("small", spec)
    };
    let world = |small: Value| {
        [node("a", json!({})), going(low(), "PreemptionByScheduler"), small, nominated("p", "3", "a")]
    };
    // 3 of 4 CPUs are asked for by the pod that goes and by the one that comes: 1 is left of the first alone, none of both.
    let placements = all(&world(small(0)), V1_36);
    assert_eq!(placements[1].pod, "small");
    assert!(says(&placements[1], "1 Insufficient cpu"), "{:?}", placements[1]);
    // A more important pod does not care.
    let placements = all(&world(small(1000)), V1_36);
    assert_eq!((placements[0].pod.as_str(), placements[0].node.as_deref()), ("small", Some("a")));
}

/// Once the pod has its node it is nominated no more (`DeleteNominatedPodIfExists`), and counts once.
#[test]
fn a_placed_pod_is_nominated_no_more() {
    let small = pod("small", json!({"containers": [asking_for("1")]}));
    let placements = all(&[node("a", json!({})), small, nominated("p", "3", "a")], V1_36);
    assert_eq!(placements.iter().filter(|placement| placement.node.is_some()).count(), 2, "{placements:?}");
}

/// A nomination that comes to nothing is taken back (`clearNominatedNode`), and its room is free again.
#[test]
fn a_nomination_that_comes_to_nothing_is_taken_back() {
    let small = pod("small", json!({"containers": [asking_for("4")]}));
    let placements = all(&[node("a", json!({})), small, nominated("p", "5", "a")], V1_36);
    assert_eq!(placements[0].node, None);
    assert_eq!(placements[1].node.as_deref(), Some("a"), "{:?}", placements[1]);
}

/// `findNodesThatFitPod` returns before it moves nextStartNodeIndex. Of three equal nodes the root of the heap is the first
/// in the order of evaluation: `a` for a first pod, and for one that comes after a pod on its nominated node.
#[test]
fn a_pod_on_its_nominated_node_does_not_move_the_start_index() {
    let nodes = ["a", "b", "c", "d"].map(|name| node(name, json!({})));
    let first = last(&[&nodes[..], &[pod("q", json!({}))]].concat());
    let second = last(&[&nodes[..], &[nominated("p", "0", "d"), pod("q", json!({}))]].concat());
    let order = |placement: Placement| placement.node_by_node.expect("it was asked for").order;
    let without_d =
        |order: Vec<arcstr::ArcStr>| order.into_iter().filter(|node| node != "d").collect::<Vec<_>>();
    assert_eq!(without_d(order(second)), without_d(order(first)));
}

/// All nodes that pass are listed, also where the nominated one is tried alone.
#[test]
fn every_feasible_node_is_listed_beside_the_nominated_one() {
    let placement = last(&[node("a", json!({})), node("b", json!({})), nominated("p", "3", "b")]);
    assert_eq!(placement.node.as_deref(), Some("b"));
    assert_eq!(placement.feasible, ["a", "b"]);
    assert!(placement.node_by_node.expect("it was asked for").rejected.is_empty());
}

/// InterPodAffinity has nothing to say of `p` at PreFilter (`Skip`): then neither AddPod of the nominated pod nor Filter
/// runs, and what the nominated pod does not want near does not count.
#[test]
fn a_plugin_that_skips_a_pod_does_not_hear_of_nominated_ones() {
    let term = json!({"topologyKey": "host", "labelSelector": {"matchLabels": {"app": "web"}}});
    let away = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
    let mut first = nominated("first", "3", "a");
    first["spec"]["affinity"] = away.clone();
    let mut web = pod("p", json!({}));
    web["metadata"]["labels"] = json!({"app": "web"});
    let host = node("a", json!({"host": "a"}));
    let world = vec![host, going(low(), "PreemptionByScheduler"), first, web];
    assert_eq!(all(&world, V1_36)[1].node.as_deref(), Some("a"));
    // Before 1.27 no plugin skipped.
    assert!(says(&all(&world, V1_23)[1], "1 node(s) didn't satisfy existing pods anti-affinity rules"));
    // Nor does it skip where a pod that runs, here beside it, does not want the pod near.
    let mut there = pod("there", json!({"nodeName": "b", "affinity": away}));
    there["metadata"]["labels"] = json!({"app": "db"});
    // The nominated pod is too large for it.
    let mut small = node("b", json!({"host": "b"}));
    small["status"]["allocatable"]["cpu"] = json!("2");
    let world = [world, vec![small, there]].concat();
    assert_eq!(all(&world, V1_36)[1].node, None);
}

/// Nor does VolumeRestrictions count the claim of a pod that is only nominated, where no pod on a node had it.
#[test]
fn a_claim_for_one_pod_is_not_taken_by_a_nominated_one() {
    let mut bound = claim("c", "1Gi");
    bound["spec"]["volumeName"] = json!("v");
    bound["spec"]["accessModes"] = json!(["ReadWriteOncePod"]);
    bound["metadata"]["annotations"] = json!({"pv.kubernetes.io/bind-completed": "yes"});
    let mut first = nominated("first", "3", "a");
    first["spec"]["volumes"] = user(&["c"])["spec"]["volumes"].clone();
    let world = [
        node("a", json!({})),
        bound,
        volume("v", "1Gi"),
        going(low(), "PreemptionByScheduler"),
        first,
        user(&["c"]),
    ];
    assert_eq!(all(&world, V1_36)[1].node.as_deref(), Some("a"));
}

/// A pod that is being deleted is popped and passed over (`skipPodSchedule`): it takes no room.
#[test]
fn a_pod_that_is_being_deleted_takes_no_room() {
    let asking = |name: &str| pod(name, json!({"containers": [asking_for("4")]}));
    let world = [node("a", json!({})), going(asking("p"), "DeletionByTaintManager"), asking("q")];
    let placements = all(&world, V1_36);
    assert_eq!(placements[0].node, None);
    assert_eq!(placements[0].message.as_deref(), Some("skip schedule deleting pod: default/p"));
    assert_eq!(placements[1].node.as_deref(), Some("a"));
}
