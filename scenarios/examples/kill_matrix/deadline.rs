//! When an episode of the mutants is due.

use super::known::{Episode, Machine};
use super::mutant::Mutant;
use super::slip::Slip;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::stream::{Alert, AlertKind, Event, Input, Vm};

const NANOSECOND: Duration = Duration::from_nanos(1);

impl Mutant {
    /// Fires what no observation can hold up any more (R1, R3): every machine is looked at whenever time
    /// has moved from `before`.
    pub(crate) fn due(&mut self, before: Option<Time>, input: &Input) -> Vec<Alert> {
        let moves = before != Some(input.at) || !matches!(input.event, Event::Observed(_));
        if !moves || !self.is_told_by(input) {
            return Vec::new();
        }
        let mut due = self.passed(input);
        match self.slip {
            Some(Slip::OneDeadlineAnInstant) => self.keep_the_last(&mut due),
            Some(Slip::OneAlertAnInput) => due.truncate(1),
            Some(Slip::NewestFirst) => due.reverse(),
            _ => {}
        }
        due.into_iter().map(|(deadline, _, _, key)| self.fire(deadline, &key, input)).collect()
    }

    /// Deadline, beginning, number and machine of what is due, in the contract's order.
    fn passed(&self, input: &Input) -> Vec<(Time, Time, u64, String)> {
        let open = self.known.machines.iter().filter_map(|(key, machine)| {
            let episode = machine.episode.as_ref()?;
            let deadline = self.open_deadline(machine, episode)?;
            Some((deadline, episode.since, episode.number, key, machine))
        });
        let is_due = |(deadline, _, _, _, machine): &(Time, Time, u64, &String, &Machine)| {
            self.has_passed(*deadline, input) && self.is_about(&machine.vm, input)
        };
        let owned = |(deadline, since, number, key, _): (Time, Time, u64, &String, &Machine)| {
            (deadline, since, number, key.clone())
        };
        let mut due: Vec<_> = if self.slip == Some(Slip::OrderOfBeginnings) {
            let mut queue: Vec<_> = open.collect();
            queue.sort_by_key(|(_, since, number, ..)| (*since, *number));
            queue.into_iter().take_while(is_due).map(owned).collect()
        } else {
            open.filter(is_due).map(owned).collect()
        };
        due.sort();
        due
    }

    /// The deadline of an episode that has not fired; none beyond the last instant.
    fn open_deadline(&self, machine: &Machine, episode: &Episode) -> Option<Time> {
        let again = self.slip == Some(Slip::FiresEachThreshold);
        let never = (self.slip == Some(Slip::ZeroIsNoBeginning) && episode.since == Time::ZERO)
            || (self.slip == Some(Slip::FiresOnceAMachine) && machine.has_fired);
        if never || (episode.fired.is_some() && !again) {
            return None;
        }
        let threshold = self.threshold(&episode.opened_by);
        let since = match self.slip {
            Some(Slip::HealthyTimeCounts) => {
                return Some(machine.seen.checked_add(threshold)?.max(episode.since));
            }
            Some(Slip::DwellsAddUp) => {
                return episode.since.checked_add(threshold.saturating_sub(machine.dwelt));
            }
            _ => episode.since,
        };
        self.after(since, threshold * (episode.firings + 1))
    }

    fn after(&self, since: Time, threshold: Duration) -> Option<Time> {
        let nanos = threshold.as_nanos() as u64;
        match self.slip {
            Some(Slip::OneNanosecondEarly) => since.checked_add(threshold - NANOSECOND),
            Some(Slip::OneNanosecondLate) => since.checked_add(threshold + NANOSECOND),
            Some(Slip::FiresAtOnce) => Some(since),
            Some(Slip::FloatSeconds) => {
                let seconds = since.as_nanos() as f64 / 1e9 + threshold.as_secs_f64();
                since.checked_add(threshold)?;
                Some(Time::from_nanos((seconds * 1e9) as u64))
            }
            Some(Slip::WholeMilliseconds) => {
                let deadline = since.checked_add(threshold)?.as_nanos();
                Some(Time::from_nanos(deadline - deadline % 1_000_000))
            }
            Some(Slip::WrapsAtTheEnd) => Some(Time::from_nanos(since.as_nanos().wrapping_add(nanos))),
            Some(Slip::SaturatesAtTheEnd) => Some(since.checked_add(threshold).unwrap_or(Time::MAX)),
            _ => since.checked_add(threshold),
        }
    }

    /// When an episode fired that has.
    pub(crate) fn fired_at(&self, episode: &Episode) -> Option<Time> {
        self.after(episode.since, self.threshold(&episode.opened_by))
    }

    /// How long an episode must last that this status opens.
    fn threshold(&self, status: &str) -> Duration {
        let own = self.thresholds.per_status.iter().find(|(word, _)| self.names(word, status));
        let own = own.map(|(_, threshold)| *threshold);
        let threshold = own.unwrap_or(self.thresholds.default);
        match self.slip {
            Some(Slip::ThresholdIgnored) => Duration::from_secs(300),
            Some(Slip::OwnThresholdsIgnored) => self.thresholds.default,
            Some(Slip::WholeSecondThresholds) => Duration::from_secs(threshold.as_secs()),
            _ => threshold,
        }
    }

    /// Whether the word of a threshold is this status.
    fn names(&self, word: &str, status: &str) -> bool {
        let is_wire = word == super::words::wire(status);
        is_wire || (word == status && self.slip != Some(Slip::OwnThresholdsByWireOnly))
    }

    /// R3: observations of an instant count before its deadlines, until an advance closes it.
    fn has_passed(&self, deadline: Time, input: &Input) -> bool {
        let closes = match self.slip {
            Some(Slip::StrictlyAfter) => false,
            Some(Slip::DeadlinesFirst) => true,
            Some(Slip::DeletionsCloseTheirInstant) => {
                matches!(input.event, Event::Advance | Event::Deleted(_))
            }
            Some(Slip::RelistsCloseTheirInstant) => matches!(input.event, Event::Advance | Event::Relist(_)),
            _ => input.event == Event::Advance,
        };
        let (deadline, now) = match self.slip {
            Some(Slip::U32Deadline) => (self.wrapped(deadline), input.at),
            Some(Slip::U32Clock) => (deadline, self.wrapped(input.at)),
            _ => (deadline, input.at),
        };
        deadline < now || (closes && deadline == now)
    }

    /// The instant as 32 bits of milliseconds since the first input hold it.
    fn wrapped(&self, at: Time) -> Time {
        const WRAP: u64 = 1_000_000 << 32;
        let first = self.known.first.unwrap_or(at).as_nanos();
        Time::from_nanos(first + at.as_nanos().saturating_sub(first) % WRAP)
    }

    /// Whether this input makes anything due.
    fn is_told_by(&self, input: &Input) -> bool {
        match (self.slip, &input.event) {
            (Some(Slip::AdvancesOnly), event) => *event == Event::Advance,
            (Some(Slip::ObservationsOnly), Event::Advance)
            | (Some(Slip::DeletionsTellNothing), Event::Deleted(_))
            | (Some(Slip::RelistsTellNothing), Event::Relist(_)) => false,
            _ => true,
        }
    }

    fn is_about(&self, vm: &Vm, input: &Input) -> bool {
        match (self.slip, &input.event) {
            (Some(Slip::OwnInputsOnly), Event::Observed(observed)) => observed.vm == *vm,
            (Some(Slip::OwnInputsOnly), Event::Deleted(deleted)) => deleted == vm,
            _ => true,
        }
    }

    /// Of the deadlines of one instant, the one set last took the place of the others.
    fn keep_the_last(&mut self, due: &mut Vec<(Time, Time, u64, String)>) {
        for (index, (deadline, _, _, key)) in due.iter().enumerate() {
            let is_last = due.get(index + 1).is_none_or(|next| next.0 != *deadline);
            if !is_last {
                self.known.machines.get_mut(key).expect("it is due").episode = None;
            }
        }
        due.retain(|(_, _, _, key)| self.known.machines[key].episode.is_some());
    }

    fn fire(&mut self, deadline: Time, key: &str, input: &Input) -> Alert {
        let late = self.slip == Some(Slip::PollStamps)
            || (self.slip == Some(Slip::OverdueStampedNow) && self.is_restored);
        let machine = self.known.machines.get_mut(key).expect("it is due");
        let episode = machine.episode.as_mut().expect("it is due");
        let status = match self.slip {
            Some(Slip::StatusOfTheOpening) => &episode.opened_by,
            Some(Slip::StatusBeforeTheInstant) if episode.moved.0 == deadline => &episode.moved.1,
            _ => &episode.status,
        };
        let status = status.clone();
        episode.fired.get_or_insert_with(|| status.clone());
        episode.firings += 1;
        machine.has_fired = true;
        let (vm, since) = (machine.vm.clone(), episode.since);
        let at = if late { input.at } else { deadline };
        self.spoken(Alert { at, kind: AlertKind::Firing, vm, status, since: Some(since) })
    }

    /// The alert in the detector's spelling.
    pub(crate) fn spoken(&self, alert: Alert) -> Alert {
        match self.slip {
            Some(Slip::WireInAlerts) => {
                Alert { status: super::words::wire(&alert.status).to_owned(), ..alert }
            }
            _ => alert,
        }
    }
}
