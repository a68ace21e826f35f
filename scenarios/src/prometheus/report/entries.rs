//! A rule's verdicts as the reports of every command take them.

use crate::prometheus::check::{AlertReport, Checked};
use crate::prometheus::scraped_run::ScrapedRun;
use crate::report::Entry;
use crate::report::explain::{Evidence, Sampled};
use crate::verdict::Verdict;

impl Checked<'_> {
    /// What a report for others says of an alert in one scenario, both by their places. Its place is the rule's, and the
    /// scenario's where that could not be played.
    ///
    /// # Panics
    ///
    /// If there is no such alert or scenario.
    pub fn entry(&self, alert: usize, case: usize) -> Entry {
        let AlertReport { summary, place, cases, .. } = &self.alerts[alert];
        let outcome = &cases[case].outcome;
        let entry = Entry::of(outcome, Some(self.runs[case].loaded));
        let place = match outcome.verdict {
            Verdict::Error(_) => entry.place,
            _ => Some(place.clone()),
        };
        Entry { scenario: format!("{}/{}", summary.detector, outcome.scenario), place, ..entry }
    }

    /// What an explanation of the same stands on. It has causes if the whole trace was kept.
    ///
    /// # Panics
    ///
    /// If there is no such alert or scenario.
    pub fn evidence(&self, alert: usize, case: usize) -> Evidence<'_> {
        let ScrapedRun { loaded, scraped, thresholds, inputs, trace, .. } = &self.runs[case];
        let case = &self.alerts[alert].cases[case];
        Evidence {
            outcome: &case.outcome,
            about: loaded.scenario.about.trim(),
            thresholds,
            inputs,
            trace,
            loaded: Some(loaded),
            sampled: Some(Sampled { case, missing: &scraped.missing }),
        }
    }
}
