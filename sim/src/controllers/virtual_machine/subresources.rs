//! What `virtctl start`, `stop` and `restart` do to a machine.
//!
//! KubeVirt main of August 2026: virt-api's `pkg/virt-api/rest/lifecycle.go`. Left out: grace periods of one's
//! own, dry runs.

use crate::cluster::Cluster;
use crate::context::Context;
use crate::kind::{Kind, ObjectId};
use crate::objects::{
    Conditions, RunStrategy, RunStrategyError, StateChangeRequest, VirtualMachine, VirtualMachineInstance,
};
use crate::store::ApiError;
use arcstr::ArcStr;
use std::sync::Arc;

impl Cluster {
    /// Starts a machine as a user does (`virtctl start`).
    ///
    /// # Errors
    ///
    /// There is no such machine, it runs already, or its run strategy starts it by itself.
    pub fn start_vm(&mut self, namespace: &str, name: &str) -> Result<(), ApiError> {
        self.as_user(|cx| Target::find(cx, namespace, name)?.start(cx, StateChangeRequest::start()))
    }

    /// Starts a machine whose guest is to stand still at first (`virtctl start --paused`).
    ///
    /// # Errors
    ///
    /// As [`Self::start_vm`].
    pub fn start_vm_paused(&mut self, namespace: &str, name: &str) -> Result<(), ApiError> {
        self.as_user(|cx| Target::find(cx, namespace, name)?.start(cx, StateChangeRequest::paused_start()))
    }

    /// Stops a machine as a user does (`virtctl stop`).
    ///
    /// # Errors
    ///
    /// There is no such machine, or it does not run.
    pub fn stop_vm(&mut self, namespace: &str, name: &str) -> Result<(), ApiError> {
        self.as_user(|cx| Target::find(cx, namespace, name)?.stop(cx))
    }

    /// Restarts a machine as a user does (`virtctl restart`).
    ///
    /// # Errors
    ///
    /// There is no such machine, it has no instance, or its run strategy knows no restarts.
    pub fn restart_vm(&mut self, namespace: &str, name: &str) -> Result<(), ApiError> {
        self.as_user(|cx| Target::find(cx, namespace, name)?.restart(cx))
    }
}

/// A machine and its instance as the server has them.
struct Target {
    id: ObjectId,
    vm: Arc<VirtualMachine>,
    vmi: Option<Arc<VirtualMachineInstance>>,
}

impl Target {
    fn find(cx: &Context<'_>, namespace: &str, name: &str) -> Result<Self, ApiError> {
        let found = cx.newest().named::<VirtualMachine>(namespace, name);
        let not_found = || ApiError::NotFound { kind: Kind::VirtualMachine, name: name.into() };
        let (id, vm) = found.ok_or_else(not_found)?;
        let vmi = cx.newest().named::<VirtualMachineInstance>(namespace, name);
        Ok(Self { id, vm: Arc::clone(vm), vmi: vmi.map(|(_, vmi)| Arc::clone(vmi)) })
    }

    fn start(&self, cx: &mut Context<'_>, start: StateChangeRequest) -> Result<(), ApiError> {
        let phase = self.vmi.as_ref().map(|vmi| vmi.status.phase.as_str());
        if !matches!(phase, None | Some("Failed" | "Succeeded" | "Unknown" | "")) {
            return Err(self.conflict("VM is already running"));
        }
        if self.vm.status.conditions.is_true("ManualRecoveryRequired") {
            return Err(self.conflict(
                "VM recovery required: Volume migration failed, leaving some volumes pointing to non-consistent \
                 targets; manual intervention is needed to reassign them to their original volumes",
            ));
        }
        match (self.strategy()?, phase) {
            // virt-controller makes it run always when it sees the request.
            (RunStrategy::Halted, _) if start.is_paused_start() => self.request(cx, vec![start]),
            (RunStrategy::Halted, _) => self.set_running(cx, true),
            (RunStrategy::RerunOnFailure, Some("Failed")) => {
                Err(self.conflict("RerunOnFailure does not support starting VM from failed state"))
            }
            (RunStrategy::RerunOnFailure, Some("Succeeded"))
            | (RunStrategy::Manual, Some("Failed" | "Succeeded")) => {
                self.request(cx, self.restart_requests(start))
            }
            (RunStrategy::RerunOnFailure | RunStrategy::Manual, _) => self.request(cx, vec![start]),
            (strategy @ (RunStrategy::Always | RunStrategy::Once), _) => {
                Err(self.conflict(&format!("{} does not support manual start requests", strategy.as_str())))
            }
            (RunStrategy::WaitAsReceiver, _) => Ok(()),
        }
    }

    fn stop(&self, cx: &mut Context<'_>) -> Result<(), ApiError> {
        let running = self.vmi.as_ref().filter(|vmi| !vmi.is_final());
        match (self.strategy()?, running) {
            (RunStrategy::Halted | RunStrategy::RerunOnFailure | RunStrategy::Manual, None) => {
                Err(self.conflict("VM is not running"))
            }
            (RunStrategy::Halted, Some(_)) => {
                Err(self.conflict("Halted only supports manual stop requests with a shorter graceperiod"))
            }
            (RunStrategy::RerunOnFailure | RunStrategy::Manual, Some(vmi)) => {
                self.request(cx, vec![StateChangeRequest::stop(vmi.metadata.uid.clone())])
            }
            (RunStrategy::Always | RunStrategy::Once, _) => self.set_running(cx, false),
            (RunStrategy::WaitAsReceiver, _) => Ok(()),
        }
    }

    fn restart(&self, cx: &mut Context<'_>) -> Result<(), ApiError> {
        let strategy = self.strategy()?;
        if matches!(strategy, RunStrategy::Halted | RunStrategy::Once) {
            // Spelled so upstream.
            let why = format!("RunStategy {} does not support manual restart requests", strategy.as_str());
            return Err(self.conflict(&why));
        }
        if self.vmi.is_none() {
            return Err(self.conflict("VM is not running: Halted"));
        }
        self.request(cx, self.restart_requests(StateChangeRequest::start()))
    }

    /// The instance is to stop, and the next one to start so.
    fn restart_requests(&self, start: StateChangeRequest) -> Vec<StateChangeRequest> {
        let stop = self.vmi.iter().map(|vmi| StateChangeRequest::stop(vmi.metadata.uid.clone()));
        stop.chain([start]).collect()
    }

    /// Adds requests to the status and forgets failed starts. A stop replaces what was asked for before; anything else
    /// must wait for its turn.
    fn request(&self, cx: &mut Context<'_>, requests: Vec<StateChangeRequest>) -> Result<(), ApiError> {
        let replaces = matches!(requests.as_slice(), [only] if only.action == StateChangeRequest::STOP);
        if !self.vm.status.state_change_requests.is_empty() && !replaces {
            let why = "unable to complete request: stop/start already underway";
            return Err(ApiError::Internal { why: why.into() });
        }
        let patched = cx.patch::<VirtualMachine>(self.id, |vm| {
            vm.status.state_change_requests = requests;
            vm.status.start_failure = None;
        });
        patched.map(|_| ())
    }

    /// Switches the machine on or off by whichever field its spec uses.
    fn set_running(&self, cx: &mut Context<'_>, running: bool) -> Result<(), ApiError> {
        let patched = cx.patch::<VirtualMachine>(self.id, |vm| {
            let spec = Arc::make_mut(&mut vm.spec);
            if spec.run_strategy.is_some() {
                let strategy = if running { RunStrategy::Always } else { RunStrategy::Halted };
                spec.run_strategy = Some(strategy.as_str().into());
            } else {
                spec.running = Some(running);
            }
        });
        patched.map(|_| ())
    }

    /// A word that the API does not know does nothing, as `WaitAsReceiver` does.
    fn strategy(&self) -> Result<RunStrategy, ApiError> {
        match self.vm.spec.run_strategy() {
            Ok(strategy) => Ok(strategy),
            Err(RunStrategyError::Unknown(_)) => Ok(RunStrategy::WaitAsReceiver),
            Err(error) => Err(ApiError::Internal { why: error.to_string().into() }),
        }
    }

    fn conflict(&self, why: &str) -> ApiError {
        let name: ArcStr = self.vm.metadata.name.clone();
        ApiError::SubresourceConflict { resource: "virtualmachine.kubevirt.io", name, why: why.into() }
    }
}
