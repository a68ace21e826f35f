//! One look at one machine.
//!
//! KubeVirt main of August 2026: `execute` and `sync` in `pkg/virt-controller/watch/vm/vm.go`. Left out: hotplug and
//! live update, memory dumps.

use super::VirtualMachineController;
use crate::context::{Context, EventType};
use crate::controller::Action;
use crate::kind::ObjectId;
use crate::objects::{
    RunStrategy, RunStrategyError, VirtualMachine, VirtualMachineInstance, VirtualMachineStatus,
};
use arcstr::ArcStr;
use std::sync::Arc;
use std::time::Duration;

/// A machine while it is being looked at.
pub(super) struct Reconcile<'r, 'c> {
    pub(super) controller: &'r mut VirtualMachineController,
    pub(super) cx: &'r mut Context<'c>,
    pub(super) id: ObjectId,
    /// The machine as the cache had it.
    pub(super) cached: Arc<VirtualMachine>,
    /// The same, or what this reconcile's own patch has made of it.
    pub(super) vm: Arc<VirtualMachine>,
    /// The revision that the server must still have when the status is written.
    pub(super) revision: u64,
    /// The status as it is going to be.
    pub(super) status: VirtualMachineStatus,
    /// The instance as the cache had it when this began. It serves throughout, whatever is done to it.
    pub(super) vmi: Option<Instance>,
    /// When to look again although nothing happens.
    pub(super) look_again_after: Option<Duration>,
    /// Whether this reconcile has written anything that its own watch will tell of.
    pub(super) has_written: bool,
}

/// An instance of the machine.
#[derive(Clone)]
pub(super) struct Instance {
    pub(super) id: ObjectId,
    pub(super) object: Arc<VirtualMachineInstance>,
}

/// Why a sync did not come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SyncFailure {
    /// It goes into the condition `Failure`, and the status is written all the same (`common.SyncError`).
    Reported {
        /// The condition's reason.
        reason: ArcStr,
        /// The condition's message.
        message: ArcStr,
    },
    /// The reconcile ends before the status.
    Fatal(ArcStr),
}

impl SyncFailure {
    pub(super) const CREATE: ArcStr = arcstr::literal!("FailedCreate");
    pub(super) const DELETE: ArcStr = arcstr::literal!("FailedDelete");

    pub(super) fn reported(reason: ArcStr, message: impl Into<ArcStr>) -> Self {
        Self::Reported { reason, message: message.into() }
    }
}

impl<'r, 'c> Reconcile<'r, 'c> {
    pub(super) fn new(
        controller: &'r mut VirtualMachineController,
        cx: &'r mut Context<'c>,
        id: ObjectId,
        vm: Arc<VirtualMachine>,
    ) -> Self {
        let (revision, status) = (vm.metadata.resource_version, vm.status.clone());
        let cached = Arc::clone(&vm);
        let (look_again_after, has_written) = (None, false);
        Self { controller, cx, id, cached, vm, revision, status, vmi: None, look_again_after, has_written }
    }

    /// Does it all. An error is retried by the work queue, with its back-off.
    pub(super) fn run(mut self) -> Result<Action, ArcStr> {
        self.vmi = self.claim_instance()?;
        self.claim_data_volumes()?;
        let failure = match self.sync() {
            Ok(()) => None,
            Err(SyncFailure::Fatal(error)) => return Err(error),
            Err(SyncFailure::Reported { reason, message }) => Some((reason, message)),
        };
        if self.is_gone() {
            return Ok(Action::Done);
        }
        self.update_status(failure.as_ref())?;
        match failure {
            Some((_, message)) => Err(message),
            None => Ok(self.look_again_after.map_or(Action::Done, Action::RequeueAfter)),
        }
    }

    /// Brings instance and DataVolumes nearer to what the machine wants.
    fn sync(&mut self) -> Result<(), SyncFailure> {
        if !self.expectations_are_satisfied() {
            return Ok(());
        }
        if self.vm.metadata.is_deleting() {
            return self.sync_deletion();
        }
        self.add_finalizer().map_err(SyncFailure::Fatal)?;
        self.bump_generation().map_err(SyncFailure::Fatal)?;
        let strategy = self.run_strategy();
        if let Err(error @ RunStrategyError::BothSet) = &strategy {
            return Err(SyncFailure::Fatal(error.to_string().into()));
        }
        self.sync_instance_types()?;
        if self.creates_data_volumes_at_once() {
            let ready = self.handle_data_volumes().map_err(|error| {
                let message = arcstr::format!("Error encountered while creating DataVolumes: {error}");
                SyncFailure::reported(SyncFailure::CREATE, message)
            })?;
            // A halted machine goes on: its instance must be stopped whatever its DataVolumes do.
            if !ready && strategy != Ok(RunStrategy::Halted) {
                return Ok(());
            }
        }
        let strategy =
            strategy.map_err(|error| SyncFailure::reported(SyncFailure::CREATE, error.to_string()))?;
        self.sync_run_strategy(strategy)?;
        self.sync_restart_required();
        if strategy == RunStrategy::WaitAsReceiver { self.end_as_receiver() } else { Ok(()) }
    }

    /// The run strategy as this release knows it: `WaitAsReceiver` came with 1.6.
    fn run_strategy(&self) -> Result<RunStrategy, RunStrategyError> {
        match self.vm.spec.run_strategy() {
            Ok(RunStrategy::WaitAsReceiver) if !self.cx.config.kubevirt.profile().knows_receivers => {
                Err(RunStrategyError::Unknown(self.vm.spec.run_strategy_word()))
            }
            strategy => strategy,
        }
    }

    fn sync_deletion(&mut self) -> Result<(), SyncFailure> {
        if self.vmi.is_none() || self.vm.metadata.has_finalizer("orphan") {
            return self.remove_finalizer().map_err(SyncFailure::Fatal);
        }
        self.stop_instance()
    }

    /// Nothing is done while a request of this controller is on its way; the status is computed all the same.
    fn expectations_are_satisfied(&self) -> bool {
        let now = self.cx.now;
        self.controller.instances.are_satisfied(self.id, now)
            && self.controller.data_volumes.are_satisfied(self.id, now)
    }

    fn creates_data_volumes_at_once(&self) -> bool {
        !self.vm.metadata.annotations.has("kubevirt.io/immediate-data-volume-creation", "false")
    }

    /// Takes over the machine as this reconcile's own patch has left it, as the server answers it.
    pub(super) fn take_patched(&mut self) {
        let Some(patched) = self.cx.newest().get::<VirtualMachine>(self.id) else { return };
        self.vm = Arc::clone(patched);
        self.revision = patched.metadata.resource_version;
        self.status = patched.status.clone();
    }

    /// Whether this reconcile has removed the last finalizer, so that nothing is left to report on.
    fn is_gone(&self) -> bool {
        self.cx.newest().get::<VirtualMachine>(self.id).is_none()
    }

    /// Records an event on the machine.
    pub(super) fn event(&mut self, kind: EventType, reason: &str, message: &str) {
        self.cx.event(&*self.vm, kind, reason, message);
    }
}
