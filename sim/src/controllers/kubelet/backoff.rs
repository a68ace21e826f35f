//! Back-off of one key, Kubernetes 1.36.2: `client-go/util/flowcontrol/backoff.go`, as kubelet sets it up for image pulls
//! and crashed containers (10 s, doubling, at most 5 min, no jitter).

use std::time::Duration;
use stuckvm_detector::Time;

/// The first wait.
const INITIAL: Duration = Duration::from_secs(10);
/// The longest wait.
const MAX: Duration = Duration::from_secs(300);
/// An entry without a failure for longer than this means nothing any more.
pub(super) const FORGET: Duration = Duration::from_secs(600);

/// The back-off of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Backoff {
    /// How long to wait.
    pub(super) delay: Duration,
    /// When it was last lengthened.
    pub(super) updated: Time,
}

impl Backoff {
    /// The back-off after one more failure at `event`, which is recorded at `now`.
    pub(super) fn next(before: Option<Self>, event: Time, now: Time) -> Self {
        let delay = match before {
            Some(before) if !before.has_expired(event) => (before.delay * 2).min(MAX),
            _ => INITIAL,
        };
        Self { delay, updated: now }
    }

    /// Whether `now` lies in the wait after `event`.
    pub(super) fn is_in_backoff_since(self, event: Time, now: Time) -> bool {
        !self.has_expired(event) && now.saturating_since(event) < self.delay
    }

    /// Whether `now` lies in the wait after the last failure.
    pub(super) fn is_in_backoff_since_update(self, now: Time) -> bool {
        now.saturating_since(self.updated) < self.delay
    }

    /// Whether it means nothing any more at `event`.
    pub(super) fn has_expired(self, event: Time) -> bool {
        event.saturating_since(self.updated) > FORGET
    }
}

#[cfg(test)]
mod tests {
    use super::Backoff;
    use stuckvm_detector::Time;

    #[test]
    fn it_doubles_up_to_five_minutes_and_begins_again_after_ten() {
        let mut entry = None;
        let mut at = 0;
        let mut delays = Vec::new();
        for _ in 0..7 {
            let backoff = Backoff::next(entry, Time::from_secs(at), Time::from_secs(at));
            delays.push(backoff.delay.as_secs());
            at += 20;
            entry = Some(backoff);
        }
        assert_eq!(delays, [10, 20, 40, 80, 160, 300, 300]);
        let late = Time::from_secs(at - 20 + 601);
        assert_eq!(Backoff::next(entry, late, late).delay.as_secs(), 10);
    }
}
