//! Merge patches (RFC 7386): what changed between two versions of an object, and a version with a change.

use serde_json::{Map, Value};
use stuckvm_sim::quantity::Quantity;

/// What changed, as a merge patch: `null` removes. Nothing where nothing changed.
pub(crate) fn diff(old: &Value, new: &Value) -> Option<Value> {
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return (old != new).then(|| new.clone());
    };
    let mut changes = Map::new();
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        changes.insert(key.clone(), Value::Null);
    }
    for (key, value) in new {
        match old.get(key) {
            None => drop(changes.insert(key.clone(), value.clone())),
            Some(before) => drop(diff(before, value).map(|change| changes.insert(key.clone(), change))),
        }
    }
    (!changes.is_empty()).then_some(Value::Object(changes))
}

/// Applies a merge patch.
pub(crate) fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let fields = target.as_object_mut().expect("just made one");
    for (key, change) in patch {
        if change.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), change);
        }
    }
}

/// Sizes by their values, so that `1Gi` equals `1024Mi`.
pub(crate) fn with_plain_sizes(mut value: Value) -> Value {
    plain_sizes(&mut value);
    value
}

fn plain_sizes(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(plain_sizes),
        Value::Object(fields) => {
            for (key, field) in fields.iter_mut() {
                let size = field.as_str().filter(|_| key == "storage").map(Quantity::parse);
                match size {
                    Some(Ok(size)) => *field = size.milli_value().into(),
                    _ => plain_sizes(field),
                }
            }
        }
        _ => {}
    }
}
