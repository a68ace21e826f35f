//! Suite kubelet/pod-status: the status that kubelet computes from given container states.

use crate::pod_timeline::{condition, container, difference, same};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::kubelet::{
    ContainerRecord, Exit, Observation, PodRuntime, Probed, Reason, RunState, Sandbox,
    generate_api_pod_status, update_status,
};
use stuckvm_sim::objects::{Pod, PodStatus};
use stuckvm_sim::{KubernetesRelease, Object};

const START: u64 = 1_000_000;

/// Plays a case; `Err` tells what differs first.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let mut manifest = case["pod"].clone();
    manifest["metadata"]["namespace"] = json!("default");
    manifest["status"]["phase"] = json!("Pending");
    let Ok(Some(Object::Pod(pod))) = Object::from_value(&manifest) else { return Err("no pod".into()) };
    let mut pod = Pod::clone(&pod);
    let mut kept = pod.status.clone();
    let mut results = BTreeMap::new();
    let steps = case["steps"].as_array().expect("steps");
    for (number, (step, want)) in steps.iter().zip(case["expect"].as_array().expect("answers")).enumerate() {
        let t = step["t"].as_f64().expect("a time");
        let now = at(t);
        if step["deleted"].as_bool() == Some(true) {
            pod.metadata.deletion_timestamp = Some(now);
        }
        let runtime = runtime(&pod, step);
        let probes = probes(&pod, step, &mut results);
        let reasons = reasons(&pod, step);
        let terminal = step["terminal"].as_bool() == Some(true);
        let seen = Observation {
            pod: &pod,
            old: &kept,
            runtime: &runtime,
            reasons: &reasons,
            probes: &probes,
            terminal,
        };
        let new = generate_api_pod_status(&seen, KubernetesRelease::V1_36);
        let phase = new.phase.clone();
        let refused = match update_status(&pod, &kept, new, now) {
            Some(new) => {
                kept = new;
                None
            }
            None => Some(phase),
        };
        let mut got = show(&kept, t, &pod.metadata.name);
        if refused.is_some_and(|phase| phase != kept.phase) {
            got["refused"] = json!(true);
        }
        if !same(want, &got) {
            return Err(format!("step {number}: {}", difference(want, &got)));
        }
    }
    Ok(())
}

fn show(status: &PodStatus, t: f64, name: &str) -> Value {
    let mut shown = json!({"t": t, "pod": name, "phase": status.phase});
    shown["containers"] = status.container_statuses.iter().map(container).collect();
    if !status.init_container_statuses.is_empty() {
        shown["init"] = status.init_container_statuses.iter().map(container).collect();
    }
    shown["conditions"] = status.conditions.iter().map(condition).collect();
    shown
}

fn names(pod: &Pod) -> impl Iterator<Item = &str> {
    pod.spec.init_containers.iter().chain(&pod.spec.containers).map(|container| container.name.as_str())
}

fn runtime(pod: &Pod, step: &Value) -> PodRuntime {
    let mut runtime = PodRuntime::of(pod);
    runtime.sandbox = match step["sandbox"].as_str() {
        Some("ready") => Sandbox::Ready,
        Some("notready") => Sandbox::NotReady,
        _ => Sandbox::None,
    };
    for (slot, name) in names(pod).enumerate() {
        let records = step["runtime"][name].as_array().map_or(&[][..], Vec::as_slice);
        runtime.containers[slot] = records.iter().map(record).collect();
    }
    runtime
}

/// Results of probes; that of a startup probe is kept by container and run until there is another.
fn probes(pod: &Pod, step: &Value, kept: &mut BTreeMap<(String, u64), Probed>) -> Vec<Probed> {
    let probed = |name: &str| {
        let newest = &step["runtime"][name][0];
        let Some(run) = newest["restarts"].as_u64() else { return Probed::default() };
        let result = kept.entry((name.to_owned(), run)).or_default();
        result.startup = newest["startup"].as_bool().or(result.startup);
        Probed { readiness: newest["ready"].as_bool(), ..*result }
    };
    names(pod).map(probed).collect()
}

fn reasons(pod: &Pod, step: &Value) -> Vec<Option<Reason>> {
    let reason = |name: &str| {
        let found = step["reasons"].get(name)?;
        let text = |key: &str| found[key].as_str().unwrap_or_default().into();
        Some(Reason { reason: text("reason"), message: text("message") })
    };
    names(pod).map(reason).collect()
}

fn record(record: &Value) -> ContainerRecord {
    let time = |key: &str| record[key].as_f64().map(at);
    let started = time("started").unwrap_or(at(0.0));
    let text = |key: &str| record[key].as_str().unwrap_or_default().into();
    let state = match record["state"].as_str().expect("a state") {
        "created" => RunState::Created,
        "running" => RunState::Running { started },
        "exited" => RunState::Exited(Box::new(Exit {
            code: i32::try_from(record["exit"].as_i64().unwrap_or(0)).expect("an exit code"),
            reason: text("reason"),
            message: text("message"),
            started: Some(started),
            finished: Some(time("finished").unwrap_or(at(0.0))),
        })),
        _ => RunState::Unknown,
    };
    ContainerRecord { restarts: u32::try_from(record["restarts"].as_u64().unwrap_or(0)).expect("few"), state }
}

fn at(t: f64) -> Time {
    if t < 0.0 {
        return Time::from_nanos(START * 1_000_000_000 - Duration::from_secs_f64(-t).as_nanos() as u64);
    }
    Time::from_secs(START) + Duration::from_secs_f64(t)
}
