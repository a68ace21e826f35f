//! Labels and what selects by them, Kubernetes 1.36: `apimachinery/pkg/apis/meta/v1/validation/validation.go`, and the node
//! selectors of `pkg/apis/core/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::{dns1123_subdomain, label_value, qualified_name};
use super::visit;

const NEEDED: &str = "must be specified when `operator` is 'In' or 'NotIn'";
const NOT_ALLOWED: &str = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
const UNKNOWN_OPERATOR: &str = "not a valid selector operator";

/// `ValidateLabels`. Upstream names the map and not the key.
pub(super) fn labels(at: &Field<'_>, errors: &mut Errors) {
    for (key, value) in at.entries() {
        for detail in qualified_name(key) {
            errors.invalid(&value, key, &detail).shown_as(at.path());
        }
        for detail in label_value(value.text()) {
            errors.invalid(&value, value.text(), &detail).shown_as(at.path());
        }
    }
}

/// `ValidateLabelName`: a key of a label.
pub(super) fn label_name(at: &Field<'_>, errors: &mut Errors) {
    errors.invalid_each(at, at.text(), qualified_name(at.text()));
}

/// `ValidateLabelSelector`.
pub(super) fn label_selector(at: &Field<'_>, errors: &mut Errors) {
    labels(&at.child("matchLabels"), errors);
    visit(at, "matchExpressions[]", &mut |at| {
        set_operator(at, errors);
        label_name(&at.child("key"), errors);
        label_values(&at.child("values"), errors);
    });
}

/// `ValidateNodeSelector`, where label values are checked.
pub(super) fn node_selector(at: &Field<'_>, errors: &mut Errors) {
    let terms = at.child("nodeSelectorTerms");
    if terms.is_empty() {
        errors.required(&terms, "must have at least one node selector term");
    }
    for term in terms.items() {
        node_selector_term(&term, errors);
        visit(&term, "matchExpressions[].values", &mut |values| label_values(values, errors));
    }
}

/// `ValidateNodeSelectorTerm`, without the values of labels, which preferences may have as they like.
pub(super) fn node_selector_term(at: &Field<'_>, errors: &mut Errors) {
    visit(at, "matchExpressions[]", &mut |at| by_label(at, errors));
    visit(at, "matchFields[]", &mut |at| by_field(at, errors));
}

fn by_label(at: &Field<'_>, errors: &mut Errors) {
    let values = at.child("values");
    match at.child("operator").text() {
        "Gt" | "Lt" if values.items().count() != 1 => {
            errors.required(&values, "must be specified single value when `operator` is 'Lt' or 'Gt'");
        }
        "Gt" | "Lt" => {}
        _ => set_operator(at, errors),
    }
    label_name(&at.child("key"), errors);
}

/// The operators that compare with a set of values.
fn set_operator(at: &Field<'_>, errors: &mut Errors) {
    let (operator, values) = (at.child("operator"), at.child("values"));
    match operator.text() {
        "In" | "NotIn" if values.is_empty() => {
            errors.required(&values, NEEDED);
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            errors.forbidden(&values, NOT_ALLOWED);
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        other => {
            errors.invalid(&operator, other, UNKNOWN_OPERATOR);
        }
    }
}

fn by_field(at: &Field<'_>, errors: &mut Errors) {
    let (operator, values, key) = (at.child("operator"), at.child("values"), at.child("key"));
    match operator.text() {
        "In" | "NotIn" if values.items().count() == 1 => {}
        "In" | "NotIn" => {
            let detail = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
            errors.required(&values, detail);
        }
        other => {
            errors.invalid(&operator, other, UNKNOWN_OPERATOR);
        }
    }
    if key.text() != "metadata.name" {
        errors.invalid(&key, key.text(), "not a valid field selector key");
        return;
    }
    for value in values.items() {
        errors.invalid_each(&value, value.text(), dns1123_subdomain(value.text()));
    }
}

fn label_values(values: &Field<'_>, errors: &mut Errors) {
    for value in values.items() {
        errors.invalid_each(&value, value.text(), label_value(value.text()));
    }
}
