//! What came of a rule file, as text and as JSON Lines, and as the reports of every command take it.

mod entries;
mod json;
mod text;

pub use json::json_lines;
pub use text::text;

use super::check::{AlertReport, Checked};
use super::table::Slip;
use std::time::Duration;

impl Checked<'_> {
    /// Whether every alert passed wherever it could be tested.
    pub fn all_passed(&self) -> bool {
        self.alerts.iter().all(|report| report.summary.all_passed())
    }
}

/// Episodes whose outcome sampling leaves to luck.
fn luck(report: &AlertReport) -> usize {
    report.cases.iter().map(|case| case.luck).sum()
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
