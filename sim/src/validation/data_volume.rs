//! DataVolume, CDI main of August 2026: `pkg/apiserver/webhooks/datavolume-validate.go`. It stops at the first objection.

use super::field::Field;
use super::field_error::Errors;
use super::{Row, meta};

pub(super) const RULES: &[Row] = &[("metadata", meta::namespaced), ("spec", spec)];

type Check = fn(&Field<'_>, &mut Errors);

/// What CDI asks of a spec, in its order.
const SPEC: [Check; 5] = [target, size, access_modes, source, content_type];

/// What KubeVirt asks of the spec of a template.
const TEMPLATE: [Check; 2] = [target, source];

const ACCESS_MODES: [&str; 3] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce"];

fn spec(at: &Field<'_>, errors: &mut Errors) {
    first(&SPEC, at, errors);
}

/// The spec of an entry of a machine's `dataVolumeTemplates`.
pub(super) fn template(at: &Field<'_>, errors: &mut Errors) {
    first(&TEMPLATE, at, errors);
}

fn first(checks: &[Check], at: &Field<'_>, errors: &mut Errors) {
    for check in checks {
        let mut found = Errors::default();
        check(at, &mut found);
        if !found.is_empty() {
            for error in found.into_vec() {
                errors.take(error);
            }
            return;
        }
    }
}

fn target(at: &Field<'_>, errors: &mut Errors) {
    let shown = at.child("PVC").child("Storage").path();
    match (at.child("pvc").is_set(), at.child("storage").is_set()) {
        (false, false) => {
            errors.cause(at, "Missing Data volume PVC or Storage").shown_as(shown);
        }
        (true, true) => {
            let message = "Duplicate storage definition, both target storage and target pvc defined";
            errors.cause(at, message).shown_as(shown);
        }
        _ => {}
    }
}

/// Upstream's word for the target, and the target.
fn with_target(at: &Field<'_>, then: impl FnOnce(&'static str, &Field<'_>)) {
    let (claim, storage) = (at.child("pvc"), at.child("storage"));
    if claim.is_set() { then("PVC", &claim) } else { then("Storage", &storage) }
}

/// A clone or a snapshot may leave the size to its source.
fn size(at: &Field<'_>, errors: &mut Errors) {
    with_target(at, |word, target| {
        let resources = target.child("resources");
        let requests = resources.child("requests");
        let storage = requests.child("storage");
        let shown = format!("{}.{word}.resources.requests.size", at.path());
        let source = at.child("source");
        let is_sized = source.child("pvc").is_set() || source.child("snapshot").is_set();
        match storage.quantity() {
            Some(amount) if amount.sign() <= 0 => {
                errors
                    .cause(&storage, format!("{word} size can't be equal or less than zero"))
                    .shown_as(shown);
            }
            None if !storage.is_set() && !is_sized && !at.child("sourceRef").is_set() => {
                errors.cause(&storage, format!("{word} size is missing")).shown_as(shown);
            }
            _ => {}
        }
    });
}

fn access_modes(at: &Field<'_>, errors: &mut Errors) {
    with_target(at, |word, target| {
        let modes = target.child("accessModes");
        let shown = format!("{}.PVC.accessModes", at.path());
        if word == "PVC" && modes.is_empty() {
            errors.cause(&modes, "Required value: at least 1 access mode is required").shown_as(shown);
        } else if word == "PVC" && modes.items().count() > 1 {
            errors.cause(&modes, "PVC multiple accessModes").shown_as(shown);
        } else if let Some(mode) = modes.items().find(|mode| !ACCESS_MODES.contains(&mode.text())) {
            let known = ACCESS_MODES.map(|mode| format!("{mode:?}")).join(", ");
            let message = format!("Unsupported value: {:?}: supported values: {known}", mode.text());
            errors.cause(&mode, message).shown_as(shown);
        }
    });
}

/// One source, or none where something else fills the claim.
fn source(at: &Field<'_>, errors: &mut Errors) {
    let (source, source_ref) = (at.child("source"), at.child("sourceRef"));
    let mut filled = false;
    with_target(at, |_, target| {
        filled = target.child("dataSource").is_set() || target.child("dataSourceRef").is_set();
    });
    let given = source.is_set() || source_ref.is_set();
    let kinds = source.entries().filter(|(_, kind)| kind.is_set()).count();
    let message = match (filled, given) {
        (true, true) => "External population is incompatible with Source and SourceRef",
        (true, false) => return,
        (false, false) => "Data volume should have either Source, SourceRef, or be externally populated",
        (false, true) if !source.is_set() => return,
        (false, true) if source_ref.is_set() => "Data volume should have either Source or SourceRef",
        (false, true) if kinds == 0 => "Missing Data volume source",
        (false, true) if kinds > 1 => "Multiple Data volume sources",
        (false, true) => return,
    };
    errors.cause(&source, message);
}

fn content_type(at: &Field<'_>, errors: &mut Errors) {
    let content = at.child("contentType");
    if !content.is_empty() && !matches!(content.text(), "kubevirt" | "archive") {
        errors.cause(&content, "ContentType not one of: kubevirt, archive");
    }
}
