//! VirtualMachineInstanceMigration, KubeVirt main of August 2026: `ValidateVirtualMachineInstanceMigrationSpec` and `Admit` of
//! `pkg/virt-api/webhooks/validating-webhook/admitters/migration-create-admitter.go`. What depends on the instance is in
//! `admission/`.

use super::field::Field;
use super::field_error::Errors;
use super::{Row, meta};

pub(super) const RULES: &[Row] =
    &[("metadata", meta::namespaced), ("spec", names_an_instance), ("spec", has_no_priority)];

fn names_an_instance(at: &Field<'_>, errors: &mut Errors) {
    let name = at.child("vmiName");
    if name.is_empty() {
        errors.cause(&name, "vmiName is missing");
    }
}

fn has_no_priority(at: &Field<'_>, errors: &mut Errors) {
    if at.child("priority").is_set() {
        // The field is called so only here.
        let message = "Migration priority queue, only virt-controller is allowed to set priority field";
        errors.cause(&at.child("migrationPriority"), message);
    }
}
