//! Virtual machine instances over several reconciles, with lagging caches.

mod play;

use play::{apply, cluster, fail_pod, instance, pod, run_pod, vmi};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use stuckvm_sim::kubevirt::{InstanceTypes, equip_node, reconcile_instances, render};
use stuckvm_sim::objects::{Conditions, Node, Pod, VirtualMachineInstance};
use stuckvm_sim::{Cluster, Config, Kind, KubeVirtRelease, Latency, Object};

const CONTROLLER: &[&str] = &["virtual-machine-instance"];

fn run_for(cluster: &mut Cluster, time: Duration) {
    cluster.settle().expect("it comes to rest");
    let until = cluster.now() + time;
    cluster.run_until(until).expect("it comes to rest");
}

#[test]
fn one_pod_is_created_however_late_the_caches_are() {
    let (mut cluster, id) = cluster(Latency::default(), CONTROLLER);
    run_for(&mut cluster, Duration::from_secs(5));
    assert_eq!(cluster.count::<Pod>(), 1);
    assert_eq!(vmi(&cluster, id).status.phase, "Scheduling");
}

#[test]
fn a_running_launcher_is_handed_over_and_a_dead_one_is_not() {
    let (mut handed, id) = cluster(Latency::none(), CONTROLLER);
    run_pod(&mut handed);
    handed.settle().expect("it comes to rest");
    assert_eq!(vmi(&handed, id).status.phase, "Scheduled");
    assert!(vmi(&handed, id).metadata.labels.has("kubevirt.io/nodeName", "node-a"));

    let (mut dead, id) = cluster(Latency::none(), CONTROLLER);
    fail_pod(&mut dead);
    dead.settle().expect("it comes to rest");
    assert_eq!(vmi(&dead, id).status.phase, "Failed");
}

#[test]
fn a_deleted_instance_goes_once_its_pod_has_gone() {
    let (mut cluster, id) = cluster(Latency::none(), CONTROLLER);
    fail_pod(&mut cluster);
    cluster.settle().expect("it comes to rest");
    cluster.delete::<VirtualMachineInstance>(id).expect("it exists");
    cluster.settle().expect("it comes to rest");
    assert_eq!(cluster.count::<Pod>(), 0);
    assert_eq!(cluster.count::<VirtualMachineInstance>(), 0);
}

#[test]
fn a_refused_pod_is_tried_again_with_doubling_gaps() {
    let mut cluster = Cluster::with_some(Config { latency: Latency::none(), ..Config::default() }, |name| {
        CONTROLLER.contains(&name)
    });
    cluster.environment_mut().admission.refuse(Kind::Pod, "default", "exceeded quota: q");
    let id = apply(&mut cluster, instance(json!([])));
    run_for(&mut cluster, Duration::from_millis(70));
    let instance = vmi(&cluster, id);
    let failure = instance.status.conditions.condition("Synchronized").expect("it failed");
    assert!(failure.is_false_because("FailedCreate"), "{failure:?}");
    assert_eq!(instance.status.phase, "Pending");
    cluster.environment_mut().admission.allow(Kind::Pod, "default");
    run_for(&mut cluster, Duration::from_millis(4));
    assert_eq!(cluster.count::<Pod>(), 0, "the quota's end wakes nobody");
    run_for(&mut cluster, Duration::from_millis(100));
    assert_eq!(cluster.count::<Pod>(), 1);
    assert!(vmi(&cluster, id).status.conditions.condition("Synchronized").is_none());
}

#[test]
fn a_missing_claim_is_waited_for() {
    let mut cluster = Cluster::with_some(Config { latency: Latency::none(), ..Config::default() }, |name| {
        CONTROLLER.contains(&name)
    });
    let volumes = json!([{ "name": "disk0", "persistentVolumeClaim": { "claimName": "disk" } }]);
    let id = apply(&mut cluster, instance(volumes));
    run_for(&mut cluster, Duration::from_secs(60));
    assert_eq!(vmi(&cluster, id).status.phase, "Pending");
    apply(
        &mut cluster,
        json!({ "kind": "PersistentVolumeClaim", "metadata": { "name": "disk" }, "spec": {} }),
    );
    cluster.settle().expect("it comes to rest");
    assert_eq!(vmi(&cluster, id).status.phase, "Scheduling");
    let launcher = Arc::clone(cluster.view().get::<Pod>(pod(&cluster)).expect("it exists"));
    assert_eq!(
        launcher.spec.volumes[0].persistent_volume_claim.as_ref().expect("a claim").claim_name,
        "disk"
    );
}

#[test]
fn an_unknown_phase_freezes_the_instance_until_it_is_written_back() {
    let (mut cluster, id) = cluster(Latency::none(), CONTROLLER);
    let before = cluster.overwrite_instance_phase("default", "vm1", "Unknown").expect("it exists");
    fail_pod(&mut cluster);
    run_for(&mut cluster, Duration::from_secs(60));
    let frozen = vmi(&cluster, id);
    assert!(
        frozen.status.conditions.condition("Ready").is_some_and(|ready| ready.reason == "GuestNotRunning")
    );
    cluster.overwrite_instance_phase("default", "vm1", before);
    cluster.settle().expect("it comes to rest");
    assert_eq!(vmi(&cluster, id).status.phase, "Failed");
}

#[test]
fn instances_of_one_template_share_their_spec_and_their_pods_spec() {
    let (mut cluster, id) = cluster(Latency::none(), CONTROLLER);
    let template = Arc::clone(&vmi(&cluster, id).spec);
    let mut specs = vec![];
    for name in ["a", "b"] {
        let mut instance = VirtualMachineInstance { spec: Arc::clone(&template), ..Default::default() };
        instance.metadata.name = name.into();
        instance.metadata.namespace = "other".into();
        let id = cluster.create(instance).expect("it can be created");
        cluster.settle().expect("it comes to rest");
        let uid = vmi(&cluster, id).metadata.uid;
        let pods: Vec<_> = cluster.view().owned::<Pod>(&uid).map(|(_, pod)| Arc::clone(&pod.spec)).collect();
        specs.push((Arc::clone(&vmi(&cluster, id).spec), Arc::clone(&pods[0])));
    }
    assert!(Arc::ptr_eq(&specs[0].0, &specs[1].0), "one spec");
    assert!(Arc::ptr_eq(&specs[0].1, &specs[1].1), "one pod spec");
}

#[test]
fn single_objects_are_answered_without_a_cluster() {
    let manifest = instance(json!([{ "name": "d", "persistentVolumeClaim": { "claimName": "gone" } }]));
    let object = Object::from_value(&manifest).expect("a manifest").expect("an instance");
    let release = KubeVirtRelease::Main2026_08;
    let pod = render(&object, &InstanceTypes::default(), release)
        .expect("it can be rendered")
        .expect("an instance has a pod");
    assert_eq!(pod.metadata.generate_name, "virt-launcher-vm1-");
    let now = Config::default().start;
    let answers = reconcile_instances(&[object], now, release).expect("one name each");
    assert_eq!(answers[0].phase, "Pending");
    let missing = answers[0].conditions.condition("Synchronized").expect("it waits");
    assert!(missing.is_false_because("FailedPvcNotFound"));
}

#[test]
fn an_equipped_node_has_what_a_launcher_asks_for() {
    let mut node = Node::default();
    equip_node(&mut node);
    let manifest = Object::from_value(&instance(json!([]))).expect("a manifest").expect("an instance");
    let Object::VirtualMachineInstance(mut vmi) = manifest else { unreachable!("it is an instance") };
    let release = KubeVirtRelease::Main2026_08;
    Arc::make_mut(&mut vmi).spec = stuckvm_sim::kubevirt::with_defaults(&vmi.spec, release);
    let pod = render(&Object::VirtualMachineInstance(vmi), &InstanceTypes::default(), release)
        .expect("rendered")
        .expect("a pod");
    assert!(pod.spec.node_selector.iter().all(|(key, value)| node.metadata.labels.has(key, value)));
    let limits = &pod.spec.containers[0].resources.limits;
    assert!(limits.iter().all(|(device, amount)| node.status.allocatable.get(device) >= Some(amount)));
}

/// What a receiver of a migration between clusters comes to with these labels: its phase, and how many pods it gets.
fn receiver(kubevirt: KubeVirtRelease, labels: serde_json::Value) -> (String, usize) {
    let config = Config { latency: Latency::none(), kubevirt, ..Config::default() };
    let mut cluster = Cluster::with_some(config, |name| CONTROLLER.contains(&name));
    let mut manifest = instance(json!([]));
    manifest["metadata"]["annotations"] = json!({"kubevirt.io/create-migration-target": "true"});
    manifest["metadata"]["labels"] = labels;
    let id = apply(&mut cluster, manifest);
    cluster.settle().expect("it comes to rest");
    (vmi(&cluster, id).status.phase.to_string(), cluster.count::<Pod>())
}

#[test]
fn a_receiver_waits_for_its_twin_without_a_pod() {
    let of = |phase: &str, pods| (phase.to_owned(), pods);
    assert_eq!(receiver(KubeVirtRelease::Main2026_08, json!({})), of("WaitingForSync", 0));
    let target = json!({"kubevirt.io/migrationTargetNodeName": "node-a"});
    assert_eq!(receiver(KubeVirtRelease::Main2026_08, target), of("Scheduling", 1));
    // Before 1.6 the annotation means nothing.
    assert_eq!(receiver(KubeVirtRelease::V1_3, json!({})), of("Scheduling", 1));
}
