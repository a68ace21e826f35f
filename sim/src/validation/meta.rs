//! `metadata`, apimachinery 0.36: `pkg/api/validation/objectmeta.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::{dns1123_label, dns1123_subdomain, qualified_name};
use super::selectors::labels;
use super::{Row, apply};

/// The most bytes of all annotations of an object together.
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// The rules of a kind of which nothing but the metadata is looked at.
pub(super) const NAMESPACED: &[Row] = &[("metadata", namespaced)];

/// The same for an object of no namespace.
pub(super) const CLUSTER_WIDE: &[Row] = &[("metadata", cluster_wide)];

const COMMON: &[Row] = &[
    ("labels", labels),
    ("annotations", annotations),
    ("ownerReferences[]", owner),
    ("finalizers[]", finalizer),
];

/// `metadata` of a kind that lives in namespaces. A namespace that is left out is `default`.
pub(super) fn namespaced(at: &Field<'_>, errors: &mut Errors) {
    name(at, errors);
    let namespace = at.child("namespace");
    if !namespace.is_empty() {
        errors.invalid_each(&namespace, namespace.text(), dns1123_label(namespace.text()));
    }
    apply(COMMON, at, errors);
}

/// `metadata` of a kind that lives in none.
pub(super) fn cluster_wide(at: &Field<'_>, errors: &mut Errors) {
    name(at, errors);
    apply(COMMON, at, errors);
}

/// A name, or what one is generated from: there a dash may be last (`maskTrailingDash`).
fn name(at: &Field<'_>, errors: &mut Errors) {
    let (name, prefix) = (at.child("name"), at.child("generateName"));
    if !prefix.is_empty() {
        let masked = prefix.text().strip_suffix('-').map(|before| format!("{before}a"));
        let masked = masked.as_deref().unwrap_or(prefix.text());
        errors.invalid_each(&prefix, prefix.text(), dns1123_subdomain(masked));
    }
    if !name.is_empty() {
        errors.invalid_each(&name, name.text(), dns1123_subdomain(name.text()));
    } else if prefix.is_empty() {
        errors.required(&name, "name or generateName is required");
    }
}

/// Keys in any case; upstream lowers them first.
fn annotations(at: &Field<'_>, errors: &mut Errors) {
    let mut size = 0;
    for (key, value) in at.entries() {
        errors.invalid_each(at, key, qualified_name(&key.to_lowercase()));
        size += key.len() + value.text().len();
    }
    if size > MAX_ANNOTATIONS {
        errors.too_long(at, MAX_ANNOTATIONS);
    }
}

fn owner(at: &Field<'_>, errors: &mut Errors) {
    let fields = [("apiVersion", "version must not be empty"), ("kind", ""), ("name", ""), ("uid", "")];
    for (field, detail) in fields {
        let at = at.child(field);
        if at.is_empty() {
            let detail =
                if detail.is_empty() { format!("{field} must not be empty") } else { detail.to_owned() };
            errors.invalid(&at, "", &detail);
        }
    }
}

fn finalizer(at: &Field<'_>, errors: &mut Errors) {
    errors.invalid_each(at, at.text(), qualified_name(at.text()));
}
