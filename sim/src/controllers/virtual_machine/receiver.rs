//! The receiving side of a migration between clusters, as far as the VM controller has a part in it.
//!
//! KubeVirt main of August 2026: the branch `RunStrategyWaitAsReceiver` of `syncRunStrategy` and
//! `handleWaitAsReceiverVolumeInfo` in `pkg/virt-controller/watch/vm/vm.go`; `GenerateReceiverMigratedVolumes` and
//! `PatchVMIStatusWithMigratedVolumes` in `pkg/virt-controller/watch/volume-migration/`, as v1.9.0 has them.

use super::reconcile::{Instance, Reconcile, SyncFailure};
use crate::controllers::virtual_machine_instance::MIGRATION_TARGET;
use crate::objects::{Conditions, PersistentVolumeClaim, VirtualMachineInstance};
use serde_json::{Value, json};

impl Reconcile<'_, '_> {
    /// An instance is a receiver, or has come here by a migration.
    pub(super) fn wait_as_receiver(&self, vmi: &Instance) -> Result<(), SyncFailure> {
        if is_receiver(&vmi.object) || is_migration_completed(&vmi.object) {
            return Ok(());
        }
        let message = arcstr::literal!("Found non receiver VMI while VM is receiver");
        Err(SyncFailure::reported(SyncFailure::CREATE, message))
    }

    /// A receiver is told which claims it takes over; one that has received gets its old run strategy back.
    pub(super) fn end_as_receiver(&mut self) -> Result<(), SyncFailure> {
        let Some(vmi) = self.vmi.clone() else { return Ok(()) };
        match (is_receiver(&vmi.object), is_migration_completed(&vmi.object)) {
            (_, false) => self.report_migrated_volumes(&vmi),
            (true, true) => Ok(()),
            (false, true) => self.restore_run_strategy(),
        }
    }

    /// The reconcile goes on with what the server answers, so that the status is that of the restored strategy.
    fn restore_run_strategy(&mut self) -> Result<(), SyncFailure> {
        let restored = self.vm.metadata.annotations.get("kubevirt.io/restore-run-strategy").cloned();
        let Some(restored) = restored else { return Ok(()) };
        self.update_spec(|spec| spec.run_strategy = Some(restored)).map_err(|error| {
            let message = arcstr::format!(
                "Error encountered when trying to update vm according to add volume and/or memory dump requests: \
                 {error}"
            );
            SyncFailure::reported(arcstr::literal!("FailedUpdateError"), message)
        })?;
        self.take_patched();
        Ok(())
    }

    /// Writes the claims into `status.migratedVolumes` of the instance, once.
    fn report_migrated_volumes(&mut self, vmi: &Instance) -> Result<(), SyncFailure> {
        let known = vmi.object.status.rest.get("migratedVolumes").and_then(Value::as_array);
        if known.is_some_and(|known| !known.is_empty())
            || self.status.conditions.condition("RestartRequired").is_some()
        {
            return Ok(());
        }
        let volumes = self.migrated_volumes();
        if volumes.is_empty() {
            return Ok(());
        }
        let patched = self.cx.patch::<VirtualMachineInstance>(vmi.id, |vmi| {
            vmi.status.rest.insert("migratedVolumes", Value::Array(volumes));
        });
        patched.map(|_| ()).map_err(|error| {
            let message = arcstr::format!(
                "error encountered while handling wait as receiver volume migration requests: {error}"
            );
            SyncFailure::reported(arcstr::literal!("VolumesUpdateError"), message)
        })
    }

    /// The claims that are there.
    fn migrated_volumes(&self) -> Vec<Value> {
        let volumes = self.vm.spec.template.iter().flat_map(|template| &template.spec.volumes);
        let migrated = volumes.filter_map(|volume| {
            let claim = self.claim_info(volume.claim_name()?)?;
            Some(json!({"volumeName": volume.name.as_str(), "destinationPVCInfo": claim}))
        });
        migrated.collect()
    }

    fn claim_info(&self, name: &str) -> Option<Value> {
        let (_, claim) = self.cx.view().named::<PersistentVolumeClaim>(&self.vm.metadata.namespace, name)?;
        let mut info = json!({"claimName": name});
        let fields = [
            ("accessModes", json!(claim.spec.access_modes)),
            ("volumeMode", json!(claim.spec.volume_mode)),
            ("requests", json!(claim.spec.resources.requests)),
            ("capacity", json!(claim.status.capacity)),
        ];
        let is_empty = |value: &Value| *value == json!([]) || *value == json!({}) || value.is_null();
        for (field, value) in fields.into_iter().filter(|(_, value)| !is_empty(value)) {
            info[field] = value;
        }
        Some(info)
    }
}

/// Whether the instance was made to receive.
fn is_receiver(vmi: &VirtualMachineInstance) -> bool {
    vmi.metadata.annotations.has(&MIGRATION_TARGET, "true")
}

fn is_migration_completed(vmi: &VirtualMachineInstance) -> bool {
    vmi.status.migration_state.as_ref().is_some_and(|state| state.completed)
}
