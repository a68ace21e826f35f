//! `matchLabelKeys` and `mismatchLabelKeys`: rules about the pod's own value of a label.
//!
//! Spread: `filterTopologySpreadConstraints` of `plugins/podtopologyspread/common.go`. Affinity:
//! `applyMatchLabelKeysAndMismatchLabelKeys` of `pkg/registry/core/pod/strategy.go`, which the API server runs.

use crate::{all, last, node, placed, pod, rejected};
use serde_json::{Value, json};
use stuckvm_sim::KubernetesRelease::{V1_23, V1_30, V1_34, V1_36};

/// A pod of the application `web` in a revision.
fn web(name: &str, revision: &str, spec: Value) -> Value {
    let mut pod = pod(name, spec);
    pod["metadata"]["labels"] = json!({"app": "web", "rev": revision});
    pod
}

fn selecting_web(keys: Value) -> Value {
    let mut rule = json!({"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}});
    for (field, value) in keys.as_object().expect("fields") {
        rule[field] = value.clone();
    }
    rule
}

/// Zone `a` has a pod of the old revision; zone `b` is full.
fn zones() -> Vec<Value> {
    let mut full = node("n2", json!({"zone": "b"}));
    full["status"]["allocatable"]["pods"] = json!("0");
    vec![node("n1", json!({"zone": "a"})), full, web("old", "1", json!({"nodeName": "n1"}))]
}

fn spread(keys: Value, when: &str) -> Value {
    let mut constraint = selecting_web(keys);
    constraint["maxSkew"] = json!(1);
    constraint["whenUnsatisfiable"] = json!(when);
    json!({"topologySpreadConstraints": [constraint]})
}

/// With the key only pods of the new revision count: none in either zone, and 0 + 1 - 0 is within maxSkew. Without it the
/// old pod counts: 1 + 1 - 0 is above. A key that the pod does not have adds nothing.
#[test]
fn spread_counts_pods_of_the_pods_own_revision() {
    let with = |keys: Value| [zones(), vec![web("new", "2", spread(keys, "DoNotSchedule"))]].concat();
    placed(&with(json!({"matchLabelKeys": ["rev"]})));
    let skewed = "1 node(s) didn't match pod topology spread constraints";
    rejected(&with(json!({})), skewed);
    rejected(&with(json!({"matchLabelKeys": ["colour"]})), skewed);
    let same = [zones(), vec![web("new", "1", spread(json!({"matchLabelKeys": ["rev"]}), "DoNotSchedule"))]];
    rejected(&same.concat(), skewed);
}

/// An empty selector counts no pod, but with a key it is empty no more: `countPodsMatchSelector` sees the merged one.
#[test]
fn a_key_makes_an_empty_selector_count() {
    let constraint = json!({"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {}, "matchLabelKeys": ["rev"]});
    let new = web("new", "1", json!({"topologySpreadConstraints": [constraint]}));
    let world = [zones(), vec![new]].concat();
    rejected(&world, "1 node(s) didn't match pod topology spread constraints");
    // In 1.30 the scheduler merges by itself; since 1.34 it finds the selector merged.
    assert_eq!(all(&world, V1_30)[0].node, None);
}

/// The score counts alike: of two zones that do, the one without a pod of the new revision is better.
#[test]
fn the_score_of_spread_counts_pods_of_the_pods_own_revision() {
    let mut world = vec![node("n1", json!({"zone": "a"})), node("n2", json!({"zone": "b"}))];
    world.extend(["n1", "n1"].map(|on| web(&format!("old-{on}"), "1", json!({"nodeName": on}))));
    world.push(web("there", "2", json!({"nodeName": "n2"})));
    let new = |keys| web("new", "2", spread(keys, "ScheduleAnyway"));
    for (keys, node) in [(json!({"matchLabelKeys": ["rev"]}), "n1"), (json!({}), "n2")] {
        let placement = last(&[&world[..], &[new(keys)]].concat());
        let scores = placement.node_by_node.expect("it was asked for").parts;
        let spread = |name: &str| {
            let (_, parts) = scores.iter().find(|(node, _)| node == name).expect("it is feasible");
            parts.iter().find(|(plugin, _)| *plugin == "PodTopologySpread").expect("it takes part").1
        };
        let other = if node == "n1" { "n2" } else { "n1" };
        assert!(spread(node) > spread(other), "{node} is better: {scores:?}");
    }
}

fn affinity(kind: &str, keys: Value) -> Value {
    json!({"affinity": {kind: {"requiredDuringSchedulingIgnoredDuringExecution": [selecting_web(keys)]}}})
}

#[test]
fn affinity_is_about_the_pods_own_revision_or_the_others() {
    let with = |kind, keys| [zones(), vec![web("new", "2", affinity(kind, keys))]].concat();
    let (same, other) = (json!({"matchLabelKeys": ["rev"]}), json!({"mismatchLabelKeys": ["rev"]}));
    // Away from its own revision: the old pod is none. Away from all others: it is one.
    placed(&with("podAntiAffinity", same.clone()));
    rejected(&with("podAntiAffinity", other.clone()), "1 node(s) didn't match pod anti-affinity rules");
    rejected(&with("podAntiAffinity", json!({})), "1 node(s) didn't match pod anti-affinity rules");
    // Near all others: the old pod is there. Near its own: it is the first of them, and may go anywhere.
    placed(&with("podAffinity", other.clone()));
    placed(&with("podAffinity", same));
    // Away from all others, and the old pod is of its own revision.
    placed(&[zones(), vec![web("new", "1", affinity("podAntiAffinity", other))]].concat());
}

/// What the API server has merged once is not merged again, whatever became of the pod's labels.
#[test]
fn an_object_as_it_is_stored_keeps_its_selector() {
    let mut term = selecting_web(json!({"matchLabelKeys": ["rev"]}));
    term["labelSelector"]["matchExpressions"] = json!([{"key": "rev", "operator": "In", "values": ["1"]}]);
    let spec =
        json!({"affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}});
    rejected(
        &[zones(), vec![web("new", "2", spec)]].concat(),
        "1 node(s) didn't match pod anti-affinity rules",
    );
}

/// Gates: MatchLabelKeysInPodTopologySpread is on since 1.27, MatchLabelKeysInPodAffinity since 1.31. Until then the API
/// server drops the field, and the old pod counts.
#[test]
fn keys_by_release() {
    let keys = || json!({"matchLabelKeys": ["rev"]});
    let table = [
        (spread(keys(), "DoNotSchedule"), [false, true, true, true]),
        (affinity("podAntiAffinity", keys()), [false, false, true, true]),
    ];
    for (spec, expected) in table {
        let world = [zones(), vec![web("new", "2", spec.clone())]].concat();
        let found = [V1_23, V1_30, V1_34, V1_36].map(|release| all(&world, release)[0].node.is_some());
        assert_eq!(found, expected, "{spec}");
    }
}
