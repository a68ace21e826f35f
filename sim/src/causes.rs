//! Which event set off which, kept beside a whole trace.
//!
//! A controller looks at a piece of work because it heard of a write, or because a timer ran out that an earlier look had
//! set. So every line of the trace follows from another one, back to what a user did. Of several writes that ask for the same
//! look the newest counts, and one by another actor counts before the controller's own.

use crate::cluster::Cluster;
use crate::work_queue::Work;
use std::collections::BTreeMap;

/// A controller's piece of work.
type Of = (&'static str, Work);

/// What set off the work of controllers, in numbers of lines of the trace.
#[derive(Debug, Default)]
pub(crate) struct Causes {
    /// The line and the actor of each write, by its revision.
    writes: BTreeMap<u64, (u64, &'static str)>,
    /// What asked for work that waits.
    waiting: BTreeMap<Of, Asked>,
    /// What set the newest timer of a piece of work, or the request for it that the server has yet to answer.
    pending: BTreeMap<Of, Option<u64>>,
    /// What set off the call that runs.
    current: Option<u64>,
    /// The newest write of the call that runs.
    written: Option<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Asked {
    line: Option<u64>,
    /// The controller's own write, or its timer.
    own: bool,
}

impl Causes {
    /// What set off the call that runs; `None` for what nothing within the cluster did.
    pub(crate) fn current(&self) -> Option<u64> {
        self.current
    }

    /// The call that runs has written an object.
    pub(crate) fn wrote(&mut self, revision: u64, line: u64, actor: &'static str) {
        self.writes.insert(revision, (line, actor));
        self.written = Some(line);
    }

    /// A controller hears of a write and asks for these looks.
    pub(crate) fn heard(&mut self, controller: &'static str, revision: u64, asked: Vec<Work>) {
        let (line, writer) =
            self.writes.get(&revision).map_or((None, ""), |(line, actor)| (Some(*line), actor));
        let own = writer == controller;
        for work in asked {
            let known = self.waiting.entry((controller, work)).or_insert(Asked { line, own });
            if !own || known.own {
                *known = Asked { line, own };
            }
        }
    }

    /// The call that runs, or what follows from it, sets a timer for a piece of work.
    pub(crate) fn set_timer(&mut self, controller: &'static str, work: Work) {
        self.pending.insert((controller, work), self.written.or(self.current));
    }

    /// A timer has put work into the queue.
    pub(crate) fn timer_ran_out(&mut self, controller: &'static str, work: Work) {
        let line = self.pending.get(&(controller, work)).copied().flatten();
        self.waiting.entry((controller, work)).or_insert(Asked { line, own: true });
    }

    /// A call begins for work that waited in the queue.
    pub(crate) fn begin(&mut self, controller: &'static str, work: Work) {
        self.current = self.waiting.remove(&(controller, work)).and_then(|asked| asked.line);
        self.written = None;
    }

    /// A call begins for what a timer, or an answer of the server, brings by itself.
    pub(crate) fn begin_pending(&mut self, controller: &'static str, work: Work) {
        self.current = self.pending.get(&(controller, work)).copied().flatten();
        self.written = None;
    }

    /// No call runs: what comes now comes from outside.
    pub(crate) fn end(&mut self) {
        (self.current, self.written) = (None, None);
    }

    /// A controller's process has ended, and with it what it was asked.
    pub(crate) fn forget(&mut self, controller: &str) {
        self.waiting.retain(|(name, _), _| *name != controller);
        self.pending.retain(|(name, _), _| *name != controller);
    }
}

impl Cluster {
    /// Notes what sets off what, where that is kept.
    pub(crate) fn trace_cause(
        &mut self,
        index: usize,
        work: Work,
        note: impl Fn(&mut Causes, &'static str, Work),
    ) {
        let controller = self.seats[index].controller.name();
        if let Some(causes) = self.trace_mut().causes() {
            note(causes, controller, work);
        }
    }

    /// A controller's process ends: what it was asked is forgotten with it.
    pub(crate) fn forget_causes(&mut self, controller: &str) {
        if let Some(causes) = self.trace_mut().causes() {
            causes.forget(controller);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Causes;
    use crate::kind::{Kind, ObjectId};
    use crate::work_queue::Work;

    const WORK: Work = Work::on(ObjectId { kind: Kind::Pod, index: 1 });

    /// What sets off a look that a controller `me` takes after it has heard of these writes.
    fn cause(heard: &[(u64, &'static str)]) -> Option<u64> {
        let mut causes = Causes::default();
        for (line, actor) in heard {
            causes.wrote(100 + line, *line, actor);
        }
        causes.end();
        heard.iter().for_each(|(line, _)| causes.heard("me", 100 + line, vec![WORK]));
        causes.begin("me", WORK);
        causes.current()
    }

    #[test]
    fn the_newest_write_of_another_counts_and_an_own_one_only_where_there_is_no_other() {
        assert_eq!(cause(&[(1, "user"), (2, "kubelet")]), Some(2));
        assert_eq!(cause(&[(1, "user"), (2, "me")]), Some(1));
        assert_eq!(cause(&[(1, "me"), (2, "user")]), Some(2));
        assert_eq!(cause(&[(1, "me"), (2, "me")]), Some(2));
    }

    #[test]
    fn a_timer_hands_on_the_write_of_the_call_that_set_it() {
        let mut causes = Causes::default();
        causes.wrote(1, 1, "user");
        causes.heard("me", 1, vec![WORK]);
        causes.begin("me", WORK);
        causes.set_timer("me", WORK);
        causes.wrote(2, 5, "me");
        causes.end();
        causes.begin_pending("me", WORK);
        assert_eq!(causes.current(), Some(1), "it had written nothing by then");
        causes.wrote(3, 7, "me");
        causes.set_timer("me", WORK);
        causes.end();
        causes.timer_ran_out("me", WORK);
        causes.begin("me", WORK);
        assert_eq!(causes.current(), Some(7));
    }
}
