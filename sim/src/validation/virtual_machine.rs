//! VirtualMachine, KubeVirt main of August 2026:
//! `pkg/virt-api/webhooks/validating-webhook/admitters/vms-admitter.go` and `pkg/storage/admitters/data-volume-template.go`.
//!
//! A volume of a template without a disk of its name is refused here as the webhook of instances refuses it: the
//! instance could not be created later.

use super::field::Field;
use super::field_error::Errors;
use super::{Row, data_volume, meta, virtual_machine_instance as instance, vm_devices, vm_hardware};
use crate::objects::RunStrategy;

pub(super) const RULES: &[Row] = &[
    ("metadata", meta::namespaced),
    ("spec.template", template),
    ("spec", data_volume_templates),
    ("spec", run_strategy),
    // `validateLiveUpdateCPU` asks what the rules of the template have asked before, in the same words.
    ("spec.template.spec.domain.cpu", vm_hardware::sockets),
    ("", template_namespaces),
];

fn template(at: &Field<'_>, errors: &mut Errors) {
    if !at.is_set() {
        errors.cause(at, "missing virtual machine template.");
        return;
    }
    let spec = at.child("spec");
    instance::template_metadata(&at.child("metadata"), errors);
    instance::spec(&spec, errors);
    vm_devices::volumes_have_disks(&spec, errors);
}

fn run_strategy(at: &Field<'_>, errors: &mut Errors) {
    if !at.child("template").is_set() {
        return;
    }
    let (running, strategy) = (at.child("running"), at.child("runStrategy"));
    match (running.is_set(), strategy.is_set()) {
        (true, true) => {
            errors.cause(&running, "Running and RunStrategy are mutually exclusive. Note that Running is deprecated, please use RunStrategy instead");
        }
        (false, false) => {
            errors.cause(&running, "RunStrategy must be specified");
        }
        _ => {}
    }
    if strategy.is_set() && RunStrategy::parse(strategy.text()).is_none() {
        errors.cause(&strategy, format!("Invalid RunStrategy ({})", strategy.text()));
    }
}

/// Upstream writes `dataVolumeTemplate` where the field is `dataVolumeTemplates`.
fn data_volume_templates(at: &Field<'_>, errors: &mut Errors) {
    let (template, templates) = (at.child("template"), at.child("dataVolumeTemplates"));
    for (index, entry) in templates.items().enumerate() {
        let shown = format!("{}[{index}]", at.child("dataVolumeTemplate").path());
        let (metadata, spec) = (entry.child("metadata"), entry.child("spec"));
        let name = metadata.child("name");
        if name.is_empty() {
            let message =
                format!("'name' field must not be empty for DataVolumeTemplate entry {shown}.name.");
            errors.cause(&name, message).shown_as(format!("{shown}.name"));
            continue;
        }
        let mut found = Errors::default();
        data_volume::template(&spec, &mut found);
        if !found.is_empty() {
            for error in found.into_vec() {
                let field = error.field.replacen(&spec.path(), &shown, 1);
                errors.take(error).shown_as(field);
            }
            continue;
        }
        if !uses(&template, name.text()) {
            let message = format!(
                "DataVolumeTemplate entry {shown} must be referenced in the VMI template's 'volumes' list"
            );
            errors.cause(&entry, message).shown_as(shown);
        }
    }
}

/// Whether a volume of the template is of this DataVolume or its claim.
fn uses(template: &Field<'_>, name: &str) -> bool {
    let mut used = false;
    super::visit(template, "spec.volumes[]", &mut |volume| {
        let (claim, data_volume) = (volume.child("persistentVolumeClaim"), volume.child("dataVolume"));
        used |= claim.child("claimName").text() == name || data_volume.child("name").text() == name;
    });
    used
}

/// A DataVolume is made in the namespace of its machine.
fn template_namespaces(at: &Field<'_>, errors: &mut Errors) {
    let metadata = at.child("metadata");
    let namespace = metadata.child("namespace");
    let own = if namespace.is_empty() { "default" } else { namespace.text() };
    super::visit(at, "spec.dataVolumeTemplates[]", &mut |entry| {
        let metadata = entry.child("metadata");
        let namespace = metadata.child("namespace");
        if !namespace.is_empty() && namespace.text() != own {
            let other = namespace.text();
            let message = format!("Embedded DataVolume namespace {other} differs from VM namespace {own}");
            errors.cause(&namespace, message).shown_as(entry.path());
        }
    });
}
