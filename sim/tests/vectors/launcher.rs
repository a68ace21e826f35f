//! What a launcher pod asks for: suites launcher-table, launcher and recorded.

use serde_json::{Map, Value, json};
use std::sync::Arc;
use stuckvm_sim::kubevirt::{memory_overhead, render_spec, with_defaults};
use stuckvm_sim::objects::{Container, ContainerResources, PodSpec, Probe, ResourceList};
use stuckvm_sim::quantity::Quantity;
use stuckvm_sim::{KubeVirtRelease, Object};

/// Plays one case: the instance with the webhook's defaults, then its pod.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let object = Object::from_value(&case["objects"][0]).map_err(|error| error.to_string())?;
    let Some(Object::VirtualMachineInstance(instance)) = object else { return Err("no instance".into()) };
    let mut instance = (*instance).clone();
    let release = KubeVirtRelease::Main2026_08;
    instance.spec = with_defaults(&instance.spec, release);
    let rendered = render_spec(&instance, release);
    let mut found = shown(&rendered.pod);
    found.insert("memoryOverhead".into(), json!(memory_overhead(&instance.spec, release)));
    let requests = rendered.instance.as_ref().map(|spec| &spec.domain.resources.requests);
    let before = &instance.spec.domain.resources.requests;
    if let Some(requests) = requests.filter(|requests| requests.get("memory") != before.get("memory")) {
        found.insert("requestsMemoryOfTheInstanceAfterRendering".into(), json!(requests.get("memory")));
    }
    // Our own suite has these besides.
    let besides = besides(&rendered.pod);
    found.extend(besides.into_iter().filter(|_| case["expect"].get("podVolumes").is_some()));
    compare("", &Value::Object(found), &case["expect"])
}

/// What only recorded cases look at: volumes that something acts on, Secrets of registries, and when probes ask.
fn besides(pod: &PodSpec) -> Map<String, Value> {
    let probe = |probe: &Option<Arc<Probe>>| {
        let probe = probe.as_ref()?;
        let given = |count: i32, otherwise: i32| if count < 1 { otherwise } else { count };
        Some(json!({
            "initialDelaySeconds": probe.initial_delay_seconds,
            "timeoutSeconds": given(probe.timeout_seconds, 1),
            "periodSeconds": given(probe.period_seconds, 10),
            "successThreshold": given(probe.success_threshold, 1),
            "failureThreshold": given(probe.failure_threshold, 3),
        }))
    };
    let secrets: Vec<_> = pod.image_pull_secrets.iter().map(|secret| &secret.name).collect();
    let compute = &pod.containers[0];
    let mut besides = Map::new();
    besides.insert("podVolumes".into(), json!(pod.volumes));
    besides.insert("imagePullSecrets".into(), json!(secrets));
    besides.insert("livenessProbe".into(), json!(probe(&compute.liveness_probe)));
    besides.insert("readinessProbe".into(), json!(probe(&compute.readiness_probe)));
    besides
}

/// What the cases look at of a pod.
pub(crate) fn shown(pod: &PodSpec) -> Map<String, Value> {
    let mut shown = Map::new();
    let mut list = |key: &str, value: Value| {
        let empty =
            value.as_array().is_some_and(Vec::is_empty) || value.as_object().is_some_and(Map::is_empty);
        if !empty && !value.is_null() {
            shown.insert(key.into(), value);
        }
    };
    list("compute", resources(&pod.containers[0].resources));
    list("containers", containers(&pod.containers[1..]));
    list("initContainers", containers(&pod.init_containers));
    let always = pod.init_containers.iter().filter(|container| container.restart_policy.is_some());
    list("restartableInitContainers", json!(always.map(|container| &container.name).collect::<Vec<_>>()));
    list("nodeSelector", json!(pod.node_selector));
    list("affinity", json!(pod.affinity));
    list("tolerations", json!(pod.tolerations));
    list("terminationGracePeriodSeconds", json!(pod.termination_grace_period_seconds));
    list("restartPolicy", json!(pod.restart_policy));
    let images = pod.volumes.iter().filter(|volume| volume.rest.get("image").is_some());
    list("imageVolumes", json!(images.map(|volume| &volume.name).collect::<Vec<_>>()));
    shown
}

fn containers(containers: &[Container]) -> Value {
    containers.iter().map(|container| (container.name.to_string(), resources(&container.resources))).collect()
}

fn resources(resources: &ContainerResources) -> Value {
    let mut shown = Map::new();
    let mut add = |key: &str, list: &ResourceList| {
        if !list.is_empty() {
            shown.insert(key.into(), json!(list));
        }
    };
    add("requests", &resources.requests);
    add("limits", &resources.limits);
    Value::Object(shown)
}

/// Equal but for texts that are the same quantity.
pub(crate) fn compare(path: &str, found: &Value, expected: &Value) -> Result<(), String> {
    match (found, expected) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
            keys.into_iter().try_for_each(|key| {
                let of = |map: &Map<String, Value>| map.get(key).cloned().unwrap_or_default();
                compare(&format!("{path}.{key}"), &of(a), &of(b))
            })
        }
        (Value::String(a), Value::String(b)) if a != b => {
            let same = matches!((Quantity::parse(a), Quantity::parse(b)), (Ok(a), Ok(b)) if a == b);
            if same { Ok(()) } else { Err(format!("{path}: {a}, expected {b}")) }
        }
        (a, b) if a == b => Ok(()),
        (a, b) => Err(format!("{path}: {a}, expected {b}")),
    }
}
