//! What was written, in order.

use crate::kind::{Object, ObjectId, Resource};
use std::collections::VecDeque;
use std::sync::Arc;

/// One write: the object before and after.
#[derive(Clone, Debug)]
pub struct Change {
    /// The store's revision after the write.
    pub revision: u64,
    /// Which object.
    pub id: ObjectId,
    /// Before; `None` when it was created.
    pub old: Option<Object>,
    /// After; `None` when it is gone.
    pub new: Option<Object>,
}

impl Change {
    /// The object after the write or, if it is gone, before.
    pub fn object(&self) -> &Object {
        self.new.as_ref().or(self.old.as_ref()).expect("a change has an object")
    }

    /// Before, if it is of this kind.
    pub fn old_as<T: Resource>(&self) -> Option<&Arc<T>> {
        self.old.as_ref().and_then(T::unwrap)
    }

    /// After, if it is of this kind.
    pub fn new_as<T: Resource>(&self) -> Option<&Arc<T>> {
        self.new.as_ref().and_then(T::unwrap)
    }
}

/// The changes that some view has yet to see. A revision is one change, so a change is found by its revision.
#[derive(Debug, Default)]
pub(super) struct ChangeLog {
    changes: VecDeque<Change>,
    /// Revision of the newest change that was dropped.
    dropped: u64,
}

impl ChangeLog {
    /// Revision of the newest change.
    pub(super) fn revision(&self) -> u64 {
        self.dropped + self.changes.len() as u64
    }

    pub(super) fn push(&mut self, change: Change) {
        assert_eq!(change.revision, self.revision() + 1, "revisions have no gaps");
        self.changes.push_back(change);
    }

    /// The change of a revision that has not been dropped.
    pub(super) fn get(&self, revision: u64) -> &Change {
        assert!(revision > self.dropped, "change {revision} was dropped");
        &self.changes[(revision - self.dropped - 1) as usize]
    }

    /// Drops the oldest change if every view has seen it.
    pub(super) fn pop_seen(&mut self, seen: u64) -> Option<Change> {
        if self.dropped >= seen {
            return None;
        }
        let change = self.changes.pop_front()?;
        self.dropped = change.revision;
        Some(change)
    }
}
