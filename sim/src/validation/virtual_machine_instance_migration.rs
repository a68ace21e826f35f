//! VirtualMachineInstanceMigration, KubeVirt main of August 2026: `ValidateVirtualMachineInstanceMigrationSpec` of
//! `pkg/virt-api/webhooks/validating-webhook/admitters/migration-create-admitter.go`. What depends on the instance is in
//! `admission/`.

use super::field::Field;
use super::field_error::Errors;
use super::{Row, meta};

pub(super) const RULES: &[Row] = &[("metadata", meta::namespaced), ("spec", names_an_instance)];

fn names_an_instance(at: &Field<'_>, errors: &mut Errors) {
    let name = at.child("vmiName");
    if name.is_empty() {
        errors.cause(&name, "vmiName is missing");
    }
}
