//! Operations that a sync sets off beside itself, one of each for an object, with their back-off:
//! `pkg/util/goroutinemap` and `scheduleOperation`.

use super::PvcBinder;
use super::error::SyncError;
use crate::context::Context;
use crate::kind::ObjectId;
use crate::work_queue::Work;
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;

const FIRST_DELAY: Duration = Duration::from_millis(500);
const LONGEST_DELAY: Duration = Duration::from_secs(122);

/// What runs beside the syncs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Operation {
    /// Making a volume for a claim.
    Provision,
    /// Deleting a volume.
    Delete,
    /// Scrubbing a volume for its next claim.
    Recycle,
}

impl Operation {
    const ALL: [Self; 3] = [Self::Provision, Self::Delete, Self::Recycle];

    /// The operation on an object as a piece of work.
    pub(super) fn on(self, id: ObjectId) -> Work {
        Work { id, what: 2 + self as u16, number: 0 }
    }

    /// The operation that a piece of work is.
    pub(super) fn of(work: Work) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.on(work.id) == work)
    }
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
    fn ended(&mut self, id: ObjectId, operation: Operation, (well, now): (bool, Time)) {
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
        for operation in Operation::ALL {
            self.0.remove(&(id, operation));
        }
    }
}

impl PvcBinder {
    /// Sets an operation off, unless it failed a moment ago. It runs at once, but as the workers start, when it stands in
    /// line with them.
    ///
    /// Then what the API server refuses is the sync's error. Upstream leaves it to the next resync; but there a view lags by
    /// milliseconds and hardly ever leads to a conflict, here by a whole reaction.
    pub(super) fn set_off(
        &mut self,
        operation: Operation,
        id: ObjectId,
        cx: &mut Context<'_>,
    ) -> Result<(), SyncError> {
        if cx.rehearses() || !self.operations.may_run(id, operation, cx.now) {
            return Ok(());
        }
        let Some(start) = &mut self.start else {
            return match self.operate(id, operation, cx) {
                Err(SyncError::Plugin(_)) => Ok(()),
                result => result,
            };
        };
        start.set_off(operation, id);
        Ok(())
    }

    /// Runs an operation to its end. A plugin's failure puts the next one off.
    pub(super) fn operate(
        &mut self,
        id: ObjectId,
        operation: Operation,
        cx: &mut Context<'_>,
    ) -> Result<(), SyncError> {
        let result = match operation {
            Operation::Provision => self.provision_claim(id, cx),
            Operation::Delete => self.delete_volume(id, cx),
            Operation::Recycle => self.recycle_volume(id, cx),
        };
        let failed = matches!(result, Err(SyncError::Plugin(_)));
        self.operations.ended(id, operation, (!failed, cx.now));
        self.cache.say_what_was_held(cx);
        result
    }
}
