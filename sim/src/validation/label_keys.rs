//! `matchLabelKeys` and `mismatchLabelKeys`, Kubernetes 1.36: `ValidateMatchLabelKeysAndMismatchLabelKeys` of
//! `pkg/apis/core/validation/validation.go`, and what `pkg/registry/core/pod/strategy.go` has made of the selector before.

use super::field::Field;
use super::field_error::Errors;
use super::selectors::label_name;

/// The keys of a term of pod affinity, or of a spread constraint.
pub(super) fn label_keys(at: &Field<'_>, errors: &mut Errors) {
    let selector = at.child("labelSelector");
    let [matching, differing] = ["matchLabelKeys", "mismatchLabelKeys"].map(|name| at.child(name));
    for keys in [&matching, &differing] {
        if keys.is_empty() {
            continue;
        }
        if !selector.is_set() {
            errors.forbidden(keys, "must not be specified when labelSelector is not set");
            continue;
        }
        keys.items().for_each(|key| label_name(&key, errors));
    }
    let is_differing = |key: &str| differing.items().any(|other| other.text() == key);
    for (index, key) in matching.items().enumerate().filter(|_| selector.is_set()) {
        // Each requirement beyond the first: the server's own, for a label that the pod has, is one of them.
        let own = usize::from(label(at, key.text()).is_some());
        let of_server = if is_differing(key.text()) { 2 * own } else { own };
        for _ in 1..of_server + of_user(at, key.text()) {
            let shown = format!("{}[{index}]", at.path());
            errors
                .invalid(&key, key.text(), "exists in both matchLabelKeys and labelSelector")
                .shown_as(shown);
        }
    }
    for key in matching.items().filter(|key| is_differing(key.text())) {
        errors.invalid(&key, key.text(), "exists in both matchLabelKeys and mismatchLabelKeys");
    }
}

/// The pod's own label of that key. Machines are no pods yet, and nothing is merged into theirs.
fn label<'a>(at: &Field<'a>, key: &str) -> Option<&'a str> {
    let object = at.object().value();
    object["metadata"]["labels"][key].as_str().filter(|_| object["kind"] == "Pod")
}

/// How many requirements of the selector are about that key. One that the server would make stands in a pod that was stored
/// before, and is no objection to it.
fn of_user(at: &Field<'_>, key: &str) -> usize {
    let selector = at.child("labelSelector");
    let is_merged = |requirement: &Field<'_>| {
        let values: Vec<&str> = requirement
            .child("values")
            .value()
            .as_array()
            .map_or(Vec::new(), |values| values.iter().filter_map(serde_json::Value::as_str).collect());
        requirement.child("operator").text() == "In" && label(at, key).is_some_and(|label| values == [label])
    };
    let expressions = selector.child("matchExpressions");
    let expressions = expressions.items().filter(|one| one.child("key").text() == key && !is_merged(one));
    usize::from(selector.child("matchLabels").key(key).is_set()) + expressions.count()
}
