//! Values that upstream cannot read, and what it makes of them.

use crate::{ZONE, claim, node, placed, pod, rejected, user, volume};
use serde_json::json;

/// `NewPreferredSchedulingTerms` collects what is wrong with every term, `NewRequirement` what is wrong with every value;
/// `Aggregate.Error()` puts them in brackets and says the same thing once.
#[test]
fn every_preference_that_cannot_be_read_is_named() {
    let preference = |value: &str| {
        let rank = json!([{"key": "rank", "operator": "Gt", "values": [value]}]);
        json!({"weight": 1, "preference": {"matchExpressions": rank}})
    };
    let rules = json!([preference("-5"), preference("5"), preference("abc"), preference("x!")]);
    let spec =
        json!({"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": rules}}});
    let label = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must \
                 start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used \
                 for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
    let integer = "for 'Gt', 'Lt' operators, the value must be an integer";
    let at = |term: usize| format!("[{term}].matchExpressions[0].values[0]");
    let text = format!(
        "running PreScore plugin \"NodeAffinity\": [{}[rank]: Invalid value: \"-5\": {label}, {}: Invalid value: \
         \"abc\": {integer}, {}: Invalid value: \"x!\": {integer}, {}[rank]: Invalid value: \"x!\": {label}]",
        at(0),
        at(2),
        at(3),
        at(3)
    );
    rejected(&[node("a", json!({})), node("b", json!({})), pod("p", spec)], &text);
}

/// `getPVTopologies`: "failed to parse PV's topology label, ignoring the label", where `LabelZonesToSet` finds an empty part.
#[test]
fn a_zone_label_with_an_empty_part_is_ignored() {
    let mut bound = claim("c", "1Gi");
    bound["spec"]["volumeName"] = json!("v");
    bound["metadata"]["annotations"] = json!({"pv.kubernetes.io/bind-completed": "yes"});
    let world = |zones: &str| {
        let mut volume = volume("v", "1Gi");
        volume["metadata"]["labels"] = json!({ZONE: zones});
        [node("a", json!({ZONE: "z"})), bound.clone(), volume, user(&["c"])]
    };
    for ignored in ["", "x__", "__x", "x____y"] {
        placed(&world(ignored));
    }
    placed(&world("x__z"));
    rejected(&world("x__y"), "node(s) had no available volume zone");
}

/// Each of fifty resources is named, not only those for which a word of the machine has a bit.
#[test]
fn every_extended_resource_that_is_lacking_is_named() {
    let name = |at: usize| format!("example.com/r{at:02}");
    let (mut small, mut requests) = (node("a", json!({})), json!({}));
    for at in 0..50 {
        small["status"]["allocatable"][name(at)] = json!(if at == 48 { "0" } else { "1" });
        requests[name(at)] = json!("1");
    }
    let container =
        json!({"name": "c", "image": "i:1", "resources": {"requests": requests, "limits": requests}});
    let spec = json!({"containers": [container]});
    rejected(
        &[small.clone(), pod("p", spec.clone())],
        "0/1 nodes are available: 1 Insufficient example.com/r48.",
    );
    for at in [5, 45, 49] {
        small["status"]["allocatable"][name(at)] = json!("0");
    }
    let four = [5, 45, 48, 49].map(|at| format!("1 Insufficient {}", name(at))).join(", ");
    rejected(&[small, pod("p", spec)], &format!("0/1 nodes are available: {four}."));
}
