//! What was asked of the server and has not come back through the watch.
//!
//! KubeVirt main of August 2026: `pkg/controller/expectations.go`.

use crate::kind::ObjectId;
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;
use std::time::Duration;
use stuckvm_detector::Time;

/// An answer that never comes stops nobody for longer than this (`ExpectationsTimeout`).
const TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// One outstanding request a machine: a later one takes the place of an earlier one.
#[derive(Debug, Default)]
pub(super) struct Expectations(IndexMap<ObjectId, Outstanding, FxBuildHasher>);

#[derive(Clone, Copy, Debug)]
struct Outstanding {
    request: Request,
    since: Time,
}

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Creation,
    Deletion,
}

impl Expectations {
    /// A creation is about to be asked for.
    pub(super) fn expect_creation(&mut self, vm: ObjectId, now: Time) {
        self.0.insert(vm, Outstanding { request: Request::Creation, since: now });
    }

    /// A deletion is about to be asked for.
    pub(super) fn expect_deletion(&mut self, vm: ObjectId, now: Time) {
        self.0.insert(vm, Outstanding { request: Request::Deletion, since: now });
    }

    /// The creation was seen, or refused.
    pub(super) fn creation_observed(&mut self, vm: ObjectId) {
        self.observed(vm, Request::Creation);
    }

    /// The deletion was seen, or refused.
    pub(super) fn deletion_observed(&mut self, vm: ObjectId) {
        self.observed(vm, Request::Deletion);
    }

    /// Whether nothing is outstanding, or for so long that it does not count any more.
    pub(super) fn are_satisfied(&self, vm: ObjectId, now: Time) -> bool {
        self.0.get(&vm).is_none_or(|outstanding| now.saturating_since(outstanding.since) > TIMEOUT)
    }

    /// Whether a creation was not seen yet, however long ago it was asked for.
    pub(super) fn creation_is_expected(&self, vm: ObjectId) -> bool {
        self.is_expected(vm, Request::Creation)
    }

    /// Whether a deletion was not seen yet, however long ago it was asked for.
    pub(super) fn deletion_is_expected(&self, vm: ObjectId) -> bool {
        self.is_expected(vm, Request::Deletion)
    }

    /// The machine is gone.
    pub(super) fn forget(&mut self, vm: ObjectId) {
        self.0.swap_remove(&vm);
    }

    fn is_expected(&self, vm: ObjectId, request: Request) -> bool {
        self.0.get(&vm).is_some_and(|outstanding| outstanding.request == request)
    }

    fn observed(&mut self, vm: ObjectId, request: Request) {
        if self.is_expected(vm, request) {
            self.0.swap_remove(&vm);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Expectations, TIMEOUT};
    use crate::kind::{Kind, ObjectId};
    use std::time::Duration;
    use stuckvm_detector::Time;

    const VM: ObjectId = ObjectId { kind: Kind::VirtualMachine, index: 3 };

    #[test]
    fn an_expectation_stops_for_five_minutes_but_stays_expected() {
        let mut expectations = Expectations::default();
        let asked = Time::from_secs(100);
        expectations.expect_creation(VM, asked);
        assert!(!expectations.are_satisfied(VM, asked + TIMEOUT), "five minutes are not over");
        assert!(expectations.are_satisfied(VM, asked + TIMEOUT + Duration::from_nanos(1)));
        assert!(expectations.creation_is_expected(VM));
        expectations.deletion_observed(VM);
        assert!(expectations.creation_is_expected(VM), "a deletion says nothing of a creation");
        expectations.creation_observed(VM);
        assert!(expectations.are_satisfied(VM, asked) && !expectations.creation_is_expected(VM));
    }
}
