//! The whole catalog, as a user runs it, on one thread.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stuckvm_scenarios::catalog::{Tree, load_all};
use stuckvm_scenarios::run::{RunOptions, run};

fn whole(criterion: &mut Criterion) {
    let scenarios = load_all(&Tree::Embedded).expect("the catalog reads");
    let mut group = criterion.benchmark_group("catalog");
    group.throughput(Throughput::Elements(scenarios.len() as u64));
    group.bench_function("whole", |bencher| {
        bencher.iter(|| {
            for loaded in &scenarios {
                black_box(run(loaded, RunOptions::default()).outcome.digest);
            }
        });
    });
    group.finish();
}

criterion_group!(benches, whole);
criterion_main!(benches);
