//! The recorded answers of the real code, put to the program: objects in, JSON Lines out.

use crate::program::{Output, stuckvm};
use crate::{files, launcher};
use serde_json::{Map, Value, json};
use stuckvm_sim::Object;

/// Plays every case of a suite and names the first that disagrees.
fn agrees(suite: &str, play: impl Fn(&Value) -> Result<(), String>) {
    let mut suites = files::suites();
    // Another folder of cases may lack a suite.
    let paths = suites.remove(suite).unwrap_or_default();
    for case in paths.iter().flat_map(|path| files::cases(path)) {
        let played = case.value.as_ref().map_err(Clone::clone).and_then(&play);
        played.unwrap_or_else(|what| panic!("{}: {what}", case.id));
    }
}

fn same(what: &str, found: &Value, expected: &Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what} is {found}, expected {expected}")) }
}

/// What the program says of a case's objects, as a list.
fn ask(arguments: &str, case: &Value) -> Result<Vec<Value>, String> {
    let list = json!({ "kind": "List", "items": case["objects"] });
    let output = stuckvm(arguments, &list.to_string());
    if output.code == 0 { Ok(output.lines()) } else { Err(output.err) }
}

fn schedule(case: &Value) -> Result<(), String> {
    let found = ask("schedule --explain --format json -f -", case)?;
    for (found, expected) in found.iter().zip(case["expect"].as_array().ok_or("no expect")?) {
        for key in ["namespace", "pod", "node", "message"] {
            same(key, &found[key], &expected[key])?;
        }
        if expected["reason"] != "SchedulerError" {
            same("feasible", &found["feasible"], &expected["feasible"])?;
        }
        for key in ["scores", "parts"].into_iter().filter(|key| expected.get(key).is_some()) {
            same(key, &found[key], &expected[key])?;
        }
        if expected["random_tie"] == true {
            return same("ties", &found["ties"], &expected["tied"]);
        }
    }
    same("pods", &found.len().into(), &case["expect"].as_array().map_or(0, Vec::len).into())
}

#[test]
fn schedule_answers_as_kube_scheduler_does() {
    agrees("schedule/runbook", schedule);
    agrees("schedule/taints-affinity", schedule);
}

#[test]
fn status_answers_as_virt_controller_does() {
    agrees("status/table", |case| {
        let found = ask("status --now 2026-06-01T12:00:00Z -f -", case)?;
        for (found, expected) in found.iter().zip(case["expect"].as_array().ok_or("no expect")?) {
            for key in ["namespace", "name", "status", "error", "reconcile"] {
                same(key, &found[key], &expected[key])?;
            }
        }
        same("machines", &found.len().into(), &case["expect"].as_array().map_or(0, Vec::len).into())
    });
}

#[test]
fn vmi_answers_as_virt_controller_does() {
    agrees("vmi/vmi-table", |case| {
        let now = case["now"].as_str().ok_or("no instant")?;
        let found = ask(&format!("vmi --now {now} -f -"), case)?;
        let expected = &case["expect"];
        same("phase", &found[0]["phase"], &expected["phase"])?;
        let mut conditions = expected["conditions"].clone();
        for condition in conditions.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
            condition.retain(|key, _| !["lastTransitionTime", "lastProbeTime"].contains(&key.as_str()));
        }
        same("conditions", &found[0]["conditions"], &conditions)
    });
}

#[test]
fn render_makes_the_pod_that_virt_controller_makes() {
    agrees("launcher/launcher-table", |case| {
        let Output { out, err, code } = stuckvm("render -f -", &machine(&case["objects"][0]).to_string());
        if code != 0 {
            return Err(err);
        }
        let documents =
            stuckvm_sim::manifest::parse("out", out.as_bytes()).map_err(|error| error.to_string())?;
        let pod = Object::from_value(&documents[0].value).map_err(|error| error.to_string())?;
        let Some(Object::Pod(pod)) = pod else { return Err("no pod".into()) };
        let mut expected = case["expect"].as_object().cloned().ok_or("no expect")?;
        // What the pod does not show.
        expected.retain(|key, _| {
            !["memoryOverhead", "requestsMemoryOfTheInstanceAfterRendering"].contains(&key.as_str())
        });
        launcher::compare("", &Value::Object(launcher::shown(&pod.spec)), &Value::Object(expected))
    });
}

/// A machine whose template is the instance, so that it gets the webhooks' defaults.
fn machine(vmi: &Value) -> Value {
    let meta = &vmi["metadata"];
    let kept: Map<String, Value> = ["labels", "annotations"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), meta.get(key)?.clone())))
        .collect();
    json!({
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
        "spec": {"runStrategy": "Always", "template": {"metadata": kept, "spec": vmi["spec"]}},
    })
}
