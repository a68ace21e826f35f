//! What callers can get wrong.

use std::fmt;

use crate::{PrintableStatus, Time, VmId, VmName};

/// An input came too late; it was rejected and changed nothing (R13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeError {
    /// The input is older than the newest one.
    Older {
        /// The instant of the rejected input.
        at: Time,
        /// The newest instant so far.
        newest: Time,
    },
    /// The input is at the very instant that an advance has closed.
    Closed {
        /// The instant of the rejected input.
        at: Time,
        /// The closed instant, and with it all before it.
        closed: Time,
    },
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Older { at, newest } => write!(
                f,
                "an input at {at} is older than the newest, at {newest}; \
                 expected inputs in the order of their times"
            ),
            Self::Closed { at, closed } => write!(
                f,
                "an input at {at} comes after an advance to {closed} has closed that instant; \
                 expected later times, or the advance behind the inputs of its instant"
            ),
        }
    }
}

impl std::error::Error for TimeError {}

/// Why thresholds do not make a [`Rule`](crate::Rule).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuleError {
    /// A threshold is zero.
    ZeroThreshold,
    /// A threshold is given for a status that opens no episode.
    NotAnError {
        /// The status that is not one of the seven.
        status: PrintableStatus,
    },
    /// The thresholds per status, read from a file, are out of order or double.
    Unsorted,
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ZeroThreshold => f.write_str("expected a threshold above zero, such as 5m"),
            Self::NotAnError { status } => write!(
                f,
                "expected one of the seven error statuses, such as ErrImagePull; \
                 `{status}` opens no episode"
            ),
            Self::Unsorted => {
                f.write_str("expected each status at most once, in the order of PrintableStatus::ALL")
            }
        }
    }
}

impl std::error::Error for RuleError {}

/// Why a snapshot cannot be restored.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RestoreError {
    /// The snapshot is of a version that this crate does not read.
    Version {
        /// The snapshot's version.
        found: u32,
        /// The one version that is read.
        expected: u32,
    },
    /// Its rule is not a rule.
    Rule(RuleError),
    /// An id stands for no machine of the snapshot.
    NoSuchVm {
        /// The id.
        vm: VmId,
    },
    /// A machine has two names, or a name or an episode twice.
    Twice {
        /// The machine's id.
        vm: VmId,
    },
    /// A machine's status and its episode contradict each other: there must be
    /// an episode exactly where the status is an error.
    Episode {
        /// The machine's id.
        vm: VmId,
    },
    /// A pending episode has a threshold that the rule does not have.
    Threshold {
        /// The machine's id.
        vm: VmId,
    },
    /// An episode begins after the newest instant, should have fired before it
    /// (or not yet), or stands behind one that began later.
    Since {
        /// The machine's id.
        vm: VmId,
        /// When the episode begins.
        since: Time,
    },
    /// A machine has a status but no name.
    NoName {
        /// The machine's id.
        vm: VmId,
    },
    /// Two live machines share namespace and name.
    SameName {
        /// The second machine's name.
        name: VmName,
    },
}

impl From<RuleError> for RestoreError {
    fn from(error: RuleError) -> RestoreError {
        RestoreError::Rule(error)
    }
}

impl fmt::Display for RestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version { found, expected } => write!(
                f,
                "expected a snapshot of version {expected}, found version {found}; \
                 start without it, or use the release that wrote it"
            ),
            Self::Rule(error) => write!(f, "the snapshot's rule: {error}"),
            Self::NoSuchVm { vm } => write!(f, "the snapshot is damaged: {vm} is not in it"),
            Self::Twice { vm } => write!(f, "the snapshot is damaged: {vm} is named or dwells twice"),
            Self::Episode { vm } => {
                write!(f, "the snapshot is damaged: the status of {vm} and its episode contradict each other")
            }
            Self::Threshold { vm } => {
                write!(f, "the snapshot is damaged: the rule lacks the threshold of {vm}")
            }
            Self::Since { vm, since } => write!(
                f,
                "the snapshot is damaged: the episode of {vm} since {since} contradicts \
                 the newest instant or the order of the deadlines"
            ),
            Self::NoName { vm } => write!(f, "the snapshot is damaged: {vm} has no name"),
            Self::SameName { name } => {
                write!(f, "the snapshot is damaged: {}/{} is live twice", name.namespace, name.name)
            }
        }
    }
}

impl std::error::Error for RestoreError {}
