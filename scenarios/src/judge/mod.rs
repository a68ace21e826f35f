//! The judge: what a detector said against what it had to say, and the name of the rule that it broke.
//!
//! Alerts are compared by instant, machine and kind, with their status, with the beginning of the episode where it is given, and
//! with the input that they came with. Inputs from the past must be rejected and no others, words that are not known must be
//! reported by a detector that reports any. The texts of errors are for people and not judged.

mod difference;
mod heard;
mod profile;
mod rule;

pub use heard::Heard;
pub use profile::Profile;
pub use rule::Rule;

use crate::oracle::{self, Episode, Thresholds};
use crate::stream::{Alert, Input, Vm};
use crate::verdict::{ErrorKind, RunError, Verdict};
use difference::{Difference, differences};
use std::collections::BTreeSet;
use stuckvm_detector::Time;

/// What a detector was put to.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The rule that the case is named after, if it is named after one.
    pub rule: Option<Rule>,
    /// How long an episode must last to fire.
    pub thresholds: &'a Thresholds,
    /// What was delivered, in order.
    pub inputs: &'a [Input],
    /// How exact the detector must be.
    pub profile: Profile,
}

/// How a detector broke the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The rule that the verdict names.
    pub rule: Rule,
    /// Other rules that the same run breaks, in the contract's order.
    pub also: Vec<Rule>,
    /// The earliest instant at which expected and got differ.
    pub at: Time,
    /// The virtual machine; none where an input is about all of them.
    pub vm: Option<Vm>,
    /// The alert that had to come, if one had to.
    pub expected: Option<Alert>,
    /// The alert that came, if one came.
    pub got: Option<Alert>,
    /// What is wrong where the two alerts do not show it, in a sentence.
    pub note: Option<String>,
    /// The episode that it is about, if there is one.
    pub episode: Option<Episode>,
}

/// Judges what a detector said to a stream: `pass`, a broken rule, or an error if it rejected what it had to take.
pub fn judge(asked: &Asked<'_>, heard: &Heard) -> Verdict {
    let expected = oracle::expected(asked.thresholds, asked.inputs);
    let may_reject = |input: &usize| expected.rejected.binary_search(input).is_ok();
    if let Some((input, why)) = heard.rejected.iter().find(|(input, _)| !may_reject(input)) {
        return Verdict::Error(rejected_wrongly(asked, *input, why));
    }
    let differences = differences(asked, expected, heard);
    match name(asked, &differences) {
        None => Verdict::Pass,
        Some(breach) => Verdict::Broken(Box::new(breach)),
    }
}

/// The contract's "which rule a verdict names".
fn name(asked: &Asked<'_>, differences: &[Difference]) -> Option<Breach> {
    let at = differences.iter().map(|found| found.at).min()?;
    let (now, later): (Vec<_>, Vec<_>) = differences.iter().partition(|found| found.at == at);
    let first = now.iter().min_by_key(|found| found.rule.rank())?;
    let rule = asked.rule.unwrap_or(first.rule);
    // What differs at the first instant has its name from the case.
    let unnamed = if asked.rule.is_some() { Vec::new() } else { now.clone() };
    let also: BTreeSet<Rule> = unnamed.iter().chain(&later).map(|found| found.rule).collect();
    Some(Breach {
        rule,
        also: also.into_iter().filter(|other| *other != rule).collect(),
        at,
        vm: first.vm.clone(),
        expected: first.expected.clone(),
        got: first.got.clone(),
        note: first.note.clone(),
        episode: first.episode.clone(),
    })
}

fn rejected_wrongly(asked: &Asked<'_>, input: usize, why: &str) -> RunError {
    let number = input + 1;
    let because = vec![
        format!("input {number} was rejected, and had to be taken: it is not from the past"),
        format!("the detector says: {why}"),
        format!("the input: {}", serde_json::to_string(&asked.inputs[input]).expect("an input serializes")),
    ];
    RunError { kind: ErrorKind::Protocol, because }
}
