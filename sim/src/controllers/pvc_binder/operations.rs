//! Operations that a sync sets off, with their back-off: `pkg/util/goroutinemap/exponentialbackoff`.

use crate::kind::ObjectId;
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(122);

/// What runs beside the syncs, one of each for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// Making a volume for a claim.
    Provision,
    /// Deleting a volume.
    Delete,
}

/// The operations that failed last time.
#[derive(Debug, Default)]
pub(super) struct Operations(BTreeMap<(ObjectId, Operation), Failure>);

#[derive(Clone, Copy, Debug)]
struct Failure {
    at: Time,
    delay: Duration,
}

impl Operations {
    /// Whether an operation may run again.
    pub(super) fn may_run(&self, id: ObjectId, operation: Operation, now: Time) -> bool {
        let failure = self.0.get(&(id, operation));
        failure.is_none_or(|failure| now.saturating_since(failure.at) > failure.delay)
    }

    /// Keeps how an operation ended.
    pub(super) fn ended(&mut self, id: ObjectId, operation: Operation, (well, now): (bool, Time)) {
        if well {
            self.0.remove(&(id, operation));
            return;
        }
        let delay =
            self.0.get(&(id, operation)).map_or(FIRST_DELAY, |last| (last.delay * 2).min(LONGEST_DELAY));
        self.0.insert((id, operation), Failure { at: now, delay });
    }

    /// Forgets an object that is gone.
    pub(super) fn forget(&mut self, id: ObjectId) {
        self.0.remove(&(id, Operation::Provision));
        self.0.remove(&(id, Operation::Delete));
    }
}
