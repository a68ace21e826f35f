//! Start and stop of the machine's instance.
//!
//! KubeVirt main of August 2026: `startVMI`, `SetupVMIFromVM` and `stopVMI` in `pkg/virt-controller/watch/vm/vm.go`.
//! The instance gets no firmware uuid: nothing in this cluster reads it, and instances of one template share a spec.

use super::claim::controller_reference;
use super::finalizers::FINALIZER;
use super::reconcile::{Reconcile, SyncFailure};
use super::restart_required::RESTART_REQUIRED;
use super::revisions::GENERATION;
use crate::context::EventType;
use crate::controllers::virtual_machine_instance::MIGRATION_TARGET;
use crate::objects::{
    Conditions, ObjectMeta, RunStrategy, StateChangeRequest, VirtualMachine, VirtualMachineInstance,
    VirtualMachineInstanceSpec, VirtualMachineStatus,
};
use std::sync::Arc;

impl Reconcile<'_, '_> {
    /// Creates the instance, if the DataVolumes are ready and nobody must recover the machine by hand.
    pub(super) fn start_instance(&mut self) -> Result<(), SyncFailure> {
        debug_assert!(self.vmi.is_none(), "a machine has one instance at most");
        let failed = |error: &dyn std::fmt::Display| {
            let message = arcstr::format!("Failure while starting VMI: {error}");
            SyncFailure::reported(SyncFailure::CREATE, message)
        };
        if !self.handle_data_volumes().map_err(|error| failed(&error))? {
            return Ok(());
        }
        if self.status.conditions.is_true("ManualRecoveryRequired") {
            return Ok(());
        }
        self.drop_restart_required();
        let mut vmi = set_up(&self.vm, &self.status);
        vmi.status.virtual_machine_revision_name =
            self.create_start_revision().map_err(|error| failed(&error))?;
        self.apply_instance_types(&mut vmi.spec, &mut vmi.metadata.annotations)
            .map_err(|error| failed(&error))?;
        let name = vmi.metadata.name.clone();
        self.controller.instances.expect_creation(self.id, self.cx.now);
        if let Err(error) = self.cx.create(vmi) {
            self.controller.instances.creation_observed(self.id);
            let message = format!("Error creating virtual machine instance: {error}");
            self.event(EventType::Warning, "FailedCreate", &message);
            return Err(failed(&error));
        }
        let message =
            format!("Started the virtual machine by creating the new virtual machine instance {name}");
        self.event(EventType::Normal, "SuccessfulCreate", &message);
        Ok(())
    }

    /// Deletes the instance unless it is going already.
    pub(super) fn stop_instance(&mut self) -> Result<(), SyncFailure> {
        let Some(vmi) = self.vmi.clone().filter(|vmi| !vmi.object.metadata.is_deleting()) else {
            return Ok(());
        };
        self.controller.instances.expect_deletion(self.id, self.cx.now);
        let ObjectMeta { name, uid, .. } = &vmi.object.metadata;
        if let Err(error) = self.cx.delete::<VirtualMachineInstance>(vmi.id) {
            self.controller.instances.deletion_observed(self.id);
            let message = format!("Error deleting virtual machine instance {name}: {error}");
            self.event(EventType::Warning, "FailedDelete", &message);
            let message = arcstr::format!("Failure attempting to delete VMI: {error}");
            return Err(SyncFailure::reported(SyncFailure::DELETE, message));
        }
        self.has_written = true;
        self.drop_restart_required();
        let message = format!("Stopped the virtual machine by deleting the virtual machine instance {uid}");
        self.event(EventType::Normal, "SuccessfulDelete", &message);
        Ok(())
    }

    /// The next instance has every change of the template (`cleanupRestartRequired`).
    pub(super) fn drop_restart_required(&mut self) {
        self.status.conditions.retain(|condition| condition.kind != RESTART_REQUIRED);
    }
}

fn set_up(vm: &VirtualMachine, status: &VirtualMachineStatus) -> VirtualMachineInstance {
    let template = vm.spec.template.as_deref().cloned().unwrap_or_default();
    let mut annotations = template.metadata.annotations;
    annotations.insert(GENERATION, arcstr::format!("{}", vm.metadata.generation));
    if vm.spec.run_strategy() == Ok(RunStrategy::WaitAsReceiver) {
        annotations.insert(MIGRATION_TARGET, arcstr::literal!("true"));
    }
    let metadata = ObjectMeta {
        name: vm.metadata.name.clone(),
        namespace: vm.metadata.namespace.clone(),
        labels: template.metadata.labels,
        annotations,
        finalizers: vec![FINALIZER].into(),
        owner_references: vec![controller_reference(vm)].into(),
        ..ObjectMeta::default()
    };
    let mut spec: Arc<VirtualMachineInstanceSpec> = template.spec;
    if status.state_change_requests.first().is_some_and(StateChangeRequest::is_paused_start) {
        Arc::make_mut(&mut spec).rest.insert("startStrategy", "Paused".into());
    }
    VirtualMachineInstance { metadata, spec, ..VirtualMachineInstance::default() }
}
