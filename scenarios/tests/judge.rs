//! The judge on answers that are wrong: each slip is seen, and named after the rule that it breaks.

use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::judge::{Asked, Breach, Heard, Profile, Rule, judge};
use stuckvm_scenarios::oracle::{self, Thresholds};
use stuckvm_scenarios::stream::{Alert, AlertKind, Event, Input, Observed, Vm};
use stuckvm_scenarios::verdict::{ErrorKind, Verdict};

fn at(seconds: u64) -> Time {
    Time::from_secs(seconds)
}

fn vm() -> Vm {
    Vm::new("ns", "vm1", "u1")
}

fn observed(seconds: u64, status: &str) -> Input {
    Input { at: at(seconds), event: Event::Observed(Observed { vm: vm(), status: status.into() }) }
}

fn advance(seconds: u64) -> Input {
    Input { at: at(seconds), event: Event::Advance }
}

/// Stuck from 0, a move between error statuses at 100, mended at 400: the firing is due with the fourth input.
fn stream() -> Vec<Input> {
    vec![
        observed(0, "ErrImagePull"),
        observed(100, "ImagePullBackOff"),
        observed(300, "ImagePullBackOff"),
        advance(300),
        observed(400, "Running"),
        advance(1000),
    ]
}

/// What a detector says that keeps the contract.
fn right(inputs: &[Input]) -> Heard {
    let expected = oracle::expected(&Thresholds::default(), inputs);
    Heard {
        alerts: expected.alerts.into_iter().map(|due| (due.input, due.alert)).collect(),
        rejected: expected.rejected.into_iter().map(|input| (input, "past".to_owned())).collect(),
        unknown: Some(expected.unknown),
    }
}

fn asked(inputs: &[Input]) -> Asked<'_> {
    // It lives as long as the program.
    let thresholds = Box::leak(Box::new(Thresholds::default()));
    Asked { rule: None, thresholds, inputs, profile: Profile::Exact }
}

fn breach(asked: &Asked<'_>, heard: &Heard) -> Option<Breach> {
    match judge(asked, heard) {
        Verdict::Pass => None,
        Verdict::Broken(breach) => Some(*breach),
        verdict => panic!("neither passed nor broken: {verdict:?}"),
    }
}

fn rules(asked: &Asked<'_>, heard: &Heard) -> Option<(&'static str, Vec<&'static str>)> {
    let breach = breach(asked, heard)?;
    Some((breach.rule.as_str(), breach.also.into_iter().map(Rule::as_str).collect()))
}

#[test]
fn what_had_to_be_said_keeps_the_contract() {
    let inputs = stream();
    let heard = right(&inputs);
    assert_eq!(heard.alerts.len(), 2, "one firing, one resolved");
    assert_eq!(rules(&asked(&inputs), &heard), None);
    let silent = Heard { unknown: None, ..heard };
    assert_eq!(rules(&asked(&inputs), &silent), None, "words need not be reported by one who reports none");
}

#[test]
fn each_slip_is_named_by_its_rule() {
    let inputs = stream();
    let [firing, resolved] = <[(usize, Alert); 2]>::try_from(right(&inputs).alerts).expect("two alerts");
    let moved =
        |(input, alert): &(usize, Alert), seconds: u64| (*input, Alert { at: at(seconds), ..alert.clone() });
    let with = |(_, alert): &(usize, Alert), input: usize| (input, alert.clone());
    let wrong_status = (3, Alert { status: "ErrImagePull".into(), ..firing.1.clone() });
    let other_since = (3, Alert { since: Some(at(1)), ..firing.1.clone() });
    let no_since = |(input, alert): &(usize, Alert)| (*input, Alert { since: None, ..alert.clone() });
    let table = [
        ("no `since`", vec![no_since(&firing), no_since(&resolved)], None),
        ("an early firing", vec![moved(&firing, 299), resolved.clone()], Some("R2")),
        (
            "stamped right, handed over before the threshold",
            vec![with(&firing, 1), resolved.clone()],
            Some("R2"),
        ),
        ("handed over while observations may come", vec![with(&firing, 2), resolved.clone()], Some("R3")),
        ("handed over with the next input", vec![with(&firing, 4), resolved.clone()], Some("R1")),
        ("resolved with a later input", vec![firing.clone(), with(&resolved, 5)], Some("R6")),
        ("the resolved first", vec![with(&resolved, 4), with(&firing, 4)], Some("R1")),
        ("a firing twice", vec![firing.clone(), moved(&firing, 350), resolved.clone()], Some("R7")),
        ("the same firing twice", vec![firing.clone(), firing.clone(), resolved.clone()], Some("R7")),
        ("no resolved", vec![firing.clone()], Some("R6")),
        ("a late resolved", vec![firing.clone(), moved(&resolved, 401)], Some("R6")),
        ("no alert at all", vec![], Some("R1")),
        ("a late firing", vec![moved(&firing, 301), resolved.clone()], Some("R1")),
        ("the status of the beginning", vec![wrong_status, resolved.clone()], Some("R4")),
        ("another beginning", vec![other_since, resolved.clone()], Some("R1")),
    ];
    for (slip, alerts, rule) in table {
        let heard = Heard { alerts, ..right(&inputs) };
        assert_eq!(rules(&asked(&inputs), &heard).map(|(rule, _)| rule), rule, "{slip}");
    }
}

#[test]
fn an_episode_that_ends_at_its_deadline_must_not_fire() {
    let inputs = [observed(0, "Unknown"), observed(300, "Running"), advance(1000)];
    let firing =
        Alert { at: at(300), kind: AlertKind::Firing, vm: vm(), status: "Unknown".into(), since: None };
    let heard = Heard { alerts: vec![(1, firing)], ..Heard::default() };
    assert_eq!(rules(&asked(&inputs), &heard), Some(("R3", vec![])));
}

/// R2 is the table's first row, and a machine that was in no error has dwelt for no time at all.
#[test]
fn a_firing_for_a_machine_that_was_never_in_error_comes_before_any_threshold() {
    let inputs = [observed(0, "Running"), advance(1000)];
    for machine in [vm(), Vm::new("ns", "nobody", "u1"), Vm::new("ns", "vm1", "u2")] {
        let firing = Alert {
            at: at(500),
            kind: AlertKind::Firing,
            vm: machine,
            status: "Unknown".into(),
            since: None,
        };
        let resolved = Alert { at: at(600), kind: AlertKind::Resolved, ..firing.clone() };
        let heard = Heard { alerts: vec![(1, firing), (1, resolved.clone())], ..Heard::default() };
        assert_eq!(rules(&asked(&inputs), &heard), Some(("R2", vec!["R6"])), "{}", resolved.vm.name);
        let heard = Heard { alerts: vec![(1, resolved)], ..Heard::default() };
        assert_eq!(rules(&asked(&inputs), &heard), Some(("R6", vec![])), "a resolved alone");
    }
}

/// There was a threshold, and it has passed: the stamp is off.
#[test]
fn a_firing_long_after_a_short_episode_is_stamped_off() {
    let inputs = [observed(0, "Unknown"), observed(100, "Running"), advance(1000)];
    let firing =
        Alert { at: at(500), kind: AlertKind::Firing, vm: vm(), status: "Unknown".into(), since: None };
    let heard = Heard { alerts: vec![(2, firing)], ..Heard::default() };
    assert_eq!(rules(&asked(&inputs), &heard), Some(("R1", vec![])));
}

#[test]
fn the_end_of_the_input_closes_nothing() {
    let inputs = [observed(0, "Unknown"), observed(300, "Unknown")];
    let firing =
        Alert { at: at(300), kind: AlertKind::Firing, vm: vm(), status: "Unknown".into(), since: None };
    let heard = |input| Heard { alerts: vec![(input, firing.clone())], ..Heard::default() };
    assert_eq!(rules(&asked(&inputs), &heard(1)), Some(("R3", vec![])));
    assert_eq!(rules(&asked(&inputs), &heard(0)), Some(("R2", vec![])));
}

#[test]
fn a_case_names_its_rule_at_the_first_instant_and_the_table_the_rest() {
    let inputs = stream();
    let nothing = Heard::default();
    assert_eq!(rules(&asked(&inputs), &nothing), Some(("R1", vec!["R6"])));
    let named = |rule| Asked { rule: Some(rule), ..asked(&inputs) };
    assert_eq!(rules(&named(Rule::Idempotent), &nothing), Some(("R8", vec!["R6"])));
    assert_eq!(rules(&named(Rule::Resolve), &nothing), Some(("R6", vec![])));
    assert_eq!(Rule::of_case("contract/R13/past/Unknown"), Some(Rule::Forward));
    assert_eq!(["R3/a", "contract/R14/a", "pvc-not-found/R3"].map(Rule::of_case), [None; 3]);
}

#[test]
fn an_input_from_the_past_must_be_rejected_and_no_other() {
    let mut inputs = stream();
    inputs.insert(2, observed(99, "Running"));
    let heard = right(&inputs);
    assert_eq!(heard.rejected.len(), 1, "the older one");
    assert_eq!(rules(&asked(&inputs), &heard), None);

    let taken = Heard { rejected: Vec::new(), ..heard.clone() };
    let found = breach(&asked(&inputs), &taken).expect("it was taken");
    assert_eq!((found.rule, found.at, found.vm), (Rule::Forward, at(100), Some(vm())));
    let note = found.note.expect("it says which input");
    assert!(
        note.starts_with("input 3 was taken; it is of 1970-01-01T00:01:39Z, older than the newest"),
        "{note}"
    );

    let also = Heard { rejected: vec![(1, "no".to_owned()), heard.rejected[0].clone()], ..heard };
    let Verdict::Error(error) = judge(&asked(&inputs), &also) else { panic!("it rejects what it must take") };
    assert_eq!(error.kind, ErrorKind::Protocol);
    assert!(error.because[0].starts_with("input 2 was rejected"), "{error:?}");
    assert_eq!(error.because[1], "the detector says: no");
}

#[test]
fn an_input_at_a_closed_instant_must_be_rejected() {
    let inputs =
        [observed(0, "Unknown"), advance(10), Input { at: at(10), event: Event::Relist(Vec::new()) }];
    let taken = Heard::default();
    let found = breach(&asked(&inputs), &taken).expect("it was taken");
    assert_eq!((found.rule, found.at, found.vm), (Rule::Forward, at(10), None));
    assert!(found.note.expect("it says why").contains("at an instant that is closed"));
}

#[test]
fn unknown_words_are_judged_of_those_who_report_any() {
    let inputs = [observed(0, "Hibernating"), observed(1, "Running"), advance(2)];
    let report = |words: &[(usize, &str)]| {
        let words = words.iter().map(|(input, word)| (*input, (*word).to_owned()));
        Heard { unknown: Some(words.collect()), ..Heard::default() }
    };
    assert_eq!(rules(&asked(&inputs), &Heard::default()), None);
    assert_eq!(rules(&asked(&inputs), &report(&[(0, "Hibernating")])), None);
    for words in [&[][..], &[(0, "hibernating")], &[(0, "Hibernating"), (1, "Running")]] {
        assert_eq!(rules(&asked(&inputs), &report(words)), Some(("R12", vec![])), "{words:?}");
    }
}

/// Stuck from 0 and seen every so often, with an end between 300 s and a millisecond more.
fn ends_after(nanos: u64) -> Vec<Input> {
    let end = Time::from_nanos(300_000_000_000 + nanos);
    let mended = Event::Observed(Observed { vm: vm(), status: "Running".into() });
    vec![observed(0, "Unknown"), advance(300), Input { at: end, event: mended }, advance(400)]
}

#[test]
fn a_resolution_forgives_what_it_is_and_no_more() {
    let profile = Profile::Resolution(Duration::from_millis(1));
    let verdict = |inputs: &[Input], heard: &Heard| {
        rules(&Asked { profile, ..asked(inputs) }, heard).map(|(rule, _)| rule)
    };
    let late = |inputs: &[Input], input: usize| {
        let mut heard = right(inputs);
        heard.alerts[0].0 = input;
        heard
    };
    let silent = Heard::default();

    let within = ends_after(999_999);
    assert_eq!(verdict(&within, &right(&within)), None, "it may be exact");
    assert_eq!(verdict(&within, &silent), None, "it may have seen the end first");
    assert_eq!(verdict(&within, &late(&within, 2)), None, "it may act with the end");
    let mut orphan = right(&within);
    orphan.alerts.remove(0);
    assert_eq!(verdict(&within, &orphan), Some("R6"), "what has not fired does not resolve");
    let mut stamped = right(&within);
    stamped.alerts[0].1.at = Time::from_nanos(300_000_500_000);
    assert_eq!(verdict(&within, &stamped), Some("R1"), "stamps are exact all the same");

    let beyond = ends_after(1_000_000);
    assert_eq!(verdict(&beyond, &silent), Some("R1"), "an episode of a whole tick more fires");
    let at_it = [observed(0, "Unknown"), observed(300, "Running"), advance(400)];
    let mut fired = late(&within, 2);
    fired.alerts.truncate(1);
    assert_eq!(verdict(&at_it, &fired), Some("R3"), "an end at the deadline is not after it");

    let open = [observed(0, "Unknown"), advance(300), advance(301), advance(400)];
    assert_eq!(verdict(&open, &late(&open, 2)), None, "with the first input that is a tick later");
    assert_eq!(verdict(&open, &late(&open, 3)), Some("R1"), "not with the one after it");
    assert_eq!(verdict(&open[..2], &silent), None, "no tick has passed yet");
    assert_eq!(
        rules(&asked(&open[..2]), &silent),
        Some(("R1", vec![])),
        "which the exact profile does not forgive"
    );
}
