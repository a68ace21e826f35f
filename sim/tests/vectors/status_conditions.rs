//! `status/conditions`: one whole reconcile of each machine, with its conditions, writes and events.

use serde_json::{Map, Value, json};
use stuckvm_detector::Time;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Conditions, VirtualMachine};
use stuckvm_sim::{Action, Cluster, Config, Kind, Object};

use crate::status::objects;

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let now: Time = case["now"].as_str().ok_or("no now")?.parse().map_err(|_| "now is no time")?;
    let objects: Vec<Object> = objects(case)?.iter().map(kept).collect();
    case["expect"].as_array().ok_or("no expect")?.iter().try_for_each(|expect| check(&objects, now, expect))
}

/// The fake server of the real code's tests keeps a machine whose last finalizer goes; one more keeps it here.
fn kept(object: &Object) -> Object {
    let Object::VirtualMachine(vm) = object else { return object.clone() };
    let mut vm = VirtualMachine::clone(vm);
    vm.metadata.add_finalizer("vectors/stored");
    Object::VirtualMachine(vm.into())
}

fn check(objects: &[Object], now: Time, expect: &Value) -> Result<(), String> {
    let config = Config { start: now, keep_journal: true, ..Config::default() };
    let mut cluster = Cluster::with_some(config, |name| name == "virtual-machine");
    cluster.load(objects.iter().cloned()).map_err(|error| error.to_string())?;
    let (namespace, name) = (text(&expect["namespace"]), text(&expect["name"]));
    let id = cluster.view().named::<VirtualMachine>(namespace, name).ok_or("no such machine")?.0;
    let action = cluster.reconcile_once("virtual-machine", id).ok_or("no controller")?;
    let journal = cluster.take_journal();
    let vm = cluster.view().get::<VirtualMachine>(id).expect("a finalizer keeps the machine");
    let stored = Object::VirtualMachine(vm.clone()).to_value();
    compare("result", result(&action, vm), json!({"result": expect["result"], "error": expect["error"]}))?;
    compare("writes", writes(&journal), expect["writes"].clone())?;
    compare("events", journal.iter().filter_map(event).collect(), expect["events"].clone())?;
    compare("vmiAfter", vmi_after(&cluster, namespace, name), expect["vmiAfter"].clone())?;
    let expected = with_range(expect["status"].clone(), &stored["status"], now)?;
    compare("status", status(&stored["status"]), expected)
}

fn compare(what: &str, found: Value, expected: Value) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found}, expected {expected}")) }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A failure that was reported stands as condition `Failure`; one that ended the reconcile early is its own words. Nobody
/// else writes here, so that only the spec itself can end a reconcile early.
fn result(action: &Action, stored: &VirtualMachine) -> Value {
    let Action::Fail(error) = action else { return json!({"result": "ok", "error": null}) };
    let ended_early = stored.spec.run_strategy().is_err_and(|error| error.is_fatal());
    match stored.status.conditions.condition("Failure").filter(|_| !ended_early) {
        Some(failure) => json!({"result": "syncError", "error": failure.reason.as_str()}),
        None => json!({"result": "failedBeforeStatus", "error": error.as_str()}),
    }
}

/// The real code's tests have two clients and list the writes of CDI's behind those of KubeVirt's.
fn writes(journal: &[Entry]) -> Value {
    let writes = journal.iter().filter_map(write);
    let (cdi, kubevirt): (Vec<_>, Vec<_>) = writes.partition(|write| text(write).contains(" datavolumes "));
    kubevirt.into_iter().chain(cdi).collect()
}

fn write(entry: &Entry) -> Option<Value> {
    let (verb, kind, name) = match entry {
        Entry::Write { verb, old, new, .. } => {
            let object = new.as_ref().or(old.as_ref())?;
            (verb_of(verb, old.as_ref(), new.as_ref())?, object.kind(), object.metadata().name.to_string())
        }
        // A refused creation was asked for all the same.
        Entry::Refused { verb, error, .. } => {
            (*verb, Kind::VirtualMachineInstance, error.split('"').nth(1)?.to_owned())
        }
        Entry::Unchanged { verb, object, .. } => (*verb, object.kind(), object.metadata().name.to_string()),
        Entry::Event { .. } => return None,
    };
    // The vectors list the writes of KubeVirt's and CDI's clients, not those of Kubernetes' own, which keeps the start.
    if kind == Kind::ControllerRevision {
        return None;
    }
    let plural = kind.resource().split('.').next()?;
    Some(format!("{verb} {plural} {name}").into())
}

/// `None` for a write of a machine's status alone, which the vectors leave out.
fn verb_of(verb: &'static str, old: Option<&Object>, new: Option<&Object>) -> Option<&'static str> {
    match (verb, old, new) {
        ("update", Some(Object::VirtualMachine(old)), Some(Object::VirtualMachine(new))) => {
            let finalizers = old.metadata.finalizers != new.metadata.finalizers;
            if old.spec != new.spec { Some("update") } else { finalizers.then_some("patch") }
        }
        ("update", ..) => Some("patch"),
        // A delete removes what has no finalizers, a patch what is waiting for its last one to go.
        ("remove", Some(old), _) if old.metadata().is_deleting() => Some("patch"),
        ("remove", ..) => Some("delete"),
        _ => Some(verb),
    }
}

fn event(entry: &Entry) -> Option<Value> {
    let Entry::Event { severity, reason, message, .. } = entry else { return None };
    Some(format!("{} {reason} {message}", severity.as_str()).into())
}

fn vmi_after(cluster: &Cluster, namespace: &str, name: &str) -> Value {
    let vmi = cluster.view().named::<stuckvm_sim::objects::VirtualMachineInstance>(namespace, name);
    match vmi {
        None => "absent".into(),
        Some((_, vmi)) if vmi.metadata.is_deleting() => "deleting".into(),
        Some(_) => "present".into(),
    }
}

/// The status with the fields that the vectors show.
fn status(stored: &Value) -> Value {
    let mut shown = Map::new();
    for (key, default) in [("created", json!(false)), ("ready", json!(false)), ("printableStatus", json!(""))]
    {
        shown.insert(key.into(), stored.get(key).cloned().unwrap_or(default));
    }
    for key in ["runStrategy", "stateChangeRequests"] {
        if let Some(value) = stored.get(key) {
            shown.insert(key.into(), value.clone());
        }
    }
    let conditions = stored["conditions"].as_array().into_iter().flatten().map(condition);
    shown.insert("conditions".into(), conditions.collect());
    shown.insert("startFailure".into(), stored["startFailure"].clone());
    Value::Object(shown)
}

fn condition(condition: &Value) -> Value {
    let mut shown = condition.clone();
    let fields = shown.as_object_mut().expect("a condition is a map");
    fields.remove("lastProbeTime");
    fields.entry("lastTransitionTime").or_insert(Value::Null);
    shown
}

/// Puts a drawn time into the answer if it lies within the answer's range.
fn with_range(mut expected: Value, found: &Value, now: Time) -> Result<Value, String> {
    let Some(failure) = expected["startFailure"].as_object_mut() else { return Ok(expected) };
    let Some(range) = failure.remove("retryAfterSecondsFromNow") else { return Ok(expected) };
    let drawn = &found["startFailure"]["retryAfterTimestamp"];
    let retry_after: Time = text(drawn).parse().map_err(|_| format!("retry after {drawn}"))?;
    let seconds = retry_after.saturating_since(now).as_secs();
    if range[0].as_u64() > Some(seconds) || range[1].as_u64() < Some(seconds) {
        return Err(format!("retry after {seconds} s, expected {range}"));
    }
    failure.insert("retryAfterTimestamp".into(), drawn.clone());
    Ok(expected)
}
