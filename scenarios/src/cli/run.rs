//! `stuckvm run`.

use super::progress::Progress;
use super::{CommandResult, FAILED, Format, print};
use clap::Args;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use stuckvm_scenarios::catalog::{Tree, load_all, load_file, select};
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::report::{Summary, json_line, json_summary, text_line, text_summary, timeline};
use stuckvm_scenarios::run::{Run, RunOptions, run_all};

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
    let scenarios = scenarios(arguments)?;
    let alone = scenarios.len() == 1;
    let options = RunOptions { seed: arguments.seed, keep_trace: alone || arguments.trace.is_some() };
    let progress = Progress::new(scenarios.len());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.jobs.map_or(0, usize::from)).build()?;
    let runs = pool.install(|| run_all(&scenarios, options, |outcome| progress.ended(&outcome.scenario)));
    progress.finish();
    if let Some(path) = &arguments.trace {
        write_trace(path, &runs)?;
    }
    let summary = Summary::of("built-in", runs.iter().map(|run| &run.outcome));
    for (run, loaded) in runs.iter().zip(&scenarios) {
        print(&match format {
            Format::Json => json_line(&run.outcome),
            Format::Text if alone => timeline(run, loaded.scenario.about.trim()),
            Format::Text => text_line(&run.outcome),
        });
    }
    print(&match format {
        Format::Json => json_summary(&summary, arguments.seed),
        Format::Text => format!("\n{}", text_summary(&summary, arguments.seed)),
    });
    Ok(if summary.all_passed() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) })
}

fn scenarios(arguments: &Arguments) -> Result<Vec<Loaded>, Box<dyn std::error::Error>> {
    let all = if arguments.file.is_empty() {
        let tree = arguments.catalog.clone().map_or(Tree::Embedded, Tree::Folder);
        load_all(&tree)?
    } else {
        arguments.file.iter().map(|path| load_file(path)).collect::<Result<_, _>>()?
    };
    Ok(select(all, &arguments.names)?)
}

fn write_trace(path: &Path, runs: &[Run]) -> Result<(), Box<dyn std::error::Error>> {
    let failed = |error| format!("{}: {error}", path.display());
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).map_err(failed)?);
    for run in runs {
        writeln!(file, "# {}", run.outcome.scenario).map_err(failed)?;
        for line in &run.trace {
            writeln!(file, "{line}").map_err(failed)?;
        }
    }
    file.flush().map_err(failed)?;
    Ok(())
}
