//! Snapshots as text: the format that files keep, and what is refused.

use std::time::Duration;

use serde_json::{Value, json};
use stuckvm_detector::{NamedDetector, NamedSnapshot, PrintableStatus, Rule, Time, VmRef};

/// `ns/a` fires since 0 s, `ns/b` waits since 200 s, `ns/c` was deleted and
/// `ns/d` speaks a word that is not known.
fn detector() -> NamedDetector {
    let rule = Rule::default().with(PrintableStatus::ErrImagePull, Duration::from_secs(600)).unwrap();
    let mut detector = NamedDetector::new(rule);
    let steps = [(0, "a", "Unknown"), (0, "c", "Running"), (200, "b", "ErrImagePull"), (301, "d", "NewWord")];
    for (secs, name, word) in steps {
        detector.observe(Time::from_secs(secs), VmRef::new("ns", name, "u1"), word).unwrap();
    }
    detector.delete(Time::from_secs(301), VmRef::new("ns", "c", "u1")).unwrap();
    detector.advance(Time::from_secs(302)).unwrap();
    detector
}

#[test]
fn the_text_of_version_1_stays_as_it_is() {
    let expected = json!({
        "detector": {
            "version": 1,
            "rule": {
                "threshold": {"secs": 300, "nanos": 0},
                "per_status": [["ErrImagePull", {"secs": 600, "nanos": 0}]],
            },
            "clock": {"closed": "1970-01-01T00:05:02Z"},
            "counters": {
                "observations": 5, "transitions": 4, "firing": 1, "resolved": 0, "unknown_words": 1,
            },
            "statuses": ["Unknown", null, "ErrImagePull", null],
            "pending": [
                {"vm": 2, "since": "1970-01-01T00:03:20Z", "threshold": {"secs": 600, "nanos": 0}},
            ],
            "firing": [{"vm": 0, "since": "1970-01-01T00:00:00Z", "status": "Unknown"}],
        },
        "names": [
            [0, {"namespace": "ns", "name": "a", "uid": "u1"}],
            [2, {"namespace": "ns", "name": "b", "uid": "u1"}],
            [3, {"namespace": "ns", "name": "d", "uid": "u1"}],
        ],
        "unknown_words": {"NewWord": 1},
    });
    assert_eq!(serde_json::to_value(detector().snapshot()).unwrap(), expected);
}

/// What restoring says after the value at `pointer` was exchanged.
fn refusal(pointer: &str, value: Value) -> String {
    let mut text = serde_json::to_value(detector().snapshot()).unwrap();
    *text.pointer_mut(pointer).unwrap() = value;
    match serde_json::from_value::<NamedSnapshot>(text) {
        Ok(snapshot) => NamedDetector::restore(&snapshot).map(drop).unwrap_err().to_string(),
        Err(error) => panic!("{pointer} should be refused by its sense, not by its form: {error}"),
    }
}

fn damaged(what: &str) -> String {
    format!("the snapshot is damaged: {what}")
}

/// Pointers into the snapshot, what is put there, and how it is refused.
fn check(table: impl IntoIterator<Item = (&'static str, Value, String)>) {
    for (pointer, value, expected) in table {
        assert_eq!(refusal(pointer, value.clone()), expected, "{pointer} = {value}");
    }
}

#[test]
fn episodes_that_contradict_a_snapshot_are_refused() {
    let contradiction = |vm| damaged(&format!("the status of {vm} and its episode contradict each other"));
    let since = |vm, since| {
        damaged(&format!(
            "the episode of {vm} since {since} contradicts the newest instant or the order of the deadlines"
        ))
    };
    let pending = |vm, since: &str, secs| {
        let threshold = json!({"secs": secs, "nanos": 0});
        json!({"vm": vm, "since": since, "threshold": threshold})
    };
    let (second_200, second_302) = ("1970-01-01T00:03:20Z", "1970-01-01T00:05:02Z");
    check([
        // An episode without an error status, and the other way round.
        ("/detector/statuses/0", json!("Running"), contradiction("vm 0")),
        ("/detector/statuses/1", json!("Unknown"), contradiction("vm 1")),
        ("/detector/firing", json!([]), contradiction("vm 0")),
        ("/detector/firing/0/status", json!("Running"), contradiction("vm 0")),
        // Fired before its deadline had come.
        ("/detector/firing/0/since", json!(second_200), since("vm 0", second_200)),
        // Begun after the newest instant; and overdue by it.
        ("/detector/pending/0/since", json!("1970-01-01T00:05:03Z"), since("vm 2", "1970-01-01T00:05:03Z")),
        (
            "/detector/pending/0",
            pending(2, "1970-01-01T00:00:02Z", 300),
            since("vm 2", "1970-01-01T00:00:02Z"),
        ),
        // An advance had closed the instant of the deadline.
        ("/detector/clock", json!({"closed": "1970-01-01T00:13:20Z"}), since("vm 2", second_200)),
        ("/detector/clock", json!("unset"), since("vm 2", second_200)),
        ("/detector/pending/0", pending(2, second_200, 301), damaged("the rule lacks the threshold of vm 2")),
        // Deadlines out of order.
        (
            "/detector/pending",
            json!([pending(1, second_302, 600), pending(2, second_200, 600)]),
            since("vm 2", second_200),
        ),
        ("/detector/pending/0/vm", json!(0), damaged("vm 0 is named or dwells twice")),
        ("/detector/pending/0/vm", json!(4), damaged("vm 4 is not in it")),
    ]);
}

#[test]
fn names_and_rules_that_contradict_a_snapshot_are_refused() {
    let thresholds =
        |statuses: [&str; 2]| json!(statuses.map(|status| (status, json!({"secs": 600, "nanos": 0}))));
    let unsorted =
        "the snapshot's rule: expected each status at most once, in the order of PrintableStatus::ALL";
    let unsorted = unsorted.to_owned();
    let name = |name| json!({"namespace": "ns", "name": name, "uid": "u9"});
    check([
        ("/names/0/0", json!(4), damaged("vm 4 is not in it")),
        ("/names/0/0", json!(2), damaged("vm 2 is named or dwells twice")),
        ("/names/0/0", json!(1), damaged("vm 0 has no name")),
        ("/names/0/1", name("b"), damaged("ns/b is live twice")),
        (
            "/detector/version",
            json!(0),
            "expected a snapshot of version 1, found version 0; \
             start without it, or use the release that wrote it"
                .to_owned(),
        ),
        (
            "/detector/rule/threshold/secs",
            json!(0),
            "the snapshot's rule: expected a threshold above zero, such as 5m".to_owned(),
        ),
        (
            "/detector/rule/per_status/0/0",
            json!("Running"),
            "the snapshot's rule: expected one of the seven error statuses, such as ErrImagePull; \
             `Running` opens no episode"
                .to_owned(),
        ),
        ("/detector/rule/per_status", thresholds(["ErrImagePull", "CrashLoopBackOff"]), unsorted.clone()),
        ("/detector/rule/per_status", thresholds(["ErrImagePull", "ErrImagePull"]), unsorted),
    ]);
}

#[test]
fn a_word_or_a_time_that_is_no_text_is_refused_by_what_was_expected() {
    let status = serde_json::from_value::<PrintableStatus>(json!(5)).unwrap_err().to_string();
    assert_eq!(
        status,
        "invalid type: integer `5`, expected a printable status such as Running or ErrorPvcNotFound"
    );
    let time = serde_json::from_value::<Time>(json!(5)).unwrap_err().to_string();
    assert_eq!(time, "invalid type: integer `5`, expected a time such as 2022-10-03T11:11:07Z");
}
