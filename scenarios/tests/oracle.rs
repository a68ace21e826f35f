//! The oracle: by hand on small streams, and against the detector on any.
//! They share no code, so that where they agree both follow the contract.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use stuckvm_detector::{NamedDetector, NamedSnapshot, PrintableStatus, Rule, Time};
use stuckvm_scenarios::feed::{feed, stream_alert};
use stuckvm_scenarios::oracle::{Expected, ExpectedAlert, Thresholds, episodes, expected};
use stuckvm_scenarios::stream::{Event, Input, Observed, Vm};

/// `name/uid` in the namespace `ns`.
fn vm(name: &str) -> Vm {
    let (name, uid) = name.split_once('/').unwrap_or((name, "u1"));
    Vm::new("ns", name, uid)
}

fn observed(name: &str, word: &str) -> Observed {
    Observed { vm: vm(name), status: word.into() }
}

fn is(secs: u64, name: &str, word: &str) -> Input {
    Input { at: Time::from_secs(secs), event: Event::Observed(observed(name, word)) }
}

fn advance(secs: u64) -> Input {
    Input { at: Time::from_secs(secs), event: Event::Advance }
}

/// `input: instant kind name/uid status since` of each alert.
fn lines(expected: &Expected) -> Vec<String> {
    let line = |ExpectedAlert { input, alert }: &ExpectedAlert| {
        let kind = format!("{:?}", alert.kind).to_lowercase();
        let (name, uid, since) = (&alert.vm.name, &alert.vm.uid, alert.since.unwrap().as_secs());
        format!("{input}: {} {kind} {name}/{uid} {} since {since}", alert.at.as_secs(), alert.status)
    };
    expected.alerts.iter().map(line).collect()
}

#[test]
fn an_episode_that_outlasts_the_threshold_fires_and_resolves() {
    let stream = [is(0, "a", "ErrorPvcNotFound"), is(200, "a", "Unknown"), is(301, "a", "Running")];
    let expected = expected(&Thresholds::default(), &stream);
    assert_eq!(
        lines(&expected),
        ["2: 300 firing a/u1 Unknown since 0", "2: 301 resolved a/u1 Unknown since 0"]
    );
}

#[test]
fn an_episode_that_ends_at_its_deadline_stays_silent() {
    let stream = [is(0, "a", "Unknown"), is(300, "a", "Running"), is(300, "a", "Unknown"), advance(599)];
    assert_eq!(lines(&expected(&Thresholds::default(), &stream)), [""; 0]);
}

#[test]
fn a_deadline_is_due_at_an_advance_to_it_or_at_a_later_input() {
    let stuck = is(0, "a", "Unknown");
    let fires = |input| vec![format!("{input}: 300 firing a/u1 Unknown since 0")];
    let until = |last| lines(&expected(&Thresholds::default(), &[stuck.clone(), is(300, "b", ""), last]));
    assert_eq!(until(advance(300)), fires(2));
    assert_eq!(until(is(301, "b", "")), fires(2));
    assert_eq!(until(is(300, "b", "")), [""; 0]);
}

#[test]
fn a_relist_ends_first_what_it_lists_then_what_it_lacks() {
    let stuck = ["d", "c", "b", "a"].map(|name| is(0, name, "Unknown"));
    let list = vec![observed("d", "Running"), observed("c/u2", "Running")];
    let relist = Input { at: Time::from_secs(400), event: Event::Relist(list) };
    let stream = stuck.into_iter().chain([advance(300), relist]).collect::<Vec<_>>();
    assert_eq!(
        lines(&expected(&Thresholds::default(), &stream))[4..],
        [
            "5: 400 resolved d/u1 Unknown since 0",
            "5: 400 resolved c/u1 Unknown since 0",
            "5: 400 resolved a/u1 Unknown since 0",
            "5: 400 resolved b/u1 Unknown since 0",
        ]
    );
}

#[test]
fn late_inputs_are_rejected_and_unknown_words_reported() {
    let stream = [
        is(9, "a", "Unknown"),
        is(8, "a", "Running"),
        is(9, "b", "Nonsense"),
        advance(9),
        advance(9),
        is(9, "a", "Running"),
        is(10, "b", "unknown"),
        is(309, "a", "running"),
    ];
    let expected = expected(&Thresholds::default(), &stream);
    assert_eq!(expected.rejected, [1, 4, 5]);
    let words = ["Nonsense", "unknown", "running"].map(str::to_owned);
    assert_eq!(expected.unknown, [2, 6, 7].into_iter().zip(words).collect::<Vec<_>>());
    assert_eq!(expected.alerts, []);
}

#[test]
fn episodes_tell_their_statuses_and_their_deadline() {
    let per_status = BTreeMap::from([("ErrorUnschedulable".to_owned(), Duration::from_secs(60))]);
    let thresholds = Thresholds { per_status, ..Thresholds::default() };
    let stream = [is(1, "a", "Unschedulable"), is(2, "a", "Unknown"), is(3, "a", "Stopped")];
    let [episode] = &episodes(&thresholds, &stream)[..] else { panic!("one episode") };
    assert_eq!(episode.deadline(), Some(Time::from_secs(61)));
    assert_eq!((episode.since, episode.end), (Time::from_secs(1), Some(Time::from_secs(3))));
    assert_eq!(episode.status_at(Time::from_secs(1)), "Unschedulable");
    assert_eq!(episode.status_at(Time::from_secs(2)), "Unknown");
}

/// Any machine of few: six names, three uids each.
fn any_vm() -> impl Strategy<Value = Vm> {
    let pick = |words: [&'static str; 3]| prop::sample::select(words.to_vec());
    (pick(["ns", "ns", "other"]), pick(["a", "b", "c"]), pick(["u1", "u1", "u2"]))
        .prop_map(|(namespace, name, uid)| Vm::new(namespace, name, uid))
}

/// Any word: errors in both spellings, healthy ones, and some that are no status.
fn any_word() -> impl Strategy<Value = String> {
    let errors = PrintableStatus::ERRORS.iter().flat_map(|status| [status.as_str(), status.runbook_str()]);
    let all = PrintableStatus::ALL.iter().map(|status| status.as_str());
    let nonsense = ["running", "NewWord", "NewerWord", " Unknown"];
    prop_oneof![
        6 => prop::sample::select(errors.collect::<Vec<_>>()),
        3 => prop::sample::select(all.collect::<Vec<_>>()),
        1 => prop::sample::select(nonsense.to_vec()),
    ]
    .prop_map(str::to_owned)
}

fn any_event() -> impl Strategy<Value = Event> {
    let observed = || (any_vm(), any_word()).prop_map(|(vm, status)| Observed { vm, status: status.into() });
    prop_oneof![
        12 => observed().prop_map(Event::Observed),
        2 => any_vm().prop_map(Event::Deleted),
        2 => prop::collection::vec(observed(), 0..8).prop_map(Event::Relist),
        2 => Just(Event::Advance),
    ]
}

/// Any stream: mostly forward in steps of a few nanoseconds, sometimes back,
/// near the first instant or the last.
fn any_stream() -> impl Strategy<Value = Vec<Input>> {
    let start = prop_oneof![Just(0), Just(u64::MAX - 30), Just(u64::MAX - 8)];
    let steps = prop::collection::vec((-1..4_i64, any_event()), 0..80);
    (start, steps).prop_map(|(mut at, steps)| {
        let input = |(step, event)| {
            at = at.saturating_add_signed(step);
            Input { at: Time::from_nanos(at), event }
        };
        steps.into_iter().map(input).collect()
    })
}

/// A threshold of a few nanoseconds, and others for some statuses.
fn any_thresholds() -> impl Strategy<Value = (Rule, Thresholds)> {
    let threshold = || (1..10_u64).prop_map(Duration::from_nanos);
    let status = prop::sample::select(PrintableStatus::ERRORS.to_vec());
    let per_status = prop::collection::btree_map(status, threshold(), 0..4);
    (threshold(), per_status).prop_map(|(default, per_status)| {
        let plain = Rule::new(default).unwrap();
        let rule = per_status.iter().fold(plain, |rule, (status, own)| rule.with(*status, *own).unwrap());
        let by_word = per_status.iter().map(|(status, own)| (status.as_str().to_owned(), *own));
        (rule, Thresholds { default, per_status: by_word.collect() })
    })
}

/// What the detector says, restarted before the inputs at `restarts`.
fn said(rule: Rule, stream: &[Input], restarts: &[bool]) -> Expected {
    let mut detector = NamedDetector::new(rule);
    let mut said = Expected::default();
    for (place, (input, restart)) in stream.iter().zip(restarts).enumerate() {
        if *restart {
            let text = serde_json::to_string(&detector.snapshot()).unwrap();
            let snapshot: NamedSnapshot = serde_json::from_str(&text).unwrap();
            detector = NamedDetector::restore(&snapshot).unwrap();
        }
        let Ok(output) = feed(&mut detector, input) else {
            said.rejected.push(place);
            continue;
        };
        let alerts = output.alerts.iter().map(stream_alert);
        said.alerts.extend(alerts.map(|alert| ExpectedAlert { input: place, alert }));
        said.unknown.extend(output.unknown.iter().map(|word| (place, word.clone())));
    }
    said
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_detector_says_what_the_oracle_expects(
        (rule, thresholds) in any_thresholds(),
        stream in any_stream(),
        restarts in prop::collection::vec(prop::bool::weighted(0.1), 80),
    ) {
        prop_assert_eq!(said(rule, &stream, &restarts), expected(&thresholds, &stream));
    }
}
