//! Kubernetes events that are said, and those that are held until something else has happened.

use crate::context::EventType;
use crate::objects::ObjectMeta;

/// An event as it is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said<'a> {
    /// The kind of the object that it is about.
    pub(crate) kind: &'static str,
    /// That object.
    pub(crate) meta: &'a ObjectMeta,
    /// The part of it, such as `spec.containers{compute}`; empty for the whole.
    pub(crate) field: &'a str,
    /// How bad it is.
    pub(crate) severity: EventType,
    /// In a word.
    pub(crate) reason: &'a str,
    /// In a sentence.
    pub(crate) message: &'a str,
}

/// An event that waits to be recorded.
#[derive(Clone, Debug)]
pub(crate) struct HeldEvent {
    kind: &'static str,
    meta: ObjectMeta,
    field: String,
    severity: EventType,
    reason: String,
    message: String,
}

impl Said<'_> {
    /// Keeps it for later.
    pub(crate) fn hold(self) -> HeldEvent {
        let Self { kind, meta, field, severity, reason, message } = self;
        HeldEvent {
            kind,
            meta: meta.clone(),
            field: field.to_owned(),
            severity,
            reason: reason.to_owned(),
            message: message.to_owned(),
        }
    }
}

impl HeldEvent {
    /// It is said at last.
    pub(crate) fn as_said(&self) -> Said<'_> {
        let Self { kind, meta, field, severity, reason, message } = self;
        Said { kind, meta, field, severity: *severity, reason, message }
    }
}
