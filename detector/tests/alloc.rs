//! Nothing is allocated in the steady state: a detector beside a large fleet
//! runs for months, and its repeats come by the million.

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use stuckvm_detector::{Detector, NamedDetector, PrintableStatus, Rule, Time, VmId, VmRef};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const VMS: u32 = 1_000;

/// Allocations of `step`, after a first time in which room may be made. The
/// least of some tries, since the test runner's own thread allocates too.
fn allocations(mut step: impl FnMut()) -> usize {
    step();
    let tries = (0..5).map(|_| {
        let region = Region::new(ALLOCATOR);
        step();
        region.change().allocations + region.change().reallocations
    });
    tries.min().unwrap()
}

/// Fresh seconds, since time only moves forward.
fn seconds() -> impl FnMut() -> Time {
    let mut secs = 0;
    move || {
        secs += 1;
        Time::from_secs(secs)
    }
}

#[test]
fn the_steady_state_allocates_nothing() {
    let control = allocations(|| drop(std::hint::black_box(vec![0_u8; 64])));
    assert!(control > 0, "an allocation would be seen");

    let mut now = seconds();
    let mut core = Detector::new(Rule::default());
    let repeats = allocations(|| {
        let at = now();
        for number in 0..VMS {
            core.observe(at, VmId::new(number), PrintableStatus::Running).unwrap();
        }
        core.advance(at).unwrap();
    });
    assert_eq!(repeats, 0, "repeats by number");

    let transitions = allocations(|| {
        for status in [PrintableStatus::Unknown, PrintableStatus::Running] {
            let at = now();
            for number in 0..VMS {
                core.observe(at, VmId::new(number), status).unwrap();
            }
        }
    });
    assert_eq!(transitions, 0, "errors that come and go");

    let names: Vec<String> = (0..VMS).map(|number| format!("vm{number}")).collect();
    let mut named = NamedDetector::new(Rule::default());
    let by_name = allocations(|| {
        let at = now();
        for name in &names {
            named.observe(at, VmRef::new("ns", name, "u1"), "ErrorUnschedulable").unwrap();
        }
    });
    assert_eq!(by_name, 0, "repeats by name");
}
