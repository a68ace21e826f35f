//! ALERT RULE: how long a virtual machine may dwell in the error statuses.

use std::time::Duration;

use crate::PrintableStatus;
use crate::error::RuleError;

/// Thresholds of the alert, all of them positive.
///
/// The status that opens an episode fixes the episode's threshold; later moves
/// between error statuses do not change it.
///
/// ```
/// use std::time::Duration;
/// use stuckvm_detector::{PrintableStatus, Rule};
///
/// let pull = Duration::from_secs(600);
/// let rule = Rule::default().with(PrintableStatus::ErrImagePull, pull)?;
/// assert_eq!(rule.threshold_of(PrintableStatus::ErrImagePull), pull);
/// assert_eq!(rule.threshold_of(PrintableStatus::Unknown), Duration::from_secs(300));
/// # Ok::<(), stuckvm_detector::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rule {
    threshold: Duration,
    /// Sorted by status, each status at most once.
    per_status: Vec<(PrintableStatus, Duration)>,
}

impl Rule {
    /// The threshold of `KubeVirtVMStuckInErrorState`: 300 s.
    pub const THRESHOLD: Duration = Duration::from_secs(300);

    /// One threshold for every error status.
    ///
    /// # Errors
    ///
    /// If it is zero: then no episode could end before it.
    pub fn new(threshold: Duration) -> Result<Rule, RuleError> {
        let rule = Rule { threshold, per_status: Vec::new() };
        rule.check().map(|()| rule)
    }

    /// The same rule with another threshold for episodes that `status` opens.
    ///
    /// # Errors
    ///
    /// If the threshold is zero or `status` is not an error status.
    pub fn with(mut self, status: PrintableStatus, threshold: Duration) -> Result<Rule, RuleError> {
        match self.per_status.binary_search_by_key(&status, |entry| entry.0) {
            Ok(place) => self.per_status[place].1 = threshold,
            Err(place) => self.per_status.insert(place, (status, threshold)),
        }
        self.check().map(|()| self)
    }

    /// How long an episode that `status` opens must last to fire.
    pub fn threshold_of(&self, status: PrintableStatus) -> Duration {
        let own = self.per_status.iter().find(|entry| entry.0 == status);
        own.map_or(self.threshold, |entry| entry.1)
    }

    /// Whether the rule keeps its promises; a deserialized one may not.
    pub(crate) fn check(&self) -> Result<(), RuleError> {
        let thresholds = self.per_status.iter().map(|entry| entry.1);
        if thresholds.chain([self.threshold]).any(|threshold| threshold.is_zero()) {
            return Err(RuleError::ZeroThreshold);
        }
        match self.per_status.iter().find(|entry| !entry.0.is_error()) {
            Some(&(status, _)) => Err(RuleError::NotAnError { status }),
            None if !self.per_status.is_sorted_by(|a, b| a.0 < b.0) => Err(RuleError::Unsorted),
            None => Ok(()),
        }
    }
}

impl Default for Rule {
    fn default() -> Rule {
        Rule { threshold: Rule::THRESHOLD, per_status: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thresholds_are_positive_and_belong_to_error_statuses() {
        assert_eq!(Rule::new(Duration::ZERO), Err(RuleError::ZeroThreshold));
        let status = PrintableStatus::Running;
        assert_eq!(Rule::default().with(status, Rule::THRESHOLD), Err(RuleError::NotAnError { status }));
        let zero = Rule::default().with(PrintableStatus::Unknown, Duration::ZERO);
        assert_eq!(zero, Err(RuleError::ZeroThreshold));
    }

    #[test]
    fn the_later_threshold_of_a_status_counts() {
        let (short, long) = (Duration::from_nanos(1), Duration::from_secs(900));
        let status = PrintableStatus::DataVolumeError;
        let rule = Rule::default().with(status, long).unwrap().with(status, short).unwrap();
        assert_eq!(rule.threshold_of(status), short);
    }
}
