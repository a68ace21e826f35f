//! Puts a detector to a case and judges what it says.

use super::candidate::{Answer, Candidate, Session, Start};
use super::case::Case;
use crate::judge::{Asked, Heard, Rule, judge};
use crate::verdict::{RunError, Verdict};
use stuckvm_sim::duration;

/// What comes of one case.
///
/// ```
/// use stuckvm_detector::Time;
/// use stuckvm_scenarios::conformance::{BuiltIn, Case, examine};
/// use stuckvm_scenarios::oracle::Thresholds;
/// use stuckvm_scenarios::stream::{Event, Input, Observed, Vm};
/// use stuckvm_scenarios::verdict::Verdict;
///
/// let status = Observed { vm: Vm::new("ns", "vm1", "u1"), status: "ErrImagePull".into() };
/// let case = Case {
///     name: "stuck".into(),
///     start: Time::ZERO,
///     thresholds: Thresholds::default(),
///     inputs: vec![
///         Input { at: Time::ZERO, event: Event::Observed(status) },
///         Input { at: Time::from_secs(300), event: Event::Advance },
///     ],
///     restarts: vec![1],
/// };
/// assert_eq!(examine(&case, &BuiltIn::candidate()).verdict, Verdict::Pass);
/// ```
pub fn examine(case: &Case, candidate: &dyn Candidate) -> Examined {
    let mut answers = Vec::new();
    let verdict = match ask(case, candidate, &mut answers) {
        Err(Stop::Error(error)) => Verdict::Error(error),
        Err(Stop::Lacks(what)) => Verdict::NotTested(what),
        Ok(()) => judge(&asked(case, candidate), &Heard::of(&answers)),
    };
    Examined { verdict, answers }
}

/// What a detector said to a case, and what that is worth.
#[derive(Clone, Debug)]
pub struct Examined {
    /// The verdict.
    pub verdict: Verdict,
    /// Its answers, one an input, as far as it came.
    pub answers: Vec<Answer>,
}

enum Stop {
    Error(RunError),
    Lacks(String),
}

impl From<RunError> for Stop {
    fn from(error: RunError) -> Self {
        Self::Error(error)
    }
}

fn ask(case: &Case, candidate: &dyn Candidate, answers: &mut Vec<Answer>) -> Result<(), Stop> {
    check_threshold(case, candidate)?;
    let start = Start { case: &case.name, thresholds: &case.thresholds, restore: None };
    let mut session = candidate.start(&start)?;
    check_capabilities(case, &*session)?;
    let mut restarts = case.restarts.iter().peekable();
    for (place, input) in case.inputs.iter().enumerate() {
        while restarts.next_if(|after| **after <= place).is_some() {
            let snapshot = session.snapshot()?;
            drop(session);
            session = candidate.start(&Start { restore: Some(&snapshot), ..start })?;
        }
        answers.push(session.input(seq(place), input)?);
    }
    Ok(session.finish()?)
}

fn check_threshold(case: &Case, candidate: &dyn Candidate) -> Result<(), Stop> {
    match candidate.only_threshold() {
        Some(only) if only != case.thresholds.default => {
            Err(Stop::Lacks(format!("it has no other threshold than {}", duration::format(only))))
        }
        _ => Ok(()),
    }
}

fn check_capabilities(case: &Case, session: &dyn Session) -> Result<(), Stop> {
    let has = session.capabilities();
    if !case.restarts.is_empty() && !has.snapshot {
        return Err(no("snapshot"));
    }
    if !case.thresholds.per_status.is_empty() && !has.thresholds {
        return Err(no("thresholds"));
    }
    Ok(())
}

fn no(capability: &str) -> Stop {
    Stop::Lacks(format!("no {capability} capability"))
}

/// Inputs are numbered from 1.
const fn seq(place: usize) -> u64 {
    place as u64 + 1
}

fn asked<'a>(case: &'a Case, candidate: &dyn Candidate) -> Asked<'a> {
    let Case { name, thresholds, inputs, .. } = case;
    Asked { rule: Rule::of_case(name), thresholds, inputs, profile: candidate.profile() }
}
