//! What the benchmarks share: the order of accesses, and ratios measured within one run.

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_pcg::Pcg64;
use std::time::{Duration, Instant};

/// Ids below `count` in an order that no cache foresees, the same in every run.
pub fn random_ids(count: u32) -> Vec<u32> {
    let mut ids: Vec<u32> = (0..count).collect();
    ids.shuffle(&mut Pcg64::seed_from_u64(u64::from(count)));
    ids
}

/// Numbers below `bound`, the same in every run.
pub fn random_numbers(count: usize, bound: u64) -> Vec<u64> {
    let mut generator = Pcg64::seed_from_u64(bound);
    (0..count).map(|_| generator.random_range(0..bound)).collect()
}

/// What two pieces of work take, measured in turn in one run.
#[derive(Clone, Copy, Debug)]
pub struct Ratio {
    /// Nanoseconds an item of the first, the median of the rounds.
    pub first_ns: f64,
    /// Nanoseconds an item of the second.
    pub second_ns: f64,
    /// The median of the rounds' own ratios: what one may quote.
    pub ratio: f64,
}

/// Measures two pieces of work of `items` items each, A B A B …, so that a machine whose speed drifts favours neither.
pub fn ratio(items: u64, mut first: impl FnMut(), mut second: impl FnMut()) -> Ratio {
    const ROUNDS: usize = 31;
    first();
    second();
    let (mut firsts, mut seconds, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (a, b) = (timed(&mut first), timed(&mut second));
        firsts.push(a.as_nanos() as f64 / items as f64);
        seconds.push(b.as_nanos() as f64 / items as f64);
        ratios.push(a.as_secs_f64() / b.as_secs_f64());
    }
    Ratio { first_ns: median(firsts), second_ns: median(seconds), ratio: median(ratios) }
}

fn timed(work: &mut impl FnMut()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
