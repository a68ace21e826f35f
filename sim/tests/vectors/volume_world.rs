//! What the suites of `volumes/` share: objects by the words that name them, and the journal in the vectors' shape.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use stuckvm_sim::journal::Entry;
use stuckvm_sim::objects::{Node, PersistentVolume, PersistentVolumeClaim, Pod, StorageClass};
use stuckvm_sim::{Cluster, EventType, Kind, Object, ObjectId, Resource};

use crate::patches::{diff, with_plain_sizes};

/// The instant at which the worlds begin, `2026-06-01T12:00:00Z`, in seconds since 1970.
pub(crate) const START: u64 = 1_780_315_200;

/// Reads a case's objects.
pub(crate) fn objects(case: &Value) -> Vec<Object> {
    case["objects"].as_array().expect("objects").iter().filter_map(object).collect()
}

/// Reads one object; `None` for kinds that are not modelled.
pub(crate) fn object(value: &Value) -> Option<Object> {
    Object::from_value(value).unwrap_or_else(|error| panic!("{error} in {value}"))
}

/// The words that name an object: `claim default/c1`, `volume v1`.
pub(crate) fn what(kind: Kind, namespace: &str, name: &str) -> String {
    match word(kind) {
        Some(word) if namespace.is_empty() => format!("{word} {name}"),
        Some(word) => format!("{word} {namespace}/{name}"),
        None => format!("{kind} {namespace}/{name}"),
    }
}

/// The object that the words name.
pub(crate) fn find(cluster: &Cluster, what: &str) -> Option<ObjectId> {
    let (word, path) = what.split_once(' ').expect("a kind and a name");
    let (namespace, name) = path.split_once('/').unwrap_or(("", path));
    let view = cluster.view();
    match word {
        "claim" => view.named::<PersistentVolumeClaim>(namespace, name).map(|(id, _)| id),
        "volume" => view.named::<PersistentVolume>(namespace, name).map(|(id, _)| id),
        "pod" => view.named::<Pod>(namespace, name).map(|(id, _)| id),
        "class" => view.named::<StorageClass>(namespace, name).map(|(id, _)| id),
        "node" => view.named::<Node>(namespace, name).map(|(id, _)| id),
        other => panic!("no kind is called {other}"),
    }
}

/// Claims and volumes, without what the vectors leave out.
pub(crate) fn snapshot(cluster: &Cluster) -> Map<String, Value> {
    let mut all = Map::new();
    take::<PersistentVolumeClaim>(cluster, &mut all);
    take::<PersistentVolume>(cluster, &mut all);
    all
}

fn take<T: Resource>(cluster: &Cluster, all: &mut Map<String, Value>) {
    for (_, object) in cluster.view().iter::<T>() {
        let meta = object.metadata();
        all.insert(what(T::KIND, &meta.namespace, &meta.name), shown(&T::wrap(object.clone())));
    }
}

/// What changed between two snapshots: null is gone.
pub(crate) fn changes(old: &Map<String, Value>, new: &Map<String, Value>) -> Value {
    diff(&Value::Object(old.clone()), &Value::Object(new.clone())).unwrap_or_else(|| json!({}))
}

/// The words for objects, of those that are gone too.
pub(crate) type Names = BTreeMap<ObjectId, String>;

/// The words for all that a journal is about.
pub(crate) fn names(journal: &[Entry], cluster: &Cluster) -> Names {
    let name = |object: &Object| {
        let meta = object.metadata();
        what(object.kind(), &meta.namespace, &meta.name)
    };
    let there = cluster.view().iter::<PersistentVolume>();
    let mut names: Names =
        there.map(|(id, volume)| (id, name(&Object::PersistentVolume(volume.clone())))).collect();
    for entry in journal {
        if let Entry::Write { id, old, new, .. } = entry {
            names.extend(new.as_ref().or(old.as_ref()).map(|object| (*id, name(object))));
        }
    }
    names
}

/// The lines of the vectors' log that one entry of the journal stands for.
pub(crate) fn lines(entry: &Entry, names: &Names) -> Vec<Value> {
    match entry {
        Entry::Event { kind, namespace, name, severity, reason, message, .. } => {
            let kind = Kind::parse(kind).expect("a kind");
            let severity = if *severity == EventType::Normal { "Normal" } else { "Warning" };
            vec![json!({"do": "event", "what": what(kind, namespace, name), "type": severity,
                "reason": reason, "message": message})]
        }
        Entry::Write { old, new, .. } => write_lines(old.as_ref(), new.as_ref()),
        // Of what is being deleted already.
        Entry::Unchanged { id, .. } => vec![json!({"do": "delete", "what": names[id]})],
        Entry::Refused { .. } => Vec::new(),
    }
}

fn write_lines(old: Option<&Object>, new: Option<&Object>) -> Vec<Value> {
    let object = new.or(old).expect("a write has an object");
    let meta = object.metadata();
    let what = what(object.kind(), &meta.namespace, &meta.name);
    let Some(old) = old else { return vec![json!({"do": "create", "what": what})] };
    let Some(new) = new else {
        let first = match meta.is_deleting() {
            true => json!({"do": "update", "what": what, "set": {"metadata": {"finalizers": null}}}),
            false => json!({"do": "delete", "what": what}),
        };
        return vec![first, json!({"do": "gone", "what": what})];
    };
    let set = diff(&shown(old), &shown(new)).unwrap_or_else(|| json!({}));
    if new.metadata().is_deleting() && !old.metadata().is_deleting() {
        return vec![
            json!({"do": "delete", "what": what}),
            json!({"do": "deleting", "what": what, "set": set}),
        ];
    }
    let verb = if set.get("status").is_some() { "update status" } else { "update" };
    vec![json!({"do": verb, "what": what, "set": set})]
}

fn word(kind: Kind) -> Option<&'static str> {
    let words = [
        (Kind::PersistentVolumeClaim, "claim"),
        (Kind::PersistentVolume, "volume"),
        (Kind::Pod, "pod"),
        (Kind::StorageClass, "class"),
        (Kind::Node, "node"),
    ];
    words.into_iter().find(|(found, _)| *found == kind).map(|(_, word)| word)
}

/// An object without what the vectors leave out of every change.
fn shown(object: &Object) -> Value {
    let mut value = object.to_value();
    let fields = value.as_object_mut().expect("an object");
    fields.remove("apiVersion");
    fields.remove("kind");
    if let Some(meta) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        for left_out in ["resourceVersion", "creationTimestamp", "managedFields", "generation"] {
            meta.remove(left_out);
        }
    }
    if let Some(claim_ref) = value.pointer_mut("/spec/claimRef").and_then(Value::as_object_mut) {
        claim_ref.remove("resourceVersion");
    }
    with_plain_sizes(value)
}
