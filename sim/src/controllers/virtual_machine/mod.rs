//! virt-controller's VM controller, KubeVirt main of August 2026 (`d923fdb815cd`):
//! `pkg/virt-controller/watch/vm/vm.go`.
//!
//! It keeps the instance of a virtual machine as the run strategy wants it, and reports.

mod claim;
mod conditions;
mod data_volume_templates;
mod expectations;
mod finalizers;
mod instance;
mod instance_types;
mod receiver;
mod reconcile;
mod requests;
mod restart_required;
mod revisions;
mod run_strategy;
pub(crate) mod start_failure;
mod status;
mod subresources;
mod watch;

pub(crate) use claim::{Ownership, ownership};

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::kind::ObjectId;
use crate::objects::VirtualMachine;
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use expectations::Expectations;
use indexmap::IndexMap;
use reconcile::Reconcile;
use rustc_hash::FxBuildHasher;
use std::sync::Arc;
use stuckvm_detector::Time;

/// The name in the trace and in [`crate::Cluster::reconcile_once`].
pub(crate) const NAME: &str = "virtual-machine";

/// The VM controller. What it keeps of a machine is what it has asked for, and only while that is
/// outstanding.
#[derive(Debug, Default)]
pub(crate) struct VirtualMachineController {
    /// Creations and deletions of instances (`expectations`).
    instances: Expectations,
    /// Creations of DataVolumes (`dataVolumeExpectations`).
    data_volumes: Expectations,
    /// Instances, by machine, whose finalizer was taken off and whose machine has not been looked at since.
    released: IndexMap<ObjectId, ArcStr, FxBuildHasher>,
}

impl VirtualMachineController {
    /// A controller that has yet to see DataVolumes which it created for these machines.
    pub(crate) fn expecting_data_volumes(vms: impl IntoIterator<Item = ObjectId>, now: Time) -> Self {
        let mut controller = Self::default();
        vms.into_iter().for_each(|vm| controller.data_volumes.expect_creation(vm, now));
        controller
    }
}

impl Controller for VirtualMachineController {
    fn name(&self) -> &'static str {
        NAME
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        watch::on_change(self, change, view, queue);
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(vm) = cx.view().get::<VirtualMachine>(work.id).map(Arc::clone) else {
            self.instances.forget(work.id);
            self.data_volumes.forget(work.id);
            self.released.swap_remove(&work.id);
            return Action::Done;
        };
        match Reconcile::new(self, cx, work.id, vm).run() {
            Ok(action) => action,
            Err(error) => Action::Fail(error),
        }
    }
}
