//! Affinity and spread of pods, Kubernetes 1.36: `validateAffinity` and `validateTopologySpreadConstraints` of
//! `pkg/apis/core/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::label_keys::label_keys;
use super::names::dns1123_label;
use super::pod::one_of;
use super::resources::POSITIVE;
use super::selectors::{label_name, label_selector, node_selector, node_selector_term};
use super::{Row, apply};

const AFFINITY: &[Row] = &[
    ("nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution", required_nodes),
    ("nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[]", preferred_nodes),
    ("podAffinity.requiredDuringSchedulingIgnoredDuringExecution[]", term),
    ("podAffinity.preferredDuringSchedulingIgnoredDuringExecution[]", weighted_term),
    ("podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution[]", term),
    ("podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[]", weighted_term),
];

/// `spec.affinity`.
pub(super) fn affinity(at: &Field<'_>, errors: &mut Errors) {
    apply(AFFINITY, at, errors);
}

fn required_nodes(at: &Field<'_>, errors: &mut Errors) {
    if at.is_set() {
        node_selector(at, errors);
    }
}

fn preferred_nodes(at: &Field<'_>, errors: &mut Errors) {
    weight(at, errors);
    node_selector_term(&at.child("preference"), errors);
}

fn weighted_term(at: &Field<'_>, errors: &mut Errors) {
    weight(at, errors);
    term(&at.child("podAffinityTerm"), errors);
}

fn weight(at: &Field<'_>, errors: &mut Errors) {
    let at = at.child("weight");
    let weight = at.number().unwrap_or(0);
    if !(1..=100).contains(&weight) {
        errors.invalid_number(&at, weight, "must be in the range 1-100");
    }
}

fn term(at: &Field<'_>, errors: &mut Errors) {
    label_selector(&at.child("labelSelector"), errors);
    label_selector(&at.child("namespaceSelector"), errors);
    for namespace in at.child("namespaces").items() {
        for detail in dns1123_label(namespace.text()) {
            errors.invalid(&namespace, namespace.text(), &detail).shown_as(at.child("namespace").path());
        }
    }
    label_keys(at, errors);
    let key = at.child("topologyKey");
    if key.is_empty() {
        errors.required(&key, "can not be empty");
    }
    label_name(&key, errors);
}

/// `spec.topologySpreadConstraints`.
pub(super) fn spread_constraints(at: &Field<'_>, errors: &mut Errors) {
    let mut seen = Vec::new();
    for constraint in at.items() {
        let (key, action) = (constraint.child("topologyKey"), constraint.child("whenUnsatisfiable"));
        max_skew(&constraint.child("maxSkew"), errors);
        if key.is_empty() {
            errors.required(&key, "can not be empty");
        }
        if !ACTIONS.contains(&action.text()) {
            errors.not_supported(&action, action.text(), &ACTIONS);
        }
        let pair = format!("{{{}, {}}}", key.text(), action.text());
        if seen.contains(&pair) {
            let path = format!("{}.{{topologyKey, whenUnsatisfiable}}", constraint.path());
            errors.duplicate(&key, &pair).shown_as(path);
        }
        seen.push(pair);
        min_domains(&constraint.child("minDomains"), action.text(), errors);
        for policy in ["nodeAffinityPolicy", "nodeTaintsPolicy"] {
            one_of(&constraint.child(policy), &["Honor", "Ignore"], errors);
        }
        label_keys(&constraint, errors);
        label_selector(&constraint.child("labelSelector"), errors);
    }
}

const ACTIONS: [&str; 2] = ["DoNotSchedule", "ScheduleAnyway"];

fn max_skew(at: &Field<'_>, errors: &mut Errors) {
    let skew = at.number().unwrap_or(0);
    if skew <= 0 {
        errors.invalid_number(at, skew, POSITIVE);
    }
}

fn min_domains(at: &Field<'_>, action: &str, errors: &mut Errors) {
    let Some(domains) = at.number() else { return };
    if domains <= 0 {
        errors.invalid_number(at, domains, POSITIVE);
    }
    if action != "DoNotSchedule" {
        let detail = format!("can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {action}");
        errors.invalid_number(at, domains, &detail);
    }
}
