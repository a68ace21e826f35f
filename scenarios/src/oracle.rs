//! What every detector must have said: the alert contract, applied to the
//! whole delivered stream after the fact.
//!
//! As plain as can be, and on purpose without the detector's code: it has its
//! own table of words, sorts where the detector queues, and looks back where
//! the detector must not look ahead. Of the detector it knows the type of an
//! instant. The rules (R1 …) are those of the contract.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use stuckvm_detector::Time;

use crate::stream::{Alert, AlertKind, Event, Input, Observed, Vm};

/// The seven error statuses: the runbook's spelling, then the wire's.
const ERRORS: [(&str, &str); 7] = [
    ("CrashLoopBackOff", "CrashLoopBackOff"),
    ("Unknown", "Unknown"),
    ("Unschedulable", "ErrorUnschedulable"),
    ("ErrImagePull", "ErrImagePull"),
    ("ImagePullBackOff", "ImagePullBackOff"),
    ("PvcNotFound", "ErrorPvcNotFound"),
    ("DataVolumeError", "DataVolumeError"),
];

/// The healthy statuses; the empty one is a machine that no controller has
/// looked at.
const HEALTHY: [&str; 11] = [
    "",
    "Stopped",
    "Provisioning",
    "Starting",
    "Running",
    "Paused",
    "Stopping",
    "Terminating",
    "Migrating",
    "WaitingForVolumeBinding",
    "WaitingForReceiver",
];

/// How long an episode must last to fire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// For the statuses that have none of their own.
    pub default: Duration,
    /// By the status that opens the episode, in either spelling.
    pub per_status: BTreeMap<String, Duration>,
}

impl Default for Thresholds {
    /// 300 s for every status.
    fn default() -> Thresholds {
        Thresholds { default: Duration::from_secs(300), per_status: BTreeMap::new() }
    }
}

impl Thresholds {
    fn of(&self, runbook: &str) -> Duration {
        let own = self.per_status.iter().find(|(word, _)| error_status(word) == Some(runbook));
        own.map_or(self.default, |(_, threshold)| *threshold)
    }
}

/// What a detector must say to a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Its alerts, in the contract's order.
    pub alerts: Vec<ExpectedAlert>,
    /// The inputs that it must reject (R13), by their place in the stream.
    pub rejected: Vec<usize>,
    /// The words it must report (R12), each once an input, by the input's place.
    pub unknown: Vec<(usize, String)>,
}

/// An alert, and when it can be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedAlert {
    /// The place of the input that makes it due.
    pub input: usize,
    /// The alert.
    pub alert: Alert,
}

/// A maximal stretch of the stream in which one machine's status is an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// The machine.
    pub vm: Vm,
    /// Its first instant.
    pub since: Time,
    /// Its end, the first instant that is no longer part of it.
    pub end: Option<Time>,
    /// Fixed by the status that opened it.
    pub threshold: Duration,
    /// The error statuses in the order of delivery, in the runbook's spelling.
    pub statuses: Vec<(Time, &'static str)>,
    /// Which fact opened it and which ended it, for the order of alerts.
    opened_by: usize,
    ended_by: Option<usize>,
}

impl Episode {
    /// When it fires if it is still open; `None` beyond the last instant (R1).
    pub fn deadline(&self) -> Option<Time> {
        self.since.checked_add(self.threshold)
    }

    /// The status after the observations of `at` (R4).
    pub fn status_at(&self, at: Time) -> &'static str {
        let until_then = self.statuses.iter().take_while(|(since, _)| *since <= at);
        until_then.last().expect("an episode has a status from its first instant on").1
    }
}

/// The episodes of a stream, in the order in which they open.
pub fn episodes(thresholds: &Thresholds, inputs: &[Input]) -> Vec<Episode> {
    let (accepted, _) = admit(inputs);
    episodes_of(thresholds, &Facts::of(&accepted).list)
}

/// What a detector must say to a stream.
pub fn expected(thresholds: &Thresholds, inputs: &[Input]) -> Expected {
    let (accepted, rejected) = admit(inputs);
    let facts = Facts::of(&accepted);
    let mut alerts = Vec::new();
    for episode in episodes_of(thresholds, &facts.list) {
        alerts.extend(alerts_of(&episode, &accepted, &facts.list));
    }
    // Oldest first; of one instant what resolves, by the ends of the episodes,
    // then what fires, by their beginnings.
    alerts.sort_by_key(|(order, due)| (due.alert.at, due.alert.kind, *order));
    Expected {
        alerts: alerts.into_iter().map(|(_, due)| due).collect(),
        rejected,
        unknown: unknown_words(&facts.list),
    }
}

/// An input and its place in the stream.
type Placed<'s> = (usize, &'s Input);

/// R13: what is older than the newest, or at a closed instant, is rejected.
fn admit(inputs: &[Input]) -> (Vec<Placed<'_>>, Vec<usize>) {
    let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
    let mut newest = None;
    let mut closed = None;
    for (place, input) in inputs.iter().enumerate() {
        if Some(input.at) < newest || (closed.is_some() && Some(input.at) <= closed) {
            rejected.push(place);
            continue;
        }
        newest = Some(input.at);
        if input.event == Event::Advance {
            closed = Some(input.at);
        }
        accepted.push((place, input));
    }
    (accepted, rejected)
}

/// One machine's status, or its end, as delivered. The order of the facts is
/// the order of the observations.
struct Fact<'s> {
    input: usize,
    at: Time,
    vm: &'s Vm,
    word: Word<'s>,
}

enum Word<'s> {
    Error(&'static str),
    Healthy,
    Unknown(&'s str),
    Gone,
}

/// R8, R9: relists and new uids, spelled out as single facts.
struct Facts<'s> {
    list: Vec<Fact<'s>>,
    /// By namespace and name.
    live: BTreeMap<(&'s str, &'s str), &'s Vm>,
}

impl<'s> Facts<'s> {
    fn of(accepted: &[Placed<'s>]) -> Facts<'s> {
        let mut facts = Facts { list: Vec::new(), live: BTreeMap::new() };
        for &(place, input) in accepted {
            match &input.event {
                Event::Observed(observed) => facts.observe(place, input.at, observed),
                Event::Deleted(vm) => facts.delete(place, input.at, vm),
                Event::Relist(list) => facts.relist(place, input.at, list),
                Event::Advance => {}
            }
        }
        facts
    }

    fn observe(&mut self, input: usize, at: Time, observed: &'s Observed) {
        let Observed { vm, status } = observed;
        if let Some(old) = self.live.insert((&vm.namespace, &vm.name), vm)
            && old.uid != vm.uid
        {
            self.list.push(Fact { input, at, vm: old, word: Word::Gone });
        }
        self.list.push(Fact { input, at, vm, word: word(status) });
    }

    fn delete(&mut self, input: usize, at: Time, vm: &'s Vm) {
        let key = (vm.namespace.as_str(), vm.name.as_str());
        if self.live.get(&key) == Some(&vm) {
            self.live.remove(&key);
            self.list.push(Fact { input, at, vm, word: Word::Gone });
        }
    }

    fn relist(&mut self, input: usize, at: Time, list: &'s [Observed]) {
        for observed in list {
            self.observe(input, at, observed);
        }
        let listed: BTreeSet<&Vm> = list.iter().map(|observed| &observed.vm).collect();
        let missing: BTreeSet<&Vm> = self.live.values().copied().filter(|vm| !listed.contains(vm)).collect();
        for vm in missing {
            self.delete(input, at, vm);
        }
    }
}

fn word(status: &str) -> Word<'_> {
    match error_status(status) {
        Some(runbook) => Word::Error(runbook),
        None if HEALTHY.contains(&status) => Word::Healthy,
        None => Word::Unknown(status),
    }
}

/// Whether a word is an error status, in either spelling.
pub(crate) fn is_error(word: &str) -> bool {
    error_status(word).is_some()
}

/// The runbook's spelling, if the word is an error status in either.
fn error_status(word: &str) -> Option<&'static str> {
    let row = ERRORS.iter().find(|(runbook, wire)| *runbook == word || *wire == word);
    row.map(|(runbook, _)| *runbook)
}

/// R4, R5, R9, R12: an episode goes on through the seven and ends with anything else.
fn episodes_of(thresholds: &Thresholds, facts: &[Fact<'_>]) -> Vec<Episode> {
    let mut episodes: Vec<Episode> = Vec::new();
    let mut open: BTreeMap<&Vm, usize> = BTreeMap::new();
    for (order, fact) in facts.iter().enumerate() {
        match (&fact.word, open.get(fact.vm).copied()) {
            (Word::Error(status), Some(episode)) => episodes[episode].statuses.push((fact.at, status)),
            (Word::Error(status), None) => {
                open.insert(fact.vm, episodes.len());
                episodes.push(Episode {
                    vm: fact.vm.clone(),
                    since: fact.at,
                    end: None,
                    threshold: thresholds.of(status),
                    statuses: vec![(fact.at, status)],
                    opened_by: order,
                    ended_by: None,
                });
            }
            (_, Some(episode)) => {
                open.remove(fact.vm);
                episodes[episode].end = Some(fact.at);
                episodes[episode].ended_by = Some(order);
            }
            (_, None) => {}
        }
    }
    episodes
}

/// R1, R2, R3, R6, R7: an episode's alerts, each behind its rank among those
/// of its kind and instant.
fn alerts_of(episode: &Episode, accepted: &[Placed<'_>], facts: &[Fact<'_>]) -> Vec<(usize, ExpectedAlert)> {
    let Some(deadline) = episode.deadline() else { return Vec::new() };
    if episode.end.is_some_and(|end| end <= deadline) {
        return Vec::new();
    }
    let Some(input) = input_that_passes(deadline, accepted) else { return Vec::new() };
    let alert = |at, kind| Alert {
        at,
        kind,
        vm: episode.vm.clone(),
        status: episode.status_at(deadline).to_owned(),
        since: Some(episode.since),
    };
    let firing = ExpectedAlert { input, alert: alert(deadline, AlertKind::Firing) };
    let mut alerts = vec![(episode.opened_by, firing)];
    if let (Some(end), Some(ended_by)) = (episode.end, episode.ended_by) {
        let input = facts[ended_by].input;
        alerts.push((ended_by, ExpectedAlert { input, alert: alert(end, AlertKind::Resolved) }));
    }
    alerts
}

/// R3: the first input later than the deadline, or an advance to it.
fn input_that_passes(deadline: Time, accepted: &[Placed<'_>]) -> Option<usize> {
    let before = accepted.partition_point(|(_, input)| {
        input.at < deadline || (input.at == deadline && input.event != Event::Advance)
    });
    accepted.get(before).map(|(place, _)| *place)
}

/// R3: which input of a stream leaves an instant behind: the first that is later, or an advance to it.
pub(crate) fn closing(inputs: &[Input]) -> impl Fn(Time) -> Option<usize> {
    let (accepted, _) = admit(inputs);
    move |instant| input_that_passes(instant, &accepted)
}

fn unknown_words(facts: &[Fact<'_>]) -> Vec<(usize, String)> {
    let mut words: Vec<(usize, String)> = Vec::new();
    for fact in facts {
        let Word::Unknown(word) = fact.word else { continue };
        let of_input = words.iter().rev().take_while(|(input, _)| *input == fact.input);
        if !of_input.into_iter().any(|(_, noted)| noted == word) {
            words.push((fact.input, word.to_owned()));
        }
    }
    words
}
