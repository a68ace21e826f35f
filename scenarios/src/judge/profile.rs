//! How exact a detector must be, and when each alert may come.

use crate::oracle::{self, Episode, Expected, ExpectedAlert};
use crate::stream::{Alert, Input, Vm};
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;

/// How exact a detector must be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// To the nanosecond.
    #[default]
    Exact,
    /// Its timers tick: a deadline may be acted on up to so much late, and an episode that ends in between may fire or not.
    /// Stamps are exact all the same.
    Resolution(Duration),
}

/// An alert, and with which inputs it may come.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) alert: Alert,
    /// The first input, by its place.
    pub(super) first: usize,
    /// The last input; `None` where it need not come at all.
    pub(super) last: Option<usize>,
}

impl Due {
    pub(super) fn may_come_with(&self, input: usize) -> bool {
        input >= self.first && self.last.is_none_or(|last| input <= last)
    }
}

impl Profile {
    /// When each of the alerts may come that a stream asks for.
    pub(super) fn due(self, inputs: &[Input], episodes: &[Episode], expected: Expected) -> Vec<Due> {
        let alerts = expected.alerts.into_iter();
        let Self::Resolution(late) = self else {
            return alerts
                .map(|due| Due { alert: due.alert, first: due.input, last: Some(due.input) })
                .collect();
        };
        let ends: BTreeMap<(&Vm, Time), Option<Time>> =
            episodes.iter().map(|episode| ((&episode.vm, episode.since), episode.end)).collect();
        let closing = oracle::closing(inputs);
        let latest = |alert: &Alert| {
            let acted = alert.at.checked_add(late)?;
            let end = ends.get(&(&alert.vm, alert.since?)).copied().flatten();
            if end.is_some_and(|end| end < acted) { None } else { closing(acted) }
        };
        let due = alerts.map(|ExpectedAlert { input, alert }| {
            let last = if alert.is_firing() { latest(&alert) } else { Some(input) };
            Due { alert, first: input, last }
        });
        due.collect()
    }
}
