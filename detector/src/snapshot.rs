//! Stopping and going on as if nothing had been (R11).
//!
//! A snapshot is plain data, so that any format can carry it. It holds what a
//! detector knows, not how it is laid out: stale deadlines and epochs are left
//! behind. What comes back may have been edited or cut, so it is checked whole.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Clock;
use crate::counters::Counters;
use crate::detector::{Detector, Episode, VmId};
use crate::error::RestoreError;
use crate::named::NamedDetector;
use crate::registry::{Registry, VmName};
use crate::{PrintableStatus, Rule, Time};

/// All that a [`Detector`] knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Snapshot {
    /// [`Snapshot::VERSION`] when it was taken.
    pub version: u32,
    rule: Rule,
    clock: Clock,
    counters: Counters,
    /// By id.
    statuses: Vec<Option<PrintableStatus>>,
    /// For each threshold in the order of the deadlines.
    pending: Vec<Pending>,
    /// In the order of the ids.
    firing: Vec<Firing>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Pending {
    vm: VmId,
    since: Time,
    threshold: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Firing {
    vm: VmId,
    since: Time,
    status: PrintableStatus,
}

impl Snapshot {
    /// The version that this release writes, and the only one that it reads.
    pub const VERSION: u32 = 1;
}

/// All that a [`NamedDetector`] knows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NamedSnapshot {
    detector: Snapshot,
    /// The live machines in the order of namespace and name.
    names: Vec<(VmId, VmName)>,
    unknown_words: BTreeMap<String, u64>,
}

impl Detector {
    /// All that this detector knows.
    pub fn snapshot(&self) -> Snapshot {
        let pending = |(vm, since, threshold)| Pending { vm, since, threshold };
        let firing = self.episodes.iter().zip(0..).filter_map(|(episode, number)| match *episode {
            Episode::Firing { since, status } => Some(Firing { vm: VmId::new(number), since, status }),
            Episode::None | Episode::Pending { .. } => None,
        });
        Snapshot {
            version: Snapshot::VERSION,
            rule: self.rule.clone(),
            clock: self.clock,
            counters: self.counters,
            statuses: self.statuses.clone(),
            pending: self.deadlines.iter().map(pending).collect(),
            firing: firing.collect(),
        }
    }

    /// The detector that the snapshot was taken of. Deadlines that passed in
    /// the meantime fire at the next input.
    ///
    /// # Errors
    ///
    /// If the snapshot is of another version or contradicts itself.
    pub fn restore(snapshot: &Snapshot) -> Result<Detector, RestoreError> {
        if snapshot.version != Snapshot::VERSION {
            let (found, expected) = (snapshot.version, Snapshot::VERSION);
            return Err(RestoreError::Version { found, expected });
        }
        snapshot.rule.check()?;
        let mut detector = Detector::new(snapshot.rule.clone());
        detector.clock = snapshot.clock;
        detector.counters = snapshot.counters;
        detector.reserve(snapshot.statuses.len());
        detector.statuses.clone_from(&snapshot.statuses);
        for pending in &snapshot.pending {
            detector.restore_pending(pending)?;
        }
        for firing in &snapshot.firing {
            detector.restore_firing(firing)?;
        }
        detector.check_episodes()?;
        Ok(detector)
    }

    fn restore_pending(&mut self, pending: &Pending) -> Result<(), RestoreError> {
        let Pending { vm, since, threshold } = *pending;
        self.check_free(vm)?;
        let bad_since = RestoreError::Since { vm, since };
        let overdue = since.checked_add(threshold).is_some_and(|deadline| self.clock.has_passed(deadline));
        if !self.has_begun(since) || overdue {
            return Err(bad_since);
        }
        if !self.deadlines.has_threshold(threshold) {
            return Err(RestoreError::Threshold { vm });
        }
        let queue = self.deadlines.put_back(vm, since, threshold).ok_or(bad_since)?;
        self.episodes[vm.index()] = Episode::Pending { since, queue };
        Ok(())
    }

    fn restore_firing(&mut self, firing: &Firing) -> Result<(), RestoreError> {
        let Firing { vm, since, status } = *firing;
        self.check_free(vm)?;
        if !status.is_error() {
            return Err(RestoreError::Episode { vm });
        }
        if !self.has_begun(since) || !self.can_have_fired(since) {
            return Err(RestoreError::Since { vm, since });
        }
        self.episodes[vm.index()] = Episode::Firing { since, status };
        Ok(())
    }

    /// `vm` is one of the snapshot's and has no episode yet.
    fn check_free(&self, vm: VmId) -> Result<(), RestoreError> {
        match self.episodes.get(vm.index()) {
            None => Err(RestoreError::NoSuchVm { vm }),
            Some(Episode::None) => Ok(()),
            Some(_) => Err(RestoreError::Twice { vm }),
        }
    }

    fn has_begun(&self, since: Time) -> bool {
        self.clock.newest().is_some_and(|newest| since <= newest)
    }

    fn can_have_fired(&self, since: Time) -> bool {
        PrintableStatus::ERRORS.into_iter().any(|opened_by| {
            let deadline = since.checked_add(self.rule.threshold_of(opened_by));
            deadline.is_some_and(|deadline| self.clock.has_passed(deadline))
        })
    }

    /// There is an episode exactly where the status is an error.
    fn check_episodes(&self) -> Result<(), RestoreError> {
        let machines = self.statuses.iter().zip(&self.episodes).zip(0..);
        for ((status, episode), number) in machines {
            let is_error = status.is_some_and(PrintableStatus::is_error);
            if is_error != (*episode != Episode::None) {
                return Err(RestoreError::Episode { vm: VmId::new(number) });
            }
        }
        Ok(())
    }
}

impl NamedDetector {
    /// All that this detector knows.
    pub fn snapshot(&self) -> NamedSnapshot {
        let live = self.registry.in_order(|_| true).into_iter();
        let names = live.map(|id| (id, VmName::clone(self.registry.name(id))));
        NamedSnapshot {
            detector: self.detector.snapshot(),
            names: names.collect(),
            unknown_words: self.unknown_words.clone(),
        }
    }

    /// The detector that the snapshot was taken of. Deadlines that passed in
    /// the meantime fire at the next input.
    ///
    /// # Errors
    ///
    /// If the snapshot is of another version or contradicts itself.
    pub fn restore(snapshot: &NamedSnapshot) -> Result<NamedDetector, RestoreError> {
        let detector = Detector::restore(&snapshot.detector)?;
        let registry = Registry::from_names(&snapshot.names, detector.statuses.len())?;
        let nameless = (0..)
            .zip(&detector.statuses)
            .find(|&(number, status)| status.is_some() && !registry.is_live(VmId::new(number)));
        if let Some((number, _)) = nameless {
            return Err(RestoreError::NoName { vm: VmId::new(number) });
        }
        Ok(NamedDetector::from_parts(detector, registry, snapshot.unknown_words.clone()))
    }
}
