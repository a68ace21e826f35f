//! Random pods, such as wait and such as run.

use super::nodes::IMAGES;
use super::tape::Tape;
use super::{rules, storage};
use serde_json::{Value, json};

/// A pod that waits.
pub(crate) fn waiting(tape: &mut Tape, index: usize) -> Value {
    let mut pod = pod(tape, &format!("pod-{index}"));
    if tape.once_in(5) {
        // Important, and large, so that others may have to go.
        pod["spec"]["priority"] = json!(2000);
        pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] = json!("3");
    }
    tape.set(20, (&mut pod["spec"], "schedulingGates"), |_| json!([{"name": "example.com/gate"}]));
    tape.set(1, (&mut pod["spec"], "affinity"), rules::affinity);
    tape.set(2, (&mut pod["spec"], "topologySpreadConstraints"), |tape| json!([rules::spread(tape)]));
    tape.set(6, (&mut pod["spec"], "nodeSelector"), |tape| json!({"disk": tape.pick(&["ssd", "hdd"])}));
    pod["spec"]["tolerations"] = tape.list(2, rules::toleration);
    pod
}

/// A pod that is on one of so many nodes.
pub(crate) fn running(tape: &mut Tape, index: usize, nodes: usize) -> Value {
    let mut pod = pod(tape, &format!("running-{index}"));
    pod["spec"]["nodeName"] = json!(format!("node-{}", tape.below(nodes)));
    tape.set(2, (&mut pod["spec"], "affinity"), rules::affinity);
    let phase = tape.pick(&["Running", "Running", "Running", "Succeeded"]);
    let start = format!("2022-10-03T11:0{}:00Z", tape.below(2));
    tape.set(2, (&mut pod["spec"], "priority"), |_| json!(-5));
    pod["status"] = json!({"phase": phase, "startTime": start});
    tape.set(6, (&mut pod["metadata"], "deletionTimestamp"), |_| json!("2022-10-03T11:11:00Z"));
    pod
}

fn pod(tape: &mut Tape, name: &str) -> Value {
    let namespace = tape.pick(&["default", "default", "default", "other"]);
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": format!("uid-of-{name}"),
            "labels": {"tier": tier(name)}},
        "spec": {"containers": [container(tape, "main")]},
    });
    tape.set(1, (&mut pod["metadata"]["labels"], "app"), |tape| {
        json!(tape.pick(&["web", "db", "web", "none"]))
    });
    let spec = &mut pod["spec"];
    if tape.once_in(3) {
        let second = container(tape, "second");
        spec["containers"].as_array_mut().expect("a list").push(second);
    }
    tape.set(4, (spec, "initContainers"), |tape| {
        let mut first = container(tape, "first");
        tape.set(2, (&mut first, "restartPolicy"), |_| json!("Always"));
        json!([first, container(tape, "then")])
    });
    tape.set(6, (spec, "overhead"), |_| json!({"cpu": "250m", "memory": "120Mi"}));
    tape.set(8, (spec, "resources"), |tape| json!({"requests": {"cpu": tape.pick(&["2", "3"])}}));
    tape.set(8, (spec, "hostNetwork"), |_| json!(true));
    match tape.below(6) {
        3 => spec["priority"] = json!(tape.pick(&[100, -5])),
        4 => spec["priorityClassName"] = json!(tape.pick(&["high", "polite"])),
        5 => {
            spec["priority"] = json!(2000);
            tape.set(2, (spec, "preemptionPolicy"), |_| json!("Never"));
        }
        _ => {}
    }
    if tape.once_in(3) {
        let count = 1 + tape.below(2);
        spec["volumes"] = (0..count).map(|at| storage::pod_volume(tape, at)).collect();
    }
    pod
}

/// Every other pod is of the one tier, the rest of the other.
fn tier(name: &str) -> &'static str {
    if name.ends_with(['1', '3', '5', '7', '9']) { "back" } else { "front" }
}

fn container(tape: &mut Tape, name: &str) -> Value {
    let mut requests = json!({});
    tape.set(2, (&mut requests, "cpu"), |tape| json!(tape.pick(&["500m", "250m", "1", "2"])));
    tape.set(2, (&mut requests, "memory"), |tape| json!(tape.pick(&["256Mi", "512Mi", "1500M", "1e9"])));
    tape.set(10, (&mut requests, "ephemeral-storage"), |tape| json!(tape.pick(&["1Gi", "6Gi"])));
    tape.set(20, (&mut requests, "hugepages-2Mi"), |_| json!("64Mi"));
    tape.set(20, (&mut requests, "example.com/gpu"), |tape| json!(tape.pick(&["1", "2"])));
    let mut limits = json!({});
    for key in ["hugepages-2Mi", "example.com/gpu"] {
        if let Some(amount) = requests.get(key) {
            limits[key] = amount.clone();
        }
    }
    tape.set(6, (&mut limits, "cpu"), |_| json!("4"));
    let image = tape.pick(&IMAGES).0.trim_end_matches(":latest");
    let mut container =
        json!({"name": name, "image": image, "resources": {"requests": requests, "limits": limits}});
    tape.set(3, (&mut container, "ports"), |tape| json!([port(tape)]));
    container
}

fn port(tape: &mut Tape) -> Value {
    let number = tape.pick(&[8080, 9090]);
    let mut port = json!({"containerPort": number});
    if tape.once_in(4) {
        return port;
    }
    port["hostPort"] = json!(number);
    tape.set(4, (&mut port, "protocol"), |_| json!("UDP"));
    tape.set(1, (&mut port, "hostIP"), |tape| json!(tape.pick(&["10.0.0.1", "10.0.0.2", "0.0.0.0"])));
    port
}
