//! One kind's objects, in order of creation, each with the versions that some view has yet to leave behind.

use crate::kind::Resource;
use arcstr::ArcStr;
use indexmap::{Equivalent, IndexMap};
use rustc_hash::FxBuildHasher;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// The objects of one kind.
#[derive(Debug)]
pub struct Table<T> {
    slots: Vec<Slot<T>>,
    /// The newest slot of each name; only looked up, never walked.
    names: IndexMap<Name, u32, FxBuildHasher>,
    live: usize,
}

/// One object: a slot is never used again.
#[derive(Debug)]
struct Slot<T> {
    live: Option<Arc<T>>,
    /// Revision of the newest write.
    revision: u64,
    /// Older versions, oldest first, each with the revision at which it was replaced.
    older: Vec<(u64, Option<Arc<T>>)>,
    /// The slot that bore this name before.
    before: Option<u32>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Name {
    namespace: ArcStr,
    name: ArcStr,
}

#[derive(PartialEq, Eq)]
struct NameRef<'a>(&'a str, &'a str);

/// Hashes as [`Name`] does, so that a look-up needs no string of its own.
impl Hash for NameRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
        self.1.hash(state);
    }
}

impl Equivalent<Name> for NameRef<'_> {
    fn equivalent(&self, key: &Name) -> bool {
        self.0 == key.namespace && self.1 == key.name
    }
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), names: IndexMap::default(), live: 0 }
    }
}

impl<T: Resource> Table<T> {
    /// The version that a view sees whose newest delivered revision is `horizon`.
    pub(crate) fn at(&self, index: u32, horizon: u64) -> Option<&Arc<T>> {
        let slot = self.slots.get(index as usize)?;
        if slot.revision <= horizon {
            return slot.live.as_ref();
        }
        let seen = slot.older.iter().find(|(replaced, _)| *replaced > horizon);
        seen.and_then(|(_, version)| version.as_ref())
    }

    /// The object of a name that a view sees.
    pub(crate) fn named(&self, namespace: &str, name: &str, horizon: u64) -> Option<(u32, &Arc<T>)> {
        let mut index = *self.names.get(&NameRef(namespace, name))?;
        loop {
            if let Some(object) = self.at(index, horizon) {
                return Some((index, object));
            }
            index = self.slots[index as usize].before?;
        }
    }

    /// The objects that a view sees, in order of creation.
    pub(crate) fn iter(&self, horizon: u64) -> impl Iterator<Item = (u32, &Arc<T>)> {
        (0..self.next_index()).filter_map(move |index| Some((index, self.at(index, horizon)?)))
    }

    /// The name of an object, though it be gone, as long as a view has yet to see that.
    pub(super) fn last_name(&self, index: u32) -> Option<ArcStr> {
        let slot = self.slots.get(index as usize)?;
        let last = slot.live.as_ref().or_else(|| slot.older.last()?.1.as_ref())?;
        Some(last.metadata().name.clone())
    }

    /// How many objects exist now.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether no object exists now.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// The place that the next object gets.
    pub(crate) fn next_index(&self) -> u32 {
        u32::try_from(self.slots.len()).expect("fewer than 2^32 objects of a kind")
    }

    /// Adds an object under a name that no live object has.
    pub(super) fn insert(&mut self, object: Arc<T>, revision: u64) -> u32 {
        let index = self.next_index();
        let meta = object.metadata();
        let name = Name { namespace: meta.namespace.clone(), name: meta.name.clone() };
        let before = self.names.insert(name, index);
        debug_assert!(
            before.is_none_or(|before| self.slots[before as usize].live.is_none()),
            "the name is free"
        );
        self.slots.push(Slot { live: Some(object), revision, older: vec![(revision, None)], before });
        self.live += 1;
        index
    }

    /// Replaces an object, or removes it with `None`, and returns the version before.
    pub(super) fn replace(&mut self, index: u32, object: Option<Arc<T>>, revision: u64) -> Arc<T> {
        let slot = &mut self.slots[index as usize];
        assert!(slot.revision < revision, "revisions rise");
        self.live -= usize::from(object.is_none());
        let old = std::mem::replace(&mut slot.live, object).expect("only a live object is written");
        slot.older.push((revision, Some(Arc::clone(&old))));
        slot.revision = revision;
        old
    }

    /// Forgets the versions that were replaced at or before a revision that every view has seen.
    pub(super) fn forget(&mut self, index: u32, seen: u64) {
        let older = &mut self.slots[index as usize].older;
        older.retain(|(replaced, _)| *replaced > seen);
        if older.is_empty() {
            *older = Vec::new();
        }
    }
}
