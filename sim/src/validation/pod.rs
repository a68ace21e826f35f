//! Pod, Kubernetes 1.36: `ValidatePodCreate` and `ValidatePodSpec` of `pkg/apis/core/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::{optional_label, optional_subdomain, qualified_name, range};
use super::selectors::{label_name, labels};
use super::{Row, affinity, apply, container, meta, names, pod_resources, pod_volumes, resources, selectors};
use std::collections::BTreeSet;

pub(super) const RULES: &[Row] = &[("metadata", meta::namespaced), ("spec", spec)];

const SPEC: &[Row] = &[
    ("volumes", pod_volumes::volumes),
    ("", container::containers),
    ("", container::init_containers),
    ("", pod_resources::pod_resources),
    ("", host_network_ports),
    ("restartPolicy", restart_policy),
    ("dnsPolicy", dns_policy),
    ("nodeSelector", labels),
    ("affinity", affinity::affinity),
    ("readinessGates[].conditionType", selectors::label_name),
    ("schedulingGates", scheduling_gates),
    ("topologySpreadConstraints", affinity::spread_constraints),
    ("serviceAccountName", optional_subdomain),
    ("nodeName", optional_subdomain),
    ("activeDeadlineSeconds", active_deadline),
    ("hostname", optional_label),
    ("subdomain", optional_label),
    ("tolerations[]", toleration),
    ("priorityClassName", optional_subdomain),
    ("runtimeClassName", optional_subdomain),
    ("preemptionPolicy", preemption_policy),
    ("overhead", resources::overhead),
    ("", not_gated_on_a_node),
];

fn spec(at: &Field<'_>, errors: &mut Errors) {
    apply(SPEC, at, errors);
}

/// One of a few words, or left out.
pub(super) fn one_of(at: &Field<'_>, known: &[&str], errors: &mut Errors) {
    if !at.is_empty() && !known.contains(&at.text()) {
        errors.not_supported(at, at.text(), known);
    }
}

fn restart_policy(at: &Field<'_>, errors: &mut Errors) {
    one_of(at, &["Always", "OnFailure", "Never"], errors);
}

fn dns_policy(at: &Field<'_>, errors: &mut Errors) {
    one_of(at, &["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], errors);
}

pub(super) fn preemption_policy(at: &Field<'_>, errors: &mut Errors) {
    one_of(at, &["PreemptLowerPriority", "Never"], errors);
}

/// On the host's network a port of the container is the same port of the host; one that is left out is filled in.
fn host_network_ports(at: &Field<'_>, errors: &mut Errors) {
    if !at.child("hostNetwork").is_true() {
        return;
    }
    super::visit(at, "containers[].ports[]", &mut |port| {
        let (host, container) = (port.child("hostPort"), port.child("containerPort"));
        let number = host.number().filter(|number| *number != 0 && host.number() != container.number());
        if let Some(number) = number {
            errors.invalid_number(&host, number, "must match `containerPort` when `hostNetwork` is true");
        }
    });
}

fn scheduling_gates(at: &Field<'_>, errors: &mut Errors) {
    let mut seen = BTreeSet::new();
    for gate in at.items() {
        let name = gate.child("name");
        for detail in qualified_name(name.text()) {
            errors.invalid(&name, name.text(), &detail).shown_as(gate.path());
        }
        if !seen.insert(name.text().to_owned()) {
            errors.duplicate(&name, name.text()).shown_as(gate.path());
        }
    }
}

fn active_deadline(at: &Field<'_>, errors: &mut Errors) {
    let most = i64::from(i32::MAX);
    if let Some(seconds) = at.number().filter(|seconds| !(1..=most).contains(seconds)) {
        errors.invalid_number(at, seconds, &range(1, most));
    }
}

/// `ValidateTolerations`. `Lt` and `Gt` stand behind a feature that is off.
fn toleration(at: &Field<'_>, errors: &mut Errors) {
    let [key, operator, value, effect] = ["key", "operator", "value", "effect"].map(|name| at.child(name));
    if !key.is_empty() {
        label_name(&key, errors);
    }
    if key.is_empty() && operator.text() != "Exists" {
        let detail =
            "operator must be Exists when `key` is empty, which means \"match all values and all keys\"";
        errors.invalid(&operator, operator.text(), detail);
    }
    if at.child("tolerationSeconds").is_set() && effect.text() != "NoExecute" {
        errors.invalid(&effect, effect.text(), "effect must be 'NoExecute' when `tolerationSeconds` is set");
    }
    match operator.text() {
        "" | "Equal" => {
            let messages = names::label_value(value.text());
            if !messages.is_empty() {
                errors.invalid(&value, value.text(), &messages.join(";")).shown_as(operator.path());
            }
        }
        "Exists" if value.is_empty() => {}
        "Exists" => {
            let detail = "value must be empty when `operator` is 'Exists'";
            errors.invalid(&value, value.text(), detail).shown_as(operator.path());
        }
        other => {
            errors.not_supported(&operator, other, &["Equal", "Exists"]);
        }
    }
    one_of(&effect, &TAINT_EFFECTS, errors);
}

/// What a taint does, in the order in which the API lists it.
pub(super) const TAINT_EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

fn not_gated_on_a_node(at: &Field<'_>, errors: &mut Errors) {
    let node = at.child("nodeName");
    if !node.is_empty() && !at.child("schedulingGates").is_empty() {
        errors.forbidden(&node, "cannot be set until all schedulingGates have been cleared");
    }
}
