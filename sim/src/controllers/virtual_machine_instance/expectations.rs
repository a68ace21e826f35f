//! What a controller of virt-controller has asked for and not seen yet, KubeVirt main 2026-08: `pkg/controller/expectations.go`,
//! which is client-go's way to keep a lagging cache from making a controller act twice.

use crate::kind::ObjectId;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::time::Duration;
use stuckvm_detector::Time;

/// After this time an expectation no longer keeps its instance from being looked at (`ExpectationsTimeout`).
const TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Expectations by instance; an instance without any has no entry.
#[derive(Debug, Default)]
pub(crate) struct Expectations(IndexMap<ObjectId, Expected, FxBuildHasher>);

#[derive(Debug)]
struct Expected {
    creations: u32,
    deletions: Vec<ObjectId>,
    update: bool,
    since: Time,
}

impl Expectations {
    /// A pod of the instance is to appear.
    pub(crate) fn expect_creation(&mut self, id: ObjectId, now: Time) {
        self.entry(id, now).creations += 1;
    }

    /// A pod of the instance is to go.
    pub(crate) fn expect_deletion(&mut self, id: ObjectId, pod: ObjectId, now: Time) {
        self.entry(id, now).deletions.push(pod);
    }

    /// The instance itself is to come back as it was written.
    pub(crate) fn expect_update(&mut self, id: ObjectId, now: Time) {
        self.entry(id, now).update = true;
    }

    /// A pod appeared, or will not.
    pub(crate) fn creation_observed(&mut self, id: ObjectId) {
        self.observe(id, |expected| expected.creations = expected.creations.saturating_sub(1));
    }

    /// A pod goes, or will not.
    pub(crate) fn deletion_observed(&mut self, id: ObjectId, pod: ObjectId) {
        self.observe(id, |expected| expected.deletions.retain(|expected| *expected != pod));
    }

    /// The instance was seen to change.
    pub(crate) fn update_observed(&mut self, id: ObjectId) {
        self.observe(id, |expected| expected.update = false);
    }

    /// Whether everything was seen, or has been waited for long enough.
    pub(crate) fn are_satisfied(&self, id: ObjectId, now: Time) -> bool {
        self.0.get(&id).is_none_or(|expected| now.saturating_since(expected.since) > TIMEOUT)
    }

    /// Whether the creation of any pod is still to be seen (`AllPendingCreations`).
    pub(crate) fn await_creations(&self) -> bool {
        self.0.values().any(|expected| expected.creations > 0)
    }

    /// The instance is gone.
    pub(crate) fn forget(&mut self, id: ObjectId) {
        self.0.swap_remove(&id);
    }

    fn entry(&mut self, id: ObjectId, now: Time) -> &mut Expected {
        let entry = self.0.entry(id).or_insert_with(|| Expected {
            creations: 0,
            deletions: vec![],
            update: false,
            since: now,
        });
        entry.since = now;
        entry
    }

    fn observe(&mut self, id: ObjectId, observe: impl FnOnce(&mut Expected)) {
        let Some(expected) = self.0.get_mut(&id) else { return };
        observe(expected);
        if expected.creations == 0 && expected.deletions.is_empty() && !expected.update {
            self.0.swap_remove(&id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expectations, TIMEOUT};
    use crate::kind::{Kind, ObjectId};
    use std::time::Duration;
    use stuckvm_detector::Time;

    #[test]
    fn an_instance_waits_until_all_is_seen_or_five_minutes_have_passed() {
        let id = |index| ObjectId { kind: Kind::VirtualMachineInstance, index };
        let now = Time::from_secs(0);
        let mut expectations = Expectations::default();
        expectations.expect_creation(id(1), now);
        expectations.expect_update(id(1), now);
        expectations.update_observed(id(1));
        assert!(!expectations.are_satisfied(id(1), now), "the pod has not appeared");
        assert!(!expectations.are_satisfied(id(1), now + TIMEOUT));
        assert!(expectations.are_satisfied(id(1), now + TIMEOUT + Duration::from_nanos(1)));
        expectations.creation_observed(id(1));
        assert!(expectations.are_satisfied(id(1), now));
        assert!(expectations.0.is_empty(), "nothing is kept");
    }
}
