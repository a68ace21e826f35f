//! The harness can tell right from wrong: detectors with one slip each are caught, by the rule that the slip breaks.
//!
//! `cargo run --release -p stuckvm-scenarios --example kill_matrix` prints what catches what.

#[path = "../examples/kill_matrix/changes.rs"]
mod changes;
#[path = "../examples/kill_matrix/deadline.rs"]
mod deadline;
#[path = "../examples/kill_matrix/known.rs"]
mod known;
#[path = "../examples/kill_matrix/matrix.rs"]
mod matrix;
#[path = "../examples/kill_matrix/mutant.rs"]
mod mutant;
#[path = "../examples/second_detector/detector.rs"]
mod second_detector;
#[path = "../examples/kill_matrix/slip.rs"]
mod slip;
#[path = "../examples/kill_matrix/words.rs"]
mod words;

use matrix::{Matrix, cases};
use mutant::candidate;
use slip::ROWS;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::sync::LazyLock;
use stuckvm_scenarios::conformance::{Candidate, Case, examine};
use stuckvm_scenarios::judge::Rule;
use stuckvm_scenarios::verdict::Verdict;

/// By the contract suite alone: it must suffice without the catalog.
static MATRIX: LazyLock<Matrix> = LazyLock::new(|| Matrix::of(&cases(false)));

/// The catalog too.
static ALL: LazyLock<Vec<Case>> = LazyLock::new(|| cases(true));

fn passes_everything(candidate: &dyn Candidate) {
    for case in ALL.iter() {
        assert_eq!(examine(case, candidate).verdict, Verdict::Pass, "{} {}", candidate.name(), case.name);
    }
}

#[test]
fn a_second_detector_passes_everything() {
    passes_everything(&second_detector::candidate());
}

#[test]
fn without_a_slip_the_detector_under_the_mutants_passes_everything() {
    passes_everything(&candidate(None));
}

#[test]
fn every_mutant_is_caught_by_two_cases_or_more() {
    let mut few = String::new();
    for (index, row) in ROWS.iter().enumerate() {
        let families = MATRIX.families(index);
        if families.len() < 2 {
            writeln!(few, "{} ({}): {families:?}", row.slip.name(), row.about).expect("a string takes all");
        }
    }
    assert!(few.is_empty(), "caught by fewer than two cases:\n{few}");
}

#[test]
fn every_case_catches_a_mutant() {
    let idle = MATRIX.idle();
    assert!(idle.is_empty(), "cases that catch no mutant:\n{}", idle.join("\n"));
}

#[test]
fn the_verdict_names_the_rule_that_the_mutant_breaks() {
    let mut wrong = String::new();
    for (index, row) in ROWS.iter().enumerate() {
        let named: BTreeSet<Option<Rule>> = MATRIX.catching(index).map(|(_, caught)| caught.rule).collect();
        let strays = MATRIX.catching(index).filter(|(_, caught)| !is_foreseen(row, caught.looks_like));
        let strays: Vec<String> =
            strays.map(|(name, caught)| format!("{:?} {name}", caught.looks_like)).collect();
        if !named.contains(&Some(row.breaks)) || !strays.is_empty() {
            let (name, breaks) = (row.slip.name(), row.breaks.as_str());
            writeln!(wrong, "{name} breaks {breaks}, named {named:?}; strays {:?}", strays.first())
                .expect("a string takes all");
        }
    }
    assert!(wrong.is_empty(), "named otherwise:\n{wrong}");
}

fn is_foreseen(row: &slip::Row, looks_like: Option<Rule>) -> bool {
    looks_like.is_some_and(|rule| row.looks_like.contains(&rule))
}

#[test]
fn there_are_slips_for_every_rule() {
    assert!(ROWS.len() >= 40, "{}", ROWS.len());
    let broken: BTreeSet<Rule> = ROWS.iter().map(|row| row.breaks).collect();
    assert_eq!(broken, Rule::ALL.into_iter().collect());
}
