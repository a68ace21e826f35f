//! StorageClass and PriorityClass, Kubernetes 1.36: `pkg/apis/storage/validation/validation.go` and
//! `pkg/apis/scheduling/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::qualified_name;
use super::pod::{one_of, preemption_policy};
use super::selectors::label_name;
use super::{Row, meta};

pub(super) const STORAGE_CLASS: &[Row] = &[
    ("metadata", meta::cluster_wide),
    ("provisioner", provisioner),
    ("reclaimPolicy", reclaim_policy),
    ("volumeBindingMode", binding_mode),
    ("allowedTopologies[].matchLabelExpressions[]", topology),
];

pub(super) const PRIORITY_CLASS: &[Row] =
    &[("metadata", meta::cluster_wide), ("", priority), ("preemptionPolicy", preemption_policy)];

/// The highest priority that is not the system's own.
const HIGHEST_USER_PRIORITY: i64 = 1_000_000_000;

/// The system's own classes.
const SYSTEM_CLASSES: [(&str, i64); 2] =
    [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];

fn provisioner(at: &Field<'_>, errors: &mut Errors) {
    if at.is_empty() {
        errors.required(at, "");
    } else {
        errors.invalid_each(at, at.text(), qualified_name(&at.text().to_lowercase()));
    }
}

fn reclaim_policy(at: &Field<'_>, errors: &mut Errors) {
    one_of(at, &["Delete", "Retain"], errors);
}

fn binding_mode(at: &Field<'_>, errors: &mut Errors) {
    one_of(at, &["Immediate", "WaitForFirstConsumer"], errors);
}

fn topology(at: &Field<'_>, errors: &mut Errors) {
    let values = at.child("values");
    if values.is_empty() {
        errors.required(&values, "");
    }
    let mut seen = Vec::new();
    for value in values.items() {
        if seen.contains(&value.text()) {
            errors.duplicate(&value, value.text());
        }
        seen.push(value.text());
    }
    label_name(&at.child("key"), errors);
}

fn priority(at: &Field<'_>, errors: &mut Errors) {
    let (metadata, value) = (at.child("metadata"), at.child("value"));
    let name = metadata.child("name");
    let priority = value.number().unwrap_or(0);
    if name.text().starts_with("system-") {
        system_class(&name, priority, errors);
    } else if priority > HIGHEST_USER_PRIORITY {
        let detail = format!("maximum allowed value of a user defined priority is {HIGHEST_USER_PRIORITY}");
        errors.forbidden(&value, &detail);
    }
}

fn system_class(name: &Field<'_>, priority: i64, errors: &mut Errors) {
    let known = SYSTEM_CLASSES.iter().find(|(known, _)| *known == name.text());
    let why = match known {
        Some((_, value)) if *value == priority => return,
        Some((known, value)) => format!("value of {known} PriorityClass must be {value}"),
        None => format!("{} is not a known system priority class", name.text()),
    };
    let detail = "priority class names with 'system-' prefix are reserved for system use only. error: ";
    errors.forbidden(name, &format!("{detail}{why}"));
}
