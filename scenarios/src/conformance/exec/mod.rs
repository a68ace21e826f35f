//! A detector in any language: a program that is asked by protocol 1 over its standard input and output. Unix only.
//!
//! | to find | look at |
//! | --- | --- |
//! | the program in a process group of its own, and its end; what has left the group | `process`; `mark` |
//! | lines to and from it, for no longer than they may take | `talk`; `lines`, `tail` |
//! | what is said, as JSON | `messages` |
//! | what is asked when, and what is wrong with an answer | `session` |
//!
//! Nothing that a program does makes the harness hang or grow: every wait has an end, and all that is kept has a limit.

mod lines;
mod mark;
mod messages;
mod process;
mod session;
mod tail;
mod talk;

use super::candidate::{Candidate, Session, Start};
use crate::verdict::RunError;
use session::Conversation;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// A command, run once a case by `sh -c`.
///
/// ```
/// use stuckvm_scenarios::conformance::{Candidate, Exec, Start};
/// use stuckvm_scenarios::oracle::Thresholds;
///
/// let candidate = Exec::new("cat");
/// let start = Start { case: "a/case", thresholds: &Thresholds::default(), restore: None };
/// let error = candidate.start(&start).err().expect("`cat` is no detector");
/// assert_eq!(error.kind.as_str(), "protocol");
/// ```
#[derive(Clone, Debug)]
pub struct Exec {
    command: String,
    timeout: Duration,
    stop: Option<Arc<AtomicBool>>,
}

impl Exec {
    /// How long the answer to a line may take if nothing else is said, of wall time.
    pub const TIMEOUT: Duration = Duration::from_secs(10);

    /// The candidate that this command is.
    pub fn new(command: &str) -> Self {
        Self { command: command.to_owned(), timeout: Self::TIMEOUT, stop: None }
    }

    /// The same, whose answer to a line may take so long, of wall time.
    #[must_use]
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The same, which is waited for until this is true.
    #[must_use]
    pub fn with_stop(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop: Some(stop), ..self }
    }
}

impl Candidate for Exec {
    /// The command.
    fn name(&self) -> String {
        self.command.clone()
    }

    fn start(&self, start: &Start<'_>) -> Result<Box<dyn Session + '_>, RunError> {
        Ok(Box::new(Conversation::begin(self, start)?))
    }
}
