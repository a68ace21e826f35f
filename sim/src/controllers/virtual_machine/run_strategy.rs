//! What each run strategy wants of the instance.
//!
//! KubeVirt main of August 2026: `syncRunStrategy` in `pkg/virt-controller/watch/vm/vm.go`.

use super::reconcile::{Instance, Reconcile, SyncFailure};
use super::start_failure::start_back_off_left;
use crate::objects::{RunStrategy, StateChangeRequest, VirtualMachine, VirtualMachineSpec};
use crate::vm_status::{has_start_request, has_stop_request_for};
use std::sync::Arc;
use std::time::Duration;

impl Reconcile<'_, '_> {
    /// Starts or stops the instance as the run strategy wants it.
    pub(super) fn sync_run_strategy(&mut self, strategy: RunStrategy) -> Result<(), SyncFailure> {
        match (strategy, self.vmi.clone()) {
            (RunStrategy::Always, Some(vmi)) => self.keep_running(&vmi),
            (RunStrategy::Always, None) => self.start_after_back_off(),
            (RunStrategy::RerunOnFailure, Some(vmi)) => self.rerun_on_failure(&vmi),
            (RunStrategy::RerunOnFailure, None) if self.is_to_rerun() => self.start_after_back_off(),
            (RunStrategy::Manual, Some(vmi)) if has_stop_request_for(&self.status, &vmi.object) => {
                self.stop_instance()
            }
            (RunStrategy::Manual, None) if has_start_request(&self.status) => self.start_instance(),
            (RunStrategy::Halted, Some(_)) => self.stop_instance(),
            (RunStrategy::Halted, None) if has_start_request(&self.status) => self.run_from_now_on(),
            (RunStrategy::Once | RunStrategy::WaitAsReceiver, None) => self.start_instance(),
            (RunStrategy::WaitAsReceiver, Some(vmi)) => self.wait_as_receiver(&vmi),
            (
                RunStrategy::RerunOnFailure | RunStrategy::Manual | RunStrategy::Halted | RunStrategy::Once,
                _,
            ) => Ok(()),
        }
    }

    /// An instance that has ended makes room for the next one; so does one whose stop is asked for, which is a restart.
    fn keep_running(&mut self, vmi: &Instance) -> Result<(), SyncFailure> {
        if vmi.object.is_final() || has_stop_request_for(&self.status, &vmi.object) {
            return self.stop_instance();
        }
        Ok(())
    }

    /// A failed instance leaves a start request behind, a succeeded one does not.
    fn rerun_on_failure(&mut self, vmi: &Instance) -> Result<(), SyncFailure> {
        let stops = vmi.object.is_final() || has_stop_request_for(&self.status, &vmi.object);
        if vmi.object.metadata.is_deleting() || !stops {
            return Ok(());
        }
        self.stop_instance()?;
        if vmi.object.status.phase == "Failed" {
            self.add_start_request()?;
        }
        Ok(())
    }

    /// Without a request only a machine starts that comes from another run strategy.
    fn is_to_rerun(&self) -> bool {
        has_start_request(&self.status) || self.status.run_strategy != RunStrategy::RerunOnFailure.as_str()
    }

    fn start_after_back_off(&mut self) -> Result<(), SyncFailure> {
        let retry_after =
            self.status.start_failure.as_ref().and_then(|failure| failure.retry_after_timestamp);
        let seconds = start_back_off_left(retry_after, self.cx.now);
        if seconds > 0 {
            self.look_again_after = Some(Duration::from_secs(seconds));
            return Ok(());
        }
        self.start_instance()
    }

    /// The request goes to the server at once; the status goes on from the server's answer, and what the stop had
    /// changed in it is lost.
    fn add_start_request(&mut self) -> Result<(), SyncFailure> {
        let mut requests = self.status.state_change_requests.clone();
        requests.push(StateChangeRequest::start());
        let patched =
            self.cx.patch::<VirtualMachine>(self.id, |vm| vm.status.state_change_requests = requests);
        patched.map_err(|error| {
            let message = arcstr::format!("failed to patch VM with start action: {error}");
            SyncFailure::reported(SyncFailure::DELETE, message)
        })?;
        self.take_patched();
        Ok(())
    }

    /// A start request on a halted machine (a paused start) makes it run always. It counts as a failure whether it
    /// worked or not, and this reconcile goes on with the machine as it was.
    fn run_from_now_on(&mut self) -> Result<(), SyncFailure> {
        let error = match self.update_spec(set_running) {
            Ok(()) => "<nil>".to_owned(),
            Err(error) => error,
        };
        let message = arcstr::format!("Failure while starting VMI: {error}");
        Err(SyncFailure::reported(SyncFailure::CREATE, message))
    }

    /// Writes the spec, and goes on with the machine as it was.
    pub(super) fn update_spec(&mut self, change: impl FnOnce(&mut VirtualMachineSpec)) -> Result<(), String> {
        let mut vm = VirtualMachine::clone(&self.vm);
        change(Arc::make_mut(&mut vm.spec));
        self.cx.update(self.id, vm).map_err(|error| error.to_string())?;
        let newest = self.cx.newest().get::<VirtualMachine>(self.id);
        self.revision = newest.expect("an updated machine is there").metadata.resource_version;
        Ok(())
    }
}

fn set_running(spec: &mut VirtualMachineSpec) {
    if spec.run_strategy.is_some() {
        spec.run_strategy = Some(arcstr::literal!("Always"));
    } else {
        spec.running = Some(true);
    }
}
