//! A tape of numbers that choices are read from.

use proptest::prelude::*;
use serde_json::Value;

/// Numbers, and how many of them were read.
#[derive(Clone, Debug)]
pub(crate) struct Tape {
    numbers: Vec<u16>,
    at: usize,
}

/// Tapes of up to this many numbers, and of half of them at least.
pub(crate) fn tape(most: usize) -> impl Strategy<Value = Tape> {
    prop::collection::vec(any::<u16>(), most / 2..most).prop_map(|numbers| Tape { numbers, at: 0 })
}

impl Tape {
    /// The next number below a bound.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let number = self.numbers.get(self.at).copied().unwrap_or(0);
        self.at += 1;
        usize::from(number) % bound
    }

    /// One of a list; the first where the tape has ended.
    pub(crate) fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    /// True once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == times - 1
    }

    /// Sets a field once in so many times.
    pub(crate) fn set(
        &mut self,
        times: usize,
        (object, field): (&mut Value, &str),
        value: impl FnOnce(&mut Self) -> Value,
    ) {
        if self.once_in(times) {
            object[field] = value(self);
        }
    }

    /// Up to so many of something.
    pub(crate) fn list(&mut self, most: usize, mut item: impl FnMut(&mut Self) -> Value) -> Value {
        let length = self.below(most + 1);
        (0..length).map(|_| item(self)).collect()
    }
}
