//! What came of a rule file, as text and as JSON Lines.

mod json;
mod text;

pub use json::json_lines;
pub use text::text;

use super::check::{AlertReport, Checked, Outcome};
use super::table::Slip;
use crate::judge::Rule;
use std::collections::BTreeSet;
use std::time::Duration;

/// What came of an alert, in numbers.
struct Counts {
    passed: usize,
    failed: usize,
    errors: usize,
    not_tested: usize,
    luck: usize,
    /// Rules of the contract that were broken.
    broken: BTreeSet<Rule>,
}

impl Counts {
    fn of(report: &AlertReport) -> Self {
        let count =
            |verdict: &str| report.cases.iter().filter(|case| case.outcome.as_str() == verdict).count();
        let breaches = report.cases.iter().filter_map(|case| match &case.outcome {
            Outcome::Fail(breaches) => Some(breaches),
            _ => None,
        });
        Self {
            passed: count("pass"),
            failed: count("fail"),
            errors: count("error"),
            not_tested: count("not tested"),
            luck: report.cases.iter().map(|case| case.luck).sum(),
            broken: breaches.flatten().map(|(_, breach)| breach.rule).collect(),
        }
    }
}

impl Outcome {
    /// `pass`, `fail`, `error` or `not tested`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail(_) => "fail",
            Self::NotTested(_) => "not tested",
            Self::Error(_) => "error",
        }
    }
}

impl Checked {
    /// Whether every alert passed wherever it could be tested.
    pub fn all_passed(&self) -> bool {
        let mut cases = self.alerts.iter().flat_map(|report| &report.cases);
        cases.all(|case| matches!(case.outcome, Outcome::Pass | Outcome::NotTested(_)))
    }
}

fn slip_text(slip: Slip) -> String {
    match slip {
        Slip::Late(by) => format!("{} late", shown(by)),
        Slip::Early(by) => format!("{} early", shown(by)),
        Slip::Spurious(Some(after)) => {
            format!("fires {} after an error began that did not last", shown(after))
        }
        Slip::Spurious(None) => "fires for a machine in no error status".to_owned(),
        Slip::Never(long) => format!("never fires for an error that lasted {}", shown(long)),
    }
}

fn shown(duration: Duration) -> String {
    stuckvm_sim::duration::format(duration)
}

#[cfg(test)]
mod tests;
