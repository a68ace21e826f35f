//! The command line: what can be asked, and which exit code answers.

mod check;
mod detect;
mod explain;
mod list;
mod metrics;
mod new;
mod objects;
mod progress;
mod render;
mod reports;
mod rules;
mod run;
mod schedule;
mod selection;
mod status;
mod streams;
mod vmi;

use clap::{Parser, Subcommand, ValueEnum};
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::time::Duration;
use streams::{print, tell};
use stuckvm_detector::Time;
use stuckvm_scenarios::internal_error::tell_of_panics;

/// A fake Kubernetes + KubeVirt cluster on virtual time that judges detectors of stuck virtual machines.
#[derive(Parser)]
#[command(name = "stuckvm", version, about, max_term_width = 80)]
struct Arguments {
    /// How results are written.
    #[arg(long, global = true, value_enum, default_value_t = Format::Text)]
    format: Format,
    #[command(subcommand)]
    command: Command,
}

/// How results are written to standard output.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Text for people.
    Text,
    /// JSON Lines for programs.
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Play scenarios with the built-in detector and judge them.
    Run(run::Arguments),
    /// Judge a detector by every case there is: the catalog, and the contract's own.
    Check(check::Arguments),
    /// List the scenarios of the catalog.
    List(list::Arguments),
    /// Write a scenario to begin with: a commented file that passes.
    New(new::Arguments),
    /// Read observations, write alerts, a JSON object a line.
    Detect(detect::Arguments),
    /// Say on which node each waiting pod of a cluster goes, a JSON object a line.
    Schedule(schedule::Arguments),
    /// Say what printable status each virtual machine has, a JSON object a line.
    Status(status::Arguments),
    /// Print the launcher pod of each virtual machine and instance.
    Render(render::Arguments),
    /// Say what phase and conditions each instance has, a JSON object a line.
    Vmi(objects::StoredObjects),
    /// Print what virt-controller exports at an instant of a scenario.
    Metrics(metrics::Arguments),
    /// Print the JSON Schema of scenario files.
    Schema,
}

/// Exit code: a verdict is `fail` or `error`.
const FAILED: u8 = 1;
/// Exit code: the input or the command line is wrong.
const BAD_INPUT: u8 = 2;
/// Exit code: a bug.
const INTERNAL: u8 = 3;
/// Exit code: the user did not want to wait for the end, as shells have it for an interrupt.
const INTERRUPTED: u8 = 130;

/// Carries out the command line.
pub(crate) fn run() -> ExitCode {
    let Arguments { format, command } = Arguments::parse();
    let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
    tell_of_panics(words.join(" "), |text| tell(text));
    answer(|| match command {
        Command::Run(arguments) => run::run(&arguments, format),
        Command::Check(arguments) => check::run(&arguments, format),
        Command::List(arguments) => list::run(&arguments, format),
        Command::New(arguments) => new::run(&arguments),
        Command::Detect(arguments) => detect::run(&arguments),
        Command::Schedule(arguments) => schedule::run(&arguments, format),
        Command::Status(arguments) => status::run(&arguments),
        Command::Render(arguments) => render::run(&arguments, format),
        Command::Vmi(arguments) => vmi::run(&arguments),
        Command::Metrics(arguments) => metrics::run(&arguments, format),
        Command::Schema => schema(),
    })
}

/// The exit code of what a command gives, or does not give since it panics.
fn answer(command: impl FnOnce() -> CommandResult) -> ExitCode {
    // Nothing is used again that a panic may have left half done.
    match std::panic::catch_unwind(AssertUnwindSafe(command)) {
        Ok(Ok(code)) => streams::exit_code(code),
        Ok(Err(error)) => {
            tell(error);
            ExitCode::from(BAD_INPUT)
        }
        // The panic hook has told what happened.
        Err(_) => ExitCode::from(INTERNAL),
    }
}

type CommandResult = Result<ExitCode, Box<dyn std::error::Error>>;

fn schema() -> CommandResult {
    let schema = schemars::schema_for!(stuckvm_scenarios::format::Scenario);
    print(&serde_json::to_string_pretty(&schema)?);
    Ok(ExitCode::SUCCESS)
}

/// Reads a duration of the command line.
fn duration(text: &str) -> Result<Duration, String> {
    stuckvm_sim::duration::parse(text).map_err(|error| error.to_string())
}

/// Reads an instant of the command line.
fn time(text: &str) -> Result<Time, String> {
    text.parse().map_err(|error: stuckvm_detector::ParseTimeError| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::{BAD_INPUT, INTERNAL, answer};
    use std::process::ExitCode;

    #[test]
    fn a_panic_is_answered_with_3_and_a_wrong_input_with_2() {
        assert_eq!(answer(|| panic!("an invariant is broken")), ExitCode::from(INTERNAL));
        assert_eq!(answer(|| Err("no such file".into())), ExitCode::from(BAD_INPUT));
        assert_eq!(answer(|| Ok(ExitCode::SUCCESS)), ExitCode::SUCCESS);
    }
}
