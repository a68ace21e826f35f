//! Random nodes.

use super::tape::Tape;
use serde_json::{Value, json};

/// The keys of taints and tolerations.
pub(crate) const TAINTS: [&str; 3] = ["dedicated", "gpu", "node.kubernetes.io/unschedulable"];
/// The effects of taints.
pub(crate) const EFFECTS: [&str; 3] = ["PreferNoSchedule", "NoSchedule", "NoExecute"];
/// Images that nodes may have, and their sizes in bytes.
pub(crate) const IMAGES: [(&str, u64); 3] =
    [("web:1", 900 << 20), ("db:latest", 300 << 20), ("tiny:1", 10 << 20)];

/// So many nodes; sometimes all are alike, so that they tie.
pub(crate) fn nodes(tape: &mut Tape, count: usize) -> Vec<Value> {
    if !tape.once_in(3) {
        return (0..count).map(|index| node(tape, index)).collect();
    }
    let first = node(tape, 0);
    let alike = |index: usize| {
        let (mut node, name) = (first.clone(), json!(format!("node-{index}")));
        node["metadata"]["labels"]["kubernetes.io/hostname"] = name.clone();
        node["metadata"]["name"] = name;
        node
    };
    (0..count).map(alike).collect()
}

/// The node of this number.
fn node(tape: &mut Tape, index: usize) -> Value {
    let name = format!("node-{index}");
    let mut node = json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": labels(tape, &name)},
        "spec": {},
        "status": {
            "allocatable": allocatable(tape),
            "conditions": [{"type": "Ready", "status": "True"}],
            "images": images(tape),
        },
    });
    tape.set(3, (&mut node["spec"], "taints"), |tape| json!([taint(tape), taint(tape)]));
    tape.set(10, (&mut node["spec"], "unschedulable"), |_| json!(true));
    node
}

fn labels(tape: &mut Tape, name: &str) -> Value {
    let mut labels = json!({"kubernetes.io/hostname": name});
    let zone = tape.pick(&["zone-a", "zone-b", "zone-c"]);
    match tape.below(8) {
        6 => labels["failure-domain.beta.kubernetes.io/zone"] = json!(zone),
        7 => {}
        _ => labels["topology.kubernetes.io/zone"] = json!(zone),
    }
    tape.set(3, (&mut labels, "disk"), |tape| json!(tape.pick(&["ssd", "hdd"])));
    tape.set(2, (&mut labels, "rank"), |tape| json!(tape.pick(&["1", "5", "9", "none"])));
    labels
}

fn taint(tape: &mut Tape) -> Value {
    let mut taint = json!({"key": tape.pick(&TAINTS), "effect": tape.pick(&EFFECTS)});
    tape.set(2, (&mut taint, "value"), |tape| json!(tape.pick(&["db", "web"])));
    taint
}

fn allocatable(tape: &mut Tape) -> Value {
    let mut all = json!({
        "cpu": tape.pick(&["8", "4", "2500m", "1"]),
        "memory": tape.pick(&["8Gi", "4Gi", "2500M", "1Gi"]),
        "pods": tape.pick(&["110", "110", "4", "2"]),
    });
    tape.set(1, (&mut all, "ephemeral-storage"), |tape| json!(tape.pick(&["10Gi", "1Gi"])));
    tape.set(3, (&mut all, "example.com/gpu"), |tape| json!(tape.pick(&["1", "2"])));
    tape.set(4, (&mut all, "hugepages-2Mi"), |_| json!("64Mi"));
    all
}

fn images(tape: &mut Tape) -> Value {
    tape.list(2, |tape| {
        let (name, size) = tape.pick(&IMAGES);
        json!({"names": [name], "sizeBytes": size})
    })
}
