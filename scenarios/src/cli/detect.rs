//! `stuckvm detect`.

use super::{CommandResult, duration, time};
use clap::Args;
use std::fs::File;
use std::io::{BufRead, BufReader, stderr, stdin, stdout};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::detect::{DetectOptions, detect};
use stuckvm_scenarios::input_error::InputError;

/// What `detect` takes.
#[derive(Args)]
pub(super) struct Arguments {
    /// The observations; standard input without it, or with `-`.
    file: Option<PathBuf>,
    /// How long a virtual machine must be in an error status.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    threshold: Option<Duration>,
    /// An advance to this instant after the last line.
    #[arg(long, value_name = "TIME", value_parser = time)]
    until: Option<Time>,
    /// Where what the detector knows is written at the end.
    #[arg(long, value_name = "FILE")]
    snapshot: Option<PathBuf>,
    /// Whence what a detector knew is read at the beginning.
    #[arg(long, value_name = "FILE")]
    restore: Option<PathBuf>,
    /// Stop at the first line that cannot be used.
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(arguments: &Arguments) -> CommandResult {
    let file = arguments.file.as_ref().filter(|path| path.as_os_str() != "-");
    let options = DetectOptions {
        source: file.map_or_else(|| "<stdin>".to_owned(), |path| path.display().to_string()),
        threshold: arguments.threshold,
        until: arguments.until,
        snapshot: arguments.snapshot.clone(),
        restore: arguments.restore.clone(),
        strict: arguments.strict,
    };
    let input: Box<dyn BufRead> = match file {
        None => Box::new(stdin().lock()),
        Some(path) => {
            let unreadable = |error: std::io::Error| InputError::File {
                file: path.display().to_string(),
                problem: error.to_string(),
            };
            let opened = File::open(path).map_err(unreadable)?;
            Box::new(BufReader::new(opened))
        }
    };
    let summary = detect(&options, input, stdout().lock(), stderr().lock())?;
    Ok(ExitCode::from(summary.exit_code()))
}
