//! The totals of a run.

use crate::judge::Rule;
use crate::verdict::{Outcome, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The totals of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Who was judged.
    pub detector: String,
    /// Where a threshold was given for all.
    pub threshold: Option<Duration>,
    /// Where the detector need not be exact: how late it may act on a deadline.
    pub resolution: Option<Duration>,
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
    /// Rules that some case put to the test.
    pub tested: BTreeSet<Rule>,
    /// How many alerts fired.
    pub firing: usize,
    /// The longest that a delivery lagged behind the cluster.
    pub lag: Duration,
    /// How many events there were.
    pub events: u64,
    /// A hash over the digests, in the order of the names.
    pub digest: u64,
}

/// What a run says of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It was put to the test, and kept.
    Pass,
    /// It was broken.
    Fail,
    /// No case came to a verdict that could have shown it broken.
    NotTested,
}

impl Standing {
    /// `pass`, `fail` or `not tested`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotTested => "not tested",
        }
    }
}

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
        self.lag = self.lag.max(outcome.lag.unwrap_or_default());
        self.digest = xxh3_64_with_seed(&outcome.digest.to_le_bytes(), self.digest);
        self.firing += outcome.alerts.iter().filter(|alert| alert.is_firing()).count();
        if !matches!(outcome.verdict, Verdict::Error(_) | Verdict::NotTested(_)) {
            // Who was shown no machine had nothing to fire for.
            let of_alerts = Rule::OF_ALERTS.into_iter().filter(|_| outcome.observations > 0);
            self.tested.extend(of_alerts.chain(Rule::of_case(&outcome.scenario)));
        }
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

    /// What the run says of a rule.
    pub fn standing(&self, rule: Rule) -> Standing {
        if self.broken.contains_key(rule.as_str()) {
            Standing::Fail
        } else if self.tested.contains(&rule) {
            Standing::Pass
        } else {
            Standing::NotTested
        }
    }

    /// Whether every scenario passed that could be tested.
    pub const fn all_passed(&self) -> bool {
        self.passed + self.not_tested == self.scenarios
    }
}
