//! What every controller is: something that is told of changes and looks at one thing at a time.

use crate::context::Context;
use crate::store::{Change, View};
use crate::work_queue::{Work, WorkQueue};
use arcstr::ArcStr;
use std::time::Duration;

/// A controller of the control plane, or an agent on a node.
///
/// Controllers talk through the store only: they read their view of it and write through the [`Context`].
pub(crate) trait Controller: Send {
    /// The name that stands in the trace and names its random stream.
    fn name(&self) -> &'static str;

    /// Called once, before anything else, to set timers.
    fn start(&mut self, _cx: &mut Context<'_>) {}

    /// A change has reached this controller's informers, which show it already: queue what it concerns.
    fn on_change(&mut self, change: &Change, view: View<'_>, queue: &mut WorkQueue);

    /// Takes the next piece of work from its queue: most have one worker, which takes what has waited longest.
    fn next(&mut self, queue: &mut WorkQueue) -> Option<Work> {
        queue.pop()
    }

    /// Whether it goes on with its next piece of work before others get their turn: most do not.
    fn goes_on(&self) -> bool {
        false
    }

    /// Looks at one thing and does what it takes. The view does not show what this very call writes.
    fn reconcile(&mut self, work: Work, cx: &mut Context<'_>) -> Action;

    /// The machine of a node was lost, or is back.
    fn on_machine(&mut self, _node: &str, _lost: bool, _cx: &mut Context<'_>) {}

    /// Something in the world that this controller had set off with [`Context::complete_after`] has ended.
    fn complete(&mut self, work: Work, _cx: &mut Context<'_>) {
        unreachable!("{} set off nothing, yet {work:?} ended", self.name());
    }
}

/// What is to become of a piece of work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing until something changes.
    Done,
    /// Look again after this time.
    RequeueAfter(Duration),
    /// The real component looks again after this time, and again and again, but could find nothing new: not simulated
    /// until a look could.
    Idle(Duration),
    /// Look again after the work queue's back-off, although nothing failed.
    Requeue,
    /// It failed with these words: look again after the work queue's back-off.
    Fail(ArcStr),
}
