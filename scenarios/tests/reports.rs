//! Reports as people and programs get them, kept as snapshots in `snapshots/`. After a change that is meant:
//! `INSTA_UPDATE=always cargo test -p stuckvm-scenarios --test reports`, then read the difference.
//!
//! Digests and counts of events are set, since they change with every controller; other tests watch over them.

use insta::assert_snapshot;
use std::path::Path;
use std::process::Command;
use stuckvm_scenarios::catalog::{Tree, load_all, select};
use stuckvm_scenarios::judge::{Rule, judge};
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::play::{PlayOptions, play};
use stuckvm_scenarios::report::{Summary, json_line, json_summary, text_line, text_summary, timeline};
use stuckvm_scenarios::run::{Run, RunOptions, run};
use stuckvm_scenarios::stream::Alert;
use stuckvm_scenarios::verdict::Outcome;
use stuckvm_sim::trace::Keep;

/// A scenario of the embedded catalog.
fn of_catalog(name: &str) -> Loaded {
    let catalog = load_all(&Tree::Embedded).expect("the catalog reads");
    select(catalog, &[name.to_owned()]).expect("it is there").remove(0)
}

/// What comes of every scenario that must not pass, in the order of their names.
fn must_fail() -> Vec<Outcome> {
    let tree = Tree::Folder(Path::new(env!("CARGO_MANIFEST_DIR")).join("must-fail"));
    let files = load_all(&tree).expect("the files read");
    files.iter().map(|loaded| settled(run(loaded, RunOptions::default()).outcome)).collect()
}

/// With figures that do not depend on the controllers.
fn settled(outcome: Outcome) -> Outcome {
    Outcome { digest: 0x1f, events: 12, ..outcome }
}

/// What would come of a scenario if its detector said something else.
fn tampered(name: &str, tamper: impl FnOnce(&mut Vec<Alert>)) -> Outcome {
    let loaded = of_catalog(name);
    let mut played = play(&loaded, PlayOptions::default());
    tamper(&mut played.alerts);
    let verdict = judge(&played.asked(), &played.heard());
    assert_eq!(verdict.as_str(), "fail", "a rule is broken");
    settled(Outcome { verdict, alerts: played.alerts, ..run(&loaded, RunOptions::default()).outcome })
}

/// Two slips of a detector: it forgets to resolve, and it fires at the wrong instant.
fn slips() -> [Outcome; 2] {
    let name = "pvc-not-found/recovered-1ns-late";
    let early =
        |alerts: &mut Vec<Alert>| alerts[0].at = "2022-10-03T11:16:07.149999999Z".parse().expect("a time");
    [tampered(name, |alerts| alerts.truncate(1)), tampered(name, early)]
}

#[test]
fn the_timeline_of_one_scenario() {
    let loaded = of_catalog("pvc-not-found/recovered-1ns-late");
    let run: Run = run(&loaded, RunOptions { keep_trace: Keep::Everything, ..RunOptions::default() });
    assert_snapshot!(timeline(&run, loaded.scenario.about.trim()));
}

#[test]
fn verdicts_that_are_not_pass() {
    let lines: Vec<String> = must_fail().iter().map(text_line).collect();
    assert_snapshot!(lines.join("\n"));
}

#[test]
fn verdicts_that_name_a_rule_of_the_contract() {
    assert_snapshot!(slips().each_ref().map(text_line).join("\n"));
}

#[test]
fn json_lines_of_each_verdict() {
    let pass = settled(run(&of_catalog("pvc-not-found/recovered-1ns-late"), RunOptions::default()).outcome);
    let outcomes: Vec<Outcome> = [pass].into_iter().chain(slips()).chain(must_fail()).collect();
    let lines: Vec<String> = outcomes.iter().map(json_line).collect();
    assert_snapshot!(lines.join("\n"));
}

/// Summaries of runs that went well, went wrong, were drawn anew, and were interrupted.
fn summaries() -> [(Summary, Option<u64>); 4] {
    let well = Summary {
        scenarios: 61,
        passed: 61,
        firing: 86,
        events: 7967,
        digest: 0x1f,
        tested: Rule::OF_ALERTS.into(),
        ..Summary::new("built-in")
    };
    let outcomes: Vec<Outcome> = slips().into_iter().chain(must_fail()).collect();
    let wrong = Summary::of("built-in", &outcomes);
    let interrupted = Summary { scenarios: 1, passed: 1, firing: 1, not_begun: Some(60), ..well.clone() };
    [(well.clone(), None), (wrong, None), (well, Some(7)), (interrupted, None)]
}

#[test]
fn summaries_for_people() {
    assert_snapshot!(summaries().map(|(summary, seed)| text_summary(&summary, seed)).join("\n\n"));
}

#[test]
fn summaries_for_programs() {
    assert_snapshot!(summaries().map(|(summary, seed)| json_summary(&summary, seed)).join("\n"));
}

#[test]
fn the_list_for_people_and_for_programs() {
    for format in ["text", "json"] {
        let output = Command::new(env!("CARGO_BIN_EXE_stuckvm"))
            .args(["list", "pvc-not-found", "--format", format])
            .output()
            .expect("stuckvm starts");
        assert!(output.status.success());
        assert_snapshot!(format!("list_{format}"), String::from_utf8(output.stdout).expect("it is text"));
    }
}
