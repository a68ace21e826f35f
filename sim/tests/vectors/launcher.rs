//! What a launcher pod asks for: suites launcher-table and launcher.

use serde_json::{Map, Value, json};
use stuckvm_sim::kubevirt::{memory_overhead, render_spec, with_defaults};
use stuckvm_sim::objects::{Container, ContainerResources, PodSpec, ResourceList};
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
    compare("", &Value::Object(found), &case["expect"])
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
