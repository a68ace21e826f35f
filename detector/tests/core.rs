//! The core by itself, for those who number their machines: what `NamedDetector` does not use of it.

use std::time::Duration;

use stuckvm_detector::{Alert, AlertKind, Detector, PrintableStatus, Rule, Time, VmId};

#[test]
fn a_deletion_and_an_unknown_word_resolve_what_fires() {
    let rule = Rule::new(Duration::from_secs(60)).unwrap();
    let mut detector = Detector::new(rule.clone());
    assert_eq!(detector.rule(), &rule);
    let (first, second) = (VmId::new(0), VmId::new(1));
    for vm in [first, second] {
        detector.observe(Time::ZERO, vm, PrintableStatus::Unknown).unwrap();
    }
    assert_eq!(detector.advance(Time::from_secs(60)).unwrap().len(), 2);
    let resolved = |vm, secs| Alert {
        at: Time::from_secs(secs),
        kind: AlertKind::Resolved,
        vm,
        status: PrintableStatus::Unknown,
        since: Time::ZERO,
    };
    assert_eq!(detector.delete(Time::from_secs(61), first).unwrap(), [resolved(first, 61)]);
    assert_eq!(detector.observe_unknown(Time::from_secs(62), second).unwrap(), [resolved(second, 62)]);
}

/// The last input is of the past: R13 rejects it, and it does not count.
#[test]
fn counters_tell_what_was_taken_in_and_what_was_said() {
    let mut detector = Detector::new(Rule::new(Duration::from_secs(60)).unwrap());
    let (first, second, third) = (VmId::new(0), VmId::new(1), VmId::new(2));
    let at = Time::from_secs;
    for vm in [first, second] {
        detector.observe(at(0), vm, PrintableStatus::Unknown).unwrap();
    }
    detector.observe(at(1), third, PrintableStatus::Unknown).unwrap();
    detector.observe(at(2), third, PrintableStatus::Running).unwrap();
    // Both that are left fire, the repeat changes nothing, and each ends in its own way.
    detector.advance(at(60)).unwrap();
    detector.observe(at(61), first, PrintableStatus::Unknown).unwrap();
    detector.observe_unknown(at(62), first).unwrap();
    detector.delete(at(63), second).unwrap();
    detector.delete(at(62), third).unwrap_err();
    let counted = detector.counters();
    assert_eq!((counted.observations, counted.transitions), (7, 6));
    assert_eq!((counted.firing, counted.resolved, counted.unknown_words), (2, 2, 1));
}
