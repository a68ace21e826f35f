//! Volumes of a pod and their mounts, Kubernetes 1.36: `ValidateVolumes`, `validateVolumeSource` and `ValidateVolumeMounts` of
//! `pkg/apis/core/validation/validation.go`. Of the sources only those are looked into that name something the simulator has.

use super::field::Field;
use super::field_error::Errors;
use super::names::dns1123_label;
use super::{persistent_volume_claim, visit};
use std::collections::BTreeSet;

/// `spec.volumes`.
pub(super) fn volumes(at: &Field<'_>, errors: &mut Errors) {
    let mut names = BTreeSet::new();
    for volume in at.items() {
        source(&volume, errors);
        let name = volume.child("name");
        if name.is_empty() {
            errors.required(&name, "");
        } else {
            errors.invalid_each(&name, name.text(), dns1123_label(name.text()));
            if !names.insert(name.text().to_owned()) {
                errors.duplicate(&name, name.text());
            }
        }
    }
}

/// The mounts and devices of a container.
pub(super) fn mounts(container: &Field<'_>, spec: &Field<'_>, errors: &mut Errors) {
    let volumes = spec.child("volumes");
    let names: BTreeSet<String> = volumes.items().map(|at| at.child("name").text().to_owned()).collect();
    let mut paths = BTreeSet::new();
    for (list, path) in [("volumeMounts", "mountPath"), ("volumeDevices", "devicePath")] {
        for mount in container.child(list).items() {
            let (name, path) = (mount.child("name"), mount.child(path));
            if name.is_empty() {
                errors.required(&name, "");
            } else if !names.contains(name.text()) {
                errors.not_found(&name, name.text());
            }
            if path.is_empty() {
                errors.required(&path, "");
            } else if !paths.insert(path.text().to_owned()) {
                errors.invalid(&path, path.text(), "must be unique");
            }
        }
    }
}

/// A volume without a source is an empty directory.
fn source(volume: &Field<'_>, errors: &mut Errors) {
    let sources = volume.entries().filter(|(name, source)| *name != "name" && source.is_set());
    for (second, _) in sources.skip(1) {
        errors.forbidden(&volume.child(second), "may not specify more than 1 volume type");
    }
    let claim = volume.child("persistentVolumeClaim");
    let claim_name = claim.child("claimName");
    if claim.is_set() && claim_name.is_empty() {
        errors.required(&claim_name, "");
    }
    visit(volume, "ephemeral.volumeClaimTemplate.spec", &mut |spec| {
        if spec.is_set() {
            persistent_volume_claim::spec(spec, errors);
        }
    });
}
