//! `stuckvm run`.

use super::progress::Progress;
use super::reports::{Reports, palette};
use super::selection::{Selection, exit_code, stop_on_interrupt, tell_of_skipped};
use super::streams::keep;
use super::{CommandResult, Format, print};
use clap::Args;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use stuckvm_scenarios::catalog::select;
use stuckvm_scenarios::input_error::InputError;
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::output_file::unwritable;
use stuckvm_scenarios::report::explain::Evidence;
use stuckvm_scenarios::report::{
    Entry, MOMENTS_SHOWN, Summary, json_line, json_summary, text_line, text_summary, timeline,
};
use stuckvm_scenarios::run::{Run, RunOptions, run_all};
use stuckvm_sim::trace::Keep;

/// What `run` takes.
#[derive(Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    selection: Selection,
    /// Writes everything that happened to a file, a line an event.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    #[command(flatten)]
    reports: Reports,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> CommandResult {
    let Arguments { selection, trace, reports } = arguments;
    let scenarios = select(selection.scenarios("run")?, &selection.names)?;
    scenarios.iter().for_each(tell_of_skipped);
    let alone = scenarios.len() == 1;
    let mut reports = reports.open(format)?;
    let mut trace = trace.as_deref().map(TraceFile::create).transpose()?;
    let stop = stop_on_interrupt()?;
    let keep_trace = arguments.keep(format, alone);
    let options = RunOptions { seed: selection.seed, keep_trace, stop: Some(&stop), ..RunOptions::default() };
    let progress = Progress::new(scenarios.len());
    let mut summary = Summary::new("built-in");
    selection.pool()?.install(|| {
        run_all(&scenarios, options, |loaded, run| {
            summary.add(&run.outcome);
            trace.iter_mut().for_each(|file| file.add(&run));
            let text = arguments.text(&Ended { loaded, run: &run, alone }, format);
            let entry = Entry::of(&run.outcome, Some(loaded));
            progress.ended(&run.outcome.scenario, || {
                print(&text);
                reports.add(entry);
            });
        });
    });
    progress.finish();
    trace.into_iter().for_each(|file| keep(file.finish()));
    let interrupted = stop.load(Ordering::Relaxed);
    summary.not_begun = interrupted.then(|| scenarios.len() - summary.scenarios);
    reports.conclude(&summary);
    reports.finish();
    print(&match format {
        Format::Json => json_summary(&summary, selection.seed),
        Format::Text => format!("\n{}", text_summary(&summary, selection.seed)),
    });
    Ok(exit_code(&summary))
}

impl Arguments {
    /// As much of the trace as something will show.
    fn keep(&self, format: Format, alone: bool) -> Keep {
        match format {
            _ if self.trace.is_some() || self.reports.keep_trace().is_some() => Keep::Everything,
            Format::Text if alone => Keep::Moments(MOMENTS_SHOWN),
            _ => Keep::Nothing,
        }
    }

    /// What is printed of a scenario.
    fn text(&self, Ended { loaded, run, alone }: &Ended<'_>, format: Format) -> String {
        let outcome = &run.outcome;
        let explained =
            || self.reports.explanation(&Evidence::of(run, &loaded.scenario.about, Some(loaded)), *alone);
        match format {
            Format::Json => json_line(outcome),
            Format::Text => explained().unwrap_or_else(|| match alone {
                true => timeline(run, loaded.scenario.about.trim()),
                false => palette().verdict(&outcome.verdict, &text_line(outcome)),
            }),
        }
    }
}

/// A scenario that has been played.
struct Ended<'a> {
    loaded: &'a Loaded,
    run: &'a Run,
    /// Whether it is the only one.
    alone: bool,
}

/// The file of `--trace`.
struct TraceFile {
    path: PathBuf,
    file: BufWriter<File>,
    /// The first line that could not be written.
    failed: Option<std::io::Error>,
}

impl TraceFile {
    fn create(path: &Path) -> Result<Self, InputError> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file), failed: None })
    }

    /// Adds the lines of one run, if nothing has gone wrong so far.
    fn add(&mut self, run: &Run) {
        if self.failed.is_none() {
            self.failed = self.write(run).err();
        }
    }

    fn write(&mut self, run: &Run) -> std::io::Result<()> {
        writeln!(self.file, "# {}", run.outcome.scenario)?;
        run.trace.iter().try_for_each(|line| writeln!(self.file, "{line}"))
    }

    fn finish(mut self) -> Result<(), InputError> {
        let written = self.failed.take().map_or_else(|| self.file.flush(), Err);
        written.map_err(|error| unwritable(&self.path, &error))
    }
}
