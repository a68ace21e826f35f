//! What became of an episode: it fired, or why it did not.

use super::Case;
use crate::oracle::{Episode, is_error};
use crate::pins::since;
use crate::report::text::WIDTH;
use crate::stream::{Event, Vm};
use stuckvm_detector::Time;
use stuckvm_sim::duration;
use stuckvm_sim::manifest::wrap;

impl Case<'_> {
    /// A sentence, in lines.
    pub(super) fn fate(&self, vm: &Vm, episode: &Episode) -> Vec<String> {
        let begun = format!("in error from {} as {}", self.when(episode.since), statuses(episode));
        let fate = match self.evidence.sampled {
            None => self.exact_fate(episode),
            Some(sampled) => self.sampled_fate(sampled, vm, episode),
        };
        wrap(&format!("{begun}: {fate}"), WIDTH - 4)
    }

    fn exact_fate(&self, episode: &Episode) -> String {
        match (episode.deadline(), episode.end) {
            (None, _) => "did not fire: it would be due beyond the last instant there is".to_owned(),
            (Some(due), Some(end)) if end <= due => self.silence(episode, due, end),
            (Some(due), _) if due > self.end() => {
                format!(
                    "did not fire: due at {}, and the run ended at {}",
                    self.when(due),
                    self.when(self.end())
                )
            }
            (Some(due), None) => format!("due at {}, and still in error at the end", self.when(due)),
            (Some(due), Some(end)) => {
                let left = self.left(episode, end);
                format!("due at {}; {left}", self.when(due))
            }
        }
    }

    /// Why nothing fired for an episode that ended in time.
    fn silence(&self, episode: &Episode, due: Time, end: Time) -> String {
        let early = due.saturating_since(end);
        let margin = if early.is_zero() {
            "at the very instant at which it was due".to_owned()
        } else {
            format!("{} before it was due", duration::format(early))
        };
        format!("did not fire: {}, {margin}", self.left(episode, end))
    }

    /// How the machine left its errors, and since what had happened.
    pub(super) fn left(&self, episode: &Episode, end: Time) -> String {
        let status = self.ending_status(episode, end);
        let left = match status.as_deref() {
            None => format!("left the error at {}, when it was deleted or replaced", self.when(end)),
            Some("") => format!("left the error at {} for the empty status", self.when(end)),
            Some(status) => format!("left the error at {} for {status}", self.when(end)),
        };
        let write = self.causes.status_write(&episode.vm, end, status.as_deref());
        let cause = write.and_then(|write| self.causes.outside(write));
        match cause {
            None => left,
            Some(cause) => {
                let what = format!("{} {} {}", cause.actor, past(cause.verb), cause.object);
                format!("{left} since {what}, event {}", cause.number)
            }
        }
    }

    /// The status that ended an episode, if one did.
    pub(super) fn ending_status(&self, episode: &Episode, end: Time) -> Option<String> {
        let at_end = self.evidence.inputs.iter().filter(|input| input.at == end);
        let mut statuses = at_end.flat_map(|input| match &input.event {
            Event::Observed(seen) => std::slice::from_ref(seen),
            Event::Relist(list) => list.as_slice(),
            Event::Deleted(_) | Event::Advance => &[],
        });
        let found = statuses.find(|seen| seen.vm == episode.vm && !is_error(&seen.status))?;
        Some(found.status.to_string())
    }

    pub(super) fn when(&self, at: Time) -> String {
        since(self.evidence.outcome.start, at)
    }
}

/// The statuses of an episode in order; of many the first and the last.
fn statuses(episode: &Episode) -> String {
    let mut names: Vec<&str> = episode.statuses.iter().map(|(_, status)| *status).collect();
    names.dedup();
    match names[..] {
        [first, second, third, .., last] if names.len() > 4 => {
            format!("{first}, {second}, {third} … {last}")
        }
        _ => names.join(", "),
    }
}

/// A verb of the trace, of what is over.
fn past(verb: &'static str) -> &'static str {
    match verb {
        "create" => "created",
        "update" => "changed",
        "delete" => "deleted",
        "remove" => "removed",
        other => other,
    }
}
