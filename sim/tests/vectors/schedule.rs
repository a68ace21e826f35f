//! What kube-scheduler decides, case by case: 1.36.2, or the older release that the case names.

use serde_json::Value;
use stuckvm_sim::{KubernetesRelease, NodeByNode, Object, OneShotOptions, Placement, schedule};

/// Runs a case; the error says what differs.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let objects = objects(case)?;
    let options = OneShotOptions { release: release(case)?, node_by_node: true, ..OneShotOptions::default() };
    let placements = schedule(&objects, options);
    let expected = case["expect"].as_array().ok_or("no expect")?;
    if placements.len() != expected.len() {
        return Err(format!("{} pods, expected {}", placements.len(), expected.len()));
    }
    for (placement, expect) in placements.iter().zip(expected) {
        compare(placement, expect).map_err(|what| format!("pod {}: {what}", placement.pod))?;
    }
    Ok(())
}

/// `1.36.2` is 1.36.
fn release(case: &Value) -> Result<KubernetesRelease, String> {
    let name = case["release"].as_str().unwrap_or_default();
    let minor = name.rsplit_once('.').map_or(name, |(minor, _)| minor);
    KubernetesRelease::parse(minor).ok_or_else(|| format!("a release that is not modelled: {name}"))
}

fn objects(case: &Value) -> Result<Vec<Object>, String> {
    let manifests = case["objects"].as_array().ok_or("no objects")?;
    let read = |manifest| Object::from_value(manifest).map_err(|error| error.to_string());
    Ok(manifests.iter().map(read).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

fn compare(placement: &Placement, expect: &Value) -> Result<(), String> {
    let names = |key: &str| -> Vec<&str> {
        expect[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
    };
    same("namespace", Some(placement.namespace.as_str()), expect["namespace"].as_str())?;
    same("pod", Some(placement.pod.as_str()), expect["pod"].as_str())?;
    same("message", placement.message.as_deref(), expect["message"].as_str())?;
    same("reason", placement.reason, expect["reason"].as_str())?;
    if expect["reason"] != "SchedulerError" {
        same("feasible", placement.feasible.clone(), names("feasible"))?;
    }
    same("tied", placement.tied.clone(), names("tied"))?;
    let nodes = placement.node_by_node.clone().unwrap_or_default();
    same("order", nodes.order.clone(), names("order"))?;
    same_scores(&nodes, expect)?;
    same_parts(&nodes, expect)?;
    same("node", placement.node.as_deref(), expect["node"].as_str())?;
    let any = names("nominated_any");
    let nominated = if any.is_empty() { expect["nominated"].as_str().into_iter().collect() } else { any };
    same("nominated", placement.nominated.clone(), nominated)
}

fn same_scores(nodes: &NodeByNode, expect: &Value) -> Result<(), String> {
    let Some(scores) = expect["scores"].as_object() else { return Ok(()) };
    for (node, score) in &nodes.scores {
        same(&format!("score of {node}"), Some(*score), scores.get(node.as_str()).and_then(Value::as_i64))?;
    }
    same("number of scores", nodes.scores.len(), scores.len())
}

fn same_parts(nodes: &NodeByNode, expect: &Value) -> Result<(), String> {
    let Some(expected) = expect["parts"].as_object() else { return Ok(()) };
    for (node, parts) in &nodes.parts {
        let expected = expected.get(node.as_str()).and_then(Value::as_object).ok_or("no such node")?;
        let expected: Vec<(&str, i64)> =
            expected.iter().map(|(plugin, score)| (plugin.as_str(), score.as_i64().unwrap_or(-1))).collect();
        same(&format!("parts of {node}"), parts.clone(), expected)?;
    }
    Ok(())
}

fn same<A: PartialEq<B> + std::fmt::Debug, B: std::fmt::Debug>(
    what: &str,
    found: A,
    expected: B,
) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found:?}, expected {expected:?}")) }
}
