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
