//! `stuckvm check --rules`.

use super::progress::Progress;
use super::reports::Reports;
use super::selection::{Selection, stop_on_interrupt, tell_of_skipped};
use super::{CommandResult, FAILED, Format, INTERRUPTED, print, tell};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use stuckvm_scenarios::catalog::select;
use stuckvm_scenarios::prometheus::exporter::Schedule;
use stuckvm_scenarios::prometheus::report::{json_lines, text};
use stuckvm_scenarios::prometheus::rules::RuleFile;
use stuckvm_scenarios::prometheus::samples::Millis;
use stuckvm_scenarios::prometheus::server::{Engine, ServerError};
use stuckvm_scenarios::prometheus::{Checked, Evaluator, Options, check_rules};

/// What `check` takes for rules of Prometheus.
#[derive(Args)]
pub(super) struct RuleArguments {
    /// A rule file of Prometheus: its alerts are judged, each by itself.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["threshold", "coverage", "exec"])]
    pub(super) rules: Option<PathBuf>,
    /// The time between two scrapes.
    #[arg(long, value_name = "DURATION", value_parser = interval, default_value = "30s", requires = "rules")]
    scrape: Millis,
    /// The time between two evaluations, for groups without an interval of their own.
    #[arg(long, value_name = "DURATION", value_parser = interval, default_value = "30s", requires = "rules")]
    evaluate: Millis,
    /// How long after the first evaluation the first scrape comes.
    #[arg(long, value_name = "DURATION", value_parser = millis, default_value = "0s", requires = "rules")]
    phase: Millis,
    /// The Prometheus to start; looked for on the PATH without it.
    #[arg(long, value_name = "FILE", requires = "rules")]
    prometheus: Option<PathBuf>,
    /// Who evaluates the rules; without it Prometheus where there is one.
    #[arg(long, value_enum, requires = "rules")]
    engine: Option<EngineName>,
}

/// Who evaluates rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum EngineName {
    /// A Prometheus server, started for it: knows every rule.
    Prometheus,
    /// An engine within: knows instant vectors only, and refuses other rules by name.
    Embedded,
}

/// How a check of rules is reported.
pub(super) struct Reporting<'a> {
    pub(super) reports: &'a Reports,
    pub(super) format: Format,
}

pub(super) fn run(
    file: &Path,
    arguments: &RuleArguments,
    selection: &Selection,
    reporting: &Reporting<'_>,
) -> CommandResult {
    arguments.check()?;
    let file = RuleFile::load(file)?;
    let scenarios = select(selection.scenarios("check")?, &selection.names)?;
    scenarios.iter().for_each(tell_of_skipped);
    let Reporting { reports, format } = *reporting;
    let mut writers = reports.open(format)?;
    let stop = stop_on_interrupt()?;
    let schedule = arguments.schedule()?;
    let keep_trace = reports.keep_trace().unwrap_or_default();
    let options =
        Options { engine: arguments.engine(), schedule, seed: selection.seed, keep_trace, stop: Some(&stop) };
    let progress = Progress::new(scenarios.len());
    let played = |name: &str| progress.ended(name, || ());
    let checked = selection.pool()?.install(|| check_rules(&file, &scenarios, &options, played));
    progress.finish();
    let interrupted = stop.load(Ordering::Relaxed);
    let checked = match checked {
        // An interrupt at a terminal ends the server too.
        Err(_) if interrupted => return Ok(ExitCode::from(INTERRUPTED)),
        checked => checked?,
    };
    reporting.print(&checked, schedule);
    for (alert, report) in checked.alerts.iter().enumerate() {
        (0..report.cases.len()).for_each(|case| writers.add(checked.entry(alert, case)));
        writers.conclude(&report.summary);
    }
    writers.finish();
    Ok(match checked.all_passed() {
        _ if interrupted => ExitCode::from(INTERRUPTED),
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FAILED),
    })
}

impl Reporting<'_> {
    fn print(&self, checked: &Checked<'_>, schedule: Schedule) {
        let alone = checked.runs.len() == 1;
        let explained = |alert, case| self.reports.explanation(&checked.evidence(alert, case), alone);
        match self.format {
            Format::Json => json_lines(checked).iter().for_each(|line| print(line)),
            Format::Text => print(text(checked, schedule, explained).trim_end()),
        }
    }
}

impl RuleArguments {
    fn check(&self) -> Result<(), &'static str> {
        match (self.engine, &self.prometheus) {
            (Some(EngineName::Embedded), Some(_)) => Err(
                "--engine embedded starts no server, so --prometheus has no use: leave one of the two away",
            ),
            _ => Ok(()),
        }
    }

    fn schedule(&self) -> Result<Schedule, String> {
        let Self { scrape, evaluate, phase, .. } = *self;
        if phase >= scrape {
            return Err("--phase: expected less than --scrape; later scrapes follow from that one".to_owned());
        }
        Ok(Schedule { scrape, evaluate, phase })
    }

    /// Prometheus, unless another engine is asked for, or nothing is asked for and there is none.
    fn engine(&self) -> Evaluator {
        let Self { prometheus, engine, .. } = self;
        let asked = prometheus.is_some() || *engine == Some(EngineName::Prometheus);
        let default = Engine::default();
        let server = Engine { program: prometheus.clone().unwrap_or(default.program), ..default };
        match engine {
            Some(EngineName::Embedded) => Evaluator::Embedded,
            None if !asked && matches!(server.check(), Err(ServerError::Missing { .. })) => {
                tell("there is no Prometheus: the embedded engine evaluates, which knows instant vectors");
                Evaluator::Embedded
            }
            _ => Evaluator::Prometheus(server),
        }
    }
}

/// Reads a duration that is one to Prometheus too.
fn millis(text: &str) -> Result<Millis, String> {
    let duration = super::duration(text)?;
    let whole = duration.subsec_nanos() % 1_000_000 == 0;
    let millis = i64::try_from(duration.as_millis()).ok().filter(|_| whole);
    millis.ok_or_else(|| format!("{text}: expected whole milliseconds, which is all that Prometheus knows"))
}

fn interval(text: &str) -> Result<Millis, String> {
    match millis(text)? {
        0 => Err("an interval is longer than 0s".to_owned()),
        millis => Ok(millis),
    }
}
