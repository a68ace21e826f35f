//! One reconcile of a virtual machine instance: suites vmi-table and vmi-step.

use serde_json::{Map, Value, json};
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Condition, Pod, VirtualMachineInstance};
use stuckvm_sim::{Action, Cluster, Config, Object, Resource};

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let start = case["now"].as_str().and_then(|now| now.parse().ok()).ok_or("no instant")?;
    let mut cluster = Cluster::new(Config { start, keep_journal: true, ..Config::default() });
    let objects = case["objects"].as_array().ok_or("no objects")?;
    let objects: Vec<Object> = objects
        .iter()
        .filter_map(|object| Object::from_value(object).map_err(|error| error.to_string()).transpose())
        .collect::<Result<_, _>>()?;
    let ids = cluster.load(objects).map_err(|error| error.to_string())?;
    let (id, before) = ids
        .into_iter()
        .find_map(|id| {
            let kind = id.kind == stuckvm_sim::Kind::VirtualMachineInstance;
            kind.then(|| (id, cluster.view().get::<VirtualMachineInstance>(id).cloned()))
        })
        .ok_or("no instance")?;
    let before = before.ok_or("no instance")?;
    let action = cluster.reconcile_once("virtual-machine-instance", id).ok_or("no controller")?;
    let journal = cluster.take_journal();
    let after = cluster.view().get::<VirtualMachineInstance>(id).cloned();
    let after = after.ok_or("the instance is gone")?;
    let mut found = shown(&after);
    let patched = matches!(before.status.phase.as_str(), "Running" | "Scheduled");
    found.insert("writes".into(), json!(writes(&journal, patched)));
    found.insert("events".into(), json!(journal.iter().filter_map(event).collect::<Vec<_>>()));
    found.insert("requeue".into(), json!(matches!(action, Action::Fail(_))));
    let requests = |vmi: &VirtualMachineInstance| vmi.spec.domain.resources.requests.get("memory").cloned();
    if requests(&before) != requests(&after) {
        found.insert("requestsMemoryAfter".into(), json!(requests(&after)));
    }
    compare(&found, case["expect"].as_object().ok_or("nothing expected")?, &action)
}

fn shown(vmi: &VirtualMachineInstance) -> Map<String, Value> {
    let mut shown = Map::new();
    let transitions = vmi.status.phase_transition_timestamps.iter().map(|transition| {
        let at = transition.phase_transition_timestamp.map(|at| at.truncate_to_secs().to_string());
        format!("{} {}", transition.phase, at.unwrap_or_default())
    });
    let conditions = vmi.status.conditions.iter().map(condition);
    shown.insert("phase".into(), json!(vmi.status.phase));
    shown.insert("conditions".into(), conditions.collect());
    shown.insert("finalizers".into(), json!(vmi.metadata.finalizers));
    shown.insert("phaseTransitionTimestamps".into(), json!(transitions.collect::<Vec<_>>()));
    if !vmi.status.active_pods.is_empty() {
        shown.insert("activePods".into(), json!(vmi.status.active_pods));
    }
    if !vmi.status.node_name.is_empty() {
        shown.insert("nodeName".into(), json!(vmi.status.node_name));
    }
    if let Some(node) = vmi.metadata.labels.get("kubevirt.io/nodeName") {
        shown.insert("nodeLabel".into(), json!(node));
    }
    shown
}

fn condition(condition: &Condition) -> Value {
    let mut shown = json!(condition);
    let fields = shown.as_object_mut().expect("a condition is an object");
    fields.retain(|key, value| {
        ["type", "status", "reason", "message", "lastTransitionTime"].contains(&key.as_str())
            && !value.is_null()
    });
    shown
}

/// The instance's write first, then the pods', with the drawn characters of a new pod's name left out.
fn writes(journal: &[Entry], patched: bool) -> Vec<String> {
    let mut writes = vec![];
    let mut created = None;
    let mut removed = None;
    for entry in journal {
        match entry {
            Entry::Write { new: Some(Object::VirtualMachineInstance(_)), .. } => {
                let verb = if patched { "patch" } else { "update" };
                writes.insert(0, format!("{verb} virtualmachineinstances"));
            }
            Entry::Write { old: None, new: Some(Object::Pod(pod)), .. } => {
                let temporary = pod.metadata.annotations.contains_key("kubevirt.io/ephemeral-provisioning");
                let suffix = if temporary { " (temporary)" } else { "" };
                writes.push(format!("create pods virt-launcher-vm1-*{suffix}"));
                created = Some(pod.metadata.name.clone());
            }
            Entry::Write { old: Some(Object::Pod(old)), new, .. } => {
                let new = new.as_ref().and_then(Pod::unwrap);
                let name = if created.as_ref() == Some(&old.metadata.name) {
                    "virt-launcher-vm1-xxxxx"
                } else {
                    &old.metadata.name
                };
                let (verb, kind) = match new {
                    Some(new) if new.status != old.status => ("patch", "pods/status"),
                    Some(new) if new.metadata.generation == old.metadata.generation => ("patch", "pods"),
                    _ => {
                        removed = Some(old.metadata.name.clone());
                        ("delete", "pods")
                    }
                };
                writes.push(format!("{verb} {kind} {name}"));
            }
            // It is being deleted already, and the deletion was asked for once more.
            Entry::Unchanged { object: Object::Pod(pod), .. } => {
                removed = Some(pod.metadata.name.clone());
                writes.push(format!("delete pods {}", pod.metadata.name));
            }
            Entry::Refused { verb: "update", .. } => {
                writes.push(format!("patch pods/status {}", removed.clone().unwrap_or_default()));
            }
            _ => {}
        }
    }
    writes
}

fn event(entry: &Entry) -> Option<String> {
    let Entry::Event { severity, reason, message, .. } = entry else { return None };
    let message = match message.rsplit_once("virt-launcher-vm1-") {
        Some((before, name)) if name.len() == 5 => format!("{before}virt-launcher-vm1-*"),
        _ => message.clone(),
    };
    Some(format!("{} {reason} {message}", severity.as_str()))
}

fn compare(found: &Map<String, Value>, expected: &Map<String, Value>, action: &Action) -> Result<(), String> {
    let mut expected = expected.clone();
    if let Some(error) = expected.remove("error") {
        let beginning: String = error.as_str().unwrap_or_default().chars().take(70).collect();
        match action {
            Action::Fail(error) if error.starts_with(&beginning) => {}
            other => return Err(format!("{other:?}, expected {beginning}")),
        }
    }
    for key in found.keys().chain(expected.keys()) {
        let (found, expected) = (&found.get(key), &expected.get(key));
        let same = found == expected || key == "writes" && plain(found) == plain(expected);
        if !same {
            let show = |value: &Option<&Value>| value.map(Value::to_string).unwrap_or_default();
            return Err(format!("{key}: {}, expected {}", show(found), show(expected)));
        }
    }
    Ok(())
}

/// vmi-step does not say which pods are temporary.
fn plain(writes: &Option<&Value>) -> String {
    writes.map(Value::to_string).unwrap_or_default().replace(" (temporary)", "")
}
