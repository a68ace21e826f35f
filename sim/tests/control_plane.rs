//! Failures of the control plane: what a controller does that hears late, was down, is refused or is answered late; and
//! nodes that are drained.

use serde_json::{Value, json};
use std::time::Duration;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Node, Pod, Taint, VirtualMachine, VirtualMachineInstance};
use stuckvm_sim::{Cluster, Config, Kind, Latency, Object, ObjectId};

/// A cluster with these controllers, 50 ms a reaction, at rest.
fn cluster(controllers: &[&str]) -> Cluster {
    let latency = Latency { reaction: Duration::from_millis(50), ..Latency::none() };
    let config = Config { latency, keep_journal: true, ..Config::default() };
    let mut cluster = Cluster::with_some(config, |name| controllers.contains(&name));
    cluster.settle().expect("it comes to rest");
    cluster
}

fn apply(cluster: &mut Cluster, manifest: &Value) -> ObjectId {
    let object = Object::from_value(manifest).expect("an object").expect("a kind");
    cluster.apply(&object).expect("it is accepted")
}

/// Plays up to so many milliseconds after the start.
fn play(cluster: &mut Cluster, millis: u64) {
    cluster.run_until(cluster.config().start + Duration::from_millis(millis)).expect("it comes to rest");
}

fn machine() -> Value {
    json!({"kind": "VirtualMachine", "metadata": {"name": "vm1"}, "spec": {"runStrategy": "Always", "template": {"spec":
        {"domain": {"memory": {"guest": "1Gi"}, "devices": {}}}}}})
}

/// What was refused, and to whom, with the milliseconds since the start.
fn refused(cluster: &mut Cluster) -> Vec<(u128, &'static str, String)> {
    let start = cluster.config().start;
    let refused = cluster.take_journal().into_iter().filter_map(|entry| match entry {
        Entry::Refused { at, actor, error, .. } => {
            Some((at.saturating_since(start).as_millis(), actor, error))
        }
        _ => None,
    });
    refused.collect()
}

const CONFLICT: &str = "Operation cannot be fulfilled on virtualmachines.kubevirt.io \"vm1\": the object has been modified; \
                        please apply your changes to the latest version and try again";

fn status(cluster: &Cluster) -> &'static str {
    let (_, vm) = cluster.view().named::<VirtualMachine>("default", "vm1").expect("the machine exists");
    vm.status.printable_status.as_str()
}

#[test]
fn a_controller_that_was_down_lists_what_there_is_and_begins_anew() {
    let mut cluster = cluster(&["virtual-machine"]);
    assert!(cluster.stop_controller("virtual-machine"));
    apply(&mut cluster, &machine());
    play(&mut cluster, 10_000);
    assert_eq!((status(&cluster), cluster.count::<VirtualMachineInstance>()), ("", 0));
    assert!(cluster.start_controller("virtual-machine"));
    cluster.settle().expect("it comes to rest");
    assert_eq!((status(&cluster), cluster.count::<VirtualMachineInstance>()), ("Starting", 1));
}

#[test]
fn a_controller_that_goes_down_loses_its_timers() {
    let mut cluster = cluster(&["taint-eviction"]);
    let tolerated =
        json!([{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}]);
    let taints = json!([{"key": "a", "effect": "NoExecute"}]);
    apply(&mut cluster, &json!({"kind": "Node", "metadata": {"name": "node-a"}, "spec": {"taints": taints}}));
    let pod = json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"nodeName": "node-a", "tolerations": tolerated,
        "containers": [{"name": "c", "image": "i"}]}});
    apply(&mut cluster, &pod);
    let is_deleting = |cluster: &Cluster| {
        cluster.view().named::<Pod>("default", "p").is_none_or(|(_, pod)| pod.metadata.is_deleting())
    };
    play(&mut cluster, 30_000);
    cluster.stop_controller("taint-eviction");
    play(&mut cluster, 40_000);
    cluster.start_controller("taint-eviction");
    cluster.settle().expect("it comes to rest");
    // The first process would have evicted the pod at 60.05 s; the second one counts its minute from 40 s.
    play(&mut cluster, 99_999);
    assert!(!is_deleting(&cluster));
    play(&mut cluster, 100_000);
    assert!(is_deleting(&cluster));
}

#[test]
fn an_answer_that_comes_late_goes_by_what_was_known_before() {
    let mut cluster = cluster(&["virtual-machine"]);
    let id = apply(&mut cluster, &machine());
    play(&mut cluster, 1000);
    let (vmi, _) = cluster.view().named::<VirtualMachineInstance>("default", "vm1").expect("it was made");
    assert!(cluster.slow_requests("virtual-machine", Duration::from_secs(2)));
    cluster
        .patch::<VirtualMachineInstance>(vmi, |vmi| vmi.status.phase = "Running".into())
        .expect("it exists");
    play(&mut cluster, 2000);
    let label = json!({"metadata": {"labels": {"touched": "yes"}}});
    cluster.merge_patch(id, &label).expect("it is accepted");
    refused(&mut cluster);
    // The look began at 1.05 s, so its write at 3.05 s is of a machine that is not the newest any more.
    play(&mut cluster, 3050);
    assert_eq!(refused(&mut cluster), [(3050, "virtual-machine", CONFLICT.to_owned())]);
    // News of the label, at 2.05 s, waited for that look to end; the next one takes two seconds again.
    play(&mut cluster, 5049);
    assert_eq!(status(&cluster), "Starting");
    play(&mut cluster, 5050);
    assert_eq!((status(&cluster), refused(&mut cluster)), ("Running", Vec::new()));
}

#[test]
fn passes_are_late_where_the_api_server_is_slow_and_do_their_work_all_the_same() {
    let mut cluster = cluster(&["node-lifecycle", "pod-gc"]);
    for controller in ["node-lifecycle", "pod-gc"] {
        assert!(cluster.slow_requests(controller, Duration::from_secs(2)));
    }
    for (name, ready) in [("node-a", "False"), ("node-b", "True")] {
        let conditions = json!([{"type": "Ready", "status": ready}]);
        let node = json!({"kind": "Node", "metadata": {"name": name}, "status": {"conditions": conditions}});
        apply(&mut cluster, &node);
    }
    let pod = json!({"kind": "Pod", "metadata": {"name": "p"}, "spec": {"nodeName": "gone",
        "containers": [{"name": "c", "image": "i"}]}});
    apply(&mut cluster, &pod);
    // There is a pass of node-lifecycle every 5 s.
    play(&mut cluster, 15_000);
    let (_, node) = cluster.view().named::<Node>("", "node-a").expect("it exists");
    let evicts = |taint: &Taint| taint.key == "node.kubernetes.io/not-ready" && taint.effect == "NoExecute";
    assert!(node.spec.taints.iter().any(evicts), "{:?}", node.spec.taints);
    // pod-gc finds an orphan within 20 s and deletes it after 40 s in quarantine.
    play(&mut cluster, 120_000);
    assert!(cluster.view().named::<Pod>("default", "p").is_none());
}

#[test]
fn a_contended_write_is_refused_and_tried_again_with_back_off() {
    let mut cluster = cluster(&["virtual-machine"]);
    cluster.environment_mut().api.contend("virtual-machine", Kind::VirtualMachine);
    apply(&mut cluster, &machine());
    play(&mut cluster, 99);
    let tries: Vec<_> = refused(&mut cluster).into_iter().collect();
    // 50 ms the machine is news; then 5, 10 and 20 ms after each other.
    let expected = [50, 55, 65, 85].map(|at| (at, "virtual-machine", CONFLICT.to_owned()));
    assert_eq!(tries, expected);
    assert_eq!(status(&cluster), "");
    cluster.environment_mut().api.relent("virtual-machine", Kind::VirtualMachine);
    // Its last write, of 85 ms, is news at 135 ms; tries before that know of an older one.
    play(&mut cluster, 134);
    assert_eq!(status(&cluster), "");
    let tries: Vec<u128> = refused(&mut cluster).into_iter().map(|(at, _, _)| at).collect();
    assert_eq!(tries, [100, 105, 115, 125]);
    play(&mut cluster, 135);
    assert_eq!((status(&cluster), refused(&mut cluster)), ("Starting", Vec::new()));
}

#[test]
fn a_broken_watch_tells_the_last_state_and_a_held_one_each_change() {
    for relist in [false, true] {
        let mut cluster = cluster(&["virtual-machine"]);
        apply(&mut cluster, &machine());
        play(&mut cluster, 1000);
        let (id, _) = cluster.view().named::<VirtualMachineInstance>("default", "vm1").expect("it was made");
        cluster.hold_watch("virtual-machine", Kind::VirtualMachineInstance);
        for phase in ["Scheduling", "Scheduled", "Running"] {
            cluster
                .patch::<VirtualMachineInstance>(id, |vmi| vmi.status.phase = phase.into())
                .expect("it exists");
        }
        play(&mut cluster, 2000);
        assert_eq!(status(&cluster), "Starting", "nothing of it was heard");
        let resume = if relist { Cluster::relist_watch } else { Cluster::release_watch };
        assert!(resume(&mut cluster, "virtual-machine", Kind::VirtualMachineInstance));
        cluster.settle().expect("it comes to rest");
        assert_eq!(status(&cluster), "Running", "relist: {relist}");
    }
}

#[test]
fn a_drained_node_takes_no_pods_and_loses_those_that_may_leave() {
    let mut cluster = cluster(&[]);
    apply(&mut cluster, &json!({"kind": "Node", "metadata": {"name": "node-a"}}));
    let owner = |kind: &str, name: &str| json!([{"apiVersion": "v1", "kind": kind, "name": name, "uid": name, "controller": true}]);
    let mut pod = |name: &str, extra: Value| {
        let mut metadata = json!({"name": name});
        metadata.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        let spec = json!({"nodeName": "node-a", "containers": [{"name": "c", "image": "i"}]});
        apply(&mut cluster, &json!({"kind": "Pod", "metadata": metadata, "spec": spec}))
    };
    let plain = pod("plain", json!({}));
    pod("daemon", json!({"ownerReferences": owner("DaemonSet", "d")}));
    pod("mirror", json!({"annotations": {"kubernetes.io/config.mirror": "x"}}));
    for name in ["stays", "moves", "goes"] {
        let labels = json!({"kubevirt.io": "virt-launcher"});
        let annotations = json!({"kubevirt.io/domain": name});
        pod(&format!("launcher-{name}"), json!({"labels": labels, "annotations": annotations}));
    }
    for (name, strategy, migratable) in [
        ("stays", "LiveMigrate", "False"),
        ("moves", "LiveMigrate", "True"),
        ("goes", "LiveMigrateIfPossible", "False"),
    ] {
        let spec =
            json!({"evictionStrategy": strategy, "domain": {"memory": {"guest": "1Gi"}, "devices": {}}});
        let conditions = json!([{"type": "LiveMigratable", "status": migratable}]);
        let status = json!({"phase": "Running", "nodeName": "node-a", "conditions": conditions});
        let vmi = json!({"kind": "VirtualMachineInstance", "metadata": {"name": name}, "spec": spec, "status": status});
        let object = Object::from_value(&vmi).unwrap().unwrap();
        cluster.put(&object).expect("it is stored");
    }
    cluster.drain_node("node-a").expect("there is such a node");
    let deleting: Vec<String> = cluster
        .view()
        .iter::<Pod>()
        .filter(|(_, pod)| pod.metadata.is_deleting())
        .map(|(_, pod)| pod.metadata.name.to_string())
        .collect();
    assert_eq!(deleting, ["plain", "launcher-goes"]);
    assert_eq!(cluster.view().get::<Pod>(plain).unwrap().metadata.deletion_grace_period_seconds, Some(30));
    let marked = |name: &str| {
        let (_, vmi) = cluster.view().named::<VirtualMachineInstance>("default", name).unwrap();
        vmi.status.evacuation_node_name.clone()
    };
    assert_eq!(["stays", "moves", "goes"].map(marked), ["", "node-a", ""]);
    assert!(cluster.view().named::<Node>("", "node-a").unwrap().1.spec.unschedulable);
    cluster.set_unschedulable("node-a", false).expect("there is such a node");
    assert!(!cluster.view().named::<Node>("", "node-a").unwrap().1.spec.unschedulable);
    assert_eq!(cluster.drain_node("node-b").unwrap_err().to_string(), "nodes \"node-b\" not found");
}
