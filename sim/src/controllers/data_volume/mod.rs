//! DataVolume controller, CDI main 2026-08 (commit c07cdb6fbd18): `pkg/controller/datavolume/controller-base.go`.
//!
//! Upstream runs one controller a kind of source over the same code; here one does them all.

mod clone;
mod clone_phases;
mod clone_size;
mod clone_snapshot;
mod clone_source;
mod clone_tokens;
mod conditions;
mod import;
mod phases;
mod render;
mod source;
mod static_volume;
mod status;
mod sync;
mod upload;

pub(super) use clone::too_small;
pub(crate) use clone_source::token as clone_token;
pub(super) use render::{filesystem_overhead, required_space, usable_space};
pub(super) use source::annotate;
pub(super) use sync::{merge, preallocation};

use crate::context::Context;
use crate::controller::{Action, Controller};
use crate::controllers::cdi::annotations as ann;
use crate::controllers::cdi::errors::CdiError;
use crate::kind::{Kind, ObjectId};
use crate::objects::{DataSource, DataVolume, ObjectMeta, PersistentVolume};
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use clone_source::Waiting;
use source::DataVolumeOp;
use std::collections::BTreeSet;
use sync::SyncState;

/// Makes claims for DataVolumes and tells how far they are.
#[derive(Debug, Default)]
pub(crate) struct DataVolumeController {
    /// DataVolumes without a phase: classes, profiles and volumes may bring them on.
    unset: BTreeSet<ObjectId>,
    /// Clones by what they copy: they wait for it to appear.
    waiting: Waiting,
}

impl Controller for DataVolumeController {
    fn name(&self) -> &'static str {
        "data-volume"
    }

    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        match change.id.kind {
            Kind::DataVolume => self.on_data_volume(change, view, queue),
            Kind::PersistentVolumeClaim => {
                on_dependent(change, view, queue);
                self.on_source(change, view, queue);
            }
            Kind::Pod => on_dependent(change, view, queue),
            Kind::VolumeSnapshot => self.on_source(change, view, queue),
            Kind::DataSource => self.on_data_source(change, view, queue),
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
        let op = DataVolumeOp::of(cx.view(), &dv);
        if op == DataVolumeOp::Nop {
            return Action::Done;
        }
        let mut state = SyncState::new(cx, work.id, &dv);
        let synced = sync(&mut state, op, cx);
        let status = status::update(cx, work.id, op, state.phase.take());
        match (synced, status) {
            (Err(error), _) | (Ok(()), Err(error)) => Action::Fail(error.text()),
            (Ok(()), Ok(poll)) => match (state.requeue_after, poll) {
                (Some(delay), _) => Action::RequeueAfter(delay),
                (None, Some(poll)) if !state.is_done => poll.into(),
                (None, _) => Action::Done,
            },
        }
    }
}

impl DataVolumeController {
    fn on_data_volume(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        if let Some(old) = change.old_as::<DataVolume>().filter(|_| change.new.is_none()) {
            self.unset.remove(&change.id);
            self.waiting.remove_data_volume(change.id, old);
            return;
        }
        let Some(dv) = change.new_as::<DataVolume>() else { return };
        if dv.status.phase.is_empty() {
            self.unset.insert(change.id);
        } else {
            self.unset.remove(&change.id);
        }
        if change.old.is_none() {
            self.waiting.add_data_volume(change.id, dv);
        }
        add(change.id, dv, view, queue);
    }

    /// `addCloneWithoutSourceWatch`: a new claim or snapshot.
    fn on_source(&self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        if change.old.is_none() {
            self.wake(change, view, queue);
        }
    }

    /// `addDataSourceWatch`: whatever happens to a DataSource.
    fn on_data_source(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let (old, new) = (change.old_as::<DataSource>(), change.new_as::<DataSource>());
        self.waiting.update_data_source(change.id, old.map(AsRef::as_ref), new.map(AsRef::as_ref));
        self.wake(change, view, queue);
    }

    fn wake(&self, change: &Change, view: View<'_>, queue: &mut WorkQueue) {
        let meta = change.object().metadata();
        let key = (change.id.kind, meta.namespace.clone(), meta.name.clone());
        self.waiting.each(view, &key, &mut |id| queue.add(id));
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
    let owner = meta.annotations.get(&ann::OWNED_BY_DATA_VOLUME).and_then(|owner| owner.split_once('/'));
    if let Some((namespace, name)) = owner {
        add_named(namespace, name, view, queue);
    }
}

fn add_named(namespace: &str, name: &str, view: View<'_>, queue: &mut WorkQueue) {
    if let Some((id, dv)) = view.named::<DataVolume>(namespace, name) {
        add(id, dv, view, queue);
    }
}

/// A DataVolume whose DataSource is not there is nobody's (`getSourceRefOp`).
fn add(id: ObjectId, dv: &DataVolume, view: View<'_>, queue: &mut WorkQueue) {
    if dv.spec.source_ref.is_none() || clone_source::resolve(view, dv).is_ok() {
        queue.add(id);
    }
}

/// The first half: the claim.
fn sync(state: &mut SyncState, op: DataVolumeOp, cx: &mut Context<'_>) -> Result<(), CdiError> {
    match op {
        DataVolumeOp::Import => import::cleanup(state, cx)?,
        DataVolumeOp::Upload => upload::cleanup(state, cx)?,
        DataVolumeOp::PvcClone | DataVolumeOp::SnapshotClone => {
            clone_source::populate(cx.view(), &mut state.dv)?;
            clone::cleanup(state, cx)?;
        }
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
