//! What `run` and `check` have in common: which scenarios, how many at once, and how it ends.

use super::{FAILED, INTERRUPTED, tell};
use clap::Args;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use stuckvm_scenarios::catalog::{Tree, load_all, load_file};
use stuckvm_scenarios::input_error::InputError;
use stuckvm_scenarios::internal_error::tell_of_panics;
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::report::Summary;

/// Which scenarios, and how they are played.
#[derive(Args)]
pub(super) struct Selection {
    /// Scenarios, by whole path components from the left; all without one.
    pub(super) names: Vec<String>,
    /// Scenario files, in place of the catalog.
    #[arg(short, long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// A folder of scenario files, in place of the embedded catalog.
    #[arg(long, value_name = "DIR", conflicts_with = "file")]
    catalog: Option<PathBuf>,
    /// Replaces every scenario's seed; then only the contract is judged, not what the files pin.
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// How many scenarios are played at once; one a processor without it.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
}

impl Selection {
    /// The scenarios of the files, the folder or the catalog, before any is selected by name. If one brings about a panic, the
    /// message has the command that does so again.
    pub(super) fn scenarios(&self, command: &str) -> Result<Vec<Loaded>, InputError> {
        tell_of_panics(self.replay(command), |text| tell(text));
        if !self.file.is_empty() {
            return self.file.iter().map(|path| load_file(path)).collect();
        }
        load_all(&self.catalog.clone().map_or(Tree::Embedded, Tree::Folder))
    }

    /// Whether the user brought scenarios of their own.
    pub(super) fn is_own(&self) -> bool {
        !self.file.is_empty() || self.catalog.is_some()
    }

    /// The threads that scenarios are played on.
    pub(super) fn pool(&self) -> Result<ThreadPool, ThreadPoolBuildError> {
        ThreadPoolBuilder::new().num_threads(self.jobs.map_or(0, usize::from)).build()
    }

    /// What plays the same again; a scenario's name may follow.
    fn replay(&self, command: &str) -> String {
        let files = self.file.iter().map(|file| format!(" -f {}", file.display()));
        let catalog = self.catalog.iter().map(|folder| format!(" --catalog {}", folder.display()));
        let seed = self.seed.iter().map(|seed| format!(" --seed {seed}"));
        format!("stuckvm {command}") + &files.chain(catalog).chain(seed).collect::<String>()
    }
}

pub(super) fn tell_of_skipped(Loaded { scenario, skipped, .. }: &Loaded) {
    let counts: Vec<String> = skipped.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if !counts.is_empty() {
        let name = &scenario.scenario;
        tell(format_args!(
            "{name}: left out, since the cluster does not know the kind: {}",
            counts.join(", ")
        ));
    }
}

/// What turns true when the user interrupts or the terminal goes away: detectors that run must not be left behind. The second time ends the program at once.
pub(super) fn stop_on_interrupt() -> std::io::Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        flag::register_conditional_shutdown(signal, INTERRUPTED.into(), stop.clone())?;
        flag::register(signal, stop.clone())?;
    }
    Ok(stop)
}

/// How a run ends, by what came of it.
pub(super) fn exit_code(summary: &Summary) -> ExitCode {
    match summary.all_passed() {
        _ if summary.not_begun.is_some() => ExitCode::from(INTERRUPTED),
        true => ExitCode::SUCCESS,
        false => ExitCode::from(FAILED),
    }
}
