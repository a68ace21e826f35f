//! The one seeded generator, split by component.

use rand::RngExt;
use rand::SeedableRng;
use rand_pcg::Pcg64;
use std::collections::{BTreeMap, VecDeque};
use std::ops::RangeInclusive;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The components that draw, by the names of their streams.
pub const COMPONENTS: [&str; 7] =
    ["kubelet", "node-heartbeat", "node-lifecycle", "pod-gc", "scheduler", "start-back-off", "virt-handler"];

/// All randomness of a run. Each component has a stream of its own, so that a new draw in one does not shift another's.
#[derive(Debug)]
pub struct Random {
    seed: u64,
    streams: BTreeMap<String, Stream>,
    /// Draws that were given to parts of a component; mostly none.
    parts: BTreeMap<String, BTreeMap<String, VecDeque<u32>>>,
}

#[derive(Debug)]
struct Stream {
    generator: Pcg64,
    /// Draws that were given beforehand, as fractions of the range in billionths.
    given: VecDeque<u32>,
    /// What every other draw is, where that was determined.
    fixed: Option<u32>,
}

impl Stream {
    /// The next draw, if it was determined.
    fn determined(&mut self) -> Option<u32> {
        self.given.pop_front().or(self.fixed)
    }
}

/// A draw as a fraction is given in billionths: integer, so that it is the same everywhere.
pub const WHOLE: u32 = 1_000_000_000;

impl Random {
    /// The generator of a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, streams: BTreeMap::new(), parts: BTreeMap::new() }
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// A number of the range, ends included, each as likely as the others.
    pub fn uniform(&mut self, component: &str, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        assert!(low <= high, "a range has a number");
        let stream = self.stream(component);
        match stream.determined() {
            Some(fraction) => low + scale(high - low + 1, fraction).min(high - low),
            None => stream.generator.random_range(low..=high),
        }
    }

    /// A fraction of one in billionths, from 0 on and below [`WHOLE`].
    pub fn fraction(&mut self, component: &str) -> u32 {
        let stream = self.stream(component);
        stream.determined().unwrap_or_else(|| stream.generator.random_range(0..WHOLE))
    }

    /// As [`Random::fraction`], but draws that were given to `component/part` come first.
    pub fn fraction_of(&mut self, component: &str, part: &str) -> u32 {
        if let Some(parts) = self.parts.get_mut(component)
            && let Some(fraction) = parts.get_mut(part).and_then(VecDeque::pop_front)
        {
            return fraction;
        }
        self.fraction(component)
    }

    /// Determines the next draws of a component for one part of its work, such as one pod.
    pub fn give_part(&mut self, component: &str, part: &str, fractions: impl IntoIterator<Item = u32>) {
        let parts = self.parts.entry(component.to_owned()).or_default();
        parts.entry(part.to_owned()).or_default().extend(fractions);
    }

    /// Determines the next draws of a component, as fractions in billionths of their range.
    pub fn give(&mut self, component: &str, fractions: impl IntoIterator<Item = u32>) {
        self.stream(component).given.extend(fractions);
    }

    /// Determines every draw of a component, as a fraction in billionths of its range.
    pub fn fix(&mut self, component: &str, fraction: u32) {
        assert!(fraction < WHOLE, "a draw is a fraction below one");
        self.stream(component).fixed = Some(fraction);
    }

    fn stream(&mut self, component: &str) -> &mut Stream {
        if !self.streams.contains_key(component) {
            let seed = xxh3_64_with_seed(component.as_bytes(), self.seed);
            let stream =
                Stream { generator: Pcg64::seed_from_u64(seed), given: VecDeque::new(), fixed: None };
            self.streams.insert(component.to_owned(), stream);
        }
        self.streams.get_mut(component).expect("the stream was just made")
    }
}

fn scale(size: u64, fraction: u32) -> u64 {
    let scaled = u128::from(size) * u128::from(fraction) / u128::from(WHOLE);
    u64::try_from(scaled).expect("a fraction of a u64 is one")
}

#[cfg(test)]
mod tests {
    use super::Random;

    #[test]
    fn a_draw_of_one_component_does_not_shift_another() {
        let mut alone = Random::new(7);
        let mut together = Random::new(7);
        together.uniform("kubelet", 0..=9);
        assert_eq!(
            alone.uniform("scheduler", 0..=u64::MAX / 2),
            together.uniform("scheduler", 0..=u64::MAX / 2)
        );
    }

    #[test]
    fn given_draws_come_first() {
        let mut random = Random::new(7);
        random.give("back-off", [0, 500_000_000, 999_999_999]);
        let draws: Vec<u64> = (0..3).map(|_| random.uniform("back-off", 10..=15)).collect();
        assert_eq!(draws, [10, 13, 15]);
    }

    #[test]
    fn a_fixed_component_draws_the_same_each_time_after_what_was_given() {
        let mut random = Random::new(7);
        random.fix("kubelet", 500_000_000);
        random.give("kubelet", [0]);
        let draws: Vec<u64> = (0..3).map(|_| random.uniform("kubelet", 10..=15)).collect();
        assert_eq!(draws, [10, 13, 13]);
        assert_eq!(random.fraction("kubelet"), 500_000_000);
    }
}
