//! Which case visits which boundary: rule × status × {before, at, after}, computed from the streams.
//!
//! The boundary of a rule is the deadline of an episode that the case's status opens, and what is looked at is what the rule is
//! about: that an episode ends (R3), that a machine is deleted (R9), that the first input after a restart comes (R11). For R13 it is
//! the instant to which the stream has come. Before and after are one nanosecond away.

use super::ContractCase;
use crate::judge::Rule;
use crate::oracle::{self, Episode};
use crate::stream::{Event, Input, Vm};
use std::collections::{BTreeMap, BTreeSet};
use stuckvm_detector::Time;

/// Where something is, seen from a boundary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// 1 ns before it.
    Before,
    /// At it.
    At,
    /// 1 ns after it.
    After,
}

impl Side {
    /// Every side, in order.
    pub const ALL: [Self; 3] = [Self::Before, Self::At, Self::After];

    /// `before`, `at` or `after`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::At => "at",
            Self::After => "after",
        }
    }

    fn of(instant: Time, boundary: Time) -> Option<Self> {
        match i128::from(instant.as_nanos()) - i128::from(boundary.as_nanos()) {
            -1 => Some(Self::Before),
            0 => Some(Self::At),
            1 => Some(Self::After),
            _ => None,
        }
    }
}

/// A rule, a status in the runbook's spelling, and a side of the boundary.
pub type Cell = (Rule, &'static str, Side);

/// The names of the cases that visit each cell, cells that none visits included.
///
/// ```
/// use stuckvm_scenarios::contract::{Side, coverage, suite};
/// use stuckvm_scenarios::judge::Rule;
///
/// let cells = coverage(&suite(None));
/// let cases = &cells[&(Rule::ObservationsFirst, "Unknown", Side::At)];
/// assert!(cases.contains(&"contract/R3/ends-at-the-deadline/Unknown".to_owned()));
/// ```
pub fn coverage(cases: &[ContractCase]) -> BTreeMap<Cell, Vec<String>> {
    let mut cells: BTreeMap<Cell, Vec<String>> = BTreeMap::new();
    for rule in Rule::ALL {
        for (status, _) in super::words::STATUSES {
            cells.extend(Side::ALL.map(|side| ((rule, status, side), Vec::new())));
        }
    }
    for contract in cases {
        for side in sides(contract) {
            let cell = (contract.rule, contract.status, side);
            cells.entry(cell).or_default().push(contract.case.name.clone());
        }
    }
    cells
}

/// The sides of its rule's boundary that a case visits.
fn sides(contract: &ContractCase) -> BTreeSet<Side> {
    if contract.rule == Rule::Forward {
        return sides_of_the_clock(contract);
    }
    let case = &contract.case;
    let episodes = oracle::episodes(&case.thresholds, &case.inputs);
    let mut places: BTreeMap<Time, Vec<usize>> = BTreeMap::new();
    for (place, input) in case.inputs.iter().enumerate() {
        places.entry(input.at).or_default().push(place);
    }
    let view = View { contract, episodes: &episodes, places };
    let opened_by_it = episodes.iter().filter(|episode| episode.statuses[0].1 == contract.status);
    let sides = opened_by_it.filter_map(|episode| {
        let deadline = episode.deadline()?;
        Some(view.instants(episode).into_iter().filter_map(move |at| Side::of(at, deadline)))
    });
    sides.flatten().collect()
}

/// R13: where inputs are, seen from the newest before them.
fn sides_of_the_clock(contract: &ContractCase) -> BTreeSet<Side> {
    let mut newest = None;
    let mut sides = BTreeSet::new();
    for (place, Input { at, .. }) in contract.case.inputs.iter().enumerate() {
        sides.extend(newest.and_then(|newest| Side::of(*at, newest)));
        if !contract.expected.rejected.contains(&place) {
            newest = Some(*at);
        }
    }
    sides
}

struct View<'a> {
    contract: &'a ContractCase,
    episodes: &'a [Episode],
    /// The inputs of each instant.
    places: BTreeMap<Time, Vec<usize>>,
}

impl View<'_> {
    /// The instants of what the rule is about, as far as they are near the episode's deadline.
    fn instants(&self, episode: &Episode) -> Vec<Time> {
        let repeats = || changes(episode, |before, after| before == after);
        let near = |wanted: &dyn Fn(usize, &Input) -> bool| self.near(episode, wanted);
        match self.contract.rule {
            Rule::Exact | Rule::NeverEarly => near(&|_, _| true),
            Rule::ObservationsFirst | Rule::Resolve => episode.end.into_iter().collect(),
            Rule::OneDwell => changes(episode, |before, after| before != after),
            Rule::Reset => episode.end.filter(|end| self.begins_again(episode, *end)).into_iter().collect(),
            Rule::Once => repeats(),
            Rule::Idempotent => {
                let relists = near(&|_, input| matches!(input.event, Event::Relist(_)));
                repeats().into_iter().chain(relists).collect()
            }
            Rule::Deletion => near(&|_, input| deletes(input, &episode.vm)),
            Rule::Independence => near(&|_, input| is_of_another(input, &episode.vm)),
            Rule::Restart => near(&|place, _| self.contract.case.restarts.contains(&place)),
            Rule::UnknownWords => near(&|place, input| {
                let reported = self.contract.expected.unknown.iter().any(|(input, _)| *input == place);
                reported && !is_of_another(input, &episode.vm)
            }),
            Rule::Forward => unreachable!("its boundary is no deadline"),
        }
    }

    fn near(&self, episode: &Episode, wanted: &dyn Fn(usize, &Input) -> bool) -> Vec<Time> {
        let Some(deadline) = episode.deadline() else { return Vec::new() };
        let nanos = deadline.as_nanos();
        let around = Time::from_nanos(nanos.saturating_sub(1))..=Time::from_nanos(nanos.saturating_add(1));
        let places = self.places.range(around).flat_map(|(_, places)| places);
        let inputs = places.map(|place| (*place, &self.contract.case.inputs[*place]));
        inputs.filter(|(place, input)| wanted(*place, input)).map(|(_, input)| input.at).collect()
    }

    fn begins_again(&self, episode: &Episode, end: Time) -> bool {
        self.episodes.iter().any(|other| other.vm == episode.vm && other.since >= end)
    }
}

/// A deletion, of whichever uid, or another machine under this one's name.
fn deletes(input: &Input, vm: &Vm) -> bool {
    let same_name = |other: &Vm| other.name == vm.name && other.namespace == vm.namespace;
    match &input.event {
        Event::Deleted(deleted) => same_name(deleted),
        Event::Observed(observed) => same_name(&observed.vm) && observed.vm != *vm,
        Event::Relist(_) | Event::Advance => false,
    }
}

/// The instants at which a status of the episode follows another that differs from it, or repeats it.
fn changes(episode: &Episode, wanted: impl Fn(&str, &str) -> bool) -> Vec<Time> {
    let pairs = episode.statuses.windows(2).filter(|pair| wanted(pair[0].1, pair[1].1));
    pairs.map(|pair| pair[1].0).collect()
}

fn is_of_another(input: &Input, vm: &Vm) -> bool {
    match &input.event {
        Event::Observed(observed) => observed.vm != *vm,
        Event::Deleted(deleted) => deleted != vm,
        Event::Relist(_) | Event::Advance => false,
    }
}
