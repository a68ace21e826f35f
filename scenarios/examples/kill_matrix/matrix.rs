//! Every mutant against every case: what catches what.

use super::mutant::candidate;
use super::slip::{ROWS, Row, Slip};
use rayon::prelude::*;
use stuckvm_scenarios::catalog::{Tree, load_all};
use stuckvm_scenarios::conformance::{Answer, Candidate, Case, Start};
use stuckvm_scenarios::contract::suite;
use stuckvm_scenarios::judge::{Asked, Heard, Profile, Rule, judge};
use stuckvm_scenarios::play::{PlayOptions, play};
use stuckvm_scenarios::verdict::Verdict;

/// How a mutant fails a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caught {
    /// The rule that the verdict names; none where the verdict is an error.
    pub(crate) rule: Option<Rule>,
    /// The rule that it would name if the case had no name.
    pub(crate) looks_like: Option<Rule>,
}

/// Rows are mutants, as in [`ROWS`]; columns are cases.
pub(crate) struct Matrix {
    pub(crate) cases: Vec<String>,
    pub(crate) cells: Vec<Vec<Option<Caught>>>,
}

/// The contract suite, and what the catalog delivers.
pub(crate) fn cases(catalog: bool) -> Vec<Case> {
    let mut cases: Vec<Case> = suite(None).into_iter().map(|contract| contract.case).collect();
    if catalog {
        let scenarios = load_all(&Tree::Embedded).expect("the catalog loads");
        let played = scenarios.par_iter().map(|loaded| {
            Case::of_scenario(&loaded.scenario.scenario, &play(loaded, PlayOptions::default()))
        });
        cases.extend(played.collect::<Vec<_>>());
    }
    cases
}

impl Matrix {
    pub(crate) fn of(cases: &[Case]) -> Self {
        let columns: Vec<Vec<Option<Caught>>> = cases.par_iter().map(column).collect();
        let row = |index: usize| columns.iter().map(|column| column[index]).collect();
        Self {
            cells: (0..ROWS.len()).map(row).collect(),
            cases: cases.iter().map(|case| case.name.clone()).collect(),
        }
    }

    /// The cases that catch a mutant.
    pub(crate) fn catching(&self, row: usize) -> impl Iterator<Item = (&str, Caught)> {
        let cells = self.cells[row].iter();
        self.cases.iter().zip(cells).filter_map(|(name, cell)| Some((name.as_str(), (*cell)?)))
    }

    /// The cases that catch a mutant, with all statuses and words of a case counted as one.
    pub(crate) fn families(&self, row: usize) -> Vec<&str> {
        let mut families: Vec<&str> = self.catching(row).map(|(name, _)| family(name)).collect();
        families.sort_unstable();
        families.dedup();
        families
    }

    /// The cases of the contract suite that catch no mutant.
    pub(crate) fn idle(&self) -> Vec<&str> {
        let is_idle = |column: &usize| self.cells.iter().all(|row| row[*column].is_none());
        let names = (0..self.cases.len()).filter(is_idle).map(|column| self.cases[column].as_str());
        names.filter(|name| name.starts_with("contract/")).collect()
    }
}

/// A case without its status and word; a scenario's name as it is.
pub(crate) fn family(name: &str) -> &str {
    if !name.starts_with("contract/") {
        return name;
    }
    let end = name.match_indices('/').nth(2).map_or(name.len(), |(end, _)| end);
    &name[..end]
}

/// A case with more alerts than this is put to the mutants of its rule alone: it is about the number of machines.
const MANY: usize = 1000;

/// What a case says to each mutant.
fn column(case: &Case) -> Vec<Option<Caught>> {
    let right = answers(case, None);
    let is_large = right.iter().any(|answer| answer.alerts.len() > MANY);
    let rule = Rule::of_case(&case.name);
    let caught = |row: &Row| {
        if is_large && rule != Some(row.breaks) {
            return None;
        }
        let answers = answers(case, Some(row.slip));
        // What a detector says that passes, passes: most mutants say no other thing in most cases.
        if answers == right { None } else { caught(case, &Heard::of(&answers)) }
    };
    ROWS.iter().map(caught).collect()
}

fn answers(case: &Case, slip: Option<Slip>) -> Vec<Answer> {
    let candidate = candidate(slip);
    let start = Start { case: &case.name, thresholds: &case.thresholds, restore: None };
    let mut session = candidate.start(&start).expect("it starts");
    let mut answers = Vec::new();
    for (place, input) in case.inputs.iter().enumerate() {
        for _ in case.restarts.iter().filter(|after| **after == place) {
            let snapshot = session.snapshot().expect("it gives one");
            session = candidate.start(&Start { restore: Some(&snapshot), ..start }).expect("it starts");
        }
        answers.push(session.input(place as u64 + 1, input).expect("it answers"));
    }
    answers
}

fn caught(case: &Case, heard: &Heard) -> Option<Caught> {
    let Case { name, thresholds, inputs, .. } = case;
    let rule_of = |rule| match judge(&Asked { rule, thresholds, inputs, profile: Profile::Exact }, heard) {
        Verdict::Pass => None,
        Verdict::Broken(breach) => Some(Some(breach.rule)),
        Verdict::Error(_) | Verdict::Unmet(_) | Verdict::NotTested(_) => Some(None),
    };
    Some(Caught { rule: rule_of(Rule::of_case(name))?, looks_like: rule_of(None).flatten() })
}
