//! DataVolume controller, CDI main 2026-08 (commit c07cdb6fbd18): `pkg/controller/datavolume/controller-base.go`.
//!
//! Upstream runs one controller a kind of source over the same code; here one does them all.

mod clone;
mod clone_phases;
mod conditions;
mod import;
mod phases;
mod render;
mod source;
mod static_volume;
mod status;
mod sync;
mod upload;

pub(super) use render::{filesystem_overhead, required_space, usable_space};
pub(super) use source::annotate;
pub(super) use sync::{merge, preallocation};

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::errors::CdiError;
use crate::kind::{Kind, ObjectId};
use crate::objects::{DataVolume, ObjectMeta, PersistentVolume};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use clone::CloneSource;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use source::DataVolumeOp;
use std::collections::BTreeSet;
use sync::SyncState;

/// Makes claims for DataVolumes and tells how far they are.
#[derive(Debug, Default)]
pub(crate) struct DataVolumeController {
    /// DataVolumes without a phase: classes, profiles and volumes may bring them on.
    unset: BTreeSet<ObjectId>,
    /// Clones by the claim that they copy, namespace and name: they wait for it to appear.
    clones: IndexMap<(ArcStr, ArcStr), Vec<ObjectId>, FxBuildHasher>,
}

impl Controller for DataVolumeController {
    fn name(&self) -> &'static str {
        "data-volume"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.id.kind {
            Kind::DataVolume => self.on_data_volume(change, queue),
            Kind::PersistentVolumeClaim => {
                on_dependent(change, view, queue);
                self.on_source(change, queue);
            }
            Kind::Pod => on_dependent(change, view, queue),
            Kind::VolumeImportSource | Kind::VolumeUploadSource | Kind::VolumeCloneSource => {
                on_owned(change.object().metadata(), view, queue)
            }
            Kind::StorageClass => self.unset.iter().for_each(|id| queue.add(*id)),
            Kind::PersistentVolume => self.on_volume(change, view, queue),
            _ => {}
        }
    }

    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action {
        let Some(dv) = cx.view().get::<DataVolume>(work.id).cloned() else { return Action::Done };
        let op = DataVolumeOp::of(&dv);
        if op == DataVolumeOp::Nop {
            return Action::Done;
        }
        let mut state = SyncState::new(cx, work.id, &dv);
        let synced = sync(&mut state, op, cx);
        let status = status::update(cx, work.id, op, state.phase.take());
        match (synced, status) {
            (Err(error), _) | (Ok(()), Err(error)) => Action::Fail(error.text()),
            (Ok(()), Ok(Some(poll))) if !state.is_done => poll.into(),
            _ => Action::Done,
        }
    }
}

impl DataVolumeController {
    fn on_data_volume(&mut self, change: &Change, queue: &mut WorkQueue) {
        let Some(dv) = change.new_as::<DataVolume>() else {
            self.forget(change);
            queue.add(change.id);
            return;
        };
        if dv.status.phase.is_empty() {
            self.unset.insert(change.id);
        } else {
            self.unset.remove(&change.id);
        }
        if change.old.is_none()
            && let Some(source) = CloneSource::of(dv)
        {
            self.clones.entry((source.namespace, source.name)).or_default().push(change.id);
        }
        queue.add(change.id);
    }

    fn forget(&mut self, change: &Change) {
        self.unset.remove(&change.id);
        let Some(source) = change.old_as::<DataVolume>().and_then(|dv| CloneSource::of(dv)) else { return };
        let key = (source.namespace, source.name);
        if let Some(clones) = self.clones.get_mut(&key) {
            clones.retain(|id| *id != change.id);
            if clones.is_empty() {
                self.clones.swap_remove(&key);
            }
        }
    }

    /// `addCloneWithoutSourceWatch`.
    fn on_source(&self, change: &Change, queue: &mut WorkQueue) {
        if self.clones.is_empty() || change.new.is_none() {
            return;
        }
        let meta = change.object().metadata();
        let clones = self.clones.get(&(meta.namespace.clone(), meta.name.clone()));
        clones.into_iter().flatten().for_each(|id| queue.add(*id));
    }

    fn on_volume(&self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let Some(volume) = change.new_as::<PersistentVolume>() else { return };
        if volume.status.phase != "Available" {
            return;
        }
        for id in &self.unset {
            let storage = view.get::<DataVolume>(*id).and_then(|dv| dv.spec.storage.as_ref());
            let class = storage.and_then(|storage| storage.storage_class_name.as_ref());
            if class == Some(&volume.spec.storage_class_name) {
                queue.add(*id);
            }
        }
    }
}

/// A claim or pod leads to the DataVolume that controls it, and a claim to the one that it is populated for.
fn on_dependent(change: &Change, view: View<'_>, queue: &mut WorkQueue) {
    let meta = change.object().metadata();
    on_owned(meta, view, queue);
    if change.id.kind == Kind::PersistentVolumeClaim
        && let Some(name) = meta.annotations.get(&ann::POPULATED_FOR)
    {
        add_named(&meta.namespace, name, view, queue);
    }
}

fn on_owned(meta: &ObjectMeta, view: View<'_>, queue: &mut WorkQueue) {
    if let Some(owner) = meta.controller().filter(|owner| owner.kind == "DataVolume") {
        add_named(&meta.namespace, &owner.name, view, queue);
    }
}

fn add_named(namespace: &str, name: &str, view: View<'_>, queue: &mut WorkQueue) {
    if let Some((id, _)) = view.named::<DataVolume>(namespace, name) {
        queue.add(id);
    }
}

/// The first half: the claim.
fn sync(state: &mut SyncState, op: DataVolumeOp, cx: &mut Context<'_>) -> Result<(), CdiError> {
    match op {
        DataVolumeOp::Import => import::cleanup(state, cx)?,
        DataVolumeOp::Upload => upload::cleanup(state, cx)?,
        DataVolumeOp::PvcClone | DataVolumeOp::SnapshotClone => clone::cleanup(state, cx)?,
        DataVolumeOp::Populator | DataVolumeOp::Nop => {}
    }
    if state.dv.metadata.is_deleting() {
        state.is_done = true;
        return state.update_metadata(cx);
    }
    state.sync_common(cx)?;
    match op {
        _ if state.is_done => Ok(()),
        DataVolumeOp::Import => import::sync(state, cx),
        DataVolumeOp::Upload => upload::sync(state, cx),
        DataVolumeOp::PvcClone | DataVolumeOp::SnapshotClone => clone::sync(state, cx, op),
        DataVolumeOp::Populator => state.create_claim(cx, |_, _, claim| {
            claim.metadata.annotations.insert(ann::EXTERNAL_POPULATION, "true");
        }),
        DataVolumeOp::Nop => Ok(()),
    }
}
