//! `stuckvm check`.

use super::progress::Progress;
use super::reports::{Reports, palette};
use super::rules::{self, Reporting, RuleArguments};
use super::selection::{Selection, exit_code, stop_on_interrupt, tell_of_skipped};
use super::{CommandResult, Format, print, tell};
use clap::Args;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use stuckvm_scenarios::catalog::select_by;
use stuckvm_scenarios::conformance::{BuiltIn, Candidate, Exec, Subject, check_all, subjects};
use stuckvm_scenarios::contract::{self, ContractCase};
use stuckvm_scenarios::judge::Profile;
use stuckvm_scenarios::report::explain::Evidence;
use stuckvm_scenarios::report::{
    Summary, json_coverage, json_line, json_summary, text_coverage, text_line, text_rules, text_summary,
};
use stuckvm_scenarios::run::RunOptions;
use stuckvm_sim::duration;

/// What `check` takes.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Replaces the threshold of 5m; then only the contract is judged, not what the files pin.
    #[arg(long, value_name = "DURATION", value_parser = threshold)]
    threshold: Option<Duration>,
    /// Judges nothing and prints how many of the contract's cases visit each rule, status and side of the boundary.
    #[arg(long)]
    coverage: bool,
    /// Judges a program that speaks protocol 1, in place of the built-in detector; `sh` runs it, once a case.
    #[arg(long, value_name = "CMD")]
    exec: Option<String>,
    /// How long the program's answer to a line may take, of wall time.
    #[arg(long, value_name = "DURATION", value_parser = timeout, default_value = "10s", requires = "exec")]
    timeout: Duration,
    #[command(flatten)]
    reports: Reports,
    #[command(flatten)]
    rules: RuleArguments,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> CommandResult {
    let Arguments { selection, threshold, coverage, reports, rules, .. } = arguments;
    if let Some(file) = &rules.rules {
        return rules::run(file, rules, selection, &Reporting { reports, format });
    }
    let subjects = chosen(arguments)?;
    if *coverage {
        return print_coverage(subjects, format);
    }
    let alone = subjects.len() == 1;
    let mut writers = reports.open(format)?;
    let stop = stop_on_interrupt()?;
    let candidate = candidate(arguments, &stop);
    let options = RunOptions {
        seed: selection.seed,
        threshold: *threshold,
        stop: Some(&stop),
        keep_trace: reports.keep_trace().unwrap_or_default(),
    };
    let progress = Progress::new(subjects.len());
    let mut summary = about(&*candidate, *threshold);
    selection.pool()?.install(|| {
        check_all(&subjects, &*candidate, options, |subject, run| {
            summary.add(&run.outcome);
            let outcome = &run.outcome;
            let evidence = Evidence::of(&run, subject.about(), subject.loaded());
            let text = match format {
                Format::Json => json_line(outcome),
                Format::Text => reports
                    .explanation(&evidence, alone)
                    .unwrap_or_else(|| palette().verdict(&outcome.verdict, &text_line(outcome))),
            };
            progress.ended(&outcome.scenario, || {
                print(&text);
                writers.add(subject.entry(outcome));
            });
        });
    });
    progress.finish();
    summary.not_begun = stop.load(Ordering::Relaxed).then(|| subjects.len() - summary.scenarios);
    writers.conclude(&summary);
    writers.finish();
    print(&match format {
        Format::Json => json_summary(&summary, selection.seed),
        Format::Text => {
            format!("\n{}\n{}", text_summary(&summary, selection.seed), text_rules(&summary))
        }
    });
    Ok(exit_code(&summary))
}

fn print_coverage(subjects: Vec<Subject>, format: Format) -> CommandResult {
    let cases = subjects.into_iter().filter_map(|subject| match subject {
        Subject::Contract(contract) => Some(*contract),
        Subject::Scenario(_) => None,
    });
    let cells = contract::coverage(&cases.collect::<Vec<_>>());
    print(&match format {
        Format::Json => json_coverage(&cells),
        Format::Text => text_coverage(&cells),
    });
    Ok(ExitCode::SUCCESS)
}

/// Who is judged.
fn candidate(arguments: &Arguments, stop: &Arc<AtomicBool>) -> Box<dyn Candidate> {
    match &arguments.exec {
        None => Box::new(BuiltIn::candidate()),
        Some(command) => Box::new(Exec::new(command).with_timeout(arguments.timeout).with_stop(stop.clone())),
    }
}

/// What the detector is put to.
fn chosen(arguments: &Arguments) -> Result<Vec<Subject>, Box<dyn std::error::Error>> {
    let Arguments { selection, threshold, .. } = arguments;
    let scenarios = selection.scenarios("check")?;
    let contract = if selection.is_own() { Vec::new() } else { contract_cases(*threshold) };
    let chosen = select_by(subjects(scenarios, contract), &selection.names, Subject::name)?;
    for subject in &chosen {
        if let Subject::Scenario(loaded) = subject {
            tell_of_skipped(loaded);
        }
    }
    Ok(chosen)
}

fn contract_cases(threshold: Option<Duration>) -> Vec<ContractCase> {
    let cases = contract::suite(threshold);
    if let Some(threshold) = threshold {
        let without = contract::suite(None).len() - cases.len();
        if without > 0 {
            let threshold = duration::format(threshold);
            tell(format_args!(
                "contract: {without} cases left out, of which an instant does not exist with {threshold}"
            ));
        }
    }
    cases
}

fn about(candidate: &dyn Candidate, threshold: Option<Duration>) -> Summary {
    let resolution = match candidate.profile() {
        Profile::Exact => None,
        Profile::Resolution(late) => Some(late),
    };
    Summary { threshold, resolution, ..Summary::new(&candidate.name()) }
}

fn threshold(text: &str) -> Result<Duration, String> {
    longer_than_nothing("threshold", text)
}

fn timeout(text: &str) -> Result<Duration, String> {
    longer_than_nothing("timeout", text)
}

fn longer_than_nothing(what: &str, text: &str) -> Result<Duration, String> {
    match super::duration(text)? {
        Duration::ZERO => Err(format!("a {what} is longer than 0s")),
        duration => Ok(duration),
    }
}
