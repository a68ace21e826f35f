//! A whole check in one line of a test.

use super::candidate::{Candidate, Capabilities};
use super::check::{Subject, check_all, subjects};
use super::in_process::{Detector, InProcess};
use crate::catalog::{Tree, load_all};
use crate::contract;
use crate::oracle::Thresholds;
use crate::report::{Summary, text_line, text_rules, text_summary};
use crate::run::RunOptions;
use crate::verdict::Verdict;

/// Of so many cases that fail the report has all.
const SHOWN: usize = 5;

/// Puts a detector to every case there is, the catalog's scenarios and the contract's own, and returns if it keeps the contract.
///
/// `make` makes one that has seen nothing and has the default threshold, 300 s; cases with other thresholds, and those that stop
/// and restore it, are not tested. [`check_candidate`] takes one that can do more.
///
/// # Panics
///
/// If it breaks the contract. The message has the first cases that fail, each with its rule, the machine, the instant, what was
/// expected and what came, and the totals.
///
/// ```should_panic
/// use stuckvm_scenarios::conformance::{Detector, Rejected};
/// use stuckvm_scenarios::stream::{Alert, Input};
///
/// /// Says nothing, whatever happens.
/// struct Silent;
///
/// impl Detector for Silent {
///     fn input(&mut self, _: &Input) -> Result<Vec<Alert>, Rejected> {
///         Ok(Vec::new())
///     }
/// }
///
/// stuckvm_scenarios::check(|| Silent); // R1 was broken …
/// ```
#[track_caller]
pub fn check<D: Detector + 'static>(make: impl Fn() -> D + Sync) {
    let path = std::any::type_name::<D>();
    let name = path.rsplit("::").next().unwrap_or(path);
    let candidate = InProcess::new(name, Capabilities::default(), |_| make());
    check_candidate(&candidate.with_only_threshold(Thresholds::default().default));
}

/// The same for a detector that is started in its own way, with its own threshold, capabilities and profile.
///
/// # Panics
///
/// As [`check`].
///
/// ```
/// use stuckvm_scenarios::conformance::{BuiltIn, check_candidate};
///
/// check_candidate(&BuiltIn::candidate());
/// ```
#[track_caller]
pub fn check_candidate(candidate: &dyn Candidate) {
    if let Some(report) = report(candidate) {
        panic!("{report}");
    }
}

/// What is wrong with a detector; `None` if nothing is.
fn report(candidate: &dyn Candidate) -> Option<String> {
    let catalog = load_all(&Tree::Embedded).expect("the catalog reads");
    let mut subjects = subjects(catalog, contract::suite(None));
    // The contract's own cases are small, so a report begins with them.
    subjects.sort_by_key(|subject| matches!(subject, Subject::Scenario(_)));
    let mut summary = Summary::new(&candidate.name());
    let (mut lines, mut bad) = (Vec::new(), 0);
    check_all(&subjects, candidate, RunOptions::default(), |_, run| {
        summary.add(&run.outcome);
        if matches!(run.outcome.verdict, Verdict::Pass | Verdict::NotTested(_)) {
            return;
        }
        bad += 1;
        if lines.len() < SHOWN {
            lines.push(text_line(&run.outcome));
        }
    });
    if bad == 0 {
        return None;
    }
    if bad > lines.len() {
        lines.push(format!("… and {} more", bad - lines.len()));
    }
    let totals = format!("{}\n{}", text_summary(&summary, None), text_rules(&summary));
    Some(format!("{} does not keep the contract\n{}\n\n{totals}", summary.detector, lines.join("\n")))
}
