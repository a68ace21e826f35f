//! Laws that hold for every stream: what happens beside a machine, how often
//! it is said, and whether the detector was restarted change nothing.
//!
//! Thresholds of a few nanoseconds make deadlines and inputs meet often.

use std::time::Duration;

use proptest::prelude::*;
use stuckvm_detector::{Alert, Detector, PrintableStatus, Rule, Snapshot, Time, VmId};

const VMS: u32 = 4;

/// What happens to a machine, or that the instant is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Observe(VmId, PrintableStatus),
    Unknown(VmId),
    Delete(VmId),
    Advance,
}

type Stream = Vec<(Time, Deed)>;

fn rule() -> Rule {
    let ns = Duration::from_nanos;
    let rule = Rule::new(ns(5)).and_then(|rule| rule.with(PrintableStatus::ErrImagePull, ns(8)));
    rule.and_then(|rule| rule.with(PrintableStatus::Unknown, ns(1))).unwrap()
}

fn deed() -> impl Strategy<Value = Deed> {
    let vm = || (0..VMS).prop_map(VmId::new);
    let error = prop::sample::select(PrintableStatus::ERRORS.to_vec());
    let any = prop::sample::select(PrintableStatus::ALL.to_vec());
    prop_oneof![
        6 => (vm(), error).prop_map(|(vm, status)| Deed::Observe(vm, status)),
        3 => (vm(), any).prop_map(|(vm, status)| Deed::Observe(vm, status)),
        1 => vm().prop_map(Deed::Unknown),
        1 => vm().prop_map(Deed::Delete),
        2 => Just(Deed::Advance),
    ]
}

/// A stream in which nothing is rejected, closed at its end.
fn stream() -> impl Strategy<Value = Stream> {
    prop::collection::vec((0..4_u64, deed()), 0..60).prop_map(|steps| {
        let mut stream: Stream = Vec::new();
        let (mut nanos, mut closed) = (0, false);
        for (pause, deed) in steps {
            nanos += if closed { pause.max(1) } else { pause };
            closed = deed == Deed::Advance;
            stream.push((Time::from_nanos(nanos), deed));
        }
        stream.push((Time::from_nanos(nanos + 100), Deed::Advance));
        stream
    })
}

fn feed(detector: &mut Detector, (at, deed): (Time, Deed)) -> Vec<Alert> {
    let alerts = match deed {
        Deed::Observe(vm, status) => detector.observe(at, vm, status),
        Deed::Unknown(vm) => detector.observe_unknown(at, vm),
        Deed::Delete(vm) => detector.delete(at, vm),
        Deed::Advance => detector.advance(at),
    };
    alerts.unwrap().to_vec()
}

fn alerts(stream: &Stream) -> Vec<Alert> {
    let mut detector = Detector::new(rule());
    stream.iter().flat_map(|step| feed(&mut detector, *step)).collect()
}

fn restarted(detector: &Detector) -> Detector {
    let text = serde_json::to_string(&detector.snapshot()).unwrap();
    let snapshot: Snapshot = serde_json::from_str(&text).unwrap();
    let restored = Detector::restore(&snapshot).unwrap();
    assert_eq!(restored.snapshot(), snapshot, "a snapshot is of all there is");
    restored
}

fn vm_of(deed: Deed) -> Option<VmId> {
    match deed {
        Deed::Observe(vm, _) | Deed::Unknown(vm) | Deed::Delete(vm) => Some(vm),
        Deed::Advance => None,
    }
}

proptest! {
    #[test]
    fn restarts_change_nothing(stream in stream(), restarts in prop::collection::vec(any::<bool>(), 61)) {
        let mut through = Detector::new(rule());
        let mut stopping = Detector::new(rule());
        for (step, restart) in stream.into_iter().zip(restarts) {
            if restart {
                stopping = restarted(&stopping);
            }
            prop_assert_eq!(feed(&mut through, step), feed(&mut stopping, step));
            prop_assert_eq!(through.next_deadline(), stopping.next_deadline());
            prop_assert_eq!(through.counters(), stopping.counters());
        }
    }

    #[test]
    fn other_machines_change_nothing(stream in stream(), vm in 0..VMS) {
        let vm = VmId::new(vm);
        let alone = stream.iter().copied().filter(|(_, deed)| vm_of(*deed).is_none_or(|of| of == vm));
        let among: Vec<Alert> = alerts(&stream).into_iter().filter(|alert| alert.vm == vm).collect();
        prop_assert_eq!(alerts(&alone.collect()), among);
    }

    #[test]
    fn repeats_change_nothing(stream in stream()) {
        let mut last = [None; VMS as usize];
        let mut repeated = Stream::new();
        for &(at, deed) in &stream {
            // What held before is said again at the next input's instant, then
            // the new word twice.
            if let Some(vm) = vm_of(deed) {
                repeated.extend(last[vm.index()].map(|before| (at, before)));
                repeated.push((at, deed));
                last[vm.index()] = Some(deed);
            }
            repeated.push((at, deed));
        }
        prop_assert_eq!(alerts(&repeated), alerts(&stream));
    }

    #[test]
    fn alerts_are_exact_and_in_order(stream in stream()) {
        let alerts = alerts(&stream);
        prop_assert!(alerts.is_sorted_by_key(|alert| (alert.at, std::cmp::Reverse(alert.kind))));
        for alert in alerts {
            prop_assert!(alert.status.is_error());
            prop_assert!(alert.at > alert.since);
        }
    }

    #[test]
    fn the_next_deadline_is_when_the_next_alert_fires(stream in stream()) {
        let mut detector = Detector::new(rule());
        for step in stream {
            feed(&mut detector, step);
            let Some(next) = detector.next_deadline() else { continue };
            let mut copy = detector.clone();
            prop_assert_eq!(copy.advance(next).unwrap()[0].at, next);
            if Some(next) > detector.clock().newest().map(|newest| newest + Duration::from_nanos(1)) {
                let before = Time::from_nanos(next.as_nanos() - 1);
                prop_assert!(detector.clone().advance(before).unwrap().is_empty());
            }
        }
    }
}
