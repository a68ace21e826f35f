//! Kubernetes events on claims: the only ones that a controller (CDI's) reads back.

use crate::context::EventType;
use arcstr::ArcStr;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use stuckvm_detector::Time;

/// An event on a claim; the same again counts, client-go 1.36: `tools/record/events_cache.go`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimEvent {
    /// Its severity.
    pub severity: EventType,
    /// Its reason.
    pub reason: ArcStr,
    /// Its text.
    pub message: ArcStr,
    /// `lastTimestamp`, in whole seconds as it is stored.
    pub last: Time,
}

impl ClaimEvent {
    /// An event that was last seen at `last`.
    pub fn new(
        severity: EventType,
        reason: impl Into<ArcStr>,
        message: impl Into<ArcStr>,
        last: Time,
    ) -> Self {
        Self { severity, reason: reason.into(), message: message.into(), last: last.truncate_to_secs() }
    }

    fn is_like(&self, other: &Self) -> bool {
        self.message == other.message && self.reason == other.reason && self.severity == other.severity
    }
}

/// Events by the claim's uid, oldest first. What a call records can be read after it only, as from a cache.
#[derive(Debug, Default)]
pub(crate) struct ClaimEvents {
    by_claim: IndexMap<ArcStr, Vec<ClaimEvent>, FxBuildHasher>,
    unpublished: Vec<(ArcStr, ClaimEvent)>,
}

impl ClaimEvents {
    /// The events of a claim that are known.
    pub(crate) fn of(&self, claim_uid: &str) -> &[ClaimEvent] {
        self.by_claim.get(claim_uid).map_or(&[], Vec::as_slice)
    }

    /// Records an event.
    pub(crate) fn record(&mut self, claim_uid: &ArcStr, event: ClaimEvent) {
        self.unpublished.push((claim_uid.clone(), event));
    }

    /// Lets everybody know what was recorded.
    pub(crate) fn publish(&mut self) {
        for (claim, event) in self.unpublished.drain(..) {
            let known = self.by_claim.entry(claim).or_default();
            match known.iter_mut().find(|found| found.is_like(&event)) {
                Some(found) => found.last = event.last,
                None => known.push(event),
            }
        }
    }

    /// Drops the events of a claim that is gone.
    pub(crate) fn forget(&mut self, claim_uid: &str) {
        self.by_claim.swap_remove(claim_uid);
        self.unpublished.retain(|(claim, _)| claim != claim_uid);
    }
}
