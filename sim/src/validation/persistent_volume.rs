//! PersistentVolume, Kubernetes 1.36: `ValidatePersistentVolumeSpec` of `pkg/apis/core/validation/validation.go`.

use super::field::Field;
use super::field_error::Errors;
use super::names::optional_subdomain;
use super::pod::one_of;
use super::resources::POSITIVE;
use super::selectors::node_selector;
use super::{Row, apply, meta};

pub(super) const RULES: &[Row] = &[("metadata", meta::cluster_wide), ("spec", spec)];

const SPEC: &[Row] = &[
    ("accessModes", access_modes),
    ("capacity", capacity),
    ("persistentVolumeReclaimPolicy", reclaim_policy),
    ("nodeAffinity", node_affinity),
    ("", source),
    ("storageClassName", optional_subdomain),
    ("volumeMode", volume_mode),
];

/// The access modes, in the order in which the API lists them.
const ACCESS_MODES: [&str; 4] = ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];

/// Fields of the spec, in upstream's order, of which exactly one says what the volume is.
const SOURCES: [&str; 22] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "glusterfs",
    "flocker",
    "nfs",
    "rbd",
    "quobyte",
    "cephfs",
    "iscsi",
    "cinder",
    "fc",
    "flexVolume",
    "azureFile",
    "vsphereVolume",
    "photonPersistentDisk",
    "portworxVolume",
    "azureDisk",
    "scaleIO",
    "local",
    "storageos",
    "csi",
];

fn spec(at: &Field<'_>, errors: &mut Errors) {
    apply(SPEC, at, errors);
}

fn access_modes(at: &Field<'_>, errors: &mut Errors) {
    if at.is_empty() {
        errors.required(at, "");
    }
    known_access_modes(at, errors);
}

/// Each mode is one of the API's, and the one for a single pod stands alone.
pub(super) fn known_access_modes(at: &Field<'_>, errors: &mut Errors) {
    for mode in at.items().filter(|mode| !ACCESS_MODES.contains(&mode.text())) {
        errors.not_supported(&mode, mode.text(), &ACCESS_MODES).shown_as(at.path());
    }
    let some = |wanted: fn(&str) -> bool| at.items().any(|mode| wanted(mode.text()));
    let is_other = |mode: &str| mode != "ReadWriteOncePod" && ACCESS_MODES.contains(&mode);
    if some(|mode| mode == "ReadWriteOncePod") && some(is_other) {
        errors.forbidden(at, "may not use ReadWriteOncePod with other access modes");
    }
}

pub(super) fn volume_mode(at: &Field<'_>, errors: &mut Errors) {
    one_of(at, &["Block", "Filesystem"], errors);
}

fn capacity(at: &Field<'_>, errors: &mut Errors) {
    if at.is_empty() {
        errors.required(at, "");
    }
    if !at.key("storage").is_set() || at.entries().count() > 1 {
        errors.not_supported_struct(at, resource_list(at), &["storage"]);
    }
    for (_, amount) in at.entries() {
        let Some(quantity) = amount.quantity() else { continue };
        if quantity.sign() < 0 {
            errors.invalid_number(&amount, quantity.value(), "must be a valid resource quantity");
        }
        if quantity.sign() <= 0 {
            errors.invalid(&amount, &quantity.to_string(), POSITIVE);
        }
    }
}

/// As Go prints it, but for the inside of each quantity.
fn resource_list(at: &Field<'_>) -> String {
    if !at.is_set() {
        return "core.ResourceList(nil)".to_owned();
    }
    let entries: Vec<String> =
        at.entries().map(|(name, _)| format!("{name:?}:resource.Quantity{{…}}")).collect();
    format!("core.ResourceList{{{}}}", entries.join(", "))
}

fn reclaim_policy(at: &Field<'_>, errors: &mut Errors) {
    one_of(at, &["Delete", "Recycle", "Retain"], errors);
}

fn node_affinity(at: &Field<'_>, errors: &mut Errors) {
    let required = at.child("required");
    if required.is_set() {
        node_selector(&required, errors);
    } else if at.is_set() {
        errors.required(&required, "must specify required node constraints");
    }
}

fn source(at: &Field<'_>, errors: &mut Errors) {
    let mut sources = SOURCES.iter().map(|name| at.child(name)).filter(Field::is_set);
    if sources.next().is_none() {
        errors.required(at, "must specify a volume type");
    }
    for second in sources {
        errors.forbidden(&second, "may not specify more than 1 volume type");
    }
    let affinity = at.child("nodeAffinity");
    if at.child("local").is_set() && !affinity.is_set() {
        errors.required(&affinity, "Local volume requires node affinity");
    }
}
