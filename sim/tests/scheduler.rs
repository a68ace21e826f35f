//! The scheduler in the cluster: what wakes a pod that waits, and when it is tried again.

#[path = "scheduler/wake_ups.rs"]
mod wake_ups;

use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Conditions, Node, Pod, Truth};
use stuckvm_sim::{Cluster, Config, KubernetesRelease, Latency, Object, ObjectId};

const START: u64 = 1_664_795_467;

struct Play {
    cluster: Cluster,
}

impl Play {
    fn new(release: KubernetesRelease) -> Self {
        let latency = Latency::none();
        let config = Config { kubernetes: release, latency, keep_journal: true, ..Config::default() };
        Self { cluster: Cluster::with_some(config, |name| name == "scheduler") }
    }

    /// Goes to a time after the start, in milliseconds.
    fn at(&mut self, millis: u64) -> &mut Self {
        let at = Time::from_secs(START).checked_add(Duration::from_millis(millis)).unwrap();
        self.cluster.settle().unwrap();
        self.cluster.run_until(at).unwrap();
        self
    }

    fn create(&mut self, manifest: Value) -> ObjectId {
        let object = Object::from_value(&manifest).unwrap().unwrap();
        let id = self.cluster.apply(&object).unwrap();
        self.cluster.settle().unwrap();
        id
    }

    fn pod(&self, id: ObjectId) -> &Pod {
        self.cluster.view().get::<Pod>(id).unwrap()
    }

    fn message(&self, id: ObjectId) -> &str {
        &self.pod(id).status.conditions.condition("PodScheduled").unwrap().message
    }

    /// Milliseconds after the start at which an event of this reason was recorded.
    fn events(&mut self, wanted: &str) -> Vec<u64> {
        times(&self.cluster.take_journal(), wanted)
    }
}

/// Milliseconds after the start at which an event of this reason stands in a journal.
fn times(journal: &[Entry], wanted: &str) -> Vec<u64> {
    let events = journal.iter().filter_map(|entry| match entry {
        Entry::Event { at, reason, .. } if reason == wanted => Some(*at),
        _ => None,
    });
    events.map(|at| (at.as_nanos() - START * 1_000_000_000) / 1_000_000).collect()
}

fn node(name: &str, cpu: &str) -> Value {
    let resources = json!({"cpu": cpu, "memory": "8Gi", "pods": "110"});
    // Ready, so that no taint of a node that has yet to report keeps pods away.
    let ready = json!([{"type": "Ready", "status": "True", "reason": "KubeletReady"}]);
    let status = json!({"capacity": resources, "allocatable": resources, "conditions": ready});
    json!({"kind": "Node", "metadata": {"name": name}, "status": status})
}

fn pod(name: &str, cpu: &str) -> Value {
    let requests = json!({"cpu": cpu, "memory": "1Gi"});
    let container =
        json!({"name": "c", "image": "registry.example/app:1", "resources": {"requests": requests}});
    json!({"kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": {"containers": [container]}})
}

#[test]
fn a_pod_that_fits_is_bound_at_once() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    play.create(node("n1", "4"));
    let id = play.create(pod("p1", "1"));
    assert_eq!(play.pod(id).node_name, "n1");
    let condition = play.pod(id).status.conditions.condition("PodScheduled").unwrap();
    assert_eq!((condition.status, condition.reason.as_str()), (Truth::True, ""));
    assert_eq!(play.events("Scheduled"), [0]);
}

#[test]
fn a_larger_node_wakes_the_pod_and_a_small_one_does_not() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    play.create(node("n1", "1"));
    let id = play.create(pod("p1", "3"));
    assert_eq!(
        play.message(id),
        "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are \
         available: 1 Preemption is not helpful for scheduling."
    );
    play.at(20_300).create(node("n2", "2"));
    assert_eq!(play.events("FailedScheduling"), [0], "the small node is no hint");
    play.at(60_700).create(node("n3", "4"));
    assert_eq!(play.pod(id).node_name, "n3");
    assert_eq!(play.events("Scheduled"), [60_700]);
}

#[test]
fn a_pod_whose_resources_come_free_is_tried_at_once_although_it_backs_off() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    play.create(node("n1", "4"));
    let first = play.create(pod("p1", "3"));
    let second = play.create(pod("p2", "3"));
    assert!(play.pod(second).node().is_none());
    play.at(300).cluster.delete::<Pod>(first).unwrap();
    // The kubelet, which is not there, would remove it.
    play.cluster.patch(first, |pod: &mut Pod| pod.status.phase = "Succeeded".into()).unwrap();
    play.cluster.settle().unwrap();
    assert_eq!(play.events("Scheduled"), [0, 300], "with nothing else to do the head of backoffQ is popped");
}

#[test]
fn before_1_33_the_back_off_is_waited_for() {
    let mut play = Play::new(KubernetesRelease::V1_30);
    play.create(node("n1", "4"));
    let first = play.create(pod("p1", "3"));
    play.create(pod("p2", "3"));
    play.at(300).cluster.patch(first, |pod: &mut Pod| pod.status.phase = "Succeeded".into()).unwrap();
    play.at(5_000);
    assert_eq!(play.events("Scheduled"), [0, 1_000]);
}

#[test]
fn without_nodes_a_pod_is_tried_again_and_again() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    let id = play.create(pod("p1", "3"));
    assert_eq!(play.message(id), "no nodes available to schedule pods");
    play.at(40_000);
    // Back-offs of 1, 2, 4, 8, 10 s, each until the flush of the second after.
    assert_eq!(play.events("FailedScheduling"), [0, 2_000, 5_000, 10_000, 19_000, 30_000]);
}

#[test]
fn after_five_minutes_a_pod_is_tried_without_cause() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    play.create(node("n1", "1"));
    play.at(10_000).create(pod("p1", "3"));
    play.at(700_000);
    // Looked at every 30 s; more than 300 s must have passed.
    assert_eq!(play.events("FailedScheduling"), [10_000, 330_000, 660_000]);
}

#[test]
fn uncordoning_wakes_the_pod() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    let mut manifest = node("n1", "4");
    manifest["spec"] = json!({"unschedulable": true});
    let cordoned = play.create(manifest);
    let id = play.create(pod("p1", "1"));
    assert!(play.message(id).starts_with("0/1 nodes are available: 1 node(s) were unschedulable."));
    play.at(61_500).cluster.patch(cordoned, |node: &mut Node| node.spec.unschedulable = false).unwrap();
    play.cluster.settle().unwrap();
    assert_eq!(play.events("Scheduled"), [61_500]);
}

#[test]
fn the_runbooks_release_says_nothing_of_preemption() {
    let mut play = Play::new(KubernetesRelease::V1_23);
    play.create(node("n1", "4"));
    play.create(node("n2", "4"));
    let mut manifest = pod("virt-launcher-testvm-hxghp", "5000000Gi");
    manifest["spec"]["containers"][0]["resources"]["requests"]["memory"] = "5130000240Mi".into();
    let id = play.create(manifest);
    assert_eq!(play.message(id), "0/2 nodes are available: 2 Insufficient cpu, 2 Insufficient memory.");
}

#[test]
fn a_more_important_pod_preempts() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    play.create(node("n1", "4"));
    play.create(json!({"kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000}));
    let low = play.create(pod("low", "3"));
    let mut manifest = pod("high", "3");
    manifest["spec"]["priorityClassName"] = "high".into();
    let high = play.create(manifest);
    assert_eq!(play.pod(high).status.nominated_node_name, "n1");
    assert!(play.pod(low).metadata.is_deleting());
    assert!(play.pod(low).status.conditions.is_true("DisruptionTarget"));
    let other = play.create(pod("other", "3"));
    play.at(2_500).cluster.patch(low, |pod: &mut Pod| pod.status.phase = "Failed".into()).unwrap();
    play.cluster.settle().unwrap();
    assert_eq!(play.pod(high).node_name, "n1");
    assert!(play.pod(other).node().is_none());
}

/// Upstream asks a node first as it will be once the pods have come for which room is being made there.
#[test]
fn what_a_node_lacks_counts_the_pods_for_which_it_makes_room() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    play.create(node("n1", "4"));
    play.create(json!({"kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000}));
    play.create(pod("low", "3"));
    let mut manifest = pod("high", "3");
    manifest["spec"]["priorityClassName"] = "high".into();
    manifest["spec"]["containers"][0]["resources"]["requests"]["memory"] = "7Gi".into();
    let high = play.create(manifest);
    assert_eq!(play.pod(high).status.nominated_node_name, "n1");
    // Its CPU is taken by the pod that goes, its memory by the one that comes.
    let mut manifest = pod("other", "3");
    manifest["spec"]["containers"][0]["resources"]["requests"]["memory"] = "4Gi".into();
    let other = play.create(manifest);
    let lacks = "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.";
    assert!(play.message(other).starts_with(lacks), "{}", play.message(other));
}

#[test]
fn a_claim_that_waits_is_told_the_node_and_the_pod_is_bound_after_it() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    play.create(node("n1", "4"));
    play.create(
        json!({"kind": "StorageClass", "metadata": {"name": "csi"}, "provisioner": "csi.example.com",
        "volumeBindingMode": "WaitForFirstConsumer"}),
    );
    let claim = play.create(json!({"kind": "PersistentVolumeClaim", "metadata": {"name": "data", "namespace": "default"},
        "spec": {"storageClassName": "csi", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}));
    let mut manifest = pod("p1", "1");
    manifest["spec"]["volumes"] = json!([{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]);
    let id = play.create(manifest);
    let selected = |play: &Play| {
        let claim = play.cluster.view().get::<stuckvm_sim::objects::PersistentVolumeClaim>(claim).unwrap();
        claim.metadata.annotations.get("volume.kubernetes.io/selected-node").cloned()
    };
    assert_eq!(selected(&play).as_deref(), Some("n1"));
    assert!(play.pod(id).node().is_none());
    play.at(2_400).create(json!({"kind": "PersistentVolume", "metadata": {"name": "pv1"}, "spec": {"capacity": {"storage": "1Gi"}}}));
    play.cluster
        .patch(claim, |claim: &mut stuckvm_sim::objects::PersistentVolumeClaim| {
            claim.spec.volume_name = "pv1".into();
            claim.metadata.annotations.insert("pv.kubernetes.io/bind-completed", "yes");
        })
        .unwrap();
    play.at(10_000);
    assert_eq!(play.events("Scheduled"), [3_000], "it is looked once a second");
}

/// Pods of one shape ask the same of the nodes, which remember what they said until they change.
#[test]
fn a_node_that_has_changed_answers_anew_to_a_pod_of_a_shape_that_it_knows() {
    let mut play = Play::new(KubernetesRelease::V1_36);
    let n1 = play.create(node("n1", "2"));
    let first = play.create(pod("p1", "1"));
    for (name, node) in [("p2", "n1"), ("p3", "")] {
        let id = play.create(pod(name, "1"));
        assert_eq!(play.pod(id).node_name, node, "{name} with the room that is left");
    }
    play.cluster.patch(first, |pod: &mut Pod| pod.status.phase = "Succeeded".into()).unwrap();
    play.cluster.settle().unwrap();
    assert_eq!(play.events("Scheduled").len(), 3, "the third has the room of the first");

    let changes = [("1 node(s) were unschedulable", true), ("1 Insufficient cpu", false)];
    for (at, (reason, cordoned)) in changes.into_iter().enumerate() {
        play.cluster.patch(n1, |node: &mut Node| node.spec.unschedulable = cordoned).unwrap();
        play.cluster.settle().unwrap();
        let id = play.create(pod(&format!("late-{at}"), "1"));
        assert!(play.message(id).contains(reason), "{}", play.message(id));
    }
    play.cluster
        .patch(n1, |node: &mut Node| node.status.allocatable = node_of("n1", "4").status.allocatable)
        .unwrap();
    play.cluster.settle().unwrap();
    let id = play.create(pod("last", "1"));
    assert_eq!(play.events("Scheduled").len(), 2, "the larger node takes two more");
    assert!(play.pod(id).node().is_none());
}

fn node_of(name: &str, cpu: &str) -> Node {
    match Object::from_value(&node(name, cpu)).unwrap().unwrap() {
        Object::Node(node) => Node::clone(&node),
        _ => unreachable!("it is a node"),
    }
}
