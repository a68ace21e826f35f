//! The loops of one kubelet, as arithmetic: nothing happens at a relist or a tick that finds nothing changed.
//!
//! kubelet 1.36.2: `pkg/kubelet/kubelet.go` (`syncLoop`, 1 s ticker, 2 s housekeeping), `pkg/kubelet/pleg/generic.go`
//! (relist 1 s after the end of the one before), `pkg/kubelet/status/status_manager.go` (10 s).

use crate::environment::KubeletStart;
use std::time::Duration;
use stuckvm_detector::Time;

/// A tick of the sync loop comes every second.
pub const TICK: Duration = Duration::from_secs(1);
/// A relist comes 1 s after the end of the one before, which took 20 µs.
pub const RELIST: Duration = Duration::from_nanos(1_000_020_000);
/// All statuses are compared with the API's every 10 s.
pub const STATUS: Duration = Duration::from_secs(10);
/// Housekeeping comes every 2 s.
const HOUSEKEEPING: Duration = Duration::from_secs(2);

/// When the loops of one kubelet come round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(KubeletStart);

impl Clock {
    /// The loops of a kubelet that started so.
    pub(super) fn new(start: KubeletStart) -> Self {
        Self(start)
    }

    /// The first tick of the sync loop later than an instant.
    pub(super) fn tick_after(self, instant: Time) -> Time {
        after(self.0.tick, TICK, instant)
    }

    /// The first relist later than an instant.
    pub(super) fn relist_after(self, instant: Time) -> Time {
        after(self.0.relist, RELIST, instant)
    }

    /// The first comparison of all statuses with the API's later than an instant.
    pub(super) fn status_sync_after(self, instant: Time) -> Time {
        after(self.0.status, STATUS, instant)
    }

    /// Whether a relist has come later than `since` and not later than `now`.
    pub(super) fn relisted_since(self, since: Time, now: Time) -> bool {
        self.relist_after(since) <= now
    }

    /// Whether housekeeping has come more than `age` after `since` and not later than `now`.
    pub(super) fn cleaned_since(self, since: Time, age: Duration, now: Time) -> bool {
        since.checked_add(age).is_some_and(|old| after(self.0.tick, HOUSEKEEPING, old) <= now)
    }
}

fn after(first: Time, period: Duration, instant: Time) -> Time {
    let period = u64::try_from(period.as_nanos()).expect("periods are seconds");
    let (first, instant) = (first.as_nanos(), instant.as_nanos());
    if instant < first {
        return Time::from_nanos(first);
    }
    let rounds = (instant - first) / period + 1;
    Time::from_nanos(first.saturating_add(rounds.saturating_mul(period)))
}

#[cfg(test)]
mod tests {
    use super::Clock;
    use crate::environment::KubeletStart;
    use stuckvm_detector::Time;

    #[test]
    fn ticks_are_strictly_later_and_relists_drift() {
        let start = Time::from_nanos(300_000_000);
        let clock = Clock::new(KubeletStart { tick: start, relist: start, status: start });
        assert_eq!(clock.tick_after(start), Time::from_nanos(1_300_000_000));
        assert_eq!(clock.tick_after(Time::ZERO), start);
        assert_eq!(clock.relist_after(Time::from_nanos(1_300_000_000)), Time::from_nanos(1_300_020_000));
    }
}
