//! The detector: steady repeats, transitions and a storm of deadlines, at 10 k, 100 k and 1 M virtual machines.
//!
//! `steady` is also set against the least that any detector must do, one random read-modify-write on an array of as many
//! 32-byte cells; the ratio is printed at the end.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group};
use std::hint::black_box;
use stuckvm_benches::{random_ids, ratio};
use stuckvm_detector::{Detector, PrintableStatus, Rule, Time, VmId};

const SIZES: [u32; 3] = [10_000, 100_000, 1_000_000];

/// A detector that has seen every machine once.
fn seen(count: u32, status: PrintableStatus) -> Detector {
    let mut detector = Detector::new(Rule::default());
    for id in 0..count {
        detector.observe(Time::from_secs(1), VmId::new(id), status).expect("time stands still");
    }
    detector
}

/// Observes every machine and counts the alerts, as whoever passes them on looks at each answer.
fn observe_all(detector: &mut Detector, at: Time, ids: &[u32], status: PrintableStatus) {
    let mut alerts = 0;
    for id in ids {
        alerts += detector.observe(at, VmId::new(*id), status).expect("time moves forward").len();
    }
    black_box(alerts);
}

fn steady(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("detector/steady");
    for count in SIZES {
        let (ids, mut detector) = (random_ids(count), seen(count, PrintableStatus::Running));
        group.throughput(Throughput::Elements(u64::from(count)));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| observe_all(&mut detector, Time::from_secs(2), &ids, PrintableStatus::Running));
        });
    }
    group.finish();
}

fn transitions(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("detector/transitions");
    for count in SIZES {
        let (ids, mut detector) = (random_ids(count), seen(count, PrintableStatus::Running));
        let mut now = 2;
        group.throughput(Throughput::Elements(2 * u64::from(count)));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                now += 1;
                observe_all(&mut detector, Time::from_secs(now), &ids, PrintableStatus::ErrImagePull);
                observe_all(&mut detector, Time::from_secs(now), &ids, PrintableStatus::Running);
            });
        });
    }
    group.finish();
}

fn deadline_storm(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("detector/deadline-storm");
    for count in SIZES {
        group.throughput(Throughput::Elements(u64::from(count)));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter_batched_ref(
                || seen(count, PrintableStatus::Unschedulable),
                |detector| {
                    assert_eq!(detector.advance(Time::from_secs(400)).expect("forward").len(), count as usize)
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

/// A cell as wide as what the detector may keep of a machine.
#[derive(Clone, Copy, Default)]
struct Cell([u64; 4]);

/// The least that any detector must do.
fn touch_cells(cells: &mut [Cell], ids: &[u32]) {
    for id in ids {
        let cell = &mut cells[*id as usize];
        cell.0[0] = cell.0[0].wrapping_add(1);
    }
    black_box(cells);
}

fn report_ratio() {
    for count in SIZES {
        let ids = random_ids(count);
        let (mut detector, mut cells) =
            (seen(count, PrintableStatus::Running), vec![Cell::default(); count as usize]);
        let measured = ratio(
            u64::from(count),
            || observe_all(&mut detector, Time::from_secs(2), &ids, PrintableStatus::Running),
            || touch_cells(&mut cells, &ids),
        );
        println!(
            "detector/steady at {count} machines: {:.2} ns an observation, {:.2} ns a cell, ratio {:.2}",
            measured.first_ns, measured.second_ns, measured.ratio
        );
    }
}

criterion_group!(benches, steady, transitions, deadline_storm);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    report_ratio();
}
