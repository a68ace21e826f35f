//! The finalizer that lets this controller see the end of a machine and of an instance.
//!
//! KubeVirt main of August 2026: `addVMFinalizer`, `removeVMFinalizer` and `removeVMIFinalizer` in
//! `pkg/virt-controller/watch/vm/vm.go`.

use super::reconcile::Reconcile;
use crate::objects::{VirtualMachine, VirtualMachineInstance};
use arcstr::ArcStr;

/// `VirtualMachineControllerFinalizer`.
pub(super) const FINALIZER: ArcStr = arcstr::literal!("kubevirt.io/virtualMachineControllerFinalize");

/// The server's words for a patch whose test fails.
const REJECTED: ArcStr = arcstr::literal!("the server rejected our request due to an error in our request");

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
    ///
    /// The watch of this reconcile's earlier writes begins the next one, whose cache has yet to learn of this last one:
    /// its patch tests finalizers that are no longer there.
    pub(super) fn remove_instance_finalizer(&mut self) -> Result<(), ArcStr> {
        let released = self.controller.released.swap_remove(&self.id);
        let Some(vmi) = &self.vmi else { return Ok(()) };
        if released.as_ref() == Some(&vmi.object.metadata.uid) {
            return Err(REJECTED);
        }
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
        patched.map_err(|error| ArcStr::from(error.to_string()))?;
        if self.has_written {
            self.controller.released.insert(self.id, vmi.object.metadata.uid.clone());
        }
        Ok(())
    }

    fn patch_machine(&mut self, change: impl FnOnce(&mut VirtualMachine)) -> Result<(), ArcStr> {
        self.cx.patch(self.id, change).map_err(|error| ArcStr::from(error.to_string()))?;
        self.take_patched();
        Ok(())
    }
}
