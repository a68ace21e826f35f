//! `status/table`, `random`, `pairs`: the printable status of stored objects.

use serde_json::{Value, json};
use stuckvm_sim::{KubeVirtRelease, Object, VmStatus, statuses};

/// When the real code was asked; no answer depends on it.
pub(crate) const NOW: &str = "2026-06-01T12:00:00Z";

/// Plays one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let (release, now) = (KubeVirtRelease::Main2026_08, NOW.parse().expect("a time"));
    let found = statuses(&objects(case)?, release, now).map_err(|error| error.to_string())?;
    let found: Vec<Value> = found.iter().map(shown).collect();
    let expected = case["expect"].as_array().ok_or("no expect")?;
    match found.iter().zip(expected).find(|(found, expected)| found != expected) {
        Some((found, expected)) => Err(format!("found {found}, expected {expected}")),
        None if found.len() != expected.len() => Err(format!("{} machines", found.len())),
        None => Ok(()),
    }
}

/// The objects of a case.
pub(crate) fn objects(case: &Value) -> Result<Vec<Object>, String> {
    let objects = case["objects"].as_array().ok_or("no objects")?;
    let read =
        |value| Object::from_value(value).map_err(|error| error.to_string())?.ok_or("an unknown kind".into());
    objects.iter().map(read).collect()
}

/// An answer as the vectors write it.
pub(crate) fn shown(vm: &VmStatus) -> Value {
    let mut shown = json!({
        "namespace": vm.namespace.as_str(),
        "name": vm.name.as_str(),
        "status": vm.status.as_str(),
        "error": vm.status.is_error(),
        "createExpected": vm.create_expected.as_str(),
        "deleteExpected": vm.delete_expected.as_str(),
        "updateOnly": vm.update_only.as_str(),
        "reconcile": vm.reconcile.as_str(),
    });
    if let Some(error) = &vm.reconcile_fails {
        shown["reconcileFails"] = error.as_str().into();
    }
    shown
}
