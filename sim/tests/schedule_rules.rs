//! Rules of the scheduler, kube-scheduler 1.36.2, that no vector reaches: a small world each, by upstream's source.

#[path = "schedule_rules/label_keys.rs"]
mod label_keys;
#[path = "schedule_rules/nominations.rs"]
mod nominations;
#[path = "schedule_rules/releases.rs"]
mod releases;
#[path = "schedule_rules/unreadable.rs"]
mod unreadable;

use serde_json::{Value, json};
use stuckvm_sim::{KubernetesRelease, Object, OneShotOptions, Placement, schedule};

const NO_VOLUME: &str = "node(s) didn't find available persistent volumes to bind";
const NO_MATCH: &str = "node(s) didn't match Pod's node affinity/selector";
const ZONE: &str = "topology.kubernetes.io/zone";
const REGION: &str = "topology.kubernetes.io/region";

/// What becomes of the pods that wait, by the rules of a release.
fn all(objects: &[Value], release: KubernetesRelease) -> Vec<Placement> {
    let read = |manifest| Object::from_value(manifest).expect("valid").expect("a kind that is modelled");
    let objects: Vec<Object> = objects.iter().map(read).collect();
    schedule(&objects, OneShotOptions { release, node_by_node: true, ..OneShotOptions::default() })
}

/// What becomes of the last object, a pod, among the others.
fn last(objects: &[Value]) -> Placement {
    all(objects, KubernetesRelease::default()).pop().expect("a pod waits")
}

fn node(name: &str, labels: Value) -> Value {
    json!({"kind": "Node", "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": {"cpu": "4", "memory": "8Gi", "pods": "9", "example.com/gpu": "1"}}})
}

fn pod(name: &str, spec: Value) -> Value {
    let mut pod = json!({"kind": "Pod", "metadata": {"name": name, "uid": name},
        "spec": {"containers": [{"name": "c", "image": "i:1"}]}});
    for (field, value) in spec.as_object().expect("fields") {
        pod["spec"][field] = value.clone();
    }
    pod
}

fn required(terms: Value) -> Value {
    json!({"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}}})
}

fn rejected(objects: &[Value], reason: &str) {
    let placement = last(objects);
    let message = placement.message.unwrap_or_default();
    assert!(message.contains(reason), "{reason:?} in {message:?}; it goes to {:?}", placement.node);
}

fn placed(objects: &[Value]) {
    let placement = last(objects);
    assert!(placement.node.is_some(), "{:?}", placement.message);
}

#[test]
fn terms_of_node_affinity_that_match_nothing() {
    let terms = [
        json!([{}]),
        json!([{"matchExpressions": [{"key": "disk", "operator": "NotIn", "values": ["no label!"]}]}]),
        json!([{"matchExpressions": [{"key": "rank", "operator": "Gt", "values": ["1", "2"]}]}]),
    ];
    for terms in terms {
        rejected(&[node("a", json!({"rank": "5"})), pod("p", required(terms))], NO_MATCH);
    }
}

#[test]
fn preferences_that_cannot_be_read_fail_the_attempt() {
    let table = [
        (
            "Gt",
            json!(["x"]),
            "values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer",
        ),
        ("Gt", json!(["1", "2"]), "values: for 'Gt', 'Lt' operators, exactly one value is required"),
        ("In", json!(["no label!"]), "values[0][rank]: Invalid value: \"no label!\": a valid label must be"),
    ];
    for (operator, values, error) in table {
        let preference =
            json!({"matchExpressions": [{"key": "rank", "operator": operator, "values": values}]});
        let rules = json!([{"weight": 1, "preference": preference}]);
        let spec =
            json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": rules}}});
        let text = format!("running PreScore plugin \"NodeAffinity\": [0].matchExpressions[0].{error}");
        rejected(&[node("a", json!({})), node("b", json!({})), pod("p", spec)], &text);
    }
}

#[test]
fn who_asks_for_none_of_a_resource_does_not_lack_it() {
    let asks = |amount: &str| {
        let amounts = json!({"example.com/gpu": amount});
        json!([{"name": "c", "image": "i:1", "resources": {"requests": amounts, "limits": amounts}}])
    };
    let there = pod("there", json!({"nodeName": "a", "containers": asks("2")}));
    placed(&[node("a", json!({})), there.clone(), pod("p", json!({"containers": asks("0")}))]);
    rejected(
        &[node("a", json!({})), there, pod("p", json!({"containers": asks("1")}))],
        "Insufficient example.com/gpu",
    );
}

#[test]
fn requests_finer_than_a_thousandth_are_rounded_up_each() {
    let container = |name| json!({"name": name, "image": "i:1", "resources": {"requests": {"cpu": "400u"}}});
    let mut small = node("a", json!({}));
    small["status"]["allocatable"]["cpu"] = json!("1m");
    placed(&[small.clone(), pod("p", json!({"containers": [container("a")]}))]);
    rejected(&[small, pod("p", json!({"containers": [container("a"), container("b")]}))], "Insufficient cpu");
}

#[test]
fn ports_belong_to_addresses_and_sidecars_have_some_too() {
    let with = |address: &str| json!({"name": "c", "image": "i:1", "ports": [{"containerPort": 80, "hostPort": 80, "hostIP": address}]});
    let there = pod("there", json!({"nodeName": "a", "containers": [with("10.0.0.1")]}));
    placed(&[node("a", json!({})), there.clone(), pod("p", json!({"containers": [with("10.0.0.2")]}))]);
    let mut sidecar = with("10.0.0.1");
    sidecar["name"] = json!("s");
    sidecar["restartPolicy"] = json!("Always");
    let ports = "node(s) didn't have free ports for the requested pod ports";
    rejected(&[node("a", json!({})), there, pod("p", json!({"initContainers": [sidecar]}))], ports);
}

/// A node that two pods of one kind have asked in vain still takes one of another kind.
#[test]
fn what_a_node_said_to_other_pods_does_not_count() {
    let port = json!({"containers": [{"name": "c", "image": "i:1", "ports": [{"containerPort": 80, "hostPort": 80}]}]});
    let anything = json!([{"operator": "Exists"}]);
    let table = [
        (json!([{"key": "k", "effect": "NoSchedule"}]), json!({}), json!({"tolerations": anything})),
        (json!([]), json!({"nodeSelector": {"disk": "fast"}}), json!({})),
        (json!([]), port.clone(), json!({})),
        (json!([]), json!({"containers": [asking_for("5")]}), json!({"containers": [asking_for("4")]})),
    ];
    for (taints, refused, taken) in table {
        let mut node = node("a", json!({}));
        node["spec"] = json!({"taints": taints});
        let mut there = pod("there", port.clone());
        there["spec"]["nodeName"] = json!("a");
        let world = [node, there, pod("p1", refused.clone()), pod("p2", refused)];
        rejected(&world, "0/1 nodes are available");
        placed(&[&world[..], &[pod("p3", taken)]].concat());
    }
}

/// A class that waits for the first pod and makes volumes, or not.
fn class(provisioner: &str) -> Value {
    json!({"kind": "StorageClass", "metadata": {"name": "s"}, "provisioner": provisioner,
        "volumeBindingMode": "WaitForFirstConsumer"})
}

fn claim(name: &str, size: &str) -> Value {
    json!({"kind": "PersistentVolumeClaim", "metadata": {"name": name, "uid": name},
        "spec": {"storageClassName": "s", "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
        "status": {"phase": "Pending"}})
}

fn volume(name: &str, size: &str) -> Value {
    json!({"kind": "PersistentVolume", "metadata": {"name": name, "labels": {"name": name}},
        "spec": {"storageClassName": "s", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": size}},
        "status": {"phase": "Available"}})
}

fn user(claims: &[&str]) -> Value {
    let volume = |claim: &&str| json!({"name": claim, "persistentVolumeClaim": {"claimName": claim}});
    pod("p", json!({"volumes": claims.iter().map(volume).collect::<Vec<_>>()}))
}

fn local() -> [Value; 2] {
    [node("a", json!({})), class("kubernetes.io/no-provisioner")]
}

#[test]
fn volumes_that_a_claim_cannot_get() {
    let changes: [&dyn Fn(&mut Value); 4] = [
        &|volume| volume["spec"]["volumeAttributesClassName"] = json!("gold"),
        &|volume| volume["metadata"]["deletionTimestamp"] = json!("2022-10-03T11:11:00Z"),
        &|volume| volume["status"]["phase"] = json!("Released"),
        &|volume| volume["spec"]["claimRef"] = json!({"namespace": "default", "name": "c", "uid": "another"}),
    ];
    let [node, class] = local();
    placed(&[node.clone(), class.clone(), claim("c", "1Gi"), volume("v", "1Gi"), user(&["c"])]);
    for change in changes {
        let mut volume = volume("v", "1Gi");
        change(&mut volume);
        rejected(&[node.clone(), class.clone(), claim("c", "1Gi"), volume, user(&["c"])], NO_VOLUME);
    }
}

#[test]
fn claims_choose_in_turn_the_smallest_first() {
    let [node, class] = local();
    let claims = [claim("c", "1Gi"), claim("d", "1Gi")];
    let [c, d] = claims;
    rejected(&[node.clone(), class.clone(), c.clone(), d, volume("v", "1Gi"), user(&["c", "d"])], NO_VOLUME);
    // The larger claim could have the first volume only, and the smaller one takes that: it is the smallest that does.
    let mut large = claim("d", "2Gi");
    large["spec"]["selector"] = json!({"matchLabels": {"name": "v"}});
    let volumes = [volume("v", "3Gi"), volume("w", "4Gi")];
    let [v, w] = volumes;
    rejected(&[node, class, c, large, v, w, user(&["d", "c"])], NO_VOLUME);
}

#[test]
fn topologies_in_which_a_class_makes_no_volumes() {
    let expression = |key: &str, value: &str| json!({"key": key, "values": [value]});
    let here = node("a", json!({ZONE: "z", REGION: "r"}));
    let table = [
        (json!([expression(ZONE, "z"), expression(REGION, "r")]), true),
        (json!([expression(ZONE, "z"), expression(REGION, "other")]), false),
        (json!([]), false),
    ];
    for (expressions, makes) in table {
        let mut class = class("csi.example.com");
        class["allowedTopologies"] = json!([{"matchLabelExpressions": expressions}]);
        let world = [here.clone(), class, claim("c", "1Gi"), user(&["c"])];
        if makes { placed(&world) } else { rejected(&world, NO_VOLUME) }
    }
}

#[test]
fn a_claim_that_names_a_volume_is_not_bound_until_it_is_marked() {
    let [node, class] = local();
    let mut named = claim("c", "1Gi");
    named["spec"]["volumeName"] = json!("v");
    rejected(
        &[node, class, named, volume("v", "1Gi"), user(&["c"])],
        "pod has unbound immediate PersistentVolumeClaims",
    );
}

#[test]
fn zone_labels_of_a_volume() {
    let mut bound = claim("c", "1Gi");
    bound["spec"]["volumeName"] = json!("v");
    bound["metadata"]["annotations"] = json!({"pv.kubernetes.io/bind-completed": "yes"});
    let world = |labels: Value, of_node: Value| {
        let mut volume = volume("v", "1Gi");
        volume["metadata"]["labels"] = labels;
        [node("a", of_node), bound.clone(), volume, user(&["c"])]
    };
    let beta = json!({"failure-domain.beta.kubernetes.io/zone": "z"});
    placed(&world(beta, json!({ZONE: "z"})));
    let both = json!({ZONE: "z", REGION: "r"});
    rejected(&world(both, json!({ZONE: "z", REGION: "other"})), "node(s) had no available volume zone");
}

#[test]
fn disks_that_only_one_pod_may_have() {
    let rbd = |monitor: &str, pool: Value| json!({"monitors": [monitor], "image": "i", "pool": pool});
    let table = [
        (
            "awsElasticBlockStore",
            json!({"volumeID": "v", "readOnly": true}),
            json!({"volumeID": "v", "readOnly": true}),
            true,
        ),
        ("rbd", rbd("10.0.0.1", json!(null)), rbd("10.0.0.1", json!("rbd")), true),
        ("rbd", rbd("10.0.0.1", json!(null)), rbd("10.0.0.2", json!(null)), false),
        ("rbd", rbd("10.0.0.1", json!("one")), rbd("10.0.0.1", json!("two")), false),
    ];
    for (kind, first, second, conflict) in table {
        let there = pod("there", json!({"nodeName": "a", "volumes": [{"name": "v", kind: first}]}));
        let world =
            [node("a", json!({})), there, pod("p", json!({"volumes": [{"name": "v", kind: second}]}))];
        if conflict { rejected(&world, "node(s) had no available disk") } else { placed(&world) }
    }
}

/// A pod that runs, asks for so many CPUs, and has started in this minute.
fn victim(name: &str, node: &str, priority: i32, (cpu, minute): (&str, u32)) -> Value {
    let mut pod = pod(name, json!({"nodeName": node, "priority": priority, "containers": [asking_for(cpu)]}));
    pod["status"] = json!({"phase": "Running", "startTime": format!("2022-10-03T11:{minute:02}:00Z")});
    pod
}

fn asking_for(cpu: &str) -> Value {
    json!({"name": "c", "image": "i:1", "resources": {"requests": {"cpu": cpu}}})
}

/// Where this pod, which matters more, would preempt.
fn preempts_on(victims: &[Value], mut spec: Value) -> Vec<String> {
    spec["priority"] = json!(100);
    let node = |name| node(name, json!({"kubernetes.io/hostname": name}));
    let world = [&[node("a"), node("b")], victims, &[pod("p", spec)]].concat();
    last(&world).nominated.iter().map(ToString::to_string).collect()
}

/// `OrderedScoreFuncs` and `MoreImportantPod`; the most important victim has priority 5 on either node.
#[test]
fn the_node_to_preempt_on() {
    let least = i32::MIN;
    let table = [
        // What is left is the sum: 5 + 0 on b.
        ("4", vec![("a", 5, ("2", 0)), ("a", 1, ("2", 0)), ("b", 5, ("2", 0)), ("b", 0, ("2", 0))], "b"),
        // The sum of two is more than that of one, also where a priority is below zero.
        ("4", vec![("a", 5, ("2", 0)), ("a", -4, ("2", 0)), ("b", 5, ("4", 0))], "b"),
        // Only the lowest priority there is adds nothing to a sum; then the number decides.
        ("4", vec![("a", 5, ("2", 0)), ("a", least, ("2", 0)), ("b", 5, ("4", 0))], "b"),
        // On a the pod of minute 5 goes, since the other has run for longer: later than minute 3 on b.
        ("2", vec![("a", 5, ("2", 5)), ("a", 5, ("2", 1)), ("b", 5, ("4", 3))], "a"),
    ];
    for (cpu, victims, node) in table {
        let made = victims.iter().enumerate();
        let made = made.map(|(at, (node, priority, rest))| victim(&format!("v{at}"), node, *priority, *rest));
        let spec = json!({"containers": [asking_for(cpu)]});
        assert_eq!(preempts_on(&made.collect::<Vec<_>>(), spec), [node], "{victims:?}");
    }
}

/// `reprievePod` calls `addPod`, which runs PreFilterExtensions' AddPod: the pod that is not wanted near is in the way again.
#[test]
fn a_pod_that_stays_counts_for_affinity() {
    let mut unwanted = victim("unwanted", "a", 50, ("1", 0));
    unwanted["metadata"]["labels"] = json!({"app": "x"});
    let term =
        json!({"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "x"}}});
    let away = json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}});
    let spec = json!({"containers": [asking_for("2")], "affinity": away});
    let victims = [unwanted, victim("large", "b", 10, ("4", 0))];
    assert_eq!(preempts_on(&victims, spec), ["b"], "who stays on a is in the way, and matters more than b's");
}
