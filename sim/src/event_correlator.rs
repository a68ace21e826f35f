//! What becomes of events on their way to the API, client-go 1.36.2: `tools/record/events_cache.go`.

use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::time::Duration;
use stuckvm_detector::Time;

/// Events of one source and object that may be stored at once.
const BURST: u64 = 25;
/// After that, one in this time.
const REFILL: Duration = Duration::from_secs(300);

/// Counts equal events, and drops those of a source that has too many (the spam filter).
#[derive(Debug, Default)]
pub struct EventCorrelator {
    buckets: IndexMap<String, (u64, Time), FxBuildHasher>,
    counts: IndexMap<String, u32, FxBuildHasher>,
}

impl EventCorrelator {
    /// The count of the stored event after this one; 0 if it is dropped.
    ///
    /// `source` names component, object and type; `key` all that makes two events equal. A dropped event is counted
    /// when the next one is stored.
    pub fn count(&mut self, source: &str, key: &str, now: Time) -> u32 {
        let count = self.counts.entry(key.to_owned()).or_default();
        *count += 1;
        let count = *count;
        let price = u64::try_from(REFILL.as_nanos()).expect("minutes are few nanoseconds");
        let full = price * BURST;
        let (level, filled) = self.buckets.entry(source.to_owned()).or_insert((full, now));
        let passed = u64::try_from(now.saturating_since(*filled).as_nanos()).unwrap_or(u64::MAX);
        *level = level.saturating_add(passed).min(full);
        *filled = now;
        if *level < price {
            return 0;
        }
        *level -= price;
        count
    }
}
