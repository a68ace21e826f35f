//! What a rule costs against the exact contract: for each status when it fires, how far off, how often never or for nothing.

use super::firings::Firing;
use crate::oracle::Episode;
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;

/// The errors of one rule, by status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// By the status that holds at the deadline, in the runbook's spelling; for a firing outside of any episode, by the machine's
    /// status.
    pub rows: BTreeMap<String, Row>,
}

/// The errors of one status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Episodes that the exact contract lets fire.
    pub due: usize,
    /// Among them those that the rule fires for: how long after their beginning.
    pub fires_after: Option<(Duration, Duration)>,
    /// The earliest, before the deadline.
    pub early: Duration,
    /// The latest, after the deadline.
    pub late: Duration,
    /// Episodes that the rule never fires for.
    pub never: usize,
    /// Firings for which the exact contract has none.
    pub spurious: usize,
    /// The worst of it, and where.
    pub worst: Option<Worst>,
}

/// The worst case of a row: a silence before a firing for nothing, that before an instant that is off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worst {
    /// What was wrong.
    pub slip: Slip,
    /// The scenario.
    pub scenario: String,
}

/// One slip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slip {
    /// It fired so much after the deadline.
    Late(Duration),
    /// It fired so much before the deadline.
    Early(Duration),
    /// It fired, so long after the beginning of the episode if there was one, and should not have.
    Spurious(Option<Duration>),
    /// It did not fire for an episode that lasted so long.
    Never(Duration),
}

/// One machine's part of a run.
pub struct Machine<'a> {
    /// The scenario.
    pub scenario: &'a str,
    /// Its episodes, in order.
    pub episodes: &'a [Episode],
    /// The rule's firings, in order.
    pub firings: &'a [Firing],
    /// The words of its status and since when, in order.
    pub statuses: &'a [(Time, String)],
    /// The end of the run.
    pub until: Time,
    /// How long after its end an episode may still be seen.
    pub unseen: Duration,
    /// How long after the delivered stream the exporter knows.
    pub lag: Duration,
}

impl Table {
    /// Adds what a rule said of one machine.
    pub fn add(&mut self, machine: &Machine<'_>) {
        let mut used = vec![false; machine.firings.len()];
        for episode in machine.episodes {
            let Some(deadline) = machine.deadline(episode) else { continue };
            let row = self.rows.entry(episode.status_at(deadline).to_owned()).or_default();
            let place = machine.firing_of(episode);
            match place.map(|place| &machine.firings[place]) {
                Some(firing) => row.fired(machine.scenario, episode.since, (deadline, firing.at)),
                None if machine.is_decided(deadline) => {
                    row.never += 1;
                    let long = episode.end.unwrap_or(machine.until).saturating_since(episode.since);
                    row.slip(Slip::Never(long), machine.scenario);
                }
                // The run ends before it had to fire.
                None => continue,
            }
            row.due += 1;
            place.into_iter().for_each(|place| used[place] = true);
        }
        for (firing, _) in machine.firings.iter().zip(used).filter(|(_, used)| !used) {
            let (status, after) = machine.status_at(firing.at);
            let row = self.rows.entry(status).or_default();
            row.spurious += 1;
            row.slip(Slip::Spurious(after), machine.scenario);
        }
    }
}

impl Machine<'_> {
    /// When the exact contract lets an episode fire.
    fn deadline(&self, episode: &Episode) -> Option<Time> {
        let deadline = episode.deadline().filter(|deadline| *deadline <= self.until)?;
        episode.end.is_none_or(|end| end > deadline).then_some(deadline)
    }

    /// The first firing that is about an episode: one that goes on when it is surely seen, and begins while it may still be.
    fn firing_of(&self, episode: &Episode) -> Option<usize> {
        let begun = episode.since.checked_add(self.unseen).unwrap_or(Time::MAX);
        let gone = episode.end.and_then(|end| end.checked_add(self.unseen)).unwrap_or(Time::MAX);
        let goes_on = |firing: &Firing| firing.until.is_none_or(|until| until > begun);
        let about = |firing: &Firing| firing.at < gone && (goes_on(firing) || firing.at >= episode.since);
        self.firings.iter().position(about)
    }

    /// Whether the run goes on for long enough to say that an episode never fires.
    fn is_decided(&self, deadline: Time) -> bool {
        deadline.checked_add(self.unseen).is_some_and(|last| last <= self.until)
    }

    /// The status at an instant, and for how long it has been in error, if an evaluation can still see that.
    pub(super) fn status_at(&self, at: Time) -> (String, Option<Duration>) {
        let newest = self.episodes.iter().rfind(|episode| episode.since <= at);
        let seen = |end: Time| end.checked_add(self.unseen).is_none_or(|gone| at < gone);
        match newest.filter(|episode| episode.end.is_none_or(seen)) {
            Some(episode) => (episode.status_at(at).to_owned(), Some(at.saturating_since(episode.since))),
            None => {
                let known = |since: Time| since.checked_add(self.lag).is_some_and(|since| since <= at);
                let word = self.statuses.iter().rfind(|(since, _)| known(*since));
                (word.map(|(_, word)| word.clone()).unwrap_or_default(), None)
            }
        }
    }
}

impl Row {
    fn fired(&mut self, scenario: &str, since: Time, (deadline, at): (Time, Time)) {
        // An alert that was there before is as early as can be.
        let at = at.max(since);
        let after = at.saturating_since(since);
        let (least, most) = self.fires_after.unwrap_or((after, after));
        self.fires_after = Some((least.min(after), most.max(after)));
        let (early, late) = (deadline.saturating_since(at), at.saturating_since(deadline));
        self.early = self.early.max(early);
        self.late = self.late.max(late);
        if early > Duration::ZERO {
            self.slip(Slip::Early(early), scenario);
        } else if late > Duration::ZERO {
            self.slip(Slip::Late(late), scenario);
        }
    }

    /// Keeps the worst slip; of two alike the scenario that came first.
    fn slip(&mut self, slip: Slip, scenario: &str) {
        if self.worst.as_ref().is_none_or(|worst| slip.rank() > worst.slip.rank()) {
            self.worst = Some(Worst { slip, scenario: scenario.to_owned() });
        }
    }
}

impl Slip {
    /// Silences and firings for nothing before instants that are off; among those what is further off, early or late.
    const fn rank(self) -> (u8, Duration) {
        match self {
            Self::Late(by) | Self::Early(by) => (0, by),
            Self::Spurious(after) => (
                1,
                match after {
                    Some(after) => after,
                    None => Duration::MAX,
                },
            ),
            Self::Never(long) => (2, long),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Machine, Row, Slip, Table, Worst};
    use crate::oracle::{Thresholds, episodes};
    use crate::prometheus::firings::Firing;
    use crate::stream::{Event, Input, Observed, Vm};
    use std::time::Duration;
    use stuckvm_detector::Time;

    fn table(words: &[(u64, &str)], firings: &[(u64, u64)]) -> Table {
        let at = Time::from_secs;
        let observed = |(seconds, word): &(u64, &str)| {
            let vm = Vm::new("ns", "vm1", "u1");
            let event = Event::Observed(Observed { vm, status: (*word).into() });
            Input { at: at(*seconds), event }
        };
        let inputs: Vec<Input> = words.iter().map(observed).collect();
        let firings: Vec<Firing> =
            firings.iter().map(|(from, until)| Firing { at: at(*from), until: Some(at(*until)) }).collect();
        let statuses: Vec<_> = words.iter().map(|(from, word)| (at(*from), (*word).to_owned())).collect();
        let mut table = Table::default();
        table.add(&Machine {
            scenario: "x/y",
            episodes: &episodes(&Thresholds::default(), &inputs),
            firings: &firings,
            statuses: &statuses,
            until: at(3600),
            unseen: Duration::from_secs(60),
            lag: Duration::ZERO,
        });
        table
    }

    fn worst(slip: Slip) -> Option<Worst> {
        Some(Worst { slip, scenario: "x/y".to_owned() })
    }

    #[test]
    fn a_rule_is_measured_against_the_deadline_of_each_episode() {
        let seconds = Duration::from_secs;
        let words = [(10, "Unknown"), (1000, "Running"), (2000, "Unknown"), (2700, "Running")];
        let rows = table(&words, &[(330, 1020), (2250, 2710)]).rows;
        let expected = Row {
            due: 2,
            fires_after: Some((seconds(250), seconds(320))),
            early: seconds(50),
            late: seconds(20),
            worst: worst(Slip::Early(seconds(50))),
            ..Row::default()
        };
        assert_eq!(rows["Unknown"], expected);
    }

    #[test]
    fn silences_and_firings_for_nothing_are_counted_by_status() {
        let words = [(10, "ErrImagePull"), (100, "ImagePullBackOff"), (1000, "Running")];
        let rows = table(&words, &[(2000, 2030)]).rows;
        assert_eq!((rows["ImagePullBackOff"].due, rows["ImagePullBackOff"].never), (1, 1));
        assert_eq!(rows["ImagePullBackOff"].worst, worst(Slip::Never(Duration::from_secs(990))));
        assert_eq!((rows["Running"].spurious, rows["Running"].due), (1, 0));
        let short = table(&[(10, "Unknown"), (200, "Running")], &[(100, 210)]).rows;
        assert_eq!(short["Unknown"].worst, worst(Slip::Spurious(Some(Duration::from_secs(90)))));
    }
}
