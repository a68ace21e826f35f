//! Explanations of verdicts, kept as snapshots: `INSTA_UPDATE=always cargo test -p stuckvm-scenarios --test explain`.

use insta::assert_snapshot;
use std::path::Path;
use stuckvm_detector::Time;
use stuckvm_scenarios::catalog::{Tree, load_all, load_file, select};
use stuckvm_scenarios::judge::judge;
use stuckvm_scenarios::load::Loaded;
use stuckvm_scenarios::oracle::Thresholds;
use stuckvm_scenarios::play::{PlayOptions, play};
use stuckvm_scenarios::report::Palette;
use stuckvm_scenarios::report::explain::{Evidence, explain};
use stuckvm_scenarios::run::{Run, RunOptions, run};
use stuckvm_scenarios::stream::{Alert, Event, Input, Observed, Vm};
use stuckvm_scenarios::verdict::{Outcome, Verdict};
use stuckvm_sim::trace::Keep;

fn of_catalog(name: &str) -> Loaded {
    let catalog = load_all(&Tree::Embedded).expect("the catalog reads");
    select(catalog, &[name.to_owned()]).expect("it is there").remove(0)
}

fn played(loaded: &Loaded) -> Run {
    run(loaded, RunOptions { keep_trace: Keep::Everything, ..RunOptions::default() })
}

fn explained(loaded: &Loaded) -> String {
    told(&played(loaded), loaded, Palette::Plain)
}

fn told(run: &Run, loaded: &Loaded, palette: Palette) -> String {
    explain(&Evidence::of(run, &loaded.scenario.about, Some(loaded)), palette)
}

/// As if the detector had said something else.
fn tampered(loaded: &Loaded, tamper: impl FnOnce(&mut Vec<Alert>)) -> Run {
    let mut played_again = play(loaded, PlayOptions::default());
    tamper(&mut played_again.alerts);
    let mut run = played(loaded);
    run.outcome.verdict = judge(&played_again.asked(), &played_again.heard());
    run.outcome.alerts = played_again.alerts;
    run
}

#[test]
fn a_pass() {
    assert_snapshot!(explained(&of_catalog("pvc-not-found/recovered-1ns-late")));
}

#[test]
fn a_silence() {
    assert_snapshot!(explained(&of_catalog("crash-loop-back-off/recovered-at-5m")));
}

#[test]
fn a_fault_that_no_write_shows() {
    assert_snapshot!(explained(&of_catalog("unknown/stuck")));
}

#[test]
fn a_chain_of_many_links() {
    assert_snapshot!(explained(&of_catalog("err-image-pull/stuck")));
}

#[test]
fn an_alert_that_never_resolves() {
    let loaded = of_catalog("pvc-not-found/recovered-1ns-late");
    let run = tampered(&loaded, |alerts| alerts.truncate(1));
    assert_snapshot!(told(&run, &loaded, Palette::Plain));
}

#[test]
fn an_alert_that_comes_early() {
    let loaded = of_catalog("pvc-not-found/stuck");
    let run = tampered(&loaded, |alerts| alerts[0].at = Time::from_nanos(alerts[0].at.as_nanos() - 1));
    assert_snapshot!(told(&run, &loaded, Palette::Plain));
}

#[test]
fn a_pin_that_was_not_met() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("must-fail/wrong-alert-time.yaml");
    assert_snapshot!(explained(&load_file(&file).expect("it reads")));
}

/// A delivered stream without a cluster: there is an axis, and no causes.
#[test]
fn a_stream_of_the_contract() {
    let vm = Vm::new("ns", "vm1", "u1");
    let status = |status: &str| Event::Observed(Observed { vm: vm.clone(), status: status.into() });
    let at = Time::from_secs;
    let inputs = [
        Input { at: at(0), event: status("ErrImagePull") },
        Input { at: at(299), event: status("") },
        Input { at: at(299), event: status("ImagePullBackOff") },
        Input { at: at(400), event: Event::Relist(Vec::new()) },
        Input { at: at(900), event: Event::Advance },
    ];
    let outcome = Outcome {
        scenario: "contract/R5/flap".into(),
        start: Time::ZERO,
        verdict: Verdict::Pass,
        digest: 0,
        events: 0,
        observations: inputs.iter().filter(|input| input.is_observation()).count(),
        statuses: Vec::new(),
        alerts: Vec::new(),
        lag: None,
    };
    let thresholds = Thresholds::default();
    let evidence = Evidence {
        outcome: &outcome,
        about: "",
        thresholds: &thresholds,
        inputs: &inputs,
        trace: &[],
        loaded: None,
        sampled: None,
    };
    assert_snapshot!(explain(&evidence, Palette::Plain));
}

#[test]
fn explanations_fit_80_columns_but_for_what_upstream_says() {
    for name in ["crash-loop-back-off", "data-volume-error", "moves", "control-plane"] {
        let catalog = load_all(&Tree::Embedded).expect("the catalog reads");
        for loaded in select(catalog, &[name.to_owned()]).expect("they are there") {
            let text = explained(&loaded);
            let is_event = |line: &&str| line.contains("  Normal ") || line.contains("  Warning ");
            let wide: Vec<&str> =
                text.lines().filter(|line| line.chars().count() > 80 && !is_event(line)).collect();
            assert!(wide.is_empty(), "{}: {wide:#?}", loaded.scenario.scenario);
        }
    }
}

#[test]
fn colours_are_all_that_a_terminal_gets_besides() {
    let loaded = of_catalog("pvc-not-found/recovered-1ns-late");
    let run = tampered(&loaded, |alerts| alerts.truncate(1));
    let [plain, ansi] = [Palette::Plain, Palette::Ansi].map(|palette| told(&run, &loaded, palette));
    assert!(!plain.contains('\u{1b}'), "the plain text has none");
    assert!(ansi.contains("\u{1b}[32m") && ansi.contains("\u{1b}[31m"), "good and bad have their colours");
    assert_eq!(anstream::adapter::strip_str(&ansi).to_string(), plain);
}
