//! A rule file, put to scenarios.

use super::alerts::Change;
use super::calculator::{CalculatorError, Question, answers};
use super::exporter::{Exporter, Schedule, Scraped, first_tick, millis, time};
use super::firings::{Firing, firings};
use super::judge::{Breach, Case, Judged, Sampling, judge};
use super::rules::{Alert, RuleFile, RuleKind};
use super::samples::Millis;
use super::server::{Engine, ServerError};
use super::table::{Machine, Table};
use crate::format::VmName;
use crate::input_error::InputError;
use crate::load::Loaded;
use crate::oracle::{Episode, Thresholds, episodes};
use crate::play::{PlayOptions, Played, play_watched};
use crate::stream::{Event, Input, Vm};
use crate::verdict::RunError;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use stuckvm_detector::{Rule as DetectorRule, Time};
use stuckvm_sim::KubeVirtRelease;
use stuckvm_sim::metrics::{is_exported, metrics};

/// How rules are checked.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// Which Prometheus evaluates.
    pub engine: Engine,
    /// When scrapes and evaluations come.
    pub schedule: Schedule,
    /// Replaces every scenario's seed.
    pub seed: Option<u64>,
    /// Once it is true, what is being played ends as interrupted.
    pub stop: Option<&'a AtomicBool>,
}

/// What came of a rule file.
#[derive(Clone, Debug)]
pub struct Checked {
    /// Its alerting rules, in the order of the file.
    pub alerts: Vec<AlertReport>,
}

/// What came of one alerting rule.
#[derive(Clone, Debug)]
pub struct AlertReport {
    /// The alert's name.
    pub alert: String,
    /// What it came to in each scenario, in their order.
    pub cases: Vec<CaseReport>,
    /// Its errors against the exact contract.
    pub table: Table,
}

/// What an alerting rule came to in one scenario.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The scenario.
    pub scenario: String,
    /// The verdict by the sampled profile.
    pub outcome: Outcome,
    /// Episodes whose outcome sampling leaves to luck.
    pub luck: usize,
}

/// A verdict by the sampled profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It kept the contract.
    Pass,
    /// It broke it: every breach with its machine, in the order of time; at least one.
    Fail(Vec<(VmName, Breach)>),
    /// A rule cannot be put to this scenario, and why.
    NotTested(String),
    /// The run did not come to an end.
    Error(RunError),
}

/// Why rules could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// The rule file.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The server.
    #[error(transparent)]
    Server(#[from] ServerError),
}

/// Plays scenarios, scrapes virt-controller on the way, and judges every alerting rule of a file by what Prometheus makes of the
/// samples. `played` hears the name of each scenario when it has been played.
///
/// # Errors
///
/// If there is no Prometheus, or an expression is none to it.
pub fn check_rules(
    file: &RuleFile,
    scenarios: &[Loaded],
    options: &Options<'_>,
    played: impl Fn(&str) + Sync,
) -> Result<Checked, CheckError> {
    options.engine.check()?;
    let play = |loaded| {
        let run = Run::play(file, loaded, options);
        played(run.scenario);
        run
    };
    let runs: Vec<Run<'_>> = scenarios.par_iter().map(play).collect();
    let questions: Vec<Question<'_>> = runs.iter().map(|run| run.question(file, options.schedule)).collect();
    let answers = answers(&options.engine, &questions).map_err(|error| match error {
        CalculatorError::Expression { field, problem } => CheckError::Input(file.error_at(&field, &problem)),
        CalculatorError::Server(error) => error.into(),
    })?;
    let report = |(place, alerting): (usize, Alerting<'_>)| {
        let Alerting { alert, interval, reads } = alerting;
        let evaluate = interval.unwrap_or(options.schedule.evaluate);
        let mut report =
            AlertReport { alert: alert.name.clone(), cases: Vec::new(), table: Table::default() };
        for (run, answer) in runs.iter().zip(&answers) {
            let sampling = run.sampling(Schedule { evaluate, ..options.schedule }, alert);
            report.cases.push(match run.lacks(&reads) {
                Some(lacks) => run.report(lacks, 0),
                None => run.judge(sampling, &answer[place], &mut report.table),
            });
        }
        report
    };
    Ok(Checked { alerts: alerting(file).into_iter().enumerate().map(report).collect() })
}

/// An alerting rule of a file.
struct Alerting<'a> {
    alert: &'a Alert,
    /// Its group's own.
    interval: Option<Millis>,
    /// Metrics of virt-controller that it may read, by way of recording rules too.
    reads: BTreeSet<&'static str>,
}

fn alerting(file: &RuleFile) -> Vec<Alerting<'_>> {
    let mut recorded: Vec<(&str, BTreeSet<&'static str>)> = Vec::new();
    let mut alerting = Vec::new();
    for (group, rule) in
        file.groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
    {
        let read = |name: &str| rule.expression.may_read(name);
        let by_records = recorded.iter().filter(|(name, _)| read(name)).flat_map(|(_, reads)| reads.clone());
        let reads: BTreeSet<_> = metrics().filter(|metric| read(metric)).chain(by_records).collect();
        match &rule.kind {
            RuleKind::Alert(alert) => alerting.push(Alerting { alert, interval: group.interval, reads }),
            RuleKind::Record(name) => recorded.push((name, reads)),
        }
    }
    alerting
}

/// A scenario that has been played.
struct Run<'a> {
    scenario: &'a str,
    scraped: Scraped,
    release: KubeVirtRelease,
    start: Time,
    until: Time,
    /// How long after a write virt-controller's informers know.
    lag: Duration,
    machines: BTreeMap<VmName, Delivered>,
    /// Why no rule is judged by it.
    unfit: Option<Outcome>,
}

/// What the delivered stream said of one machine.
#[derive(Default)]
struct Delivered {
    episodes: Vec<Episode>,
    statuses: Vec<(Time, String)>,
}

impl<'a> Run<'a> {
    fn play(file: &RuleFile, loaded: &'a Loaded, options: &Options<'_>) -> Self {
        let start =
            loaded.scenario.start.map_or_else(|| stuckvm_sim::Config::default().start, |start| start.0);
        let mut exporter = Exporter::new(start, options.schedule, &file.groups);
        let play = PlayOptions { seed: options.seed, stop: options.stop, ..PlayOptions::default() };
        let played = play_watched(loaded, play, &mut exporter);
        Self {
            scenario: &loaded.scenario.scenario,
            scraped: exporter.finish(),
            release: played.cluster.config().kubevirt,
            start,
            until: played.inputs.last().map_or(start, |input| input.at),
            lag: played.cluster.config().latency.reaction,
            machines: delivered(&played.thresholds, &played.inputs),
            unfit: unfit(loaded, played),
        }
    }

    fn question<'b>(&'b self, file: &'b RuleFile, schedule: Schedule) -> Question<'b> {
        Question {
            samples: &self.scraped.samples,
            groups: &file.groups,
            evaluate: schedule.evaluate,
            first: first_tick(self.start),
            last: millis(self.until),
        }
    }

    fn sampling(&self, schedule: Schedule, alert: &Alert) -> Sampling {
        let [scrape, evaluate, phase, keep] =
            [schedule.scrape, schedule.evaluate, schedule.phase, alert.keep]
                .map(|millis| Duration::from_millis(millis.unsigned_abs()));
        Sampling { scrape, evaluate, keep, lag: self.lag, first: time(first_tick(self.start)), phase }
    }

    fn report(&self, outcome: Outcome, luck: usize) -> CaseReport {
        CaseReport { scenario: self.scenario.to_owned(), outcome, luck }
    }

    /// Whether the run's KubeVirt does not export what a rule reads: there the rule was not meant to work.
    fn lacks(&self, reads: &BTreeSet<&'static str>) -> Option<Outcome> {
        let lacking: Vec<&str> =
            reads.iter().copied().filter(|metric| !is_exported(metric, self.release)).collect();
        let release = self.release.as_str();
        let because = format!("KubeVirt {release} does not export {}", lacking.join(" and "));
        (!lacking.is_empty()).then_some(Outcome::NotTested(because))
    }

    fn judge(&self, sampling: Sampling, changes: &[Change], table: &mut Table) -> CaseReport {
        if let Some(unfit) = &self.unfit {
            return self.report(unfit.clone(), 0);
        }
        let firings = firings(changes);
        let mut breaches = Vec::new();
        let mut luck = 0;
        let none = Delivered::default();
        for vm in self.machines.keys().chain(firings.keys()).collect::<BTreeSet<_>>() {
            let delivered = self.machines.get(vm).unwrap_or(&none);
            let firings: &[Firing] = firings.get(vm).map_or(&[], Vec::as_slice);
            let case = Case {
                episodes: &delivered.episodes,
                firings,
                failed: &self.scraped.failed,
                until: self.until,
            };
            let judged: Judged = judge(sampling, case);
            luck += judged.luck.len();
            breaches.extend(judged.breaches.into_iter().map(|breach| (vm.clone(), breach)));
            table.add(&Machine {
                scenario: self.scenario,
                episodes: &delivered.episodes,
                firings,
                statuses: &delivered.statuses,
                until: self.until,
                unseen: sampling.unseen(),
                lag: self.lag,
            });
        }
        breaches.sort_by_key(|(_, breach)| breach.order());
        self.report(if breaches.is_empty() { Outcome::Pass } else { Outcome::Fail(breaches) }, luck)
    }
}

/// Why a rule cannot be judged by a run.
fn unfit(loaded: &Loaded, played: Played) -> Option<Outcome> {
    if let Some(error) = played.error {
        return Some(Outcome::Error(error));
    }
    let not_tested = |because: &str| Some(Outcome::NotTested(because.to_owned()));
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
