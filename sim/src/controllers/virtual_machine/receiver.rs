//! The receiving side of a migration between clusters, as far as the VM controller has a part in it.
//!
//! KubeVirt main of August 2026: the branch `RunStrategyWaitAsReceiver` of `syncRunStrategy` and
//! `handleWaitAsReceiverVolumeInfo` in `pkg/virt-controller/watch/vm/vm.go`, `pkg/storage/volumemig/`.

use super::reconcile::{Instance, Reconcile, SyncFailure};
use crate::controllers::virtual_machine_instance::MIGRATION_TARGET;
use crate::objects::{Conditions, PersistentVolumeClaim, VirtualMachineInstance};
use serde_json::{Value, json};

impl Reconcile<'_, '_> {
    /// A receiver is told which claims it takes over; one that has received gets its old run strategy back.
    pub(super) fn wait_as_receiver(&mut self, vmi: &Instance) -> Result<(), SyncFailure> {
        let completed = is_migration_completed(&vmi.object);
        if vmi.object.metadata.annotations.has(&MIGRATION_TARGET, "true") {
            return if completed { Ok(()) } else { self.report_migrated_volumes(vmi) };
        }
        if !completed {
            let message = arcstr::literal!("Found non receiver VMI while VM is receiver");
            return Err(SyncFailure::reported(SyncFailure::CREATE, message));
        }
        let restored = self.vm.metadata.annotations.get("kubevirt.io/restore-run-strategy").cloned();
        let Some(restored) = restored else { return Ok(()) };
        self.update_spec(|spec| spec.run_strategy = Some(restored)).map_err(|error| {
            let message = arcstr::format!(
                "Error encountered when trying to update vm according to add volume and/or memory dump requests: \
                 {error}"
            );
            SyncFailure::reported(arcstr::literal!("FailedUpdateError"), message)
        })
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

    fn migrated_volumes(&self) -> Vec<Value> {
        let volumes = self.vm.spec.template.iter().flat_map(|template| &template.spec.volumes);
        let claims = volumes.filter_map(|volume| Some((&volume.name, volume.claim_name()?)));
        let migrated = claims.map(|(volume, claim)| {
            let claim = self.claim_info(claim);
            json!({"volumeName": volume.as_str(), "sourcePVCInfo": claim, "destinationPVCInfo": claim})
        });
        migrated.collect()
    }

    fn claim_info(&self, name: &str) -> Value {
        let claim = self.cx.view().named::<PersistentVolumeClaim>(&self.vm.metadata.namespace, name);
        let mode = claim.and_then(|(_, claim)| claim.spec.volume_mode.as_ref());
        let mut info = json!({"claimName": name});
        if let Some(mode) = mode {
            info["volumeMode"] = mode.as_str().into();
        }
        info
    }
}

fn is_migration_completed(vmi: &VirtualMachineInstance) -> bool {
    vmi.status.migration_state.as_ref().is_some_and(|state| state.completed)
}
