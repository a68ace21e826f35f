//! Time only moves forward (R13).

use crate::Time;
use crate::error::TimeError;

/// How far the inputs have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum Clock {
    /// There was no input yet.
    #[default]
    Unset,
    /// The newest input is at this instant, and more of it may come.
    Open(Time),
    /// An advance has closed this instant and all before it.
    Closed(Time),
}

impl Clock {
    /// Whether an input at `at` is in time.
    pub(crate) fn admit(self, at: Time) -> Result<(), TimeError> {
        match self {
            Clock::Open(newest) | Clock::Closed(newest) if at < newest => {
                Err(TimeError::Older { at, newest })
            }
            Clock::Closed(closed) if at == closed => Err(TimeError::Closed { at, closed }),
            _ => Ok(()),
        }
    }

    /// Whether a deadline at `deadline` must have fired by now: observations of
    /// an open instant still come before the deadlines of that instant (R3).
    pub(crate) fn has_passed(self, deadline: Time) -> bool {
        match self {
            Clock::Unset => false,
            Clock::Open(newest) => deadline < newest,
            Clock::Closed(closed) => deadline <= closed,
        }
    }

    /// The newest instant.
    pub fn newest(self) -> Option<Time> {
        match self {
            Clock::Unset => None,
            Clock::Open(newest) | Clock::Closed(newest) => Some(newest),
        }
    }
}
