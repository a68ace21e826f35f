//! What the detector under the mutants knows, and what slips lose of it over a restart.

use super::slip::Slip;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::stream::Vm;

/// Everything.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Known {
    /// The instant of the first input.
    pub(crate) first: Option<Time>,
    pub(crate) newest: Option<Time>,
    /// Whether an advance has closed `newest`.
    pub(crate) closed: bool,
    /// How many episodes there were.
    pub(crate) openings: u64,
    /// By namespace and name.
    pub(crate) machines: BTreeMap<String, Machine>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) vm: Vm,
    /// Not deleted. One that is only stands here for slips that mix it up with its successor.
    pub(crate) live: bool,
    pub(crate) seen: Time,
    pub(crate) newest: Time,
    pub(crate) episode: Option<Episode>,
    /// The episode before, and its end.
    pub(crate) ended: Option<(Time, Episode)>,
    /// How long the episodes before lasted.
    pub(crate) dwelt: Duration,
    pub(crate) has_fired: bool,
    pub(crate) old_uids: Vec<String>,
}

#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Episode {
    pub(crate) since: Time,
    /// In the order of the openings.
    pub(crate) number: u64,
    pub(crate) opened_by: String,
    pub(crate) status: String,
    /// The status as it was delivered.
    pub(crate) word: String,
    /// The last move, and the status before its instant.
    pub(crate) moved: (Time, String),
    /// With which status it fired.
    pub(crate) fired: Option<String>,
    pub(crate) firings: u32,
}

impl Machine {
    pub(crate) fn new(vm: &Vm, at: Time) -> Self {
        Self {
            vm: vm.clone(),
            live: true,
            seen: at,
            newest: at,
            episode: None,
            ended: None,
            dwelt: Duration::ZERO,
            has_fired: false,
            old_uids: Vec::new(),
        }
    }
}

impl Episode {
    pub(crate) fn new(at: Time, number: u64, status: &str, word: &str) -> Self {
        Self {
            since: at,
            number,
            opened_by: status.to_owned(),
            status: status.to_owned(),
            word: word.to_owned(),
            moved: (at, status.to_owned()),
            fired: None,
            firings: 0,
        }
    }

    pub(crate) fn move_to(&mut self, at: Time, status: &str) {
        if self.moved.0 != at {
            self.moved = (at, self.status.clone());
        }
        status.clone_into(&mut self.status);
    }
}

impl Known {
    /// What a snapshot gives back to a detector with this slip.
    pub(crate) fn restored(mut self, slip: Option<Slip>) -> Self {
        match slip {
            Some(Slip::SnapshotForgetsTheClock) => self.newest = None,
            Some(Slip::SnapshotForgetsClosing) => self.closed = false,
            _ => {}
        }
        let newest = self.newest.unwrap_or(Time::ZERO);
        for machine in self.machines.values_mut() {
            machine.forget(slip, newest);
        }
        self
    }
}

impl Machine {
    fn forget(&mut self, slip: Option<Slip>, newest: Time) {
        let Some(episode) = &mut self.episode else { return };
        let is_pending = episode.fired.is_none();
        match slip {
            Some(Slip::SnapshotForgetsPending) if is_pending => self.episode = None,
            Some(Slip::SnapshotForgetsFiring) if !is_pending => self.episode = None,
            Some(Slip::SnapshotForgetsThatItFired) => (episode.fired, episode.firings) = (None, 0),
            Some(Slip::SnapshotForgetsFiredStatus) if !is_pending => {
                episode.fired = Some(episode.status.clone());
            }
            Some(Slip::SnapshotForgetsMoves) => episode.status.clone_from(&episode.opened_by),
            Some(Slip::SnapshotForgetsTheOpening) => episode.opened_by.clone_from(&episode.status),
            Some(Slip::SnapshotRestartsTheDwell) if is_pending => episode.since = newest,
            Some(Slip::SnapshotInSeconds) => episode.since = episode.since.truncate_to_secs(),
            Some(Slip::SnapshotForgetsUids) => self.vm.uid = "".into(),
            _ => {}
        }
    }
}
