//! A rule file, put to scenarios.

use super::alerts::Change;
use super::calculator::{CalculatorError, Evaluator, Question};
use super::exporter::Schedule;
use super::judge::{Breach, Sampling};
use super::rules::{Alert, Rule, RuleFile, RuleKind};
use super::samples::Millis;
use super::scraped_run::ScrapedRun;
use super::server::ServerError;
use super::table::Table;
use crate::format::VmName;
use crate::input_error::InputError;
use crate::load::Loaded;
use crate::report::{Place, Summary};
use crate::verdict::Outcome;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use stuckvm_sim::metrics::metrics;
use stuckvm_sim::trace::Keep;

/// How rules are checked.
#[derive(Clone, Debug, Default)]
pub struct Options<'a> {
    /// Who evaluates.
    pub engine: Evaluator,
    /// When scrapes and evaluations come.
    pub schedule: Schedule,
    /// Replaces every scenario's seed.
    pub seed: Option<u64>,
    /// Which lines of the trace are kept, of every scenario until the end.
    pub keep_trace: Keep,
    /// Once it is true, what is being played ends as interrupted.
    pub stop: Option<&'a AtomicBool>,
}

/// What came of a rule file.
#[derive(Debug, Default)]
pub struct Checked<'a> {
    /// Its alerting rules, in the order of the file.
    pub alerts: Vec<AlertReport>,
    /// The scenarios as they were played, in their order.
    pub runs: Vec<ScrapedRun<'a>>,
}

/// What came of one alerting rule.
#[derive(Clone, Debug)]
pub struct AlertReport {
    /// The totals; the detector is the alert, with a number behind it where the file has the name before.
    pub summary: Summary,
    /// Where the file has it.
    pub place: Place,
    /// What it came to in each scenario, in their order.
    pub cases: Vec<CaseReport>,
    /// Its errors against the exact contract.
    pub table: Table,
}

/// What an alerting rule came to in one scenario.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The verdict by the sampled profile: of several breaches the first.
    pub outcome: Outcome,
    /// Every breach with its machine, in the order of time.
    pub breaches: Vec<(VmName, Breach)>,
    /// Episodes whose outcome sampling leaves to luck.
    pub luck: usize,
    /// What became of the rule's alerts.
    pub changes: Vec<Change>,
    /// What its view of the world was bounded by.
    pub sampling: Sampling,
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
/// If nothing in the file can alert, there is no Prometheus, or an expression is none to it or has what the embedded engine
/// does not know.
pub fn check_rules<'a>(
    file: &RuleFile,
    scenarios: &'a [Loaded],
    options: &Options<'_>,
    played: impl Fn(&str) + Sync,
) -> Result<Checked<'a>, CheckError> {
    file.must_alert()?;
    let told = |error| told(file, error);
    options.engine.check(&file.groups).map_err(told)?;
    let play = |loaded| {
        let run = ScrapedRun::play(file, loaded, options);
        played(run.scenario());
        run
    };
    let runs: Vec<ScrapedRun<'a>> = scenarios.par_iter().map(play).collect();
    let questions: Vec<Question<'_>> = runs.iter().map(|run| run.question(file, options.schedule)).collect();
    let answers = options.engine.answers(&questions).map_err(told)?;
    let mut alerts: Vec<AlertReport> = Vec::new();
    for (index, alerting) in alerting(file).into_iter().enumerate() {
        let mut report = alerting.report(file, &alerts);
        for (run, answer) in runs.iter().zip(&answers) {
            let case = alerting.case(run, &answer[index], options.schedule, &mut report.table);
            report.add(case);
        }
        alerts.push(report);
    }
    Ok(Checked { alerts, runs })
}

/// An error about an expression has its place in the file.
fn told(file: &RuleFile, error: CalculatorError) -> CheckError {
    match error {
        CalculatorError::Expression { field, problem } => file.error_at(&field, &problem).into(),
        CalculatorError::Refused { field, what } => file.refusal_at(&field, &what).into(),
        CalculatorError::Server(error) => error.into(),
    }
}

/// An alerting rule of a file.
struct Alerting<'a> {
    alert: &'a Alert,
    rule: &'a Rule,
    /// Its group's own.
    interval: Option<Millis>,
    /// Metrics of virt-controller that it may read, by way of recording rules too.
    reads: BTreeSet<&'static str>,
}

impl Alerting<'_> {
    /// Before any scenario; `before` are the alerts that stand before it.
    fn report(&self, file: &RuleFile, before: &[AlertReport]) -> AlertReport {
        let name = &self.alert.name;
        let numbered =
            (1..).map(|number| if number == 1 { name.clone() } else { format!("{name} ({number})") });
        let is_taken = |name: &String| before.iter().any(|other| other.summary.detector == *name);
        let free = numbered.into_iter().find(|name| !is_taken(name)).expect("there is a number for each");
        AlertReport {
            summary: Summary::new(&free),
            place: file.place_of(self.rule),
            cases: Vec::new(),
            table: Table::default(),
        }
    }

    fn case(
        &self,
        run: &ScrapedRun<'_>,
        changes: &[Change],
        schedule: Schedule,
        table: &mut Table,
    ) -> CaseReport {
        let evaluate = self.interval.unwrap_or(schedule.evaluate);
        let sampling = run.sampling(Schedule { evaluate, ..schedule }, self.alert);
        let not_judged = run.not_judged(run.lacks(&self.reads), sampling);
        not_judged.unwrap_or_else(|| run.judge(sampling, changes, table))
    }
}

impl AlertReport {
    fn add(&mut self, case: CaseReport) {
        self.summary.add(&case.outcome);
        self.cases.push(case);
    }
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
            RuleKind::Alert(alert) => {
                alerting.push(Alerting { alert, rule, interval: group.interval, reads });
            }
            RuleKind::Record(name) => recorded.push((name, reads)),
        }
    }
    alerting
}
