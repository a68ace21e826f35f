//! Migrations as KubeVirt's webhooks complete and refuse them, main of August 2026:
//! `pkg/virt-api/webhooks/mutating-webhook/mutators/migration-create-mutator.go` and
//! `pkg/virt-api/webhooks/validating-webhook/admitters/migration-create-admitter.go`.

use super::Admit;
use crate::controllers::virtual_machine_instance::OBSERVED_API_VERSIONS;
use crate::objects::{Conditions as _, Truth, VirtualMachineInstance, VirtualMachineInstanceMigration};
use crate::store::{ApiError, View};
use arcstr::ArcStr;
use stuckvm_detector::Time;

/// Names the instance that is to move (`MigrationSelectorLabel`).
pub(crate) const VMI_NAME: ArcStr = arcstr::literal!("kubevirt.io/vmi-name");

/// Keeps a migration until it has ended (`VirtualMachineInstanceMigrationFinalizer`).
pub(crate) const FINALIZER: ArcStr = arcstr::literal!("kubevirt.io/migrationJobFinalize");

const WEBHOOK: &str = "migration-create-validator.kubevirt.io";

impl Admit for VirtualMachineInstanceMigration {
    /// The annotations are those of virt-controller's first pass, as for instances.
    fn admit(&mut self, _view: View<'_>, _now: Time) {
        self.metadata.labels.insert(VMI_NAME, self.spec.vmi_name.clone());
        self.metadata.add_finalizer(FINALIZER);
        for key in OBSERVED_API_VERSIONS {
            self.metadata.annotations.insert(key, arcstr::literal!("v1"));
        }
        self.status = Default::default();
    }

    fn objection(&self, view: View<'_>) -> Option<ApiError> {
        let why = refusal(self, view)?;
        Some(ApiError::Denied { webhook: WEBHOOK, why })
    }
}

/// The instance must be there, run on, be migratable, and not be moved already.
fn refusal(migration: &VirtualMachineInstanceMigration, view: View<'_>) -> Option<ArcStr> {
    let (namespace, name) = (&migration.metadata.namespace, &migration.spec.vmi_name);
    let Some((_, vmi)) = view.named::<VirtualMachineInstance>(namespace, name) else {
        return Some(arcstr::format!("the VMI \"{namespace}/{name}\" does not exist"));
    };
    if vmi.is_final() {
        return Some(arcstr::literal!("Cannot migrate VMI in finalized state."));
    }
    let migratable = vmi.status.conditions.condition("LiveMigratable");
    if let Some(not) = migratable.filter(|found| found.status == Truth::False) {
        let (reason, message) = (&not.reason, &not.message);
        return Some(arcstr::format!("Cannot migrate VMI, Reason: {reason}, Message: {message}"));
    }
    let in_flight = |other: &VirtualMachineInstanceMigration| {
        other.metadata.namespace == *namespace
            && other.metadata.labels.has(&VMI_NAME, name)
            && !other.is_final()
    };
    let (_, active) = view.iter::<VirtualMachineInstanceMigration>().find(|(_, other)| in_flight(other))?;
    Some(arcstr::format!(
        "in-flight migration detected. Active migration job ({}) is currently already in progress for VMI {name}.",
        active.metadata.uid
    ))
}
