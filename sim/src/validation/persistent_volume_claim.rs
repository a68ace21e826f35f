//! PersistentVolumeClaim, Kubernetes 1.36: `ValidatePersistentVolumeClaimSpec` of `pkg/apis/core/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::{dns1123_subdomain, optional_subdomain};
use super::persistent_volume::{known_access_modes, volume_mode};
use super::resources::POSITIVE;
use super::selectors::label_selector;
use super::{Row, apply, meta};

pub(super) const RULES: &[Row] = &[("metadata", meta::namespaced), ("spec", spec)];

const SPEC: &[Row] = &[
    ("accessModes", access_modes),
    ("selector", label_selector),
    ("accessModes", known_access_modes),
    ("resources", storage),
    ("storageClassName", optional_subdomain),
    ("volumeMode", volume_mode),
    ("dataSource", data_source),
    ("dataSourceRef", data_source),
];

/// The spec of a claim or of a template of one.
pub(super) fn spec(at: &Field<'_>, errors: &mut Errors) {
    apply(SPEC, at, errors);
}

fn access_modes(at: &Field<'_>, errors: &mut Errors) {
    if at.is_empty() {
        errors.required(at, "at least 1 access mode is required");
    }
}

/// Upstream leaves `requests` out of the path.
fn storage(at: &Field<'_>, errors: &mut Errors) {
    let shown = at.key("storage").path();
    let requests = at.child("requests");
    let storage = requests.child("storage");
    match storage.quantity() {
        None if !storage.is_set() => errors.required(&storage, "").shown_as(shown),
        Some(amount) if amount.sign() <= 0 => {
            errors.invalid(&storage, &amount.to_string(), POSITIVE).shown_as(shown);
        }
        _ => {}
    }
}

fn data_source(at: &Field<'_>, errors: &mut Errors) {
    if !at.is_set() {
        return;
    }
    let [name, kind, group] = ["name", "kind", "apiGroup"].map(|name| at.child(name));
    for required in [name, kind] {
        if required.is_empty() {
            errors.required(&required, "");
        }
    }
    if !group.is_empty() {
        errors.invalid_each(&group, group.text(), dns1123_subdomain(group.text()));
    } else if kind.text() != "PersistentVolumeClaim" {
        let detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
        errors.invalid(at, kind.text(), detail);
    }
}
