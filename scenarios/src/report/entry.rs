//! What reports for others say of one scenario, and the place in a file that it is about.

use super::text::because;
use crate::format::VmName;
use crate::load::Loaded;
use crate::verdict::{Outcome, RunError, Unmet, Verdict};
use std::path::{Component, Path, PathBuf};

/// What reports for others say of one scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path in the catalog.
    pub scenario: String,
    /// What came of it.
    pub result: ResultKind,
    /// The rule that was broken, the part of `expect` that was not met, or the kind of error; empty where it passed.
    pub named: &'static str,
    /// Why, in lines.
    pub because: Vec<String>,
    /// Where the file says what did not come.
    pub place: Option<Place>,
}

/// What came of a scenario, as other tools tell verdicts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// All as expected.
    Passed,
    /// Something came otherwise.
    Failed,
    /// There is no answer that could be judged.
    Error,
    /// The detector lacks what the case needs.
    NotTested,
}

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// As the user names it, from the current folder where it lies within.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
}

impl Place {
    /// A line of a file; services look for files from the folder of the checkout, which is where jobs run.
    pub fn new(file: &Path, line: usize) -> Self {
        let here = std::env::current_dir().unwrap_or_default();
        let file = file.strip_prefix(&here).unwrap_or(file);
        Self { file: file.components().filter(|part| *part != Component::CurDir).collect(), line }
    }
}

impl Entry {
    /// The entry of a scenario; `loaded` where there is a file that it was read from.
    pub fn of(outcome: &Outcome, loaded: Option<&Loaded>) -> Self {
        let verdict = &outcome.verdict;
        Self {
            scenario: outcome.scenario.clone(),
            result: ResultKind::of(verdict),
            named: verdict.rule().or(verdict.kind()).unwrap_or_default(),
            because: because(outcome),
            place: loaded.and_then(|loaded| place(verdict, loaded)),
        }
    }

    /// Whether it must turn a report red.
    pub const fn is_red(&self) -> bool {
        matches!(self.result, ResultKind::Failed | ResultKind::Error)
    }
}

impl ResultKind {
    const fn of(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Pass => Self::Passed,
            Verdict::Broken(_) | Verdict::Unmet(_) => Self::Failed,
            Verdict::Error(_) => Self::Error,
            Verdict::NotTested(_) => Self::NotTested,
        }
    }
}

fn place(verdict: &Verdict, loaded: &Loaded) -> Option<Place> {
    let file = loaded.file.as_deref()?;
    let position = loaded.document.positions.nearest(&field(verdict, loaded))?;
    Some(Place::new(file, position.key.unwrap_or(position.value).line))
}

/// The field that a verdict is about; where the file lacks it, the one around it is meant.
fn field(verdict: &Verdict, loaded: &Loaded) -> String {
    match verdict {
        Verdict::Unmet(Unmet { part, entry, .. }) => {
            let entry = entry.map(|index| format!("[{index}]")).unwrap_or_default();
            format!("{}{entry}", part.as_str())
        }
        Verdict::Broken(breach) => {
            let is_broken = |vm: &VmName| {
                breach
                    .vm
                    .as_ref()
                    .is_some_and(|broken| broken.namespace == vm.namespace && broken.name == vm.name)
            };
            let of_machine =
                loaded.scenario.expect.alerts.iter().flatten().position(|pin| is_broken(&pin.vm));
            of_machine.map_or("expect".to_owned(), |index| format!("expect.alerts[{index}]"))
        }
        // The error of a step begins with its path.
        Verdict::Error(RunError { because, .. }) => {
            let path = because.first().and_then(|reason| reason.split_once(": "));
            path.map_or("scenario", |(path, _)| path).to_owned()
        }
        Verdict::Pass | Verdict::NotTested(_) => "scenario".to_owned(),
    }
}
