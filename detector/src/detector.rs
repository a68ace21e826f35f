//! The detector's core: machines by dense ids, no names, no words.

use std::fmt;

use crate::alert::{Alert, AlertKind};
use crate::clock::Clock;
use crate::counters::Counters;
use crate::deadlines::{Deadlines, QueueId};
use crate::error::TimeError;
use crate::{PrintableStatus, Rule, Time};

/// A machine's number. Numbers are dense: give them out from 0, since memory
/// is held for every number up to the highest one used. A number may be given
/// to another machine once the first is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VmId(u32);

impl VmId {
    /// The machine with this number.
    pub const fn new(number: u32) -> VmId {
        VmId(number)
    }

    /// Its number, as a place in an array.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for VmId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vm {}", self.0)
    }
}

/// Watches the statuses of machines and tells which are stuck.
///
/// It performs no I/O and reads no clock. What happens goes in by
/// [`observe`](Self::observe), [`observe_unknown`](Self::observe_unknown) and
/// [`delete`](Self::delete), the word that an instant is over by
/// [`advance`](Self::advance). Each gives back the alerts that it made due, in
/// the contract's order; [`next_deadline`](Self::next_deadline) says when to
/// advance if nothing else happens.
///
/// An input that does not change a status costs one access to an array with a
/// byte for each machine; one that does costs a few. Deadlines cost nothing
/// until they are due.
///
/// ```
/// use stuckvm_detector::{Detector, PrintableStatus, Rule, Time, VmId};
///
/// let mut detector = Detector::new(Rule::default());
/// let vm = VmId::new(0);
/// detector.observe(Time::from_secs(1_000), vm, PrintableStatus::Unschedulable)?;
/// assert_eq!(detector.next_deadline(), Some(Time::from_secs(1_300)));
///
/// // Poll as late as you like: the alert has the instant of its deadline.
/// let alerts = detector.advance(Time::from_secs(5_000))?;
/// assert_eq!(alerts[0].at, Time::from_secs(1_300));
/// # Ok::<(), stuckvm_detector::TimeError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Detector {
    pub(crate) rule: Rule,
    pub(crate) clock: Clock,
    /// By machine. `None`: not seen, deleted, or a word not known. Apart from
    /// the episodes, so that repeats touch as little memory as can be.
    pub(crate) statuses: Vec<Option<PrintableStatus>>,
    /// By machine.
    pub(crate) episodes: Vec<Episode>,
    pub(crate) deadlines: Deadlines,
    pub(crate) counters: Counters,
    /// What the last input made due.
    alerts: Vec<Alert>,
}

/// Where a machine stands.
///
/// Invariant: `None` exactly if the machine's status is not an error status;
/// `Pending` exactly if it has a deadline in `queue`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Episode {
    None,
    Pending { since: Time, queue: QueueId },
    Firing { since: Time, status: PrintableStatus },
}

impl Detector {
    /// A detector that has seen nothing.
    pub fn new(rule: Rule) -> Detector {
        Detector {
            deadlines: Deadlines::new(&rule),
            rule,
            clock: Clock::Unset,
            statuses: Vec::new(),
            episodes: Vec::new(),
            counters: Counters::default(),
            alerts: Vec::new(),
        }
    }

    /// `vm` has this status at `at`. Gives back what became due before `at`,
    /// then what the status resolves.
    ///
    /// # Errors
    ///
    /// If `at` is in the past (R13); nothing has changed then.
    #[inline]
    pub fn observe(&mut self, at: Time, vm: VmId, status: PrintableStatus) -> Result<&[Alert], TimeError> {
        self.enter(at)?;
        self.take(at, vm, Some(status));
        Ok(&self.alerts)
    }

    /// `vm` has a status at `at` whose word is not known: no error status (R12).
    ///
    /// # Errors
    ///
    /// If `at` is in the past (R13); nothing has changed then.
    pub fn observe_unknown(&mut self, at: Time, vm: VmId) -> Result<&[Alert], TimeError> {
        self.enter(at)?;
        self.take_unknown(at, vm);
        Ok(&self.alerts)
    }

    /// `vm` is gone at `at` (R9).
    ///
    /// # Errors
    ///
    /// If `at` is in the past (R13); nothing has changed then.
    pub fn delete(&mut self, at: Time, vm: VmId) -> Result<&[Alert], TimeError> {
        self.enter(at)?;
        self.take(at, vm, None);
        Ok(&self.alerts)
    }

    /// Nothing more comes at or before `to`: what is due by then fires, and
    /// later inputs at `to` are rejected, a second advance included.
    ///
    /// # Errors
    ///
    /// If `to` is in the past (R13); nothing has changed then.
    pub fn advance(&mut self, to: Time) -> Result<&[Alert], TimeError> {
        self.clock.admit(to)?;
        self.move_to(Clock::Closed(to));
        Ok(&self.alerts)
    }

    /// The earliest deadline that is open.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.next()
    }

    /// The thresholds.
    pub fn rule(&self) -> &Rule {
        &self.rule
    }

    /// How far the inputs have come.
    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// Totals so far.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Makes room for the machines below `vms`, so that their first
    /// observations need not.
    pub fn reserve(&mut self, vms: usize) {
        if vms > self.statuses.len() {
            self.statuses.resize(vms, None);
            self.episodes.resize(vms, Episode::None);
            self.deadlines.resize(vms);
        }
    }

    /// An input at `at` begins: what was due before fires.
    #[inline]
    pub(crate) fn enter(&mut self, at: Time) -> Result<(), TimeError> {
        if self.clock == Clock::Open(at) {
            self.alerts.clear();
            return Ok(());
        }
        self.clock.admit(at)?;
        self.move_to(Clock::Open(at));
        Ok(())
    }

    /// Takes in a status (`None` for none) at the instant that was entered.
    #[inline]
    pub(crate) fn take(&mut self, at: Time, vm: VmId, status: Option<PrintableStatus>) {
        debug_assert_eq!(self.clock, Clock::Open(at));
        self.counters.observations += 1;
        // Nearly all observations repeat what is known, and stop here.
        if self.statuses.get(vm.index()) != Some(&status) {
            self.transition(at, vm, status);
        }
    }

    fn transition(&mut self, at: Time, vm: VmId, status: Option<PrintableStatus>) {
        self.reserve(vm.index() + 1);
        let before = std::mem::replace(&mut self.statuses[vm.index()], status);
        self.counters.transitions += u64::from(before != status);
        let is_error = |status: &PrintableStatus| status.is_error();
        match (before.filter(is_error), status.filter(is_error)) {
            (None, Some(error)) => self.open_episode(at, vm, error),
            (Some(_), None) => self.end_episode(at, vm),
            (None, None) | (Some(_), Some(_)) => {}
        }
    }

    /// Takes in a word that is not known at the instant that was entered.
    pub(crate) fn take_unknown(&mut self, at: Time, vm: VmId) {
        self.counters.unknown_words += 1;
        self.take(at, vm, None);
    }

    /// The alerts of the input that was entered, to be given out once.
    pub(crate) fn drain_alerts(&mut self) -> std::vec::Drain<'_, Alert> {
        self.alerts.drain(..)
    }

    fn move_to(&mut self, clock: Clock) {
        self.alerts.clear();
        self.clock = clock;
        while let Some((deadline, vm)) = self.deadlines.pop_passed(clock) {
            self.fire(deadline, vm);
        }
    }

    fn open_episode(&mut self, at: Time, vm: VmId, status: PrintableStatus) {
        let queue = self.deadlines.set(vm, at, status);
        self.episodes[vm.index()] = Episode::Pending { since: at, queue };
    }

    fn end_episode(&mut self, at: Time, vm: VmId) {
        match std::mem::replace(&mut self.episodes[vm.index()], Episode::None) {
            Episode::Pending { queue, .. } => self.deadlines.call_off(vm, queue),
            Episode::Firing { since, status } => {
                self.counters.resolved += 1;
                self.alerts.push(Alert { at, kind: AlertKind::Resolved, vm, status, since });
            }
            Episode::None => unreachable!("{vm} left an error status and had no episode"),
        }
    }

    fn fire(&mut self, deadline: Time, vm: VmId) {
        let (Episode::Pending { since, .. }, Some(status)) =
            (self.episodes[vm.index()], self.statuses[vm.index()])
        else {
            unreachable!("{vm} has a deadline and no pending episode")
        };
        self.episodes[vm.index()] = Episode::Firing { since, status };
        self.counters.firing += 1;
        self.alerts.push(Alert { at: deadline, kind: AlertKind::Firing, vm, status, since });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_costs_few_bytes() {
        assert_eq!(size_of::<Option<PrintableStatus>>(), 1);
        assert_eq!(size_of::<Episode>(), 16);
    }
}
