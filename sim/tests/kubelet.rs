//! Plays of the kubelet: pods that are bound to a node, and what becomes of them.

#[path = "kubelet/admission.rs"]
mod admission;
#[path = "kubelet/images.rs"]
mod images;
#[path = "kubelet/mounts.rs"]
mod mounts;
#[path = "kubelet/restarts.rs"]
mod restarts;

use serde_json::json;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::environment::{Image, KubeletStart, Program};
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Conditions, Pod};
use stuckvm_sim::{Cluster, Config, KubernetesRelease, Latency, Object, ObjectId};

const START: Time = Time::from_secs(1_000_000);
const IMAGE: &str = "registry.example/disk:v1";

/// A cluster with a kubelet only; its ticks and relists come at full seconds and 0.5 s later.
fn cluster() -> Cluster {
    cluster_of(Config::default().kubernetes)
}

fn cluster_of(kubernetes: KubernetesRelease) -> Cluster {
    let config = Config {
        start: START,
        keep_journal: true,
        latency: Latency::none(),
        kubernetes,
        ..Config::default()
    };
    let mut cluster = Cluster::with_some(config, |name| name == "kubelet");
    let early = Time::from_secs(999_900);
    let start = KubeletStart { tick: early, relist: early + Duration::from_millis(500), status: early };
    let environment = cluster.environment_mut();
    environment.machines.start_kubelet("node", start);
    environment.registry.answer = Duration::from_secs(1);
    cluster
}

fn bind(cluster: &mut Cluster, spec: &serde_json::Value) -> ObjectId {
    bind_named(cluster, "p", spec)
}

fn bind_named(cluster: &mut Cluster, name: &str, spec: &serde_json::Value) -> ObjectId {
    let mut pod = json!({
        "kind": "Pod", "metadata": {"name": name, "namespace": "ns"},
        "spec": {"nodeName": "node", "restartPolicy": "Always"}, "status": {"phase": "Pending"},
    });
    for (key, value) in spec.as_object().expect("a map") {
        pod["spec"][key] = value.clone();
    }
    let pod = Object::from_value(&pod).expect("a pod").expect("a pod");
    let id = cluster.apply(&pod).expect("the pod is new");
    cluster.settle().expect("it comes to rest");
    id
}

fn one_container() -> serde_json::Value {
    json!({"containers": [{"name": "main", "image": IMAGE, "imagePullPolicy": "IfNotPresent"}]})
}

fn run(cluster: &mut Cluster, seconds: u64) {
    let until = cluster.now() + Duration::from_secs(seconds);
    cluster.run_until(until).expect("it comes to rest");
}

fn pod(cluster: &Cluster, id: ObjectId) -> &Pod {
    cluster.view().get::<Pod>(id).expect("the pod exists")
}

/// The waiting reason of the first container.
fn reason(cluster: &Cluster, id: ObjectId) -> String {
    let status = &pod(cluster, id).status.container_statuses[0];
    status.waiting().map(|waiting| waiting.reason.to_string()).unwrap_or_default()
}

fn events(cluster: &mut Cluster, wanted: &str) -> usize {
    let journal = cluster.take_journal();
    journal.iter().filter(|entry| matches!(entry, Entry::Event { reason, .. } if reason == wanted)).count()
}

#[test]
fn a_slow_pull_keeps_a_pod_creating_until_it_ends() {
    let mut cluster = cluster();
    cluster.environment_mut().registry.push(IMAGE, Image { size_bytes: 30_000_000_000 });
    let id = bind(&mut cluster, &one_container());
    run(&mut cluster, 300);
    assert_eq!(reason(&cluster, id), "ContainerCreating");
    assert!(pod(&cluster, id).status.conditions.is_true("PodReadyToStartContainers"));
    run(&mut cluster, 1);
    assert_eq!(pod(&cluster, id).status.phase, "Running");
    assert!(pod(&cluster, id).status.conditions.is_true("Ready"));
}

#[test]
fn a_missing_tag_alternates_between_its_reasons_and_runs_once_it_is_pushed() {
    let mut cluster = cluster();
    let id = bind(&mut cluster, &one_container());
    let mut seen = Vec::new();
    for _ in 0..60 {
        run(&mut cluster, 1);
        let now = reason(&cluster, id);
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    assert_eq!(seen[..2], ["ContainerCreating", "ErrImagePull"]);
    assert!(seen.windows(2).all(|pair| pair[0] != pair[1]) && seen.contains(&"ImagePullBackOff".to_owned()));
    cluster.environment_mut().registry.push(IMAGE, Image { size_bytes: 1 });
    // The back-off is 80 s at most by now, a sync comes every 11 to 15 s.
    run(&mut cluster, 100);
    assert_eq!(pod(&cluster, id).status.phase, "Running");
}

#[test]
fn a_broken_registry_is_tried_again_until_it_is_healed() {
    let mut cluster = cluster();
    cluster.environment_mut().registry.push(IMAGE, Image { size_bytes: 1 });
    cluster.environment_mut().registry.break_host("registry.example");
    let id = bind(&mut cluster, &one_container());
    run(&mut cluster, 30);
    let status = &pod(&cluster, id).status.container_statuses[0];
    assert!(status.waiting().expect("it waits").message.contains("connection refused"));
    cluster.environment_mut().registry.heal_host("registry.example");
    run(&mut cluster, 60);
    assert_eq!(pod(&cluster, id).status.phase, "Running");
}

#[test]
fn a_crashing_container_waits_longer_each_time() {
    let mut cluster = cluster();
    cluster.environment_mut().machines.store_image(IMAGE, START);
    let crash = Program::ends(Duration::from_secs(1), 2);
    cluster.environment_mut().programs.script("p", "main", vec![crash]);
    let id = bind(&mut cluster, &one_container());
    run(&mut cluster, 200);
    let status = &pod(&cluster, id).status.container_statuses[0];
    // Starts at once, after 10, 20, 40 and 80 s, each with up to half as much again.
    assert!((4..=5).contains(&status.restart_count), "{} restarts", status.restart_count);
    assert_eq!(pod(&cluster, id).status.phase, "Running");
    assert!(events(&mut cluster, "BackOff") >= 4);
}

#[test]
fn a_deleted_pod_goes_once_its_pull_has_ended() {
    let mut cluster = cluster();
    cluster.environment_mut().registry.push(IMAGE, Image { size_bytes: 5_900_000_000 });
    let id = bind(&mut cluster, &one_container());
    run(&mut cluster, 20);
    cluster.delete::<Pod>(id).expect("the pod exists");
    run(&mut cluster, 38);
    assert!(pod(&cluster, id).metadata.is_deleting());
    run(&mut cluster, 5);
    assert!(cluster.view().get::<Pod>(id).is_none());
    assert_eq!(events(&mut cluster, "Killing"), 1);
}

#[test]
fn nothing_happens_on_a_lost_machine_until_it_returns() {
    let mut cluster = cluster();
    cluster.environment_mut().machines.store_image(IMAGE, START);
    cluster.set_machine("node", true);
    let id = bind(&mut cluster, &one_container());
    run(&mut cluster, 600);
    assert!(pod(&cluster, id).status.container_statuses.is_empty());
    cluster.set_machine("node", false);
    run(&mut cluster, 1);
    assert_eq!(pod(&cluster, id).status.phase, "Running");
}

#[test]
fn an_idle_pod_sets_no_timer() {
    let mut cluster = cluster();
    cluster.environment_mut().machines.store_image(IMAGE, START);
    bind(&mut cluster, &one_container());
    run(&mut cluster, 2);
    assert_eq!(cluster.next_at(), None);
}
