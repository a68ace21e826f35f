//! Everything that a detector is put to, and what comes of each.

use super::candidate::{Answer, Candidate};
use super::case::Case;
use super::examine::{Examined, examine};
use super::patience::Patience;
use crate::contract::ContractCase;
use crate::load::Loaded;
use crate::oracle::Thresholds;
use crate::play::play;
use crate::report::{Entry, Place};
use crate::run::{Run, RunOptions, in_order, observations, outcome, pinned};
use crate::stream::Alert;
use crate::verdict::{Outcome, Verdict};
use std::path::Path;
use std::time::Duration;
use stuckvm_detector::Time;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Where the crate lies in the project, from which its contract cases are told of.
const CRATE: &str = "scenarios";

/// Something that detectors are put to.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A scenario: the cluster is played, and what it delivers is the case.
    Scenario(Box<Loaded>),
    /// A case of the contract suite.
    Contract(Box<ContractCase>),
}

impl Subject {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Scenario(loaded) => &loaded.scenario.scenario,
            Self::Contract(contract) => &contract.case.name,
        }
    }

    /// The scenario, if it is one.
    pub fn loaded(&self) -> Option<&Loaded> {
        match self {
            Self::Scenario(loaded) => Some(loaded),
            Self::Contract(_) => None,
        }
    }

    /// What reports for others say of it. A case of the contract has one place, the line in which it begins.
    pub fn entry(&self, outcome: &Outcome) -> Entry {
        match self {
            Self::Scenario(loaded) => Entry::of(outcome, Some(loaded)),
            Self::Contract(contract) => {
                let place = Place { file: Path::new(CRATE).join(&contract.file), line: contract.line };
                Entry { place: Some(place), ..Entry::of(outcome, None) }
            }
        }
    }

    /// What it shows, in a sentence or two.
    pub fn about(&self) -> &str {
        match self {
            Self::Scenario(loaded) => loaded.scenario.about.trim(),
            Self::Contract(contract) => &contract.about,
        }
    }
}

/// Scenarios and cases of the contract as one list, in the order of their names.
pub fn subjects(scenarios: Vec<Loaded>, contract: Vec<ContractCase>) -> Vec<Subject> {
    let scenarios = scenarios.into_iter().map(|loaded| Subject::Scenario(Box::new(loaded)));
    let contract = contract.into_iter().map(|case| Subject::Contract(Box::new(case)));
    let mut subjects: Vec<Subject> = scenarios.chain(contract).collect();
    subjects.sort_by(|a, b| a.name().cmp(b.name()));
    subjects
}

/// Puts a detector to one subject.
pub fn check_one(subject: &Subject, candidate: &dyn Candidate, options: RunOptions<'_>) -> Run {
    match subject {
        Subject::Scenario(loaded) => check_scenario(loaded, candidate, options),
        Subject::Contract(contract) => check_contract(contract, candidate),
    }
}

/// Puts a detector to many, on the current thread pool, and hands over what came of each: in the order of the subjects, each as
/// soon as it and all before it have ended. After three time-outs in a row nothing more is started.
pub fn check_all(
    subjects: &[Subject],
    candidate: &dyn Candidate,
    options: RunOptions<'_>,
    mut each: impl FnMut(&Subject, Run) + Send,
) {
    let patience = Patience::default();
    let work = |subject: &Subject| match patience.is_over() {
        true => not_started(subject),
        false => check_one(subject, candidate, options),
    };
    in_order(subjects, options.stop, work, |subject, run| {
        // Some that come later in the list were begun before it was known.
        let run = if patience.is_over() { not_started(subject) } else { run };
        patience.count(&run.outcome.verdict);
        each(subject, run);
    });
}

fn not_started(subject: &Subject) -> Run {
    let outcome = Outcome {
        scenario: subject.name().to_owned(),
        start: Time::ZERO,
        verdict: Patience::not_started(),
        digest: 0,
        events: 0,
        observations: 0,
        statuses: Vec::new(),
        alerts: Vec::new(),
        lag: None,
    };
    let thresholds = Thresholds::default();
    Run { outcome, thresholds, inputs: Vec::new(), trace: Vec::new(), moments_left_out: 0 }
}

/// What the file pins is judged by the alerts of the detector that the cluster was played with: of the candidate the contract is
/// judged, which says the same and more.
fn check_scenario(loaded: &Loaded, candidate: &dyn Candidate, options: RunOptions<'_>) -> Run {
    let mut played = play(loaded, options.play());
    let mut case = Case::of_scenario(&loaded.scenario.scenario, &played);
    case.thresholds = replaced(case.thresholds, options.threshold);
    let Examined { verdict, answers } = match &played.error {
        Some(error) => Examined { verdict: Verdict::Error(error.clone()), answers: Vec::new() },
        None => examine(&case, candidate),
    };
    let verdict = match verdict {
        Verdict::Pass if options.judges_pins() => pinned(loaded, &played),
        verdict => verdict,
    };
    played.alerts = alerts(answers);
    played.thresholds = case.thresholds;
    outcome(loaded, played, verdict)
}

fn check_contract(contract: &ContractCase, candidate: &dyn Candidate) -> Run {
    let case = &contract.case;
    let Examined { verdict, answers } = examine(case, candidate);
    let alerts = alerts(answers);
    let line = |alert: &Alert| serde_json::to_string(alert).expect("an alert serializes");
    let seed = xxh3_64_with_seed(case.name.as_bytes(), 0);
    let outcome = Outcome {
        scenario: case.name.clone(),
        start: case.start,
        verdict,
        digest: alerts.iter().fold(seed, |digest, alert| xxh3_64_with_seed(line(alert).as_bytes(), digest)),
        events: case.inputs.len() as u64,
        observations: observations(&case.inputs),
        // No cluster has written any.
        statuses: Vec::new(),
        alerts,
        lag: None,
    };
    let Case { thresholds, inputs, .. } = case.clone();
    Run { outcome, thresholds, inputs, trace: Vec::new(), moments_left_out: 0 }
}

fn alerts(answers: Vec<Answer>) -> Vec<Alert> {
    answers.into_iter().flat_map(|answer| answer.alerts).collect()
}

fn replaced(thresholds: Thresholds, threshold: Option<Duration>) -> Thresholds {
    Thresholds { default: threshold.unwrap_or(thresholds.default), ..thresholds }
}
