//! `stuckvm run`.

use super::progress::Progress;
use super::{CommandResult, FAILED, Format, INTERRUPTED, print};
use clap::Args;
use signal_hook::consts::SIGINT;
use signal_hook::flag;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use stuckvm_scenarios::catalog::{Tree, load_all, load_file, select};
use stuckvm_scenarios::input_error::InputError;
use stuckvm_scenarios::internal_error::tell_of_panics;
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::report::{
    MOMENTS_SHOWN, Summary, json_line, json_summary, text_line, text_summary, timeline,
};
use stuckvm_scenarios::run::{Run, RunOptions, run_all};
use stuckvm_sim::trace::Keep;

/// What `run` takes.
#[derive(Args)]
pub(super) struct Arguments {
    /// Scenarios, by whole path components from the left; all without one.
    names: Vec<String>,
    /// Scenario files, in place of the catalog.
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// A folder of scenario files, in place of the embedded catalog.
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    catalog: Option<PathBuf>,
    /// Replaces every scenario's seed; then only the contract is judged, not what the files pin.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How many scenarios are played at once; one a processor without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Writes everything that happened to a file, a line an event.
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, format: Format) -> CommandResult {
    tell_of_panics(arguments.replay(), |text| eprintln!("{text}"));
    let scenarios = scenarios(arguments)?;
    scenarios.iter().for_each(tell_of_skipped);
    let alone = scenarios.len() == 1;
    let mut trace = arguments.trace.as_deref().map(TraceFile::create).transpose()?;
    let stop = stop_on_interrupt()?;
    let options =
        RunOptions { seed: arguments.seed, keep_trace: arguments.keep(format, alone), stop: Some(&stop) };
    let progress = Progress::new(scenarios.len());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.jobs.map_or(0, usize::from)).build()?;
    let mut summary = Summary::new("built-in");
    pool.install(|| {
        run_all(&scenarios, options, |loaded, run| {
            summary.add(&run.outcome);
            trace.iter_mut().for_each(|file| file.add(&run));
            let text = match format {
                Format::Json => json_line(&run.outcome),
                Format::Text if alone => timeline(&run, loaded.scenario.about.trim()),
                Format::Text => text_line(&run.outcome),
            };
            progress.ended(&run.outcome.scenario, || print(&text));
        });
    });
    progress.finish();
    trace.map(TraceFile::finish).transpose()?;
    let interrupted = stop.load(Ordering::Relaxed);
    summary.not_begun = interrupted.then(|| scenarios.len() - summary.scenarios);
    print(&match format {
        Format::Json => json_summary(&summary, arguments.seed),
        Format::Text => format!("\n{}", text_summary(&summary, arguments.seed)),
    });
    Ok(match summary.all_passed() {
        _ if interrupted => ExitCode::from(INTERRUPTED),
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FAILED),
    })
}

impl Arguments {
    /// As much of the trace as something will show.
    fn keep(&self, format: Format, alone: bool) -> Keep {
        match format {
            _ if self.trace.is_some() => Keep::Everything,
            Format::Text if alone => Keep::Moments(MOMENTS_SHOWN),
            _ => Keep::Nothing,
        }
    }

    /// What plays the same again; a scenario's name may follow.
    fn replay(&self) -> String {
        let files = self.file.iter().map(|file| format!(" -f {}", file.display()));
        let catalog = self.catalog.iter().map(|folder| format!(" --catalog {}", folder.display()));
        let seed = self.seed.iter().map(|seed| format!(" --seed {seed}"));
        "stuckvm run".to_owned() + &files.chain(catalog).chain(seed).collect::<String>()
    }
}

fn scenarios(arguments: &Arguments) -> Result<Vec<Loaded>, InputError> {
    let all = if arguments.file.is_empty() {
        let tree = arguments.catalog.clone().map_or(Tree::Embedded, Tree::Folder);
        load_all(&tree)?
    } else {
        arguments.file.iter().map(|path| load_file(path)).collect::<Result<_, _>>()?
    };
    select(all, &arguments.names)
}

fn tell_of_skipped(Loaded { scenario, skipped, .. }: &Loaded) {
    let counts: Vec<String> = skipped.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if !counts.is_empty() {
        let name = &scenario.scenario;
        eprintln!("{name}: left out, since the cluster does not know the kind: {}", counts.join(", "));
    }
}

/// What turns true when the user interrupts. The second time ends the program at once.
fn stop_on_interrupt() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    flag::register_conditional_shutdown(SIGINT, INTERRUPTED.into(), stop.clone())?;
    flag::register(SIGINT, stop.clone())?;
    Ok(stop)
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

fn unwritable(path: &Path, error: &std::io::Error) -> InputError {
    InputError::Unwritable { file: path.display().to_string(), problem: error.to_string() }
}
