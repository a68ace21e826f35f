//! Machines that are lost, come back, are cordoned, deleted and join, as the node controllers take it.

use std::time::Duration;

use serde_json::json;
use stuckvm_detector::Time;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Conditions as _, Node, Pod, Truth};
use stuckvm_sim::{Cluster, Config, Kind, Latency, Object};

/// Nodes a, b, c and a running pod on a; passes at multiples of 5 s, of pod garbage collection at multiples of 20 s.
fn cluster() -> Cluster {
    let config = Config { latency: Latency::none(), keep_journal: true, ..Config::default() };
    let ours = ["node-lifecycle", "taint-eviction", "pod-gc", "node-heartbeat"];
    let mut cluster = Cluster::with_some(config, |name| ours.contains(&name));
    cluster.random_mut().give("node-lifecycle", [0]);
    cluster.random_mut().give("pod-gc", [0]);
    for name in ["a", "b", "c"] {
        create(
            &mut cluster,
            &json!({"kind": "Node", "metadata": {"name": name},
            "status": {"allocatable": {"cpu": "4", "memory": "8Gi"}}}),
        );
    }
    let tolerated = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    create(
        &mut cluster,
        &json!({"kind": "Pod", "metadata": {"name": "p", "namespace": "default"},
        "spec": {"nodeName": "a", "containers": [{"name": "c", "image": "i"}],
            "tolerations": [tolerated("node.kubernetes.io/not-ready"), tolerated("node.kubernetes.io/unreachable")]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}}),
    );
    cluster.settle().expect("it comes to rest");
    cluster
}

fn create(cluster: &mut Cluster, manifest: &serde_json::Value) {
    let mut manifest = manifest.clone();
    manifest["apiVersion"] = "v1".into();
    let object = Object::from_value(&manifest).expect("an object").expect("a kind");
    cluster.apply(&object).expect("it is accepted");
}

/// Plays up to so many milliseconds after the start.
fn play(cluster: &mut Cluster, millis: u64) {
    cluster.run_until(at(cluster, millis)).expect("it comes to rest");
}

fn at(cluster: &Cluster, millis: u64) -> Time {
    cluster.config().start + Duration::from_millis(millis)
}

fn node(cluster: &Cluster, name: &str) -> Node {
    let (_, node) = cluster.view().named::<Node>("", name).expect("the node exists");
    Node::clone(node)
}

fn pod(cluster: &Cluster) -> Option<Pod> {
    cluster.view().named::<Pod>("default", "p").map(|(_, pod)| Pod::clone(pod))
}

fn ready(cluster: &Cluster) -> Truth {
    node(cluster, "a").status.conditions.condition("Ready").expect("it is known").status
}

fn taints(cluster: &Cluster) -> Vec<String> {
    node(cluster, "a").spec.taints.iter().map(|taint| format!("{}:{}", taint.key, taint.effect)).collect()
}

/// Loses a at 103 s; its last lease, of 98 s, is seen by the pass at 100 s.
fn lose(cluster: &mut Cluster) {
    play(cluster, 103_000);
    cluster.random_mut().give("node-heartbeat", [0, 500_000_000]);
    cluster.set_machine("a", true);
}

#[test]
fn a_machine_that_joins_is_registered_as_its_kubelet_does() {
    let cluster = cluster();
    let node = node(&cluster, "a");
    let kinds: Vec<&str> = node.status.conditions.iter().map(|condition| condition.kind.as_str()).collect();
    assert_eq!(kinds, ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"]);
    assert_eq!(ready(&cluster), Truth::True);
    assert_eq!(node.status.capacity, node.status.allocatable);
    assert_eq!(node.metadata.labels.get("kubernetes.io/hostname").map(|name| name.as_str()), Some("a"));
    assert!(node.spec.taints.is_empty(), "the taint of its admission is gone: {:?}", node.spec.taints);
}

#[test]
fn nothing_happens_in_a_cluster_that_is_well() {
    let mut cluster = cluster();
    play(&mut cluster, 10_000);
    assert_eq!(cluster.next_at(), None);
}

#[test]
fn a_lost_machine_is_unreachable_after_its_grace_and_evicts_after_its_tolerations() {
    let mut cluster = cluster();
    lose(&mut cluster);
    play(&mut cluster, 149_999);
    assert_eq!(ready(&cluster), Truth::True);
    play(&mut cluster, 150_000);
    assert_eq!(ready(&cluster), Truth::Unknown);
    assert_eq!(taints(&cluster), ["node.kubernetes.io/unreachable:NoSchedule"]);
    assert!(!pod(&cluster).expect("it is there").status.conditions.is_true("Ready"));
    play(&mut cluster, 150_050);
    assert_eq!(taints(&cluster).len(), 2);
    play(&mut cluster, 450_049);
    assert!(!pod(&cluster).expect("it is there").metadata.is_deleting());
    play(&mut cluster, 450_050);
    let evicted = pod(&cluster).expect("nobody confirms its end");
    assert_eq!(evicted.metadata.deletion_timestamp, Some(at(&cluster, 480_000)));
    assert!(evicted.status.conditions.is_true("DisruptionTarget"));
}

#[test]
fn a_machine_that_is_back_loses_its_taints_and_keeps_its_pods() {
    let mut cluster = cluster();
    lose(&mut cluster);
    play(&mut cluster, 200_000);
    cluster.random_mut().give("node-heartbeat", [300_000_000]);
    cluster.set_machine("a", false);
    play(&mut cluster, 202_999);
    assert_eq!(ready(&cluster), Truth::Unknown, "a lease alone says nothing");
    play(&mut cluster, 203_000);
    assert_eq!(ready(&cluster), Truth::True);
    assert_eq!(taints(&cluster), ["node.kubernetes.io/unreachable:NoExecute"]);
    play(&mut cluster, 205_000);
    assert!(taints(&cluster).is_empty());
    play(&mut cluster, 600_000);
    assert!(!pod(&cluster).expect("it is there").metadata.is_deleting());
    let cancelled = |entry: &Entry| matches!(entry, Entry::Event { message, .. } if message == "Cancelling deletion of Pod default/p");
    assert_eq!(cluster.take_journal().iter().filter(|entry| cancelled(entry)).count(), 1);
    assert_eq!(cluster.next_at(), None, "all is well again");
}

#[test]
fn a_machine_that_is_back_within_its_grace_was_never_missed() {
    let mut cluster = cluster();
    lose(&mut cluster);
    play(&mut cluster, 140_000);
    cluster.set_machine("a", false);
    play(&mut cluster, 600_000);
    assert_eq!(ready(&cluster), Truth::True);
    let noticed = |entry: &Entry| matches!(entry, Entry::Event { reason, .. } if reason == "NodeNotReady");
    assert!(!cluster.take_journal().iter().any(noticed));
}

#[test]
fn a_cordon_is_a_taint() {
    let mut cluster = cluster();
    for (cordon, taints_then) in
        [(true, vec!["node.kubernetes.io/unschedulable:NoSchedule"]), (false, vec![])]
    {
        let (id, _) = cluster.find(Kind::Node, "", "a").expect("the node exists");
        cluster.patch::<Node>(id, |node| node.spec.unschedulable = cordon).expect("it is accepted");
        cluster.settle().expect("it comes to rest");
        assert_eq!(taints(&cluster), taints_then);
    }
}

#[test]
fn pods_of_a_deleted_node_are_collected_after_its_quarantine() {
    let mut cluster = cluster();
    play(&mut cluster, 101_000);
    let (id, _) = cluster.find(Kind::Node, "", "a").expect("the node exists");
    cluster.delete::<Node>(id).expect("it is accepted");
    cluster.settle().expect("it comes to rest");
    play(&mut cluster, 159_999);
    assert!(pod(&cluster).is_some(), "missed at 120 s, in quarantine until 160 s");
    play(&mut cluster, 160_000);
    assert!(pod(&cluster).is_none());
    play(&mut cluster, 300_000);
    assert_eq!(cluster.next_at(), None, "no pass is left to play");
}
