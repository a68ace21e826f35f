//! The finalizer that lets this controller see the end of a machine and of an instance.
//!
//! KubeVirt main of August 2026: `addVMFinalizer`, `removeVMFinalizer` and `removeVMIFinalizer` in
//! `pkg/virt-controller/watch/vm/vm.go`.

use super::reconcile::Reconcile;
use crate::objects::{VirtualMachine, VirtualMachineInstance};
use arcstr::ArcStr;

/// `VirtualMachineControllerFinalizer`.
pub(super) const FINALIZER: ArcStr = arcstr::literal!("kubevirt.io/virtualMachineControllerFinalize");

impl Reconcile<'_, '_> {
    /// Keeps the machine until its instance is gone.
    pub(super) fn add_finalizer(&mut self) -> Result<(), ArcStr> {
        if self.vm.metadata.has_finalizer(&FINALIZER) {
            return Ok(());
        }
        self.patch_machine(|vm| {
            vm.metadata.add_finalizer(FINALIZER);
        })
    }

    /// Lets the machine go.
    pub(super) fn remove_finalizer(&mut self) -> Result<(), ArcStr> {
        if !self.vm.metadata.has_finalizer(&FINALIZER) {
            return Ok(());
        }
        self.patch_machine(|vm| {
            vm.metadata.remove_finalizer(&FINALIZER);
        })
    }

    /// Lets an instance go whose end the status has taken in.
    pub(super) fn remove_instance_finalizer(&mut self) -> Result<(), ArcStr> {
        let Some(vmi) = &self.vmi else { return Ok(()) };
        let deleted_receiver = vmi.object.status.phase == "WaitingForSync"
            && self.cx.config.kubevirt.profile().knows_receivers
            && vmi.object.metadata.is_deleting();
        let ended = vmi.object.is_final() || deleted_receiver;
        if !ended || !vmi.object.metadata.has_finalizer(&FINALIZER) {
            return Ok(());
        }
        let patched = self.cx.patch::<VirtualMachineInstance>(vmi.id, |vmi| {
            vmi.metadata.remove_finalizer(&FINALIZER);
        });
        patched.map(|_| ()).map_err(|error| error.to_string().into())
    }

    fn patch_machine(&mut self, change: impl FnOnce(&mut VirtualMachine)) -> Result<(), ArcStr> {
        self.cx.patch(self.id, change).map_err(|error| ArcStr::from(error.to_string()))?;
        self.take_patched();
        Ok(())
    }
}
