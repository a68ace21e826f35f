//! Virtual time: whole nanoseconds since the Unix epoch.
//!
//! Integer, so that "at exactly 300 s" has one meaning: there is no epsilon
//! and no rounding. As text it is RFC 3339 in UTC.

mod calendar;
mod text;

use std::ops::{Add, Sub};
use std::time::Duration;

pub use text::ParseTimeError;

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// An instant: nanoseconds since 1970-01-01T00:00:00Z.
///
/// ```
/// use std::time::Duration;
/// use stuckvm_detector::Time;
///
/// let opened: Time = "2022-10-03T11:11:07Z".parse()?;
/// let due = opened + Duration::from_secs(300);
/// assert_eq!(due.to_string(), "2022-10-03T11:16:07Z");
/// assert_eq!(due - opened, Duration::from_secs(300));
/// # Ok::<(), stuckvm_detector::ParseTimeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

impl Time {
    /// 1970-01-01T00:00:00Z, the first instant there is.
    pub const ZERO: Time = Time(0);
    /// 2554-07-21T23:34:33.709551615Z, the last instant there is.
    pub const MAX: Time = Time(u64::MAX);

    /// The instant so many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: u64) -> Time {
        Time(nanos)
    }

    /// The instant so many seconds after the epoch.
    ///
    /// # Panics
    ///
    /// If that lies beyond [`Time::MAX`].
    pub const fn from_secs(secs: u64) -> Time {
        match secs.checked_mul(NANOS_PER_SEC) {
            Some(nanos) => Time(nanos),
            None => panic!("seconds since the epoch lie beyond Time::MAX (2554)"),
        }
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since the epoch; the fraction is dropped.
    pub const fn as_secs(self) -> u64 {
        self.0 / NANOS_PER_SEC
    }

    /// The start of this instant's second, which is what Kubernetes keeps of a
    /// `metav1.Time`.
    #[must_use]
    pub const fn truncate_to_secs(self) -> Time {
        Time(self.0 - self.0 % NANOS_PER_SEC)
    }

    /// This instant and a duration more, or `None` if that lies beyond
    /// [`Time::MAX`].
    pub fn checked_add(self, duration: Duration) -> Option<Time> {
        let nanos = u64::try_from(duration.as_nanos()).ok()?;
        self.0.checked_add(nanos).map(Time)
    }

    /// How long after `earlier` this instant is; zero if it is not after it.
    pub const fn saturating_since(self, earlier: Time) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    /// # Panics
    ///
    /// If the sum lies beyond [`Time::MAX`].
    fn add(self, duration: Duration) -> Time {
        match self.checked_add(duration) {
            Some(sum) => sum,
            None => panic!("{self} + {duration:?} lies beyond the last instant, {}", Time::MAX),
        }
    }
}

impl Sub for Time {
    type Output = Duration;

    /// # Panics
    ///
    /// If `earlier` is later than this instant.
    fn sub(self, earlier: Time) -> Duration {
        match self.0.checked_sub(earlier.0) {
            Some(nanos) => Duration::from_nanos(nanos),
            None => panic!("{self} - {earlier}: the second is later than the first"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_stops_at_the_last_instant() {
        let ns = Duration::from_nanos(1);
        assert_eq!(Time::MAX.checked_add(ns), None);
        assert_eq!(Time::ZERO.checked_add(Duration::MAX), None);
        assert_eq!(Time::from_nanos(u64::MAX - 1) + ns, Time::MAX);
        assert_eq!(Time::ZERO.saturating_since(Time::MAX), Duration::ZERO);
    }

    #[test]
    #[should_panic(expected = "lies beyond the last instant, 2554-07-21T23:34:33.709551615Z")]
    fn a_sum_beyond_the_last_instant_panics() {
        let _ = Time::MAX + Duration::from_nanos(1);
    }
}
