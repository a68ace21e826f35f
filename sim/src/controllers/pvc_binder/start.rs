//! The start: two workers, one for claims and one for volumes, that find full queues at the same instant.
//!
//! Later on work comes bit by bit and is done in the order in which it came. At the start the order is that of the
//! workers (`Run` in `pv_controller_base.go`): Go's scheduler begins with the goroutine that was started last, the claims'
//! worker; a worker goes on until it needs the API server, and meanwhile the others do. So what writes nothing comes
//! before what writes, and among the writes those of the claims' worker come before those of the volumes' worker,
//! whose request is the second.

use super::error::SyncError;
use super::operations::Operation;
use super::resync::Resync;
use super::{PvcBinder, Synced};
use crate::context::Context;
use crate::kind::{Kind, ObjectId};
use crate::work_queue::{Work, WorkQueue};
use std::collections::VecDeque;

/// How the workers share what they find when they start.
#[derive(Debug, Default)]
pub(super) struct Start {
    claims: Worker,
    volumes: Worker,
    /// Whether the first resync has been, which comes as soon as the claims' worker waits.
    resynced: bool,
    /// The operation that the claims' worker has set off last: next in line when that worker waits for work.
    operation: Option<Work>,
    /// Operations that something else got ahead of: behind all that stood in line before them.
    late_operations: VecDeque<Work>,
    looks_at: Option<Work>,
}

/// A worker and its queue.
#[derive(Debug, Default)]
struct Worker {
    queue: WorkQueue,
    /// What it has looked at and is to write about: nothing else is looked at before.
    writes: Option<Work>,
}

impl Worker {
    fn can_look(&self) -> bool {
        self.writes.is_none() && !self.queue.is_empty()
    }

    fn look(&mut self) -> Option<Work> {
        if self.can_look() { self.queue.pop() } else { None }
    }
}

impl Start {
    /// The next piece of work; none when all have come to rest.
    pub(super) fn next(&mut self, queue: &mut WorkQueue, resync: &mut Resync) -> Option<Work> {
        while let Some(work) = queue.pop() {
            self.worker(work).queue.add(work);
        }
        self.looks_at = self.claims.look();
        if self.looks_at.is_none() && !self.resynced {
            self.resynced = true;
            resync.take_waiting().into_iter().for_each(|id| self.worker(Work::on(id)).queue.add(id));
            self.looks_at = self.claims.look();
        }
        self.looks_at = self.looks_at.or_else(|| self.volumes.look());
        self.looks_at.or_else(|| self.next_write())
    }

    /// Whether a worker can go on without a write, before others get their turn.
    pub(super) fn goes_on(&self) -> bool {
        !self.resynced || self.claims.can_look() || self.volumes.can_look()
    }

    /// Whether a write of the claims' worker or of its operation is on its way.
    pub(super) fn claims_write(&self) -> bool {
        self.claims.writes.is_some() || self.operation.is_some()
    }

    /// Whether this is a look that must not write yet.
    pub(super) fn only_looks_at(&self, work: Work) -> bool {
        self.looks_at == Some(work)
    }

    /// A look came to its first write: its worker waits.
    pub(super) fn put_off(&mut self, work: Work) {
        if work.id.kind == Kind::PersistentVolumeClaim {
            self.late_operations.extend(self.operation.take());
        }
        self.worker(work).writes = Some(work);
    }

    /// A worker sets off an operation, unless it stands in line already.
    pub(super) fn set_off(&mut self, operation: Operation, id: ObjectId) {
        let work = operation.on(id);
        if self.operation == Some(work) || self.late_operations.contains(&work) {
            return;
        }
        let late = match operation {
            Operation::Provision => self.operation.replace(work),
            Operation::Delete | Operation::Recycle => Some(work),
        };
        self.late_operations.extend(late);
    }

    fn next_write(&mut self) -> Option<Work> {
        let of_claims = self.claims.writes.take().or_else(|| self.operation.take());
        of_claims.or_else(|| self.volumes.writes.take()).or_else(|| self.late_operations.pop_front())
    }

    fn worker(&mut self, work: Work) -> &mut Worker {
        match work.id.kind {
            Kind::PersistentVolume => &mut self.volumes,
            _ => &mut self.claims,
        }
    }
}

impl PvcBinder {
    /// A sync that writes nothing, as the workers start: what it says comes behind a write that is on its way.
    pub(super) fn look(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Synced {
        if !self.start.as_ref().is_some_and(Start::claims_write) {
            return self.sync(id, cx);
        }
        let (result, said) = cx.hold_events(|cx| self.sync(id, cx));
        self.cache.said_meanwhile.extend(said);
        result
    }

    /// A sync that may write; if it did not after all, what was to come behind its write is said now.
    pub(super) fn sync_at_last(&mut self, id: ObjectId, cx: &mut Context<'_>) -> Synced {
        let result = self.sync(id, cx);
        self.cache.say_what_was_held(cx);
        result
    }

    /// Whether a sync would write something.
    pub(super) fn would_write(&mut self, id: ObjectId, cx: &mut Context<'_>) -> bool {
        cx.rehearse(|cx| self.sync(id, cx)) == Err(SyncError::WouldWrite)
    }
}
