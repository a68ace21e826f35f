//! Who is judged: a way to start a detector for a case, and what can be asked of one that runs.

use crate::judge::Profile;
use crate::oracle::Thresholds;
use crate::stream::{Alert, Input};
use crate::verdict::RunError;
use std::time::Duration;

/// A detector that can be started, once a case.
pub trait Candidate: Sync {
    /// What reports call it.
    fn name(&self) -> String;

    /// How exact it must be.
    fn profile(&self) -> Profile {
        Profile::Exact
    }

    /// The only threshold that it knows, if it cannot be told another; cases with others are not tested then.
    fn only_threshold(&self) -> Option<Duration> {
        None
    }

    /// A detector that has seen nothing, or one that goes on from a snapshot.
    ///
    /// # Errors
    ///
    /// If it does not come up.
    fn start(&self, start: &Start<'_>) -> Result<Box<dyn Session + '_>, RunError>;
}

/// What a detector is told before the first input.
#[derive(Clone, Copy, Debug)]
pub struct Start<'a> {
    /// The name of the case.
    pub case: &'a str,
    /// How long an episode must last to fire.
    pub thresholds: &'a Thresholds,
    /// What a detector before it knew, as [`Session::snapshot`] gave it: JSON.
    pub restore: Option<&'a str>,
}

/// A detector that runs. Dropping it ends it.
pub trait Session {
    /// What it can do beyond the least.
    fn capabilities(&self) -> Capabilities;

    /// Gives it one input, numbered from 1 without gaps, also over restarts.
    ///
    /// # Errors
    ///
    /// If it gave no answer that can be judged: it died, hangs or speaks another protocol.
    fn input(&mut self, seq: u64, input: &Input) -> Result<Answer, RunError>;

    /// What it knows, as JSON. Asked only of one that is capable of it.
    ///
    /// # Errors
    ///
    /// As [`Session::input`].
    fn snapshot(&mut self) -> Result<String, RunError>;

    /// Tells it that nothing more comes. Not called of one that is stopped in the middle.
    ///
    /// # Errors
    ///
    /// If it has more to say, or does not end.
    fn finish(&mut self) -> Result<(), RunError> {
        Ok(())
    }
}

/// What a detector can do beyond the least.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// It can be stopped and restored (R11).
    pub snapshot: bool,
    /// It takes a threshold a status.
    pub thresholds: bool,
}

/// What a detector says to one input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The alerts that have become due, deadlines first.
    pub alerts: Vec<Alert>,
    /// Words of this input that it does not know (R12); `None` from one that does not report them.
    pub unknown: Option<Vec<String>>,
    /// Why it rejects the input, which then counts as not sent (R13).
    pub rejected: Option<String>,
}
