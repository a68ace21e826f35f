//! What an alerting rule makes of its results: pending, firing, resolved.
//!
//! Prometheus 3.15, `rules/alerting.go`, `AlertingRule.Eval`, for a server that runs from the first tick to the last.

use super::results::{Results, Vector};
use super::rules::Alert;
use super::samples::{Labels, Millis};
use std::collections::BTreeMap;

/// A state that an alert enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entered {
    /// The condition holds, not yet for long enough.
    Pending,
    /// Pending ended without firing.
    Dropped,
    /// Firing ended.
    Resolved,
    /// The condition has held for long enough.
    Firing,
}

/// An evaluation at which an alert changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Millis,
    /// Which alert: the labels of the result and of the rule, without `alertname`.
    pub labels: Labels,
    /// What it became.
    pub to: Entered,
}

/// The changes of all alerts of a rule over its ticks, in the order of time.
///
/// `limit` is the group's: a rule that has more alerts, pending ones included, loses them all (0: any number).
pub fn changes(
    alert: &Alert,
    limit: usize,
    ticks: impl Iterator<Item = Millis>,
    results: &Results,
) -> Vec<Change> {
    let mut alerts = Alerts { alert, live: BTreeMap::new(), changes: Vec::new() };
    for at in ticks {
        // An evaluation that fails changes nothing.
        if let Some(result) = results.at(at) {
            alerts.evaluate(at, &result);
            if limit > 0 && alerts.live.len() > limit {
                alerts.forget(at);
            }
        }
    }
    alerts.changes
}

/// What an alert is while it is active.
#[derive(Clone, Copy)]
enum State {
    Pending {
        since: Millis,
    },
    /// `absent`: the condition no longer holds since then, and `keep_firing_for` goes on.
    Firing {
        absent: Option<Millis>,
    },
}

struct Alerts<'a> {
    alert: &'a Alert,
    live: BTreeMap<Labels, State>,
    changes: Vec<Change>,
}

impl Alerts<'_> {
    fn evaluate(&mut self, at: Millis, result: &Vector<'_>) {
        let Alert { hold, keep, .. } = *self.alert;
        let changes = &mut self.changes;
        let mut change = |labels: &Labels, to| changes.push(Change { at, labels: labels.clone(), to });
        self.live.retain(|labels, state| match state {
            _ if result.contains_key(labels) => true,
            State::Pending { .. } => {
                change(labels, Entered::Dropped);
                false
            }
            State::Firing { absent } => {
                let kept = keep > 0 && at - *absent.get_or_insert(at) < keep;
                if !kept {
                    change(labels, Entered::Resolved);
                }
                kept
            }
        });
        for labels in result.keys() {
            let state = self.live.get(*labels).copied();
            let since = match state {
                None => at,
                Some(State::Pending { since }) => since,
                Some(State::Firing { absent: None }) => continue,
                Some(State::Firing { .. }) => {
                    self.live.insert((*labels).clone(), State::Firing { absent: None });
                    continue;
                }
            };
            let fires = at - since >= hold;
            match (fires, state) {
                (true, _) => change(labels, Entered::Firing),
                (false, None) => change(labels, Entered::Pending),
                (false, Some(_)) => continue,
            }
            let state = if fires { State::Firing { absent: None } } else { State::Pending { since } };
            self.live.insert((*labels).clone(), state);
        }
    }

    /// All alerts go at once.
    fn forget(&mut self, at: Millis) {
        for (labels, state) in std::mem::take(&mut self.live) {
            let to = match state {
                State::Pending { .. } => Entered::Dropped,
                State::Firing { .. } => Entered::Resolved,
            };
            self.changes.push(Change { at, labels, to });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, Entered, changes};
    use crate::prometheus::query::{Grid, Matrix};
    use crate::prometheus::results::Results;
    use crate::prometheus::rules::{RuleFile, RuleKind};
    use crate::prometheus::samples::{Labels, Point};

    fn series(name: &str, ticks: &[i64]) -> (Labels, Vec<Point>) {
        let labels = Labels::from([("name".to_owned(), name.to_owned())]);
        (labels, ticks.iter().map(|at| Point { at: *at, value: 1.0 }).collect())
    }

    /// `P60 F360`: what `rule` becomes, and when, on ticks of 60 up to 600. Results are in milliseconds here.
    fn run(rule: &str, limit: usize, results: Matrix) -> String {
        let text = format!("groups: [{{name: g, rules: [{{alert: A, expr: up, {rule}}}]}}]");
        let file = RuleFile::read("r.yaml", text.as_bytes()).expect("right");
        let rule = &file.groups[0].rules[0];
        let RuleKind::Alert(alert) = &rule.kind else { panic!("an alert") };
        let ticks = Grid { first: 0, step: 60, last: 600 }.ticks();
        let shown = |change: &Change| {
            let letter = match change.to {
                Entered::Pending => 'P',
                Entered::Dropped => 'D',
                Entered::Resolved => 'R',
                Entered::Firing => 'F',
            };
            format!("{letter}{}", change.at)
        };
        changes(alert, limit, ticks, &Results::new(rule, &results))
            .iter()
            .map(shown)
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn one(rule: &str, ticks: &[i64]) -> String {
        run(rule, 0, Matrix { series: [series("a", ticks)].into(), failed: Vec::new() })
    }

    #[test]
    fn one_alert_goes_through_its_states() {
        let table = [
            ("for: 0s", &[60, 120][..], "F60 R180"),
            ("for: 120ms", &[60, 120, 180, 240], "P60 F180 R300"),
            ("for: 121ms", &[60, 120, 180, 240, 300], "P60 F240 R360"),
            ("for: 120ms", &[60, 120], "P60 D180"),
            ("for: 120ms", &[60, 120, 240, 300, 360], "P60 D180 P240 F360 R420"),
            ("keep_firing_for: 120ms", &[60], "F60 R240"),
            ("keep_firing_for: 120ms", &[60, 180, 240], "F60 R420"),
            ("keep_firing_for: 100ms", &[60], "F60 R240"),
            // Absent at 180 only: it is back before it would resolve. Absent again from 300 on.
            ("for: 60ms, keep_firing_for: 60ms", &[60, 120, 240], "P60 F120 R360"),
        ];
        for (rule, ticks, expected) in table {
            assert_eq!(one(rule, ticks), expected, "{rule} {ticks:?}");
        }
    }

    #[test]
    fn an_evaluation_that_fails_neither_fires_nor_resolves() {
        let results = |failed| Matrix { series: [series("a", &[0, 60, 120, 240])].into(), failed };
        assert_eq!(run("for: 120ms", 0, results(vec![120, 180])), "P0 F240 R300");
    }

    #[test]
    fn two_results_that_become_one_alert_fail_the_evaluation() {
        let series = [series("a", &[0, 60]), series("b", &[60])].into();
        let results = Matrix { series, failed: Vec::new() };
        assert_eq!(run("labels: {name: ''}", 0, results), "F0 R120");
    }

    #[test]
    fn a_rule_with_too_many_alerts_loses_all() {
        let series = [series("a", &[0, 60, 120]), series("b", &[60])].into();
        let results = Matrix { series, failed: Vec::new() };
        assert_eq!(run("for: 60ms", 1, results), "P0 F60 P60 R60 D60 P120 D180");
    }
}
