//! One reconcile of a virtual machine instance: suites vmi-table and vmi-step.

use serde_json::{Map, Value, json};
use std::sync::Arc;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Condition, Pod, VirtualMachineInstance};
use stuckvm_sim::{Action, Cluster, Config, Object, Resource};

/// Keeps an instance whose last finalizer goes: the real code was asked with a server that keeps it too.
const KEPT: &str = "vectors/keep";

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let start = case["now"].as_str().and_then(|now| now.parse().ok()).ok_or("no instant")?;
    let mut cluster = Cluster::new(Config { start, keep_journal: true, ..Config::default() });
    let objects = case["objects"].as_array().ok_or("no objects")?;
    let objects: Vec<Object> = objects
        .iter()
        .filter_map(|object| Object::from_value(object).map_err(|error| error.to_string()).transpose())
        .map(|object| object.map(kept))
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
    found.insert("writes".into(), json!(writes(&journal, patched, &action)));
    found.insert("events".into(), json!(journal.iter().filter_map(event).collect::<Vec<_>>()));
    found.insert("requeue".into(), json!(matches!(action, Action::Fail(_))));
    let requests = |vmi: &VirtualMachineInstance| vmi.spec.domain.resources.requests.get("memory").cloned();
    if requests(&before) != requests(&after) {
        found.insert("requestsMemoryAfter".into(), json!(requests(&after)));
    }
    compare(&found, case["expect"].as_object().ok_or("nothing expected")?, &action)
}

fn kept(object: Object) -> Object {
    match object {
        Object::VirtualMachineInstance(mut vmi) => {
            Arc::make_mut(&mut vmi).metadata.add_finalizer(KEPT);
            Object::VirtualMachineInstance(vmi)
        }
        other => other,
    }
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
    let finalizers = vmi.metadata.finalizers.iter().filter(|finalizer| *finalizer != KEPT);
    shown.insert("finalizers".into(), json!(finalizers.collect::<Vec<_>>()));
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
fn writes(journal: &[Entry], patched: bool, action: &Action) -> Vec<String> {
    let failure = if let Action::Fail(error) = action { error.as_str() } else { "" };
    let mut writes = vec![];
    let mut created = None;
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
                    _ => ("delete", "pods"),
                };
                writes.push(format!("{verb} {kind} {name}"));
            }
            // It is being deleted already, and the deletion was asked for once more.
            Entry::Unchanged { object: Object::Pod(pod), .. } => {
                writes.push(format!("delete pods {}", pod.metadata.name));
            }
            // A pod that went in the same reconcile; the failure has its name in quotes.
            Entry::Refused { verb: "update", .. } => {
                let kind = if failure.contains("paused condition") { "pods/status" } else { "pods" };
                writes.push(format!("patch {kind} {}", failure.split('"').nth(1).unwrap_or_default()));
            }
            _ => {}
        }
    }
    writes
}

fn event(entry: &Entry) -> Option<String> {
    let Entry::Event { severity, reason, message, .. } = entry else { return None };
    let message = drawn_left_out(message);
    Some(format!("{} {reason} {message}", severity.as_str()))
}

/// A message with `*` for the drawn characters of a launcher's name, as the cases have it.
fn drawn_left_out(message: &str) -> String {
    const NAME: &str = "virt-launcher-vm1-";
    match message.split_once(NAME) {
        Some((before, after)) if after.len() >= 5 => format!("{before}{NAME}*{}", &after[5..]),
        _ => message.to_owned(),
    }
}

fn compare(found: &Map<String, Value>, expected: &Map<String, Value>, action: &Action) -> Result<(), String> {
    let mut expected = expected.clone();
    if let Some(error) = expected.remove("error") {
        let beginning: String = error.as_str().unwrap_or_default().chars().take(70).collect();
        match action {
            Action::Fail(error) if drawn_left_out(error).starts_with(&beginning) => {}
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

/// vmi-step does not say which pods are temporary, and pods go in the order of a map of Go's.
fn plain(writes: &Option<&Value>) -> Vec<String> {
    let writes = writes.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let texts = writes.iter().filter_map(Value::as_str);
    let mut writes: Vec<String> = texts.map(|write| write.replace(" (temporary)", "")).collect();
    let deletes = |write: &String| write.starts_with("delete ");
    for run in writes.chunk_by_mut(|a, b| deletes(a) && deletes(b)) {
        run.sort_unstable();
    }
    writes
}
