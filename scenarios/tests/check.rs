//! A check of whole detectors: a right one passes, and each way to be wrong gets its verdict.

use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::time::Duration;
use stuckvm_scenarios::conformance::{
    BuiltIn, Candidate, Capabilities, Detector, InProcess, Rejected, Start, Subject, check_all, check_one,
    subjects,
};
use stuckvm_scenarios::contract;
use stuckvm_scenarios::report::{Summary, json_line, json_summary, text_line, text_rules, text_summary};
use stuckvm_scenarios::run::RunOptions;
use stuckvm_scenarios::stream::{Alert, Event, Input};
use stuckvm_scenarios::verdict::{Outcome, Verdict};

#[allow(dead_code, reason = "its `main` is for `cargo run`")]
#[path = "../examples/my_detector.rs"]
mod my_detector;

/// A slip in what the built-in detector would have said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slip {
    /// Alerts come with the next input.
    HandsOverLate,
    /// Inputs from the past are taken.
    TakesThePast,
    /// The second input is rejected, whatever it is.
    Rejects,
    /// It reports words, and finds none unknown.
    KnowsAllWords,
    /// It starts anew with nothing after a restart.
    Forgets,
}

struct Slipping {
    slip: Slip,
    right: BuiltIn,
    inputs: usize,
    late: Vec<Alert>,
}

impl Slipping {
    fn candidate(slip: Slip) -> impl Candidate {
        InProcess::new("slipping", BuiltIn::CAPABILITIES, move |start| {
            let fresh = Start { restore: start.restore.filter(|_| slip != Slip::Forgets), ..*start };
            Self { slip, right: BuiltIn::start(&fresh), inputs: 0, late: Vec::new() }
        })
    }
}

impl Detector for Slipping {
    fn input(&mut self, input: &Input) -> Result<Vec<Alert>, Rejected> {
        self.inputs += 1;
        if self.slip == Slip::Rejects && self.inputs == 2 {
            return Err(Rejected("not today".to_owned()));
        }
        match self.right.input(input) {
            Err(_) if self.slip == Slip::TakesThePast => Ok(Vec::new()),
            Ok(alerts) if self.slip == Slip::HandsOverLate => Ok(std::mem::replace(&mut self.late, alerts)),
            answer => answer,
        }
    }

    fn unknown(&self) -> Option<Vec<String>> {
        if self.slip == Slip::KnowsAllWords { Some(Vec::new()) } else { self.right.unknown() }
    }

    fn snapshot(&self) -> Option<String> {
        self.right.snapshot()
    }
}

/// The contract's cases whose names begin so.
fn cases(prefix: &str) -> Vec<Subject> {
    let cases = contract::suite(None).into_iter().filter(|case| case.case.name.starts_with(prefix));
    let cases = subjects(Vec::new(), cases.collect());
    assert!(!cases.is_empty(), "there are cases {prefix}…");
    cases
}

fn outcome(candidate: &dyn Candidate, name: &str) -> Outcome {
    check_one(&cases(name)[0], candidate, RunOptions::default()).outcome
}

#[test]
fn a_right_detector_passes_with_one_line() {
    stuckvm_scenarios::check(my_detector::MyDetector::default);
}

#[test]
fn each_slip_gets_its_verdict() {
    let table = [
        (Slip::HandsOverLate, "contract/R1/advance-in-steps-of-1ns/Unknown", "fail", "R1"),
        (Slip::TakesThePast, "contract/R13/1ns-before-the-newest/Unknown", "fail", "R13"),
        (Slip::TakesThePast, "contract/R13/at-a-closed-instant/Unknown", "fail", "R13"),
        (Slip::Rejects, "contract/R3/ends-at-the-deadline/Unknown", "error", "protocol"),
        (Slip::KnowsAllWords, "contract/R12/new-word-at-the-deadline/Unknown", "fail", "R12"),
        (Slip::Forgets, "contract/R11/then-1ns-before-the-deadline/Unknown", "fail", "R11"),
    ];
    for (slip, case, verdict, name) in table {
        let outcome = outcome(&Slipping::candidate(slip), case);
        let named = outcome.verdict.rule().or(outcome.verdict.kind());
        assert_eq!(
            (outcome.verdict.as_str(), named),
            (verdict, Some(name)),
            "{slip:?}: {}",
            text_line(&outcome)
        );
    }
}

#[test]
fn a_verdict_says_with_which_input_an_alert_came() {
    let outcome =
        outcome(&Slipping::candidate(Slip::HandsOverLate), "contract/R1/advance-in-steps-of-1ns/Unknown");
    let text = text_line(&outcome);
    assert!(text.contains("\n      it came with input 4; it was due with input 3\n"), "{text}");
    assert!(json_line(&outcome).contains("\"it came with input 4; it was due with input 3\""));
}

#[test]
fn what_a_detector_cannot_do_is_not_tested() {
    let plain = InProcess::new("plain", Capabilities::default(), BuiltIn::start);
    let plain = plain.with_only_threshold(Duration::from_secs(300));
    let table = [
        ("contract/R11/firing/Unknown", "no snapshot capability"),
        ("contract/R1/own-threshold-of-the-status/Unknown", "no thresholds capability"),
        ("contract/R1/threshold-of-1s/Unknown", "it has no other threshold than 5m"),
    ];
    for (case, lack) in table {
        let outcome = outcome(&plain, case);
        assert_eq!(outcome.verdict, Verdict::NotTested(lack.to_owned()), "{case}");
        assert!(json_line(&outcome).contains(&format!(r#""verdict":"not tested","because":["{lack}"]"#)));
    }
    let outcomes: Vec<Outcome> = cases("contract/R1")
        .iter()
        .map(|case| check_one(case, &plain, RunOptions::default()).outcome)
        .collect();
    let summary = Summary::of("plain", &outcomes);
    assert!(summary.not_tested > 0 && summary.all_passed(), "{summary:?}");
    let text = text_summary(&summary, None);
    assert!(text.contains(&format!(", {} not tested\n", summary.not_tested)), "{text}");
    assert_eq!(text_rules(&summary), "kept        R1 R2 R3 R4 R6 R7 R10 R12 R13\nnot tested  R5 R8 R9 R11");
    assert!(json_summary(&summary, None).contains(r#""R10":"pass","R11":"not tested""#));
}

#[test]
fn a_detector_that_is_wrong_fails_its_test_with_a_report() {
    struct Silent;
    impl Detector for Silent {
        fn input(&mut self, _: &Input) -> Result<Vec<Alert>, Rejected> {
            Ok(Vec::new())
        }
    }
    let panic = catch_unwind(|| stuckvm_scenarios::check(|| Silent)).expect_err("it is wrong");
    let report = panic.downcast_ref::<String>().expect("a message");
    assert!(report.starts_with("Silent does not keep the contract\nfail  contract/R1/"), "{report}");
    assert!(report.contains("\n      R1: an episode fires at exactly its deadline\n"), "{report}");
    assert!(report.contains("\nbroken      R1 R2 R3 "), "{report}");
    assert!(report.lines().count() < 100, "not every case is listed");
}

/// Cannot stand deletions.
struct Fussy(BuiltIn);

impl Fussy {
    fn candidate() -> impl Candidate {
        InProcess::new("fussy", BuiltIn::CAPABILITIES, |start| Self(BuiltIn::start(start)))
    }
}

impl Detector for Fussy {
    fn input(&mut self, input: &Input) -> Result<Vec<Alert>, Rejected> {
        let name = if let Event::Deleted(vm) = &input.event { &*vm.name } else { "" };
        assert_eq!(name, "", "who is\nthis");
        self.0.input(input)
    }

    fn unknown(&self) -> Option<Vec<String>> {
        self.0.unknown()
    }

    fn snapshot(&self) -> Option<String> {
        self.0.snapshot()
    }
}

#[test]
fn a_panic_is_the_verdict_of_its_case_and_the_other_cases_go_on() {
    let (mut panicked, mut passed) = (0, 0);
    check_all(&cases("contract/R9"), &Fussy::candidate(), RunOptions::default(), |subject, run| {
        let Subject::Contract(contract) = subject else { panic!("a case of the contract") };
        let is_deleted = |input: &Input| matches!(input.event, Event::Deleted(_));
        let deletes = contract.case.inputs.iter().any(is_deleted);
        let outcome = run.outcome;
        let expected = if deletes { ("error", Some("died")) } else { ("pass", None) };
        assert_eq!((outcome.verdict.as_str(), outcome.verdict.kind()), expected, "{}", text_line(&outcome));
        *(if deletes { &mut panicked } else { &mut passed }) += 1;
    });
    assert!(panicked > 0 && passed > 0, "{panicked} panicked, {passed} passed");
}

#[test]
fn the_verdict_of_a_panic_says_what_it_said_and_where_and_what_was_asked() {
    let outcome = outcome(&Fussy::candidate(), "contract/R9/deleted-at-the-deadline/Unknown");
    let text = text_line(&outcome);
    assert!(text.starts_with("error contract/R9/deleted-at-the-deadline/Unknown"), "{text}");
    let Verdict::Error(error) = outcome.verdict else { panic!("{text}") };
    let (place, said): (Vec<String>, Vec<String>) =
        error.because.into_iter().partition(|reason| reason.starts_with("the panic is at "));
    assert_eq!(
        said,
        [
            "it panicked before it answered input 2: assertion `left == right` failed: who is",
            "this",
            r#"left: "a""#,
            r#"right: """#,
            r#"it was told: {"at":"2022-10-03T11:16:07Z","namespace":"ns","name":"a","uid":"a-1","deleted":true}"#,
        ]
    );
    let here = format!("the panic is at {}:", file!());
    assert!(place.len() == 1 && place[0].starts_with(&here), "{place:?}");
}

/// Panics at one of the questions that are not inputs.
struct Touchy(&'static str);

impl Detector for Touchy {
    fn input(&mut self, _: &Input) -> Result<Vec<Alert>, Rejected> {
        Ok(Vec::new())
    }

    fn snapshot(&self) -> Option<String> {
        assert!(self.0 != "snapshot", "not that");
        Some("null".to_owned())
    }
}

impl Drop for Touchy {
    fn drop(&mut self) {
        assert!(self.0 != "end", "not that");
    }
}

#[test]
fn a_panic_at_any_question_is_a_verdict() {
    let table = [
        ("start", "contract/R1/", "the start"),
        ("snapshot", "contract/R11/", "the request for a snapshot"),
        ("end", "contract/R1/", "the end"),
    ];
    for (at, case, question) in table {
        let touchy = InProcess::new("touchy", BuiltIn::CAPABILITIES, move |_: &Start<'_>| {
            assert!(at != "start", "not that");
            Touchy(at)
        });
        let Verdict::Error(error) = outcome(&touchy, case).verdict else { panic!("{at}: no error") };
        let said = format!("it panicked before it answered {question}: not that");
        assert_eq!((error.kind.as_str(), &error.because[0]), ("died", &said));
    }
}

#[test]
fn each_rule_has_a_case_that_a_silent_detector_fails() {
    let mut failed: BTreeMap<&str, usize> = BTreeMap::new();
    let silent = InProcess::new("silent", BuiltIn::CAPABILITIES, |_: &Start<'_>| Mute);
    for subject in cases("contract/") {
        if let Some(rule) = check_one(&subject, &silent, RunOptions::default()).outcome.verdict.rule() {
            *failed.entry(rule).or_default() += 1;
        }
    }
    assert_eq!(failed.len(), 13, "{failed:?}");
}

/// Says nothing, and has nothing to remember.
struct Mute;

impl Detector for Mute {
    fn input(&mut self, _: &Input) -> Result<Vec<Alert>, Rejected> {
        Ok(Vec::new())
    }

    fn snapshot(&self) -> Option<String> {
        Some("null".to_owned())
    }
}
