//! How long the harness goes on with a detector that keeps it waiting.

use crate::verdict::{ErrorKind, RunError, Verdict};
use std::sync::atomic::{AtomicUsize, Ordering};

/// So many time-outs in a row are enough.
const TIMEOUTS_MAX: usize = 3;

/// Ends when so many cases in a row have run into the time limit: in the order of the cases, so that it ends at the same case
/// however many are examined at once.
#[derive(Default)]
pub(super) struct Patience {
    timeouts: AtomicUsize,
}

impl Patience {
    /// Whether nothing more is to be started.
    pub(super) fn is_over(&self) -> bool {
        self.timeouts.load(Ordering::Relaxed) >= TIMEOUTS_MAX
    }

    /// Takes note of the verdict of the next case.
    pub(super) fn count(&self, verdict: &Verdict) {
        let is_timeout = matches!(verdict, Verdict::Error(error) if error.kind == ErrorKind::Timeout);
        match is_timeout {
            true => self.timeouts.fetch_add(1, Ordering::Relaxed),
            false => self.timeouts.swap(0, Ordering::Relaxed),
        };
    }

    /// The verdict of a case that is not started.
    pub(super) fn not_started() -> Verdict {
        let because = format!("not started, since {TIMEOUTS_MAX} cases in a row ran into the time limit");
        Verdict::Error(RunError { kind: ErrorKind::Timeout, because: vec![because] })
    }
}

#[cfg(test)]
mod tests {
    use super::Patience;
    use crate::verdict::Verdict;

    #[test]
    fn it_ends_with_the_third_time_out_in_a_row_and_for_good() {
        let patience = Patience::default();
        let timeout = Patience::not_started();
        let over =
            [&timeout, &timeout, &Verdict::Pass, &timeout, &timeout, &timeout, &timeout].map(|verdict| {
                patience.count(verdict);
                patience.is_over()
            });
        assert_eq!(over, [false, false, false, false, false, true, true]);
    }
}
