//! What comes out: an episode fired, or one that had fired ended.

use std::fmt;

use crate::{PrintableStatus, Time, VmId};

/// One alert, `firing` or `resolved`.
///
/// `V` tells the machine: its [`VmId`] from a [`Detector`](crate::Detector),
/// its name from a [`NamedDetector`](crate::NamedDetector).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert<V = VmId> {
    /// The deadline, or the end of the episode: never the instant of the input
    /// that made it known.
    pub at: Time,
    /// Whether the alert begins or ends.
    pub kind: AlertKind,
    /// The machine.
    pub vm: V,
    /// The error status that held at the deadline; `resolved` repeats it.
    pub status: PrintableStatus,
    /// When the episode began.
    pub since: Time,
}

impl<V> Alert<V> {
    /// The same alert of a machine that is called otherwise.
    pub(crate) fn with_vm<W>(self, vm: W) -> Alert<W> {
        Alert { at: self.at, kind: self.kind, vm, status: self.status, since: self.since }
    }
}

/// Whether an alert begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// The episode has lasted for the threshold.
    Firing,
    /// The episode that fired is over.
    Resolved,
}

impl AlertKind {
    /// `firing` or `resolved`, as streams have it.
    pub const fn as_str(self) -> &'static str {
        match self {
            AlertKind::Firing => "firing",
            AlertKind::Resolved => "resolved",
        }
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
