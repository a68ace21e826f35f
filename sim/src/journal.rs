//! Every write and every Kubernetes event in full, kept only when asked for: what timelines and tests read.

use crate::context::EventType;
use crate::kind::{Object, ObjectId};
use stuckvm_detector::Time;

/// One entry of the journal.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A write to the store.
    Write {
        /// When.
        at: Time,
        /// Which controller, or `user`.
        actor: &'static str,
        /// `create`, `update`, `delete` (marked as being deleted) or `remove`.
        verb: &'static str,
        /// Which object.
        id: ObjectId,
        /// Before.
        old: Option<Object>,
        /// After.
        new: Option<Object>,
    },
    /// A Kubernetes event.
    Event {
        /// When.
        at: Time,
        /// Which controller.
        actor: &'static str,
        /// The object's kind.
        kind: &'static str,
        /// The object's namespace.
        namespace: String,
        /// The object's name.
        name: String,
        /// The part of the object that it is about, such as `spec.containers{compute}`; empty: the whole.
        field: String,
        /// Its severity.
        severity: EventType,
        /// Its reason.
        reason: String,
        /// Its text.
        message: String,
    },
    /// A request that changed nothing, such as the delete of what is being deleted.
    Unchanged {
        /// When.
        at: Time,
        /// Which controller, or `user`.
        actor: &'static str,
        /// `delete`.
        verb: &'static str,
        /// Which object.
        id: ObjectId,
        /// The object, as it is and stays.
        object: Object,
    },
    /// A request that the API server refused.
    Refused {
        /// When.
        at: Time,
        /// Which controller, or `user`.
        actor: &'static str,
        /// `create`, `update` or `delete`.
        verb: &'static str,
        /// The server's words.
        error: String,
    },
}
