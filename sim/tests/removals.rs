//! REMOVALS: each rule of a model is taken away, or changed a little, and some vector or test must fail by name.
//!
//! The rows stand in `removals/`, a file a subject. One copy of the workspace gets all of them at once, each behind a
//! number; it is built once and run once a row, with that number in `STUCKVM_REMOVED`. `just removals` does that and
//! writes `docs/removals.md`; `STUCKVM_SUBJECTS=Quantities,Volumes` runs these subjects only. An ordinary test run only looks
//! whether every row still fits the source.

#[path = "removals/admission.rs"]
mod admission;
#[path = "removals/answers.rs"]
mod answers;
#[path = "removals/clones.rs"]
mod clones;
#[path = "removals/data_volumes.rs"]
mod data_volumes;
#[path = "removals/filters.rs"]
mod filters;
#[path = "removals/importers.rs"]
mod importers;
#[path = "removals/instances.rs"]
mod instances;
#[path = "removals/instrument.rs"]
mod instrument;
#[path = "removals/launchers.rs"]
mod launchers;
#[path = "removals/metrics.rs"]
mod metrics;
#[path = "removals/migrations.rs"]
mod migrations;
#[path = "removals/mounts.rs"]
mod mounts;
#[path = "removals/plays.rs"]
mod plays;
#[path = "removals/pods.rs"]
mod pods;
#[path = "removals/preemption.rs"]
mod preemption;
#[path = "removals/quantities.rs"]
mod quantities;
#[path = "removals/report.rs"]
mod report;
#[path = "removals/restarts.rs"]
mod restarts;
#[path = "removals/run.rs"]
mod run;
#[path = "removals/scores.rs"]
mod scores;
#[path = "removals/slips.rs"]
mod slips;
#[path = "removals/spreading.rs"]
mod spreading;
#[path = "removals/starts.rs"]
mod starts;
#[path = "removals/status_questions.rs"]
mod status_questions;
#[path = "removals/status_rules.rs"]
mod status_rules;
#[path = "removals/status_table.rs"]
mod status_table;
#[path = "removals/volumes.rs"]
mod volumes;
#[path = "removals/wake_ups.rs"]
mod wake_ups;

use std::path::{Path, PathBuf};

/// Rules of one file that the same tests know.
pub(crate) struct Group {
    /// Below `sim/src/`.
    pub(crate) file: &'static str,
    /// What is asked in turn until something fails: a test program (`vectors`, `lib` for the unit tests) and a filter of
    /// its trials.
    pub(crate) noticed_by: &'static [(&'static str, &'static str)],
    /// The rules.
    pub(crate) rows: &'static [Row],
}

/// What is said of the rule; an expression that stands once in the file; what takes its place.
pub(crate) type Row = (&'static str, &'static str, &'static str);

/// A subject and its groups.
pub(crate) type Subject = (&'static str, &'static [Group]);

/// Every row.
const SUBJECTS: &[Subject] = &[
    ("Filters", filters::GROUPS),
    ("Answers that are remembered", answers::GROUPS),
    ("Pods' requests and ports", pods::GROUPS),
    ("Spreading and affinity between pods", spreading::GROUPS),
    ("Volumes", volumes::GROUPS),
    ("Scores and the choice", scores::GROUPS),
    ("Messages and preemption", preemption::GROUPS),
    ("Wake-ups, label keys and older releases", wake_ups::GROUPS),
    ("Quantities", quantities::GROUPS),
    ("Slips in the other controllers", slips::GROUPS),
    ("Printable statuses: the table", status_table::GROUPS),
    ("Printable statuses: what a row asks", status_rules::GROUPS),
    ("Printable statuses: volumes and owners", status_questions::GROUPS),
    ("Printable statuses: starts", starts::GROUPS),
    ("Instance types and restarts", restarts::GROUPS),
    ("Printable statuses: what the controller hears of", plays::GROUPS),
    ("Metrics", metrics::GROUPS),
    ("Instances", instances::GROUPS),
    ("Migrations", migrations::GROUPS),
    ("Memory of launchers", launchers::GROUPS),
    ("Pods that a kubelet rejects", admission::GROUPS),
    ("Volumes that cannot be mounted", mounts::GROUPS),
    ("DataVolumes", data_volumes::GROUPS),
    ("Importers of DataVolumes", importers::GROUPS),
    ("Clones and uploads", clones::GROUPS),
];

/// The project's folder.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("the project has a folder")
}

#[test]
fn every_row_fits_the_source() {
    instrument::sources(&root()).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
#[ignore = "builds the simulator once more and plays the vectors once a row: `just removals`"]
fn every_removal_is_noticed() {
    let wanted = std::env::var("STUCKVM_SUBJECTS").unwrap_or_default();
    let wanted: Vec<&str> = wanted.split(',').collect();
    let outcomes = run::run_all(&root(), |subject| wanted.iter().any(|wanted| subject.contains(wanted)));
    let page = root().join("docs/removals.md");
    let before = std::fs::read_to_string(&page).unwrap_or_default();
    std::fs::write(page, report::text(&outcomes, &before)).expect("docs/ can be written to");
    let missed: Vec<String> = outcomes.iter().filter_map(run::Outcome::complaint).collect();
    assert!(missed.is_empty(), "{} of {}:\n{}", missed.len(), outcomes.len(), missed.join("\n"));
}
