//! PV protection, kube-controller-manager 1.36.2: `pkg/controller/volume/pvprotection/pv_protection_controller.go`.
//!
//! A volume that is being deleted stays while it is Bound.

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::objects::PersistentVolume;
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::literal;

/// Keeps a volume while a claim is bound to it.
pub(crate) const PV_PROTECTION: &str = "kubernetes.io/pv-protection";

/// The PV protection controller.
#[derive(Default)]
pub(crate) struct PvProtection;

impl Controller for PvProtection {
    fn name(&self) -> &'static str {
        "pv-protection"
    }

    fn on_change(&mut self, change: &Change, _view: View<'_>, queue: &mut WorkQueue) {
        if change.new_as::<PersistentVolume>().is_some_and(|volume| needs_work(volume)) {
            queue.add(change.id);
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let volume = cx.view().get::<PersistentVolume>(work.id);
        let Some(volume) = volume.filter(|volume| needs_work(volume)) else { return Action::Done };
        let mut volume = PersistentVolume::clone(volume);
        if volume.metadata.is_deleting() {
            volume.metadata.remove_finalizer(PV_PROTECTION);
        } else {
            volume.metadata.add_finalizer(literal!(PV_PROTECTION));
        }
        match cx.update(work.id, volume) {
            Ok(()) => Action::Done,
            Err(error) => Action::Fail(error.to_string().into()),
        }
    }
}

/// Whether the finalizer is to be added or removed.
fn needs_work(volume: &PersistentVolume) -> bool {
    let protected = volume.metadata.has_finalizer(PV_PROTECTION);
    match volume.metadata.is_deleting() {
        true => protected && volume.status.phase != "Bound",
        false => !protected,
    }
}
