//! What a suite is, and how suites are counted and reported.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};

use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;

use crate::files::{self, Case};

/// Cases of one kind and the model they are put to.
#[derive(Clone, Copy)]
pub(crate) struct Suite {
    /// Folder and file without endings: `schedule/fit`.
    pub(crate) name: &'static str,
    /// Plays one case: `Err` says where the model disagrees with the real code.
    pub(crate) run: fn(&Value) -> Result<(), String>,
    /// How many cases of the project's own copy must agree; `None`: all. It may only rise.
    pub(crate) floor: Option<usize>,
}

/// How many disagreeing cases are named.
const NAMED: usize = 5;

/// The lines to print once all have run, by place in the table: trials run side by side.
type Reports = Arc<Mutex<Vec<(usize, String)>>>;

/// Runs the suites that the folder has, of those that are ours.
pub(crate) fn run_all(suites: &[Suite], skipped: &[(&str, &str)], ours: fn(&str) -> bool) -> ExitCode {
    let arguments = Arguments::from_args();
    let reports = Reports::default();
    let mut found = files::suites();
    found.retain(|name, _| ours(name));
    let mut trials = Vec::new();
    for (place, suite) in suites.iter().enumerate() {
        if let Some(paths) = found.remove(suite.name) {
            trials.push(trial(*suite, paths, place, Arc::clone(&reports)));
        }
    }
    for (place, name) in found.into_keys().enumerate() {
        let reason =
            skipped.iter().find(|(skipped, _)| *skipped == name).map_or("no model", |(_, reason)| *reason);
        let report = format!("{name} skipped: {reason}");
        reports.lock().expect("no trial panics here").push((suites.len() + place, report.clone()));
        trials.push(Trial::test(format!("vectors/{name}"), || Err(report.into())).with_ignored_flag(true));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    if arguments.nocapture {
        print(&reports);
    }
    conclusion.exit_code()
}

fn trial(suite: Suite, paths: Vec<PathBuf>, place: usize, reports: Reports) -> Trial {
    Trial::test(format!("vectors/{}", suite.name), move || {
        let outcome = play(suite, &paths);
        let report = outcome.report(suite.name);
        reports.lock().expect("no trial panics here").push((place, report.clone()));
        if outcome.holds(suite.floor) { Ok(()) } else { Err(Failed::from(report + &outcome.reasons())) }
    })
}

fn print(reports: &Reports) {
    let mut reports = reports.lock().expect("no trial panics here");
    reports.sort();
    for (_, report) in reports.iter() {
        println!("{report}");
    }
}

/// How a suite went.
struct Outcome {
    cases: usize,
    /// Id and reason.
    disagreeing: Vec<(String, String)>,
}

impl Outcome {
    fn agreeing(&self) -> usize {
        self.cases - self.disagreeing.len()
    }

    /// Elsewhere than in the project's own copy, the numbers of a floor mean nothing.
    fn holds(&self, floor: Option<usize>) -> bool {
        let floor = floor.filter(|_| files::named_folder().is_none());
        self.agreeing() >= floor.unwrap_or(self.cases)
    }

    /// `NAME n/m`, and below it the ids of the first that disagree.
    fn report(&self, name: &str) -> String {
        let mut report = format!("{name} {}/{}", self.agreeing(), self.cases);
        for (id, _) in self.disagreeing.iter().take(NAMED) {
            report += &format!("\n  {id}");
        }
        report
    }

    fn reasons(&self) -> String {
        self.disagreeing.iter().take(NAMED).map(|(id, reason)| format!("\n\n{id}: {reason}")).collect()
    }
}

fn play(suite: Suite, paths: &[PathBuf]) -> Outcome {
    let mut outcome = Outcome { cases: 0, disagreeing: Vec::new() };
    for case in paths.iter().flat_map(|path| files::cases(path)) {
        outcome.cases += 1;
        if let Err(reason) = play_case(suite, &case) {
            outcome.disagreeing.push((case.id, reason));
        }
    }
    outcome
}

/// A panic of the model is one case that disagrees; the others still count.
fn play_case(suite: Suite, case: &Case) -> Result<(), String> {
    let value = case.value.as_ref().map_err(Clone::clone)?;
    catch_unwind(AssertUnwindSafe(|| (suite.run)(value))).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
        Err(format!("panicked: {}", text.unwrap_or("without a text")))
    })
}
