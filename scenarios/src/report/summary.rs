//! The totals of a run.

use crate::verdict::{Outcome, Verdict};
use std::collections::BTreeMap;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The totals of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Who was judged.
    pub detector: String,
    /// How many scenarios.
    pub scenarios: usize,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many did not come to an end.
    pub errors: usize,
    /// How many ask for what the detector cannot do.
    pub not_tested: usize,
    /// Where the user interrupted: how many had not been begun.
    pub not_begun: Option<usize>,
    /// Rules that were broken, by name, with how often.
    pub broken: BTreeMap<&'static str, usize>,
    /// How many alerts fired.
    pub firing: usize,
    /// How many events there were.
    pub events: u64,
    /// A hash over the digests, in the order of the names.
    pub digest: u64,
}

/// The rules of the contract, in its order.
pub(super) const RULES: [&str; 13] =
    ["R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11", "R12", "R13"];

impl Summary {
    /// The totals of outcomes in the order of their names.
    pub fn of<'a>(detector: &str, outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut summary = Self::new(detector);
        outcomes.into_iter().for_each(|outcome| summary.add(outcome));
        summary
    }

    /// Before anything has been played with this detector.
    pub fn new(detector: &str) -> Self {
        Self { detector: detector.to_owned(), ..Self::default() }
    }

    /// One more outcome, in the order of the names.
    pub fn add(&mut self, outcome: &Outcome) {
        self.scenarios += 1;
        self.events += outcome.events;
        self.digest = xxh3_64_with_seed(&outcome.digest.to_le_bytes(), self.digest);
        self.firing += outcome.alerts.iter().filter(|alert| alert.is_firing()).count();
        match &outcome.verdict {
            Verdict::Pass => self.passed += 1,
            Verdict::Unmet(_) => self.failed += 1,
            Verdict::Error(_) => self.errors += 1,
            Verdict::NotTested(_) => self.not_tested += 1,
            Verdict::Broken(breach) => {
                self.failed += 1;
                for rule in breach.also.iter().chain([&breach.rule]) {
                    *self.broken.entry(rule.as_str()).or_default() += 1;
                }
            }
        }
    }

    /// Whether every scenario passed that could be tested.
    pub const fn all_passed(&self) -> bool {
        self.passed + self.not_tested == self.scenarios
    }
}
