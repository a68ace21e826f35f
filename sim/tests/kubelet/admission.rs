//! Pods that are bound to a node which cannot have them: the kubelet looks again, and lets them fail in its own words.

use super::{START, bind_named, cluster_of, one_container, pod, run};
use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::environment::{Program, Stop};
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Pod, PodStatus};
use stuckvm_sim::{Cluster, KubernetesRelease, Object, ObjectId};

/// A cluster whose node offers 4 CPUs, 8Gi, three pods and one piece of `example.com/gpu`.
fn cluster(release: KubernetesRelease, taints: &Value) -> Cluster {
    let mut cluster = cluster_of(release);
    cluster.environment_mut().machines.store_image(super::IMAGE, START);
    let offer = json!({"cpu": "4", "memory": "8Gi", "pods": "3", "example.com/gpu": "1"});
    let node = json!({"kind": "Node", "metadata": {"name": "node", "labels": {"zone": "b"}},
        "spec": {"taints": taints}, "status": {"allocatable": offer}});
    let node = Object::from_value(&node).expect("a manifest").expect("a kind that is modelled");
    cluster.apply(&node).expect("a good node");
    cluster
}

fn newest() -> Cluster {
    cluster(KubernetesRelease::V1_36, &json!([]))
}

/// A pod of one container that asks for this.
fn asking(requests: Value) -> Value {
    let mut spec = one_container();
    spec["containers"][0]["resources"] = json!({"requests": requests});
    spec
}

fn status(cluster: &Cluster, id: ObjectId) -> &PodStatus {
    &pod(cluster, id).status
}

/// The reason and the message of a pod that has failed.
fn rejection(cluster: &Cluster, id: ObjectId) -> (&str, &str) {
    let status = status(cluster, id);
    assert_eq!(status.phase, "Failed");
    (&status.reason, &status.message)
}

#[test]
fn a_pod_for_which_too_little_is_left_fails_at_once() {
    let mut cluster = newest();
    bind_named(&mut cluster, "first", &asking(json!({"cpu": "3"})));
    let late = bind_named(&mut cluster, "late", &asking(json!({"cpu": "1500m", "memory": "9Gi"})));
    let words = "Node didn't have enough resource: cpu, requested: 1500, used: 3000, capacity: 4000";
    assert_eq!(rejection(&cluster, late), ("OutOfcpu", format!("Pod was rejected: {words}").as_str()));
    assert!(
        status(&cluster, late).container_statuses.is_empty() && status(&cluster, late).conditions.is_empty()
    );
    assert_eq!(status(&cluster, late).start_time, Some(START));
    let said = cluster.take_journal().into_iter().any(|entry| {
        matches!(entry, Entry::Event { name, reason, message, .. } if name == "late" && reason == "OutOfcpu" && message == words)
    });
    assert!(said);
    let fits = bind_named(&mut cluster, "fits", &asking(json!({"cpu": "1"})));
    run(&mut cluster, 10);
    assert_eq!(status(&cluster, fits).phase, "Running");
}

#[test]
fn each_resource_is_told_of_in_its_own_unit() {
    for (requests, reason, words) in [
        (
            json!({"memory": "9Gi"}),
            "OutOfmemory",
            "memory, requested: 9663676416, used: 0, capacity: 8589934592",
        ),
        (
            json!({"ephemeral-storage": "1"}),
            "OutOfephemeral-storage",
            "ephemeral-storage, requested: 1, used: 0, capacity: 0",
        ),
        (
            json!({"example.com/gpu": "2"}),
            "OutOfexample.com/gpu",
            "example.com/gpu, requested: 2, used: 0, capacity: 1",
        ),
        (
            json!({"hugepages-2Mi": "2Mi", "cpu": "1"}),
            "OutOfhugepages-2Mi",
            "hugepages-2Mi, requested: 2097152, used: 0, capacity: 0",
        ),
    ] {
        let mut cluster = newest();
        let id = bind_named(&mut cluster, "p", &asking(requests));
        let message = format!("Pod was rejected: Node didn't have enough resource: {words}");
        assert_eq!(rejection(&cluster, id), (reason, message.as_str()));
    }
}

#[test]
fn an_extended_resource_of_which_the_node_knows_nothing_is_not_asked_of_it() {
    let mut cluster = newest();
    let id = bind_named(&mut cluster, "p", &asking(json!({"example.com/licence": "1"})));
    run(&mut cluster, 10);
    assert_eq!(status(&cluster, id).phase, "Running");
}

#[test]
fn the_room_of_a_pod_is_free_once_nothing_of_it_runs() {
    let mut cluster = newest();
    let mut slow = one_container();
    slow["terminationGracePeriodSeconds"] = json!(30);
    let stop = Stop { after: Duration::from_secs(20), exit_code: 0 };
    cluster.environment_mut().programs.script("a", "main", vec![Program { stop, ..Program::forever() }]);
    let ids = ["a", "b", "c"].map(|name| bind_named(&mut cluster, name, &slow));
    let fourth = bind_named(&mut cluster, "d", &one_container());
    let words =
        "Pod was rejected: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3";
    assert_eq!(rejection(&cluster, fourth), ("OutOfpods", words));
    run(&mut cluster, 10);
    cluster.delete::<Pod>(ids[0]).expect("it is there");
    run(&mut cluster, 1);
    let early = bind_named(&mut cluster, "e", &one_container());
    assert_eq!(rejection(&cluster, early).0, "OutOfpods");
    run(&mut cluster, 60);
    let later = bind_named(&mut cluster, "f", &one_container());
    run(&mut cluster, 10);
    assert_eq!(status(&cluster, later).phase, "Running");
}

#[test]
fn a_node_where_the_pod_may_not_be_rejects_it_by_the_plugins_name() {
    let mut cluster = newest();
    let mut elsewhere = one_container();
    elsewhere["nodeSelector"] = json!({"zone": "a"});
    let id = bind_named(&mut cluster, "elsewhere", &elsewhere);
    let words =
        "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
    assert_eq!(rejection(&cluster, id), ("NodeAffinity", words));
    let mut port = one_container();
    port["containers"][0]["ports"] = json!([{"containerPort": 80, "hostPort": 80}]);
    bind_named(&mut cluster, "first", &port);
    let id = bind_named(&mut cluster, "second", &port);
    let words = "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports";
    assert_eq!(rejection(&cluster, id), ("NodePorts", words));
}

#[test]
fn a_taint_that_evicts_rejects_too_but_not_in_1_23() {
    let taints = json!([{"key": "k", "effect": "NoExecute"}, {"key": "s", "effect": "NoSchedule"}]);
    let plays = [KubernetesRelease::V1_23, KubernetesRelease::V1_30].map(|release| {
        let mut cluster = cluster(release, &taints);
        let id = bind_named(&mut cluster, "p", &one_container());
        run(&mut cluster, 10);
        let mut tolerant = one_container();
        tolerant["tolerations"] = json!([{"key": "k", "operator": "Exists"}]);
        let second = bind_named(&mut cluster, "q", &tolerant);
        run(&mut cluster, 10);
        assert_eq!(status(&cluster, second).phase, "Running");
        (status(&cluster, id).phase.to_string(), status(&cluster, id).message.to_string())
    });
    let words =
        "Pod was rejected: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate";
    assert_eq!(plays[0].0, "Running");
    assert_eq!(plays[1], ("Failed".to_owned(), words.to_owned()));
}

#[test]
fn in_1_23_the_message_begins_otherwise() {
    let mut cluster = cluster(KubernetesRelease::V1_23, &json!([]));
    let id = bind_named(&mut cluster, "p", &asking(json!({"cpu": "5"})));
    let words = "Pod Node didn't have enough resource: cpu, requested: 5000, used: 0, capacity: 4000";
    assert_eq!(rejection(&cluster, id), ("OutOfcpu", words));
}

#[test]
fn a_pod_that_arrives_while_the_machine_is_lost_is_looked_at_when_it_is_back() {
    let mut cluster = newest();
    cluster.set_machine("node", true);
    let id = bind_named(&mut cluster, "p", &asking(json!({"cpu": "5"})));
    run(&mut cluster, 10);
    assert_eq!(status(&cluster, id).phase, "Pending");
    cluster.set_machine("node", false);
    run(&mut cluster, 1);
    assert_eq!(rejection(&cluster, id).0, "OutOfcpu");
    assert_eq!(status(&cluster, id).start_time, Some(START + Duration::from_secs(10)));
}
