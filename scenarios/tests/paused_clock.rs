//! Async detectors on tokio's paused clock: right ones pass, one that is a millisecond too slow does not.

#[path = "../examples/tokio_detector/detector.rs"]
mod detector;

use std::collections::BTreeSet;
use std::future::Future;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::catalog::{Tree, load_all};
use stuckvm_scenarios::conformance::{Candidate, Case, PausedClock, Said, Start, TICK, examine};
use stuckvm_scenarios::contract::suite;
use stuckvm_scenarios::judge::Profile;
use stuckvm_scenarios::oracle::Thresholds;
use stuckvm_scenarios::play::{PlayOptions, play};
use stuckvm_scenarios::stream::{Event, Input, Observed, Vm};
use stuckvm_scenarios::verdict::{ErrorKind, Verdict};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

/// The detector of the example, that much too late.
fn late(slack: Duration) -> impl Candidate {
    PausedClock::new("tokio", true, move |start: &Start<'_>, inputs, says| {
        detector::detect(start.thresholds.clone(), slack, inputs, says)
    })
}

fn contract_cases() -> Vec<Case> {
    suite(None).into_iter().map(|contract| contract.case).collect()
}

#[test]
fn a_detector_on_timers_passes_what_it_can_be_asked() {
    let mut untested = BTreeSet::new();
    for case in contract_cases() {
        match examine(&case, &late(Duration::ZERO)).verdict {
            Verdict::Pass => {}
            Verdict::NotTested(why) => {
                assert!(case.name.starts_with("contract/R11/"), "{}", case.name);
                untested.insert(why);
            }
            verdict => panic!("{}: {verdict:?}", case.name),
        }
    }
    assert_eq!(untested.into_iter().collect::<Vec<_>>(), ["no snapshot capability"]);
}

#[test]
fn it_passes_the_catalog() {
    for loaded in load_all(&Tree::Embedded).expect("the catalog loads") {
        let case = Case::of_scenario(&loaded.scenario.scenario, &play(&loaded, PlayOptions::default()));
        let verdict = examine(&case, &late(Duration::ZERO)).verdict;
        let is_right = matches!(verdict, Verdict::Pass) || !case.restarts.is_empty();
        assert!(is_right, "{}: {verdict:?}", case.name);
    }
}

/// Stuck from 0s, and the clock looked at here and there.
fn stuck(closed: &[u64]) -> Case {
    let vm = Vm::new("ns", "vm1", "u1");
    let stuck = Event::Observed(Observed { vm, status: "Unknown".into() });
    let advance = |nanos: &u64| Input { at: Time::from_nanos(*nanos), event: Event::Advance };
    let first = Input { at: Time::ZERO, event: stuck };
    Case {
        name: "stuck".into(),
        start: Time::ZERO,
        thresholds: Thresholds::default(),
        inputs: [first].into_iter().chain(closed.iter().map(advance)).collect(),
        restarts: Vec::new(),
    }
}

const DEADLINE: u64 = 300_000_000_000;
const MILLISECOND: u64 = 1_000_000;

#[test]
fn the_resolution_is_a_millisecond_and_no_more() {
    let case = stuck(&[DEADLINE + MILLISECOND, DEADLINE + 2 * MILLISECOND, DEADLINE + 3 * MILLISECOND]);
    assert_eq!(late(Duration::ZERO).profile(), Profile::Resolution(TICK));
    assert_eq!(examine(&case, &late(Duration::ZERO)).verdict, Verdict::Pass, "one tick late");
    let Verdict::Broken(breach) = examine(&case, &late(2 * TICK)).verdict else { panic!("it is too late") };
    assert_eq!(breach.rule.as_str(), "R1");
}

#[test]
fn a_timer_acts_at_its_tick_and_no_clock_runs_ahead() {
    let case = stuck(&[DEADLINE, DEADLINE + MILLISECOND - 1, DEADLINE + MILLISECOND]);
    let alerts = |slack| {
        let answers = examine(&case, &late(slack)).answers;
        answers.iter().map(|answer| answer.alerts.len()).collect::<Vec<_>>()
    };
    // An input later than the deadline tells as much as the timer, unless the detector is slack.
    assert_eq!(alerts(Duration::ZERO), [0, 0, 1, 0]);
    assert_eq!(alerts(TICK - Duration::from_nanos(1)), [0, 0, 0, 1], "the timer's tick");
    assert_eq!(alerts(TICK), [0, 0, 0, 0]);
}

/// Sleeps once, in a task of its own, and says what the clock shows.
async fn tells_the_time(mut inputs: UnboundedReceiver<Input>, says: UnboundedSender<Said>) {
    let began = tokio::time::Instant::now();
    let task = says.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(5)).await;
        let _ = task.send(Said::Unknown(format!("woken after {:?}", began.elapsed())));
    });
    while inputs.recv().await.is_some() {
        let _ = says.send(Said::Unknown(format!("input after {:?}", began.elapsed())));
    }
}

fn words(case: &Case, candidate: &dyn Candidate) -> Vec<Vec<String>> {
    examine(case, candidate).answers.into_iter().map(|answer| answer.unknown.unwrap_or_default()).collect()
}

#[test]
fn the_clock_shows_each_inputs_instant_to_the_nanosecond() {
    let candidate =
        PausedClock::new("clock", false, |_: &Start<'_>, inputs, says| tells_the_time(inputs, says));
    let said = words(&stuck(&[1, 5_000_000_000, 5_000_000_001]), &candidate);
    assert_eq!(
        said,
        [
            vec!["input after 0ns"],
            vec!["input after 1ns"],
            vec!["woken after 5s", "input after 5s"],
            vec!["input after 5.000000001s"]
        ]
    );
}

fn ends_at_once() -> impl Future<Output = ()> {
    std::future::ready(())
}

#[test]
fn a_detector_that_ends_too_early_has_died() {
    let candidate = PausedClock::new("short", false, |_: &Start<'_>, _, _| ends_at_once());
    let Verdict::Error(error) = examine(&stuck(&[1]), &candidate).verdict else { panic!("it is gone") };
    assert_eq!(error.kind, ErrorKind::Died);
}

#[test]
fn a_detector_that_panics_has_died_and_its_words_are_told() {
    let panics = |_: &Start<'_>, mut inputs: UnboundedReceiver<Input>, _| async move {
        assert!(inputs.recv().await.is_none(), "not that");
    };
    let verdict = examine(&stuck(&[1]), &PausedClock::new("panics", false, panics)).verdict;
    let Verdict::Error(error) = verdict else { panic!("it panics: {verdict:?}") };
    assert_eq!(error.kind, ErrorKind::Died);
    assert_eq!(error.because[0], "it panicked before it answered input 1: not that");
}
