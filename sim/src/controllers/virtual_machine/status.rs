//! What a reconcile reports.
//!
//! KubeVirt main of August 2026: `updateStatus` in `pkg/virt-controller/watch/vm/vm.go`.

use super::conditions::sync_conditions;
use super::reconcile::Reconcile;
use super::requests::drop_done_request;
use crate::objects::{Conditions, VirtualMachine, VirtualMachineStatus};
use crate::store::ApiError;
use crate::vm_status::{Expected, Situation, printable_status};
use arcstr::ArcStr;

impl Reconcile<'_, '_> {
    /// Computes the status, in upstream's order, and writes it if it differs from what the cache has.
    pub(super) fn update_status(&mut self, failure: Option<&(ArcStr, ArcStr)>) -> Result<(), ArcStr> {
        self.sync_generation()?;
        let vmi = self.vmi.clone();
        let vmi = vmi.as_ref().map(|vmi| &*vmi.object);
        self.status.created = vmi.is_some();
        self.status.ready = vmi.is_some_and(|vmi| vmi.status.conditions.is_true("Ready"));
        // Empty until the first instance, so that a machine that never ran is known by it.
        if self.status.created || !self.status.run_strategy.is_empty() {
            self.status.run_strategy = self.cached.spec.run_strategy_word();
        }
        drop_done_request(&mut self.status, vmi);
        let now = self.cx.now;
        self.sync_start_failure(vmi);
        sync_conditions(&mut self.status.conditions, vmi, failure, now);
        self.status.rest.remove(VirtualMachineStatus::PRINTABLE_STATUS);
        self.status.printable_status = printable_status(&Situation {
            vm: &self.vm,
            status: &self.status,
            vmi,
            expected: self.expected(),
            view: self.cx.view(),
            release: self.cx.config.kubevirt,
            now,
        });
        self.write_status().map_err(|error| ArcStr::from(error.to_string()))?;
        self.remove_instance_finalizer()
    }

    /// What is outstanding right now, requests of this very reconcile included.
    fn expected(&self) -> Expected {
        let instances = &self.controller.instances;
        Expected {
            create: instances.creation_is_expected(self.id),
            delete: instances.deletion_is_expected(self.id),
        }
    }

    /// The server refuses the status if somebody else has written since the machine was read.
    fn write_status(&mut self) -> Result<(), ApiError> {
        if self.status == self.cached.status {
            return Ok(());
        }
        let newest = self.cx.newest().get::<VirtualMachine>(self.id);
        let mut vm = VirtualMachine::clone(newest.expect("a machine that is gone has no status to write"));
        vm.metadata.resource_version = self.revision;
        vm.status = std::mem::take(&mut self.status);
        self.cx.update(self.id, vm)?;
        self.has_written = true;
        Ok(())
    }
}
