//! A scenario that was played once for all rules: what was scraped, what was delivered, and what one rule comes to in it.

use super::alerts::Change;
use super::calculator::Question;
use super::check::{CaseReport, Options};
use super::exporter::{Exporter, Schedule, Scraped, first_tick, millis, time};
use super::firings::{Firing, firings};
use super::judge::{Breach, Case, Judged, Sampling, judge};
use super::rules::{Alert, RuleFile};
use super::table::{Machine, Table};
use crate::format::VmName;
use crate::judge::{Breach as RuleBreach, Rule};
use crate::load::Loaded;
use crate::oracle::{Episode, Thresholds, episodes};
use crate::play::{PlayOptions, Played, play_watched};
use crate::run::observations;
use crate::stream::{self, AlertKind, Event, Input, Vm};
use crate::verdict::{Outcome, Verdict};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::{Rule as DetectorRule, Time};
use stuckvm_sim::KubeVirtRelease;
use stuckvm_sim::metrics::is_exported;
use stuckvm_sim::trace::TraceLine;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A scenario that has been played.
#[derive(Debug)]
pub struct ScrapedRun<'a> {
    /// The scenario.
    pub loaded: &'a Loaded,
    /// What was scraped.
    pub scraped: Scraped,
    /// How long an episode must last to fire.
    pub thresholds: Thresholds,
    /// Everything that was delivered, in order.
    pub inputs: Vec<Input>,
    /// The lines of the trace, as far as they are kept.
    pub trace: Vec<TraceLine>,
    release: KubeVirtRelease,
    start: Time,
    until: Time,
    /// How long after a write virt-controller's informers know.
    lag: Duration,
    digest: u64,
    events: u64,
    machines: BTreeMap<VmName, Delivered>,
    /// Why no rule is judged by it.
    unfit: Option<Verdict>,
}

/// What the delivered stream said of one machine.
#[derive(Debug, Default)]
struct Delivered {
    episodes: Vec<Episode>,
    statuses: Vec<(Time, String)>,
}

impl<'a> ScrapedRun<'a> {
    pub(super) fn play(file: &RuleFile, loaded: &'a Loaded, options: &Options<'_>) -> Self {
        let start =
            loaded.scenario.start.map_or_else(|| stuckvm_sim::Config::default().start, |start| start.0);
        let mut exporter = Exporter::new(start, options.schedule, &file.groups);
        let Options { seed, stop, keep_trace, .. } = *options;
        let mut played =
            play_watched(loaded, PlayOptions { seed, stop, keep_trace, until: None }, &mut exporter);
        let unfit = unfit(loaded, &mut played);
        let config = played.cluster.config();
        let (release, lag) = (config.kubevirt, config.latency.reaction);
        let trace = played.cluster.trace_mut();
        Self {
            loaded,
            scraped: exporter.finish(),
            digest: trace.digest(),
            events: trace.events(),
            trace: trace.take_lines(),
            release,
            start,
            until: played.inputs.last().map_or(start, |input| input.at),
            lag,
            machines: delivered(&played.thresholds, &played.inputs),
            thresholds: played.thresholds,
            inputs: played.inputs,
            unfit,
        }
    }

    /// Its path in the catalog.
    pub fn scenario(&self) -> &str {
        &self.loaded.scenario.scenario
    }

    pub(super) fn question<'b>(&'b self, file: &'b RuleFile, schedule: Schedule) -> Question<'b> {
        Question {
            samples: &self.scraped.samples,
            groups: &file.groups,
            evaluate: schedule.evaluate,
            first: first_tick(self.start),
            last: millis(self.until),
        }
    }

    pub(super) fn sampling(&self, schedule: Schedule, alert: &Alert) -> Sampling {
        let [scrape, evaluate, phase, keep] =
            [schedule.scrape, schedule.evaluate, schedule.phase, alert.keep]
                .map(|millis| Duration::from_millis(millis.unsigned_abs()));
        Sampling { scrape, evaluate, keep, lag: self.lag, first: time(first_tick(self.start)), phase }
    }

    /// Whether the run's KubeVirt does not export what a rule reads: there the rule was not meant to work.
    pub(super) fn lacks(&self, reads: &BTreeSet<&'static str>) -> Option<Verdict> {
        let lacking: Vec<&str> =
            reads.iter().copied().filter(|metric| !is_exported(metric, self.release)).collect();
        let release = self.release.as_str();
        let because = format!("KubeVirt {release} does not export {}", lacking.join(" and "));
        (!lacking.is_empty()).then_some(Verdict::NotTested(because))
    }

    /// What a rule comes to that cannot be judged by this run: `lacks`, or what went wrong with the run itself.
    pub(super) fn not_judged(&self, lacks: Option<Verdict>, sampling: Sampling) -> Option<CaseReport> {
        let verdict = lacks.or_else(|| self.unfit.clone())?;
        let outcome = self.outcome(verdict, Vec::new(), &[]);
        Some(CaseReport { outcome, breaches: Vec::new(), luck: 0, changes: Vec::new(), sampling })
    }

    pub(super) fn judge(&self, sampling: Sampling, changes: &[Change], table: &mut Table) -> CaseReport {
        let firings = firings(changes);
        let mut breaches = Vec::new();
        let mut alerts = Vec::new();
        let mut luck = 0;
        let none = Delivered::default();
        for vm in self.machines.keys().chain(firings.keys()).collect::<BTreeSet<_>>() {
            let delivered = self.machines.get(vm).unwrap_or(&none);
            let firings: &[Firing] = firings.get(vm).map_or(&[], Vec::as_slice);
            let missing = &self.scraped.missing;
            let case = Case { episodes: &delivered.episodes, firings, missing, until: self.until };
            let judged: Judged = judge(sampling, case);
            luck += judged.luck.len();
            breaches.extend(judged.breaches.into_iter().map(|breach| (vm.clone(), breach)));
            let machine = Machine {
                scenario: self.scenario(),
                episodes: &delivered.episodes,
                firings,
                statuses: &delivered.statuses,
                until: self.until,
                unseen: sampling.unseen(),
                lag: self.lag,
            };
            alerts.extend(said(vm, &machine));
            table.add(&machine);
        }
        breaches.sort_by_key(|(_, breach)| breach.order());
        alerts.sort_by_key(|alert: &stream::Alert| alert.at);
        let outcome = self.outcome(verdict(&breaches), alerts, changes);
        CaseReport { outcome, breaches, luck, changes: changes.to_vec(), sampling }
    }

    fn outcome(&self, verdict: Verdict, alerts: Vec<stream::Alert>, changes: &[Change]) -> Outcome {
        let hash = |digest, change: &Change| xxh3_64_with_seed(format!("{change:?}").as_bytes(), digest);
        Outcome {
            scenario: self.scenario().to_owned(),
            start: self.start,
            verdict,
            digest: changes.iter().fold(self.digest, hash),
            events: self.events,
            statuses: Vec::new(),
            alerts,
            lag: None,
            observations: observations(&self.inputs),
        }
    }
}

fn vm(name: &VmName) -> Vm {
    // Rules tell machines apart by name alone.
    Vm::new(&name.namespace, &name.name, "")
}

/// The first breach, as every report has one.
fn verdict(breaches: &[(VmName, Breach)]) -> Verdict {
    let Some((name, first)) = breaches.first() else { return Verdict::Pass };
    let rules: BTreeSet<Rule> = breaches.iter().map(|(_, breach)| breach.rule).collect();
    let more = match breaches.len() - 1 {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    Verdict::Broken(Box::new(RuleBreach {
        rule: first.rule,
        also: rules.into_iter().filter(|rule| *rule != first.rule).collect(),
        at: first.at,
        vm: Some(vm(name)),
        expected: None,
        got: None,
        note: Some(format!("{}{more}", first.because)),
        episode: first.episode.clone(),
    }))
}

/// What a rule said of a machine, each with the machine's status at that instant.
fn said(name: &VmName, machine: &Machine<'_>) -> Vec<stream::Alert> {
    let alert = |at, kind| {
        let (status, _) = machine.status_at(at);
        stream::Alert { at, kind, vm: vm(name), status, since: None }
    };
    let both = |firing: &Firing| {
        let end = firing.until.map(|until| alert(until, AlertKind::Resolved));
        [alert(firing.at, AlertKind::Firing)].into_iter().chain(end).collect::<Vec<_>>()
    };
    machine.firings.iter().flat_map(both).collect()
}

/// Why a rule cannot be judged by a run.
fn unfit(loaded: &Loaded, played: &mut Played) -> Option<Verdict> {
    if let Some(error) = played.error.take() {
        return Some(Verdict::Error(error));
    }
    let not_tested = |because: &str| Some(Verdict::NotTested(because.to_owned()));
    if loaded.scenario.steps.iter().any(|step| step.crash_detector.is_some()) {
        return not_tested("the detector crashes, and a restart of Prometheus is not modelled");
    }
    if played.thresholds.default != DetectorRule::THRESHOLD {
        return not_tested("another threshold than 5m, which the text of a rule has no place for");
    }
    None
}

/// The delivered stream by machine; a uid more of a name is the same machine to a rule.
fn delivered(thresholds: &Thresholds, inputs: &[Input]) -> BTreeMap<VmName, Delivered> {
    let name = |vm: &Vm| VmName { namespace: vm.namespace.to_string(), name: vm.name.to_string() };
    let mut machines: BTreeMap<VmName, Delivered> = BTreeMap::new();
    for input in inputs {
        match &input.event {
            Event::Observed(observed) => machines
                .entry(name(&observed.vm))
                .or_default()
                .statuses
                .push((input.at, observed.status.to_string())),
            Event::Deleted(vm) => {
                machines.entry(name(vm)).or_default().statuses.push((input.at, "deleted".to_owned()));
            }
            // Only a detector that crashes lists anew, and such runs are not judged.
            Event::Relist(_) | Event::Advance => {}
        }
    }
    for episode in episodes(thresholds, inputs) {
        machines.entry(name(&episode.vm)).or_default().episodes.push(episode);
    }
    machines
}
