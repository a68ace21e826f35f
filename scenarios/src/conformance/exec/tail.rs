//! The end of what a detector writes to its standard error, for those who look for the reason.

use crate::quote::quote;

/// So many bytes are kept.
const KEPT: usize = 4096;
/// So many lines are shown.
const SHOWN: usize = 5;

/// The last bytes that have come.
#[derive(Debug, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
}

impl Tail {
    /// Takes what has come.
    pub(super) fn push(&mut self, piece: &[u8]) {
        self.bytes.extend_from_slice(piece);
        let surplus = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..surplus);
    }

    /// The last lines, blank ones left out, at most 200 characters of each.
    pub(super) fn lines(&self) -> Vec<String> {
        let lines = self.bytes.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        let mut last: Vec<_> = lines.rev().take(SHOWN).map(quote).collect();
        last.reverse();
        last
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Tail};

    #[test]
    fn only_the_end_is_kept_and_shown() {
        let mut tail = Tail::default();
        for number in 0..10_000 {
            tail.push(format!("line {number}\n\n").as_bytes());
            assert!(tail.bytes.len() <= KEPT);
        }
        let last: Vec<_> = (9995..10_000).map(|number| format!("line {number}")).collect();
        assert_eq!(tail.lines(), last);
    }
}
