//! What wakes a pod that waits, and what does not: `EventsToRegister` and the hints of each plugin, kube-scheduler 1.36.2.
//!
//! A pod that nothing wakes is tried again after five minutes; no play here lasts that long. With nothing else to do the
//! scheduler pops a woken pod at once, although it backs off.

use crate::{Play, node, node_of, pod};
use serde_json::{Value, json};
use std::sync::Arc;
use stuckvm_sim::objects::{Node, Pod, Toleration};
use stuckvm_sim::{KubernetesRelease, ObjectId};

fn play() -> Play {
    Play::new(KubernetesRelease::V1_36)
}

fn node_with(name: &str, labels: Value) -> Value {
    let mut node = node(name, "4");
    node["metadata"]["labels"] = labels;
    node
}

fn cordoned(mut node: Value) -> Value {
    node["spec"]["unschedulable"] = json!(true);
    node
}

/// A pod of an application, with more in its spec.
fn of_app(name: &str, app: &str, spec: Value) -> Value {
    let mut pod = pod(name, "1");
    pod["metadata"]["labels"] = json!({"app": app});
    for (field, value) in spec.as_object().expect("fields") {
        pod["spec"][field] = value.clone();
    }
    pod
}

fn selecting(app: &str, key: &str) -> Value {
    json!({"topologyKey": key, "labelSelector": {"matchLabels": {"app": app}}})
}

fn affinity(kind: &str) -> Value {
    json!({"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [selecting("web", "host")]}}})
}

/// A constraint over zones.
fn zones(app: &str, fields: Value) -> Value {
    let mut constraint = selecting(app, "zone");
    constraint["maxSkew"] = json!(1);
    constraint["whenUnsatisfiable"] = json!("DoNotSchedule");
    for (field, value) in fields.as_object().expect("fields") {
        constraint[field] = value.clone();
    }
    constraint
}

impl Play {
    fn label(&mut self, id: ObjectId, key: &str, value: &str) {
        let change = |pod: &mut Pod| {
            pod.metadata.labels.insert(key, value);
        };
        self.cluster.patch(id, change).unwrap();
        self.cluster.settle().unwrap();
    }

    fn remove(&mut self, id: ObjectId) {
        self.cluster.delete::<Pod>(id).unwrap();
        self.cluster.settle().unwrap();
    }
}

/// `isSchedulableAfterPodChange` of both plugins: an update counts where it changes what a selector says of the pod.
#[test]
fn a_placed_pod_that_changes_its_label_wakes_whom_that_concerns() {
    let spread = json!({"topologySpreadConstraints": [zones("web", json!({}))]});
    let table = [
        ("web", affinity("podAntiAffinity"), "db"),
        ("db", affinity("podAffinity"), "web"),
        ("web", spread, "db"),
    ];
    for (before, rule, after) in table {
        let mut play = play();
        play.create(node_with("n1", json!({"host": "n1", "zone": "a"})));
        play.create(cordoned(node_with("n2", json!({"host": "n2", "zone": "b"}))));
        let placed = play.create(of_app("placed", before, json!({})));
        // It would be the first that it wants near, were it one of them itself.
        let own = if rule["affinity"]["podAffinity"].is_null() { "web" } else { "other" };
        play.at(5_000).create(of_app("waits", own, rule.clone()));
        play.at(10_000).label(placed, "colour", "blue");
        assert_eq!(play.events("FailedScheduling"), [5_000], "another label is no hint: {rule}");
        play.at(20_000).label(placed, "app", after);
        assert_eq!(play.events("Scheduled"), [20_000], "{rule}");
    }
}

/// `isSchedulableAfterPodScaleDown`: a placed pod that asks for less of what the pod asks for.
#[test]
fn a_placed_pod_that_asks_for_less_wakes_who_asks_for_the_same() {
    let mut play = play();
    play.create(node("n1", "4"));
    let placed = play.create(pod("placed", "3"));
    play.at(5_000).create(pod("waits", "2"));
    play.at(20_000);
    let less = pod_of(&pod("placed", "2"));
    play.cluster
        .patch(placed, |pod: &mut Pod| Arc::make_mut(&mut pod.spec).containers = less.spec.containers.clone())
        .unwrap();
    play.cluster.settle().unwrap();
    assert_eq!(play.events("Scheduled"), [0, 20_000]);
}

fn pod_of(manifest: &Value) -> Pod {
    serde_json::from_value(manifest.clone()).unwrap()
}

/// `haveAnyRequestedResourcesIncreased` asks what the pod as a whole asks for, its overhead included.
#[test]
fn a_node_that_grows_wakes_who_asks_as_a_whole_or_with_its_overhead() {
    let table = [("resources", json!({"requests": {"cpu": "5"}})), ("overhead", json!({"cpu": "5"}))];
    for (field, value) in table {
        let mut play = play();
        let grows = play.create(node("n1", "4"));
        let mut waits = pod("waits", "1");
        waits["spec"]["containers"][0]["resources"] = json!({"requests": {"memory": "1Gi"}});
        waits["spec"][field] = value;
        play.at(5_000).create(waits);
        play.at(20_000);
        let larger = node_of("n1", "16").status.allocatable;
        play.cluster.patch(grows, |node: &mut Node| node.status.allocatable = larger).unwrap();
        play.cluster.settle().unwrap();
        assert_eq!(play.events("Scheduled"), [20_000], "{field}");
    }
}

/// `getConstraints`: hints ask for DoNotSchedule only. With one zone of two, 1 + 1 - 0 is too much.
#[test]
fn soft_constraints_are_not_asked() {
    let mut play = play();
    play.create(node_with("n1", json!({"zone": "a", "rack": "r1"})));
    play.create(of_app("there", "web", json!({})));
    let mut soft = selecting("db", "rack");
    soft["maxSkew"] = json!(1);
    soft["whenUnsatisfiable"] = json!("ScheduleAnyway");
    let hard = zones("web", json!({"minDomains": 2}));
    play.at(5_000).create(of_app("waits", "web", json!({"topologySpreadConstraints": [hard, soft]})));
    play.at(10_000).create(of_app("db", "db", json!({})));
    assert_eq!(play.events("FailedScheduling"), [5_000], "a pod that only the soft one counts is no hint");
    play.at(20_000).create(node_with("n2", json!({"zone": "b"})));
    assert_eq!(play.events("Scheduled"), [20_000], "a node needs no key of the soft one");
}

/// Room of 4 CPUs, of which a pod that is to go has 2 and a nominated pod is to get all; another waits, and one that
/// matters more and asks for too much.
fn nominated(play: &mut Play) -> ObjectId {
    play.create(node("n1", "4"));
    for (name, value) in [("high", 100), ("highest", 1000)] {
        play.create(json!({"kind": "PriorityClass", "metadata": {"name": name}, "value": value}));
    }
    play.create(pod("goes", "2"));
    let classed = |name: &str, cpu: &str, class: &str| {
        let mut pod = pod(name, cpu);
        pod["spec"]["priorityClassName"] = json!(class);
        pod
    };
    let nominated = play.at(5_000).create(classed("nominated", "4", "high"));
    assert_eq!(play.pod(nominated).status.nominated_node_name, "n1");
    play.at(7_000).create(pod("waits", "2"));
    play.at(8_000).create(classed("large", "8", "highest"));
    nominated
}

/// `deletePodFromSchedulingQueue`: as if a placed pod had gone, for pods that matter no more than it
/// (`getLEPriorityPreCheck`).
#[test]
fn a_nominated_pod_that_goes_wakes_the_less_important() {
    let mut play = play();
    let nominated = nominated(&mut play);
    play.at(10_000).remove(nominated);
    let journal = play.cluster.take_journal();
    assert_eq!(
        crate::times(&journal, "FailedScheduling"),
        [5_000, 7_000, 8_000],
        "the large one matters more"
    );
    assert_eq!(crate::times(&journal, "Scheduled"), [0, 10_000]);
}

/// `hasNominatedNodeNameChanged`: the pod itself, which matters no more than itself, is tried first and nominated again.
#[test]
fn a_nomination_that_is_taken_back_wakes_the_less_important() {
    let mut play = play();
    let nominated = nominated(&mut play);
    play.at(10_000)
        .cluster
        .patch(nominated, |pod: &mut Pod| pod.status.nominated_node_name = "".into())
        .unwrap();
    play.cluster.settle().unwrap();
    assert_eq!(play.events("FailedScheduling"), [5_000, 7_000, 8_000, 10_000, 10_000]);
    assert_eq!(play.pod(nominated).status.nominated_node_name, "n1");
}

/// With `nodeTaintsPolicy: Honor` a toleration changes which nodes count (`hasConstraintWithNodeTaintsPolicyHonor`). The
/// tainted node is cordoned, so that TaintToleration is not asked, and the new toleration is not of that
/// (`isSchedulableAfterPodTolerationChange` of NodeUnschedulable).
#[test]
fn a_new_toleration_helps_where_taints_are_honoured() {
    for (policy, tries) in [("Honor", &[5_000, 20_000][..]), ("Ignore", &[5_000])] {
        let mut play = play();
        play.create(node_with("n1", json!({"zone": "a"})));
        play.create(of_app("there", "web", json!({})));
        let mut tainted = cordoned(node_with("n2", json!({"zone": "b"})));
        tainted["spec"]["taints"] = json!([{"key": "k", "effect": "NoSchedule"}]);
        play.create(tainted);
        let rule = zones("web", json!({"minDomains": 3, "nodeTaintsPolicy": policy}));
        let waits =
            play.at(5_000).create(of_app("waits", "web", json!({"topologySpreadConstraints": [rule]})));
        play.at(20_000);
        let toleration = Toleration { key: "k".into(), operator: "Exists".into(), ..Toleration::default() };
        play.cluster
            .patch(waits, |pod: &mut Pod| Arc::make_mut(&mut pod.spec).tolerations.push(toleration))
            .unwrap();
        play.cluster.settle().unwrap();
        assert_eq!(play.events("FailedScheduling"), tries, "{policy}");
    }
}

/// `isSchedulableAfterNodeChange` of PodTopologySpread: "the original node matched the pod's topology spread constraints".
#[test]
fn only_a_node_with_the_keys_is_missed() {
    let mut play = play();
    play.create(node_with("n1", json!({"zone": "a"})));
    play.create(of_app("there", "web", json!({})));
    let without = play.create(node("n2", "4"));
    let with = play.create(cordoned(node_with("n3", json!({"zone": "b"}))));
    let rule = zones("web", json!({"minDomains": 3}));
    play.at(5_000).create(of_app("waits", "web", json!({"topologySpreadConstraints": [rule]})));
    play.at(20_000).cluster.delete::<Node>(without).unwrap();
    play.at(30_000).cluster.delete::<Node>(with).unwrap();
    play.cluster.settle().unwrap();
    assert_eq!(play.events("FailedScheduling"), [5_000, 30_000]);
}

/// `isSchedulableAfterPodChange` of InterPodAffinity asks `podMatchesAllAffinityTerms` of a pod that goes, or ends: one that broke
/// one rule of two is not missed, though it was the only one in the way.
#[test]
fn a_pod_that_goes_must_have_broken_every_rule() {
    for (apps, missed) in [(&["web"][..], true), (&["web", "db"], false)] {
        let mut play = play();
        play.create(node_with("n1", json!({"host": "n1"})));
        let there = play.create(of_app("there", "web", json!({})));
        let terms: Vec<Value> = apps.iter().map(|app| selecting(app, "host")).collect();
        let away = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}});
        play.at(5_000).create(of_app("waits", "other", json!({"affinity": away})));
        play.at(20_000).cluster.patch(there, |pod: &mut Pod| pod.status.phase = "Succeeded".into()).unwrap();
        play.cluster.settle().unwrap();
        let scheduled: &[u64] = if missed { &[0, 20_000] } else { &[0] };
        assert_eq!(play.events("Scheduled"), scheduled, "{apps:?}");
    }
}
