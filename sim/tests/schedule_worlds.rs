//! Laws of `schedule` that need no second implementation, on random worlds; and which rules those worlds reach.

#[expect(dead_code, reason = "several test programs share the generators, and none uses all")]
mod generators;

use generators::reach::{Reach, fields};
use generators::world::{World, node_by_node, object, placements, world};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use stuckvm_sim::{Object, Placement};

/// Every rule that the worlds must reach.
const RULES: &[&str] = &[
    "node(s) were unschedulable",
    "node(s) had untolerated taint(s)",
    "node(s) didn't match Pod's node affinity/selector",
    "node(s) didn't have free ports for the requested pod ports",
    "Too many pods",
    "Insufficient cpu",
    "Insufficient memory",
    "Insufficient ephemeral-storage",
    "Insufficient example.com/gpu",
    "Insufficient hugepages-2Mi",
    "node(s) had no available disk",
    "node(s) didn't match PersistentVolume's node affinity",
    "node(s) didn't find available persistent volumes to bind",
    "node(s) had no available volume zone",
    "node(s) didn't match pod topology spread constraints (missing required label)",
    "node(s) didn't match pod topology spread constraints",
    "node(s) didn't match pod affinity rules",
    "node(s) didn't match pod anti-affinity rules",
    "node(s) didn't satisfy existing pods anti-affinity rules",
    "node(s) didn't satisfy plugin(s) [NodeAffinity]",
    "No preemption victims found for incoming pod",
    "Preemption is not helpful for scheduling",
    "preemption: not eligible due to preemptionPolicy=Never.",
    "no nodes available to schedule pods",
    "Scheduling is blocked due to non-empty scheduling gates",
    "persistentvolumeclaim * not found",
    "persistentvolumeclaim * is being deleted",
    "persistentvolumeclaim * bound to non-existent persistentvolume *",
    "persistentvolume * not found",
    "pod has unbound immediate PersistentVolumeClaims",
    "pod affinity terms conflict",
    "waiting for ephemeral volume controller to create the persistentvolumeclaim *",
    "was not created for pod",
    "preemption would help",
    "the more important pod comes first",
    "score TaintToleration",
    "score NodeAffinity",
    "score NodeResourcesFit",
    "score PodTopologySpread",
    "score InterPodAffinity",
    "score NodeResourcesBalancedAllocation",
    "score ImageLocality",
    "one node is best",
    "of equals the first in the order",
    "of equals not the first in the order",
    "of equals one at random",
    "the start index has moved",
    "schedulingGates",
    "nodeSelector",
    "hostNetwork",
    "overhead",
    "requests of the whole pod",
    "priority",
    "priorityClassName",
    "preemptionPolicy",
    "initContainers",
    "a sidecar",
    "limits",
    "hostPort",
    "protocol of a port",
    "hostIP",
    "minDomains",
    "DoNotSchedule",
    "ScheduleAnyway",
    "volume persistentVolumeClaim",
    "volume ephemeral",
    "volume gcePersistentDisk",
    "volume awsElasticBlockStore",
    "volume iscsi",
    "volume rbd",
    "a term of node affinity",
    "operator In",
    "operator NotIn",
    "operator Exists",
    "operator DoesNotExist",
    "operator Gt",
    "operator Lt",
    "matchFields operator In",
    "matchFields operator NotIn",
    "preferred operator In",
    "preferred operator NotIn",
    "preferred operator Exists",
    "preferred operator DoesNotExist",
    "preferred operator Gt",
    "preferred operator Lt",
    "required podAffinity",
    "preferred podAffinity",
    "required podAntiAffinity",
    "preferred podAntiAffinity",
    "namespaces of a term",
    "namespaceSelector of a term",
    "matchLabelKeys of a term",
    "mismatchLabelKeys of a term",
    "matchLabelKeys of a constraint",
    "toleration Exists, every effect",
    "toleration Exists, one effect",
    "toleration Exists of every key, every effect",
    "toleration Exists of every key, one effect",
    "toleration Equal, every effect",
    "toleration Equal, one effect",
    "toleration none, every effect",
    "toleration none, one effect",
    "running: required podAffinity",
    "running: preferred podAffinity",
    "running: required podAntiAffinity",
    "running: preferred podAntiAffinity",
    "running: deletionTimestamp",
    "running: phase",
    "running: priority",
    "running: hostPort",
];

/// How many worlds are drawn for the reach; always the same ones.
const WORLDS: usize = 700;

#[test]
fn the_worlds_reach_every_rule() {
    let mut reach = Reach::default();
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    for _ in 0..WORLDS {
        let world = world().new_tree(&mut runner).expect("worlds are drawn without rejections").current();
        note_placements(&world, &mut reach);
        note_fields(&world, &mut reach);
    }
    reach.expect(RULES);
}

fn note_placements(world: &World, reach: &mut Reach) {
    let placements = placements(&world.objects());
    let names: Vec<&str> = placements.iter().map(|placement| placement.pod.as_str()).collect();
    let gated = |placement: &&Placement| placement.reason == Some("SchedulingGated");
    if !placements.iter().any(|placement| gated(&placement)) && !names.is_sorted() {
        reach.note("the more important pod comes first");
    }
    for placement in &placements {
        if let Some(message) = &placement.message {
            RULES.iter().filter(|rule| says(message, rule)).for_each(|rule| reach.note(*rule));
        }
        match placement.nominated.len() {
            0 => {}
            1 => reach.note("preemption would help"),
            _ => reach.note("several nodes to preempt on"),
        }
        note_choice(placement, reach);
        note_start_index(world, placement, reach);
    }
}

/// Whether a message says this; names stand in quotes, and an asterisk for them.
fn says(message: &str, rule: &str) -> bool {
    let mut rest = message;
    rule.split('*').all(|part| match rest.split_once(part) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    }) && !(rule.ends_with("spread constraints") && rest.starts_with(" ("))
}

fn note_choice(placement: &Placement, reach: &mut Reach) {
    let nodes = node_by_node(placement);
    if let [(_, first), ..] = &nodes.parts[..] {
        for (at, (plugin, score)) in first.iter().enumerate() {
            if nodes.parts.iter().any(|(_, parts)| parts[at].1 != *score) {
                reach.note(format!("score {plugin}"));
            }
        }
    }
    let first_of_equals = nodes.order.iter().find(|node| placement.tied.contains(node));
    match placement.tied.len() {
        0 => {}
        1 => reach.note("one node is best"),
        _ if placement.random_tie => reach.note("of equals one at random"),
        _ if first_of_equals == placement.node.as_ref() => reach.note("of equals the first in the order"),
        _ => reach.note("of equals not the first in the order"),
    }
}

/// Alone, the pod would have met the same nodes in another order.
fn note_start_index(world: &World, placement: &Placement, reach: &mut Reach) {
    let mut objects = world.surroundings();
    let pod = world.waiting.iter().find(|pod| pod["metadata"]["name"] == placement.pod.as_str());
    objects.push(object(pod.expect("it waits")));
    let (alone, here) = (node_by_node(&placements(&objects)[0]).order, node_by_node(placement).order);
    let set = |order: &[_]| order.iter().cloned().collect::<BTreeSet<arcstr::ArcStr>>();
    if alone != here && set(&alone) == set(&here) {
        reach.note("the start index has moved");
    }
}

/// Notes each field of a pod that waits, and for the first one of those that run, without which it would fare otherwise.
fn note_fields(world: &World, reach: &mut Reach) {
    let mut objects = world.surroundings();
    let (pods, last) = (objects.len() - world.running.len(), objects.len());
    for pod in world.waiting.iter().rev() {
        objects.truncate(last);
        objects.push(object(pod));
        note_fields_of(&mut objects, (last, pod), "", reach);
    }
    for (index, pod) in world.running.iter().enumerate() {
        note_fields_of(&mut objects, (pods + index, pod), "running: ", reach);
    }
}

fn note_fields_of(objects: &mut [Object], (at, pod): (usize, &Value), prefix: &str, reach: &mut Reach) {
    let (answer, whole) = (placements(objects), objects[at].clone());
    for (rule, without) in fields(pod) {
        objects[at] = object(&without);
        if placements(objects) != answer {
            reach.note(format!("{prefix}{rule}"));
        }
    }
    objects[at] = whole;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_node_is_accounted_for(world in world()) {
        let names: BTreeSet<String> = world.nodes.iter().map(name).collect();
        for placement in placements(&world.objects()) {
            if matches!(placement.reason, Some("SchedulingGated" | "SchedulerError")) || names.is_empty() {
                continue;
            }
            let rejected = node_by_node(&placement).rejected;
            let all = placement.feasible.iter().chain(rejected.iter().map(|node| &node.node));
            prop_assert_eq!(all.clone().count(), names.len());
            prop_assert_eq!(all.map(|node| node.to_string()).collect::<BTreeSet<_>>(), names.clone());
            if let Some(message) = &placement.message {
                prop_assert_eq!(placement.feasible.len(), 0);
                says_of_each_node(message, &placement, names.len())?;
            }
        }
    }

    #[test]
    fn scores_add_up_and_a_best_node_is_chosen(world in world()) {
        for placement in placements(&world.objects()) {
            let nodes = node_by_node(&placement);
            for ((node, total), (same, parts)) in nodes.scores.iter().zip(&nodes.parts) {
                prop_assert_eq!(node, same);
                prop_assert_eq!(*total, parts.iter().map(|(_, score)| score).sum::<i64>());
            }
            let best = nodes.scores.iter().map(|(_, total)| total).max();
            let tied = nodes.scores.iter().filter(|(_, total)| Some(total) == best).map(|(node, _)| node.clone());
            prop_assert_eq!(tied.collect::<Vec<_>>(), placement.tied.clone());
            if let Some(node) = &placement.node {
                let among = if placement.tied.is_empty() { &placement.feasible } else { &placement.tied };
                prop_assert!(among.contains(node), "{} of {:?}", node, among);
            }
        }
    }

    #[test]
    fn feasible_nodes_have_room(world in world()) {
        let mut used = BTreeMap::new();
        let finished = |pod: &&Value| pod["status"]["phase"] == "Succeeded";
        for pod in world.running.iter().filter(|pod| !finished(pod)) {
            take(&mut used, pod["spec"]["nodeName"].as_str().expect("a name"), pod);
        }
        for placement in placements(&world.objects()) {
            let pod = world.waiting.iter().find(|pod| name(pod) == placement.pod.as_str()).expect("it waits");
            for node in world.nodes.iter().filter(|node| placement.feasible.iter().any(|found| *found == name(node))) {
                for (key, asked) in least_requests(pod).into_iter().filter(|(_, asked)| *asked > 0.0) {
                    let there = node["status"]["allocatable"][key].as_str().map_or(0.0, amount);
                    let taken = used.get(&(name(node), key)).copied().unwrap_or(0.0);
                    prop_assert!(asked <= there - taken, "{key} on {}: {asked} of {there} - {taken}", name(node));
                }
            }
            if let Some(node) = &placement.node {
                take(&mut used, node, pod);
            }
        }
    }

    #[test]
    fn the_order_of_kinds_and_of_running_pods_does_not_matter(world in world()) {
        let first = placements(&world.objects());
        let kinds = [&world.running, &world.waiting, &world.others, &world.nodes];
        let mixed: Vec<Object> = kinds.into_iter().flatten().map(object).collect();
        prop_assert_eq!(&placements(&mixed), &first);
        let mut turned = world;
        turned.running.reverse();
        // Of equal victims those that came first stay, so that preemption may prefer another node.
        let but_nominated = |placements: Vec<Placement>| {
            placements.into_iter().map(|placement| Placement { nominated: Vec::new(), ..placement }).collect::<Vec<_>>()
        };
        prop_assert_eq!(but_nominated(placements(&turned.objects())), but_nominated(first));
    }

    #[test]
    fn the_order_of_nodes_decides_between_equals_only(world in world()) {
        let first = world.first();
        let turned = World { nodes: world.nodes.iter().rev().cloned().collect(), ..world }.first();
        prop_assert_eq!(&turned.feasible, &first.feasible);
        prop_assert_eq!(&turned.message, &first.message);
        prop_assert_eq!(node_by_node(&turned).scores, node_by_node(&first).scores);
        prop_assert_eq!(&turned.tied, &first.tied);
    }

    #[test]
    fn an_empty_node_that_does_not_do_may_as_well_go(world in world()) {
        let first = world.first();
        let spreads = !world.waiting[0]["spec"]["topologySpreadConstraints"].is_null();
        let on = |node: &str| world.running.iter().any(|pod| pod["spec"]["nodeName"] == node);
        let rejected = node_by_node(&first).rejected;
        let Some(gone) = rejected.iter().find(|node| !on(&node.node)) else { return Ok(()) };
        if spreads {
            return Ok(());
        }
        let nodes = world.nodes.iter().filter(|node| name(node) != gone.node.as_str()).cloned().collect();
        let second = World { nodes, ..world.clone() }.first();
        prop_assert_eq!(&second.feasible, &first.feasible);
        let images = |placement: &Placement| node_by_node(placement).parts.iter().any(|(_, parts)| parts.iter().any(|part| part.0 == "ImageLocality" && part.1 > 0));
        if first.tied.len() == 1 && !images(&first) && !images(&second) {
            prop_assert_eq!(&second.node, &first.node);
        }
    }

    #[test]
    fn a_cordon_or_a_strange_taint_takes_a_node_out_and_room_brings_one_in(world in world()) {
        let first = world.first();
        let everything = |toleration: &Value| toleration["key"].is_null();
        let cordons = |toleration: &Value| toleration["key"] == "node.kubernetes.io/unschedulable";
        let tolerations = world.waiting[0]["spec"]["tolerations"].as_array().cloned().unwrap_or_default();
        let with = |at: usize, change: &dyn Fn(&mut Value)| {
            let mut world = world.clone();
            change(&mut world.nodes[at]);
            world.first()
        };
        for (at, node) in world.nodes.iter().enumerate() {
            let feasible = |placement: &Placement| placement.feasible.iter().any(|found| *found == name(node));
            if feasible(&first) && !tolerations.iter().any(everything) {
                let taint = json!([{"key": "strange", "effect": "NoExecute"}]);
                prop_assert!(!feasible(&with(at, &|node| node["spec"]["taints"] = taint.clone())));
                let cordoned = with(at, &|node| node["spec"]["unschedulable"] = json!(true));
                prop_assert!(!feasible(&cordoned) || tolerations.iter().any(cordons));
            }
            let room = json!({"cpu": "900", "memory": "900Gi", "ephemeral-storage": "900Gi", "pods": "900",
                "example.com/gpu": "900", "hugepages-2Mi": "900Gi"});
            let roomy = with(at, &|node| node["status"]["allocatable"] = room.clone());
            let lacks = |found: &stuckvm_sim::RejectedNode| found.node == name(node) && found.plugin == "NodeResourcesFit";
            prop_assert!(!node_by_node(&roomy).rejected.iter().any(lacks));
        }
    }
}

/// Each part of a message has the number of the nodes that give its reason, and the parts come in byte order.
fn says_of_each_node(message: &str, placement: &Placement, nodes: usize) -> Result<(), TestCaseError> {
    let head = format!("0/{nodes} nodes are available: ");
    prop_assert!(message.starts_with(&head), "{}", message);
    let rejected = node_by_node(placement).rejected;
    let mut counts = BTreeMap::<&str, usize>::new();
    rejected.iter().flat_map(|node| &node.reasons).for_each(|reason| *counts.entry(reason).or_default() += 1);
    let mut parts: Vec<String> = counts.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    parts.sort();
    let filtered = format!("{head}{}.", parts.join(", "));
    let refused = format!("{head}{}.", counts.keys().next().expect("some reason"));
    prop_assert!(
        message.starts_with(&filtered) || message.starts_with(&refused),
        "{} for {}",
        message,
        filtered
    );
    Ok(())
}

fn name(object: &Value) -> String {
    object["metadata"]["name"].as_str().expect("a name").to_owned()
}

fn take(used: &mut BTreeMap<(String, &'static str), f64>, node: &str, pod: &Value) {
    for (key, asked) in least_requests(pod) {
        *used.entry((node.to_owned(), key)).or_insert(0.0) += asked;
    }
}

/// The least that a pod can be said to ask for: what its containers ask for, and a place.
fn least_requests(pod: &Value) -> Vec<(&'static str, f64)> {
    let containers = pod["spec"]["containers"].as_array().expect("containers");
    let sum = |key: &'static str| {
        let of_container =
            |container: &Value| container["resources"]["requests"][key].as_str().map_or(0.0, amount);
        let whole = pod["spec"]["resources"]["requests"][key].as_str();
        (key, whole.map_or_else(|| containers.iter().map(of_container).sum(), amount))
    };
    let keys = ["cpu", "memory", "ephemeral-storage", "example.com/gpu", "hugepages-2Mi"];
    keys.into_iter().map(sum).chain([("pods", 1.0)]).collect()
}

/// The few ways in which the generators write amounts.
fn amount(text: &str) -> f64 {
    let suffixes = [("Gi", (1_u64 << 30) as f64), ("Mi", (1_u64 << 20) as f64), ("M", 1e6), ("m", 1e-3)];
    let found = suffixes.into_iter().find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, factor)));
    let (number, factor) = found.unwrap_or((text, 1.0));
    number.parse::<f64>().expect("a number") * factor
}
