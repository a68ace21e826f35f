//! Builds the copy and runs it once a row.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::instrument::{self, Numbered};

/// Asks the environment once which row holds.
const REMOVED: &str = r#"
/// Whether the rule of this number is taken away.
pub(crate) fn removed(rule: usize) -> bool {
    static CHOSEN: std::sync::OnceLock<usize> = std::sync::OnceLock::new();
    let chosen = || std::env::var("STUCKVM_REMOVED").map_or(0, |number| number.parse().expect("a number"));
    *CHOSEN.get_or_init(chosen) == rule
}
"#;

/// How it went without one rule.
pub(crate) struct Outcome {
    /// The rule.
    pub(crate) row: Numbered,
    /// The cases or tests that fail without it.
    pub(crate) failed: Vec<String>,
}

impl Outcome {
    /// What is wrong with it, if nothing has failed.
    pub(crate) fn complaint(&self) -> Option<String> {
        let (rule, old, new) = self.row.row;
        let place = self.row.group.file;
        self.failed.is_empty().then(|| format!("{place}: nobody misses {rule:?} ({old:?} made {new:?})"))
    }
}

/// Every row of these subjects, in order.
pub(crate) fn run_all(root: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<Outcome> {
    let rows: Vec<Numbered> =
        { instrument::rows().into_iter() }.filter(|row| is_wanted(row.subject)).collect();
    assert!(!rows.is_empty(), "a subject is named that there is");
    let programs = build(root, &rows);
    let run = |number: usize, (program, filter): (&str, &str)| failures(&programs[program], number, filter);
    for noticed_by in rows.iter().flat_map(|row| row.group.noticed_by).copied().collect::<BTreeSet<_>>() {
        let healthy = run(0, noticed_by);
        assert!(healthy.is_empty(), "they pass with every rule in place: {healthy:?}");
    }
    let outcome = |row: Numbered| {
        let each = row.group.noticed_by.iter().map(|noticed_by| run(row.number, *noticed_by));
        Outcome { failed: { each }.find(|failed| !failed.is_empty()).unwrap_or_default(), row }
    };
    let outcomes = rows.into_iter().map(outcome);
    outcomes.inspect(|outcome| eprintln!("{}: {}", outcome.row.row.0, outcome.failed.len())).collect()
}

/// The copy's test programs by name. It shares the folder for what is built, so that dependencies are not built again.
fn build(root: &Path, rows: &[Numbered]) -> BTreeMap<String, PathBuf> {
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("removals");
    let sources = instrument::sources(root).unwrap_or_else(|error| panic!("{error}"));
    copy_workspace(root, &copy);
    for (path, text) in sources {
        fs::write(copy.join(path), text).expect("the copy can be written to");
    }
    let library = copy.join("sim/src/lib.rs");
    let text = fs::read_to_string(&library).expect("the library has a root");
    fs::write(library, text + REMOVED).expect("the copy can be written to");

    let mut arguments =
        ["test", "-p", "stuckvm-sim", "--no-run", "--message-format=json-render-diagnostics"].to_vec();
    // Building takes longer than all the runs.
    arguments.extend(["--config", "profile.dev.package.stuckvm-sim.opt-level=0"]);
    let wanted: BTreeSet<&str> =
        rows.iter().flat_map(|row| row.group.noticed_by).map(|(program, _)| *program).collect();
    for program in wanted {
        match program {
            "lib" => arguments.push("--lib"),
            program if arguments.contains(&program) => {}
            program => arguments.extend(["--test", program]),
        }
    }
    let target =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("it lies in the folder for what is built");
    let built = Command::new(env!("CARGO"))
        .args(arguments)
        .current_dir(&copy)
        .env("CARGO_TARGET_DIR", target)
        .output();
    let built = built.expect("cargo runs");
    assert!(built.status.success(), "the copy can be built:\n{}", String::from_utf8_lossy(&built.stderr));
    programs(&built)
}

/// The programs of cargo's messages; the unit tests are called `lib`.
fn programs(built: &Output) -> BTreeMap<String, PathBuf> {
    let messages = String::from_utf8_lossy(&built.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let program = |message: Value| {
        let path = PathBuf::from(message["executable"].as_str()?);
        let target = &message["target"];
        let is_lib = target["kind"].as_array()?.iter().any(|kind| kind == "lib");
        Some((if is_lib { "lib" } else { target["name"].as_str()? }.to_owned(), path))
    };
    messages.filter_map(program).collect()
}

/// The sources of the workspace and the vectors.
fn copy_workspace(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the copy can be written to");
    for name in ["Cargo.toml", "Cargo.lock", "detector", "sim", "scenarios", "benches", "vectors"] {
        copy(&from.join(name), &to.join(name));
    }
}

/// Copies what has changed, so that cargo builds only what must be, and drops what is gone.
fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).expect("the copy can be written to");
        let (here, there) = (names(from), names(to));
        here.iter().for_each(|name| copy(&from.join(name), &to.join(name)));
        there.iter().filter(|name| !here.contains(name)).for_each(|gone| remove(&to.join(gone)));
        return;
    }
    let new = fs::read(from).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
    if fs::read(to).ok().as_ref() != Some(&new) {
        fs::write(to, new).expect("the copy can be written to");
    }
}

fn names(folder: &Path) -> Vec<OsString> {
    let entries = fs::read_dir(folder).expect("a readable folder");
    entries.map(|entry| entry.expect("a readable folder").file_name()).collect()
}

fn remove(path: &Path) {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    removed.expect("the copy can be written to");
}

/// What fails in one run: cases of vectors, elsewhere tests.
fn failures(program: &Path, number: usize, filter: &str) -> Vec<String> {
    let mut command = Command::new(program);
    command.args([filter, "--nocapture"]).env("STUCKVM_REMOVED", number.to_string());
    let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains(" 0 passed; 0 failed"), "{}: {filter:?} names some test", program.display());
    if output.status.success() {
        return Vec::new();
    }
    let failed: Vec<&str> =
        text.lines().filter_map(|line| line.strip_prefix("test ")?.strip_suffix("... FAILED")).collect();
    let cases = text.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.contains(' '));
    let mut named: Vec<&str> = if filter_is_of_vectors(program) { cases.collect() } else { failed };
    // Tests end in any order.
    named.sort_unstable();
    // A case stands in the trial's own report and in the list at the end.
    named.dedup();
    assert!(!named.is_empty(), "{} fails by name:\n{text}", program.display());
    named.into_iter().map(|name| name.trim().to_owned()).collect()
}

fn filter_is_of_vectors(program: &Path) -> bool {
    program.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vectors-"))
}
