//! The event queue: FIFO lanes and the heap, with many events pending.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::time::Duration;
use stuckvm_benches::random_numbers;
use stuckvm_detector::Time;
use stuckvm_sim::event_queue::{EventQueue, Phase};

const PENDING: [u64; 2] = [10_000, 100_000];

/// Takes the next event and adds another: what a simulation does all the time.
fn hold(queue: &mut EventQueue<u64>, delay: impl Fn(u64) -> Duration, events: u64) {
    for index in 0..events {
        let (now, event) = queue.pop().expect("events wait");
        queue.push_after(now, delay(index), Phase::Controller, black_box(event));
    }
}

fn lanes(criterion: &mut Criterion) {
    let delays = [50, 1_000, 10_000, 300_000].map(Duration::from_millis);
    let mut group = criterion.benchmark_group("queue/lanes");
    for pending in PENDING {
        let mut queue = EventQueue::with_lanes(delays.map(|delay| (delay, Phase::Controller)));
        for index in 0..pending {
            queue.push_after(Time::ZERO, delays[(index % 4) as usize], Phase::Controller, index);
        }
        group.throughput(Throughput::Elements(pending));
        group.bench_function(BenchmarkId::from_parameter(pending), |bencher| {
            bencher.iter(|| hold(&mut queue, |index| delays[(index % 4) as usize], pending));
        });
    }
    group.finish();
}

fn heap(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queue/heap");
    for pending in PENDING {
        let delays = random_numbers(pending as usize, 300_000_000_000);
        let mut queue = EventQueue::with_lanes([]);
        for (index, delay) in delays.iter().enumerate() {
            queue.push_after(Time::ZERO, Duration::from_nanos(*delay), Phase::Controller, index as u64);
        }
        group.throughput(Throughput::Elements(pending));
        group.bench_function(BenchmarkId::from_parameter(pending), |bencher| {
            bencher.iter(|| hold(&mut queue, |index| Duration::from_nanos(delays[index as usize]), pending));
        });
    }
    group.finish();
}

criterion_group!(benches, lanes, heap);
criterion_main!(benches);
