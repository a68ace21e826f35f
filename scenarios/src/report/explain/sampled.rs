//! The sampled profile on the axis: when a rule of Prometheus may fire and resolve, what its alerts became, and which scrapes
//! are missing.

use super::axis::Rows;
use super::{Case, same_name};
use crate::oracle::Episode;
use crate::prometheus::CaseReport;
use crate::prometheus::alerts::{Change, Entered};
use crate::prometheus::exporter::time;
use crate::prometheus::firings::machine;
use crate::prometheus::judge::{self, Expectation, ExpectedFiring, Window, expectations};
use crate::prometheus::samples::Labels;
use crate::stream::Vm;
use std::collections::BTreeSet;
use stuckvm_detector::Time;
use stuckvm_sim::duration;

/// What a rule of Prometheus came to in one scenario.
#[derive(Clone, Copy, Debug)]
pub struct Sampled<'a> {
    /// What its alerts became, and what is wrong with that.
    pub case: &'a CaseReport,
    /// The scrapes that failed or were not made, in order.
    pub missing: &'a [Time],
}

impl Case<'_> {
    pub(super) fn mark_sampled(&self, sampled: Sampled<'_>, vm: &Vm, rows: &mut Rows) -> &'static str {
        sampled.mark_missing(rows);
        let mut expect = |at: Time, what: &str| {
            if at <= self.end() {
                rows.entry(at).or_default().expected.push(what.to_owned());
            }
        };
        for (_, Expectation { fires, resolves }) in self.expectations(sampled, vm) {
            match fires {
                ExpectedFiring::Must(Window { from, before }) => {
                    expect(from, "! from now");
                    expect(before, "! by now");
                }
                ExpectedFiring::May(within) | ExpectedFiring::Blind(within) => {
                    expect(within.from, "! perhaps")
                }
                ExpectedFiring::Never(_) => {}
            }
            if let Some(Window { from, before }) = resolves {
                expect(from, ". from now");
                expect(before, ". by now");
            }
        }
        sampled.mark_changes(vm, rows);
        let breaches =
            sampled.case.breaches.iter().filter(|(name, _)| is_named(vm, &name.namespace, &name.name));
        breaches.for_each(|(_, breach)| rows.entry(breach.at).or_default().differs = true);
        "? pending, - no longer, ! fires, . resolves"
    }

    /// What is asked of each episode of a machine.
    fn expectations(&self, sampled: Sampled<'_>, vm: &Vm) -> Vec<(Episode, Expectation)> {
        let episodes: Vec<Episode> =
            self.episodes.iter().filter(|episode| same_name(&episode.vm, vm)).cloned().collect();
        let case =
            judge::Case { episodes: &episodes, firings: &[], missing: sampled.missing, until: self.end() };
        let asked = expectations(sampled.case.sampling, case);
        episodes.into_iter().zip(asked).collect()
    }

    pub(super) fn sampled_fate(&self, sampled: Sampled<'_>, vm: &Vm, episode: &Episode) -> String {
        let of_episode = |(other, asked): (Episode, Expectation)| (other == *episode).then_some(asked);
        let asked = self.expectations(sampled, vm).into_iter().find_map(of_episode);
        let fires = asked.expect("it is an episode of the machine").fires;
        let window =
            |Window { from, before }| format!("from {} on and before {}", self.when(from), self.when(before));
        let fires = match fires {
            ExpectedFiring::Must(within) => format!("must fire {}", window(within)),
            ExpectedFiring::May(within) => {
                format!("may fire {}, or not: the phase of the scrapes decides", window(within))
            }
            ExpectedFiring::Blind(within) => {
                format!("may fire {}, or later, or not, since scrapes are missing", window(within))
            }
            ExpectedFiring::Never(long) => {
                format!("must not fire, as none that lasts for {} or less", duration::format(long))
            }
        };
        match episode.end {
            Some(end) => format!("{fires}; {}", self.left(episode, end)),
            None => format!("{fires}; still in error at the end"),
        }
    }
}

impl Sampled<'_> {
    /// The first of each row of scrapes that are missing, and the one that ends it.
    fn mark_missing(&self, rows: &mut Rows) {
        let every = self.case.sampling.scrape;
        let next = |at: Time| at.checked_add(every).unwrap_or(Time::MAX);
        for stretch in self.missing.chunk_by(|one, other| next(*one) == *other) {
            rows.entry(stretch[0]).or_default().statuses.push("(no scrapes)".to_owned());
            rows.entry(next(stretch[stretch.len() - 1])).or_default().statuses.push("(scraped)".to_owned());
        }
    }

    /// What the alerts of a machine became. Where it has several, each has the values of the labels in which they differ.
    fn mark_changes(&self, vm: &Vm, rows: &mut Rows) {
        let of_machine = |change: &&Change| {
            let name = machine(&change.labels);
            is_named(vm, &name.namespace, &name.name)
        };
        let changes: Vec<&Change> = self.case.changes.iter().filter(of_machine).collect();
        let differing = differing(&changes);
        for Change { at, labels, to } in changes {
            let mark = match to {
                Entered::Pending => '?',
                Entered::Dropped => '-',
                Entered::Firing => '!',
                Entered::Resolved => '.',
            };
            let values = differing.iter().filter_map(|name| labels.get(*name)).map(String::as_str);
            let word = values.collect::<Vec<_>>().join(" ");
            let word = if word.is_empty() { vm.name.to_string() } else { word };
            rows.entry(time(*at)).or_default().got.push(format!("{mark} {word}"));
        }
    }
}

/// Labels that not all of these alerts have alike.
fn differing<'a>(changes: &[&'a Change]) -> BTreeSet<&'a str> {
    let names: BTreeSet<&str> =
        changes.iter().flat_map(|change| change.labels.keys()).map(String::as_str).collect();
    let value = |labels: &'a Labels, name: &str| labels.get(name).map(String::as_str);
    let differs = |name: &&str| {
        changes.windows(2).any(|pair| value(&pair[0].labels, name) != value(&pair[1].labels, name))
    };
    names.into_iter().filter(differs).collect()
}

fn is_named(vm: &Vm, namespace: &str, name: &str) -> bool {
    (vm.namespace.as_str(), vm.name.as_str()) == (namespace, name)
}
