//! `schedule` on the simulator's objects gives the node on which the simulator's scheduler puts the pod.

#[expect(dead_code, reason = "several test programs share the generators, and none uses all")]
mod generators;

use generators::world::world;
use proptest::prelude::*;
use serde_json::{Value, json};
use stuckvm_sim::objects::{Node, PersistentVolume, PersistentVolumeClaim, Pod, PriorityClass, StorageClass};
use stuckvm_sim::{Cluster, Config, Latency, Object, ObjectId, OneShotOptions, Placement, schedule};

/// A node to be, or a pod, each made of a few random numbers.
#[derive(Clone, Debug)]
enum Op {
    Node([u8; 4]),
    Pod([u8; 6]),
    /// The pod of this number goes, if it is there.
    Delete(usize),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        2 => any::<[u8; 4]>().prop_map(Op::Node),
        6 => any::<[u8; 6]>().prop_map(Op::Pod),
        1 => (0..30_usize).prop_map(Op::Delete),
    ]
}

fn node(index: usize, [size, zone, kind, taint]: [u8; 4]) -> Value {
    let taints = if taint % 5 == 0 {
        json!([{"key": "dedicated", "value": "db", "effect": "NoSchedule"}])
    } else {
        json!([])
    };
    let prefer = if taint % 7 == 0 { json!([{"key": "slow", "effect": "PreferNoSchedule"}]) } else { taints };
    json!({
        "kind": "Node",
        "metadata": {"name": format!("node-{index}"), "labels": {
            "kubernetes.io/hostname": format!("node-{index}"),
            "topology.kubernetes.io/zone": format!("zone-{}", zone % 3),
            "disk": if kind % 2 == 0 { "ssd" } else { "hdd" },
        }},
        "spec": {"unschedulable": kind % 11 == 0, "taints": prefer},
        "status": {
            "allocatable": {"cpu": format!("{}", 1 + size % 8), "memory": format!("{}Gi", 1 + size / 16), "pods": "8"},
            "conditions": [{"type": "Ready", "status": "True"}],
        },
    })
}

fn pod(index: usize, nodes: usize, [cpu, memory, app, rule, tolerates, selects]: [u8; 6]) -> Value {
    let app = format!("app-{}", app % 3);
    let same =
        json!({"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": "kubernetes.io/hostname"});
    let by_name = |names: Vec<String>| {
        json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "operator": "In", "values": names}]}]}}})
    };
    let affinity = match rule % 8 {
        0 => json!({"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [same]}}),
        1 => {
            json!({"podAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 50, "podAffinityTerm": same}]}})
        }
        2 => json!({"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 10, "preference": {"matchExpressions": [{"key": "disk", "operator": "In", "values": ["ssd"]}]}}]}}),
        3 if rule > 200 && nodes > 0 => {
            by_name(vec![format!("node-{}", usize::from(selects) % nodes), "node-0".into()])
        }
        _ => json!({}),
    };
    let spread = if rule % 8 == 4 {
        json!([{"maxSkew": 1, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": {"matchLabels": {"app": app}}}])
    } else {
        json!([])
    };
    let tolerations =
        if tolerates % 3 == 0 { json!([{"key": "dedicated", "operator": "Exists"}]) } else { json!([]) };
    let selector = if selects % 6 == 0 { json!({"disk": "hdd"}) } else { json!({}) };
    json!({
        "kind": "Pod",
        "metadata": {"name": format!("pod-{index}"), "namespace": "default", "labels": {"app": app}},
        "spec": {
            "containers": [{"name": "c", "image": "app:1", "resources": {"requests": {
                "cpu": format!("{}m", u32::from(cpu) * 10), "memory": format!("{}Mi", u32::from(memory) * 8)}}}],
            "affinity": affinity, "topologySpreadConstraints": spread, "tolerations": tolerations, "nodeSelector": selector,
        },
    })
}

/// The simulator's objects as they stand.
fn objects(cluster: &Cluster) -> Vec<Object> {
    let view = cluster.view();
    let mut objects: Vec<Object> = view.iter::<Node>().map(|(_, node)| Object::Node(node.clone())).collect();
    objects.extend(view.iter::<Pod>().map(|(_, pod)| Object::Pod(pod.clone())));
    objects.extend(view.iter::<StorageClass>().map(|(_, class)| Object::StorageClass(class.clone())));
    objects.extend(view.iter::<PriorityClass>().map(|(_, class)| Object::PriorityClass(class.clone())));
    let volumes = view.iter::<PersistentVolume>().map(|(_, volume)| Object::PersistentVolume(volume.clone()));
    let claims =
        view.iter::<PersistentVolumeClaim>().map(|(_, claim)| Object::PersistentVolumeClaim(claim.clone()));
    objects.into_iter().chain(volumes).chain(claims).collect()
}

/// Whether some claim of the pod gets its volume only once the pod has a node: binding then takes other controllers.
fn waits_for_volumes(cluster: &Cluster, pod: &Value) -> bool {
    let volumes = pod["spec"]["volumes"].as_array().into_iter().flatten();
    let claims = volumes.filter_map(|volume| volume["persistentVolumeClaim"]["claimName"].as_str());
    claims.into_iter().any(|name| {
        let found = cluster.view().named::<PersistentVolumeClaim>("default", name);
        found.is_some_and(|(_, claim)| claim.spec.volume_name.is_empty())
    })
}

fn apply(cluster: &mut Cluster, manifest: &Value) -> ObjectId {
    let object = Object::from_value(manifest).expect("a manifest").expect("a kind that is modelled");
    cluster.apply(&object).expect("it can be created")
}

/// The command's answer for the only pod that waits, and the node where the scheduler puts it then.
fn both(cluster: &mut Cluster, id: ObjectId) -> (Placement, Option<String>) {
    let mut placements = schedule(&objects(cluster), OneShotOptions::default());
    assert_eq!(placements.len(), 1, "one pod waits");
    cluster.settle().expect("it comes to rest");
    let pod = cluster.view().get::<Pod>(id).expect("nobody removes the pod");
    (placements.remove(0), pod.node().map(|node| node.to_string()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn schedule_gives_the_node_on_which_the_scheduler_puts_the_pod(
        first in prop::collection::vec(any::<[u8; 4]>(), 1..40),
        ops in prop::collection::vec(op(), 1..60),
    ) {
        let config = Config { latency: Latency::none(), ..Config::default() };
        let mut cluster = Cluster::with_some(config, |name| name == "scheduler");
        let (mut nodes, mut pods) = (0, Vec::new());
        // A node set narrowed by name moves the start index, which decides ties from then on.
        let mut moved = false;
        for op in first.into_iter().map(Op::Node).chain(ops) {
            match op {
                Op::Node(numbers) => {
                    apply(&mut cluster, &node(nodes, numbers));
                    nodes += 1;
                    cluster.settle().expect("it comes to rest");
                }
                Op::Delete(at) if at < pods.len() => {
                    cluster.remove_pod(pods.swap_remove(at)).expect("the pod exists");
                    cluster.settle().expect("it comes to rest");
                }
                Op::Delete(_) => {}
                Op::Pod(numbers) => {
                    let manifest = pod(pods.len() + 1000 * nodes, nodes, numbers);
                    if cluster.view().named::<Pod>("default", manifest["metadata"]["name"].as_str().unwrap()).is_some() {
                        continue;
                    }
                    let id = apply(&mut cluster, &manifest);
                    let (answer, node) = both(&mut cluster, id);
                    moved |= manifest["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"].is_object();
                    let tied: Vec<&str> = answer.tied.iter().map(|name| name.as_str()).collect();
                    match &node {
                        Some(node) if moved && tied.len() > 1 => prop_assert!(tied.contains(&node.as_str()), "{node} of {tied:?}"),
                        _ => prop_assert_eq!(answer.node.as_deref(), node.as_deref(), "{:?}", answer),
                    }
                    match node {
                        Some(_) => pods.push(id),
                        // It would wait, and be tried again when something changes.
                        None => cluster.remove_pod(id).expect("the pod exists"),
                    }
                    cluster.settle().expect("it comes to rest");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn so_it_is_in_worlds_that_reach_every_rule(world in world()) {
        let config = Config { latency: Latency::none(), ..Config::default() };
        let mut cluster = Cluster::with_some(config, |name| name == "scheduler");
        for manifest in [&world.others, &world.nodes, &world.running].into_iter().flatten() {
            apply(&mut cluster, manifest);
        }
        cluster.settle().expect("it comes to rest");
        // A node set narrowed by name moves the start index, which decides ties from then on.
        let mut moved = false;
        for manifest in world.waiting.iter().filter(|pod| pod["spec"]["schedulingGates"].is_null()) {
            if waits_for_volumes(&cluster, manifest) {
                continue;
            }
            let id = apply(&mut cluster, manifest);
            let (answer, node) = both(&mut cluster, id);
            let text = manifest.to_string();
            moved |= text.contains("matchFields");
            if answer.nominated.is_empty() {
                match &node {
                    Some(node) if moved && answer.tied.len() > 1 => prop_assert!(answer.tied.iter().any(|tied| tied == node), "{node} of {answer:?}"),
                    _ => prop_assert_eq!(answer.node.as_deref(), node.as_deref(), "{:?}", answer),
                }
            }
            if node.is_none() && cluster.view().get::<Pod>(id).is_some() {
                cluster.remove_pod(id).expect("the pod exists");
            }
            cluster.settle().expect("it comes to rest");
        }
    }
}
