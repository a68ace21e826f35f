//! Node, Kubernetes 1.36: `ValidateNode` of `pkg/apis/core/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::label_value;
use super::pod::{TAINT_EFFECTS, one_of};
use super::selectors::label_name;
use super::{Row, meta, resources};

pub(super) const RULES: &[Row] = &[
    ("metadata", meta::cluster_wide),
    ("spec.taints", taints),
    ("status.capacity", amounts),
    ("status.allocatable", amounts),
];

/// Upstream shows taints below `metadata`, where they once stood.
fn taints(at: &Field<'_>, errors: &mut Errors) {
    let mut seen = Vec::new();
    let mut found = Errors::default();
    for taint in at.items() {
        let [key, value, effect] = ["key", "value", "effect"].map(|name| taint.child(name));
        label_name(&key, &mut found);
        let messages = label_value(value.text());
        if !messages.is_empty() {
            found.invalid(&value, value.text(), &messages.join(";"));
        }
        if effect.is_empty() {
            found.required(&effect, "");
        }
        one_of(&effect, &TAINT_EFFECTS, &mut found);
        let pair = (key.text().to_owned(), effect.text().to_owned());
        if seen.contains(&pair) {
            let (key, value, effect) = (key.text(), value.text(), effect.text());
            let printed =
                format!("core.Taint{{Key:{key:?}, Value:{value:?}, Effect:{effect:?}, TimeAdded:<nil>}}");
            found.duplicate_struct(&taint, printed, "taints must be unique by key and effect pair");
        }
        seen.push(pair);
    }
    for error in found.into_vec() {
        let shown = error.field.replacen("spec.", "metadata.", 1);
        errors.take(error).shown_as(shown);
    }
}

/// Upstream writes the resource as a field, not as a key.
fn amounts(at: &Field<'_>, errors: &mut Errors) {
    let mut found = Errors::default();
    for (name, amount) in at.entries() {
        resources::quantity(name, &amount, &mut found);
        for error in std::mem::take(&mut found).into_vec() {
            errors.take(error).shown_as(format!("{}.{name}", at.path()));
        }
    }
}
