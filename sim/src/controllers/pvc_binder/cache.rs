//! What the controller knows: its informers' caches and, newer than these, what it has written itself.
//!
//! Upstream keeps a cache of its own for the same reason: the four writes of a binding come back one by one, and until
//! then the informers show volumes as free that are taken.

use super::error::SyncError;
use super::index::VolumeIndex;
use crate::context::Context;
use crate::held_event::HeldEvent;
use crate::kind::{Object, ObjectId, Resource};
use crate::objects::{PersistentVolume, PersistentVolumeClaim};
use crate::store::View;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::sync::Arc;

/// One version of an object.
#[derive(Clone, Debug)]
pub(super) struct Held<T> {
    /// Which object.
    pub(super) id: ObjectId,
    /// The version.
    pub(super) object: Arc<T>,
}

/// A claim as the controller knows it.
pub(super) type Claim = Held<PersistentVolumeClaim>;
/// A volume as the controller knows it.
pub(super) type Volume = Held<PersistentVolume>;

/// The controller's own cache.
#[derive(Debug, Default)]
pub(super) struct Cache {
    /// Own writes that the informers have yet to show.
    written: IndexMap<ObjectId, Object, FxBuildHasher>,
    /// What the other worker says while a write is on its way.
    pub(super) said_meanwhile: Vec<HeldEvent>,
    /// Volumes by what they are looked up by.
    pub(super) index: VolumeIndex,
}

impl Cache {
    /// A volume.
    pub(super) fn volume(&self, view: View<'_>, id: ObjectId) -> Option<Volume> {
        self.held(view, id)
    }

    /// A claim.
    pub(super) fn claim(&self, view: View<'_>, id: ObjectId) -> Option<Claim> {
        self.held(view, id)
    }

    /// A volume by name.
    pub(super) fn volume_named(&self, view: View<'_>, name: &str) -> Option<Volume> {
        let (id, _) = view.named::<PersistentVolume>("", name)?;
        self.held(view, id)
    }

    /// A claim by name.
    pub(super) fn claim_named(&self, view: View<'_>, namespace: &str, name: &str) -> Option<Claim> {
        let (id, _) = view.named::<PersistentVolumeClaim>(namespace, name)?;
        self.held(view, id)
    }

    /// The object to sync, unless the controller has written a version of it that its informers do not show yet: then
    /// that version's delivery will bring it back.
    pub(super) fn to_sync<T: Resource>(&self, view: View<'_>, id: ObjectId) -> Option<Held<T>> {
        if self.written.contains_key(&id) {
            return None;
        }
        view.get::<T>(id).map(|object| Held { id, object: Arc::clone(object) })
    }

    /// The informers show a version of a volume, or that it is gone.
    pub(super) fn volume_delivered(&mut self, id: ObjectId, new: Option<&Arc<PersistentVolume>>) {
        if self.is_news(id, new) {
            self.index.note(id, new.map(Arc::as_ref));
        }
    }

    /// The informers show a version of a claim, or that it is gone.
    pub(super) fn claim_delivered(&mut self, id: ObjectId, new: Option<&Arc<PersistentVolumeClaim>>) {
        self.is_news(id, new);
    }

    /// Writes a change of the version that is held, and returns the new version; a rehearsal ends here.
    pub(super) fn update<T: Resource>(
        &mut self,
        held: &Held<T>,
        cx: &mut Context<'_>,
        change: impl FnOnce(&mut T),
    ) -> Result<Held<T>, SyncError> {
        if cx.rehearses() {
            return Err(SyncError::WouldWrite);
        }
        let mut object = T::clone(&held.object);
        change(&mut object);
        cx.update(held.id, object)?;
        self.say_what_was_held(cx);
        let Some(newest) = cx.newest().get::<T>(held.id).cloned() else { return Ok(held.clone()) };
        debug_assert!(newest.metadata().resource_version >= held.object.metadata().resource_version);
        self.written.insert(held.id, T::wrap(Arc::clone(&newest)));
        if let Object::PersistentVolume(volume) = T::wrap(Arc::clone(&newest)) {
            self.index.note(held.id, Some(&volume));
        }
        Ok(Held { id: held.id, object: newest })
    }

    /// Lets out what was said while a write was on its way.
    pub(super) fn say_what_was_held(&mut self, cx: &mut Context<'_>) {
        for held in std::mem::take(&mut self.said_meanwhile) {
            cx.event_held(&held);
        }
    }

    /// Whether a delivered version is not older than an own write; that write is then no longer ahead.
    fn is_news<T: Resource>(&mut self, id: ObjectId, new: Option<&Arc<T>>) -> bool {
        let Some(ahead) = self.written.get(&id) else { return true };
        let news = new.is_none_or(|new| new.metadata().resource_version >= ahead.metadata().resource_version);
        if news {
            self.written.swap_remove(&id);
        }
        news
    }

    fn held<T: Resource>(&self, view: View<'_>, id: ObjectId) -> Option<Held<T>> {
        let written = self.written.get(&id).and_then(T::unwrap);
        let object = written.or_else(|| view.get::<T>(id))?;
        Some(Held { id, object: Arc::clone(object) })
    }
}
