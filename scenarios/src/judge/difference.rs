//! Where what a detector said differs from what it had to say, and which rule each difference breaks.

use super::profile::Due;
use super::{Asked, Heard, Profile, Rule};
use crate::oracle::{self, Episode, Expected};
use crate::stream::{Alert, AlertKind, Event, Input, Vm};
use std::collections::{BTreeMap, BTreeSet};
use stuckvm_detector::Time;

/// One thing that differs.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) at: Time,
    pub(super) rule: Rule,
    pub(super) vm: Option<Vm>,
    pub(super) expected: Option<Alert>,
    pub(super) got: Option<Alert>,
    pub(super) note: Option<String>,
    pub(super) episode: Option<Episode>,
}

/// Everything that differs, in no order.
pub(super) fn differences(asked: &Asked<'_>, expected: Expected, heard: &Heard) -> Vec<Difference> {
    let mut found = not_rejected(asked, &expected, heard);
    found.extend(words(asked, &expected, heard));
    let episodes = oracle::episodes(asked.thresholds, asked.inputs);
    let due = asked.profile.due(asked.inputs, &episodes, expected);
    let comparison = Comparison::new(asked, &episodes, heard);
    found.extend(comparison.alerts(&due, heard));
    found.extend(comparison.out_of_order(heard));
    found
}

/// R13: what had to be rejected and was not. It differs at the instant to which the stream had come.
fn not_rejected(asked: &Asked<'_>, expected: &Expected, heard: &Heard) -> Vec<Difference> {
    let rejected: BTreeSet<usize> = heard.rejected.iter().map(|(input, _)| *input).collect();
    let mut newest = Time::ZERO;
    let mut found = Vec::new();
    for (place, input) in asked.inputs.iter().enumerate() {
        if expected.rejected.binary_search(&place).is_err() {
            newest = input.at;
        } else if !rejected.contains(&place) {
            let past =
                if input.at < newest { "older than the newest" } else { "at an instant that is closed" };
            let note = format!("input {} was taken; it is of {}, {past}: {newest}", place + 1, input.at);
            found.push(Difference::of_input(Rule::Forward, newest, input, note));
        }
    }
    found
}

/// R12: words that were not reported, or reported and known; judged of those who report any.
fn words(asked: &Asked<'_>, expected: &Expected, heard: &Heard) -> Vec<Difference> {
    let Some(reported) = &heard.unknown else { return Vec::new() };
    let mut by_input: BTreeMap<usize, (BTreeSet<&str>, BTreeSet<&str>)> = BTreeMap::new();
    for (input, word) in &expected.unknown {
        by_input.entry(*input).or_default().0.insert(word);
    }
    for (input, word) in reported {
        by_input.entry(*input).or_default().1.insert(word);
    }
    let differ = by_input.into_iter().filter(|(_, (expected, reported))| expected != reported);
    let difference = |(place, (expected, reported)): (usize, (BTreeSet<&str>, BTreeSet<&str>))| {
        let note = format!("input {} has the unknown words {expected:?}; reported: {reported:?}", place + 1);
        let input = &asked.inputs[place];
        Difference::of_input(Rule::UnknownWords, input.at, input, note)
    };
    differ.map(difference).collect()
}

impl Difference {
    fn of_input(rule: Rule, at: Time, input: &Input, note: String) -> Self {
        let vm = match &input.event {
            Event::Observed(observed) => Some(observed.vm.clone()),
            Event::Deleted(vm) => Some(vm.clone()),
            Event::Relist(_) | Event::Advance => None,
        };
        Self { at, rule, vm, expected: None, got: None, note: Some(note), episode: None }
    }
}

/// Alerts of one kind, machine and instant are compared with each other.
type Place<'a> = (Time, &'a Vm, AlertKind);

/// An alert, and the input that it came with.
type Got<'a> = (usize, &'a Alert);

/// Two alerts of one place, of which at least one is there.
struct Pair<'a> {
    at: Time,
    vm: &'a Vm,
    kind: AlertKind,
    expected: Option<&'a Due>,
    got: Option<Got<'a>>,
}

struct Comparison<'a> {
    inputs: &'a [Input],
    /// By machine, in the order in which they open.
    episodes: BTreeMap<&'a Vm, Vec<&'a Episode>>,
    /// The instants of the alerts that came.
    came: BTreeMap<(&'a Vm, AlertKind), Vec<Time>>,
    profile: Profile,
}

impl<'a> Comparison<'a> {
    fn new(asked: &Asked<'a>, episodes: &'a [Episode], heard: &'a Heard) -> Self {
        let mut comparison = Self {
            inputs: asked.inputs,
            episodes: BTreeMap::new(),
            came: BTreeMap::new(),
            profile: asked.profile,
        };
        for episode in episodes {
            comparison.episodes.entry(&episode.vm).or_default().push(episode);
        }
        for (_, alert) in &heard.alerts {
            comparison.came.entry((&alert.vm, alert.kind)).or_default().push(alert.at);
        }
        comparison
    }

    fn alerts(&self, due: &'a [Due], heard: &'a Heard) -> Vec<Difference> {
        let mut places: BTreeMap<Place<'a>, (Vec<&'a Due>, Vec<Got<'a>>)> = BTreeMap::new();
        for due in due.iter().filter(|due| !self.was_left_out(due)) {
            places.entry((due.alert.at, &due.alert.vm, due.alert.kind)).or_default().0.push(due);
        }
        for (input, alert) in &heard.alerts {
            places.entry((alert.at, &alert.vm, alert.kind)).or_default().1.push((*input, alert));
        }
        let mut found = Vec::new();
        for ((at, vm, kind), (expected, got)) in places {
            for index in 0..expected.len().max(got.len()) {
                let (expected, got) = (expected.get(index).copied(), got.get(index).copied());
                found.extend(self.difference(Pair { at, vm, kind, expected, got }));
            }
        }
        found
    }

    /// A firing that need not come and did not, and what would have resolved it.
    fn was_left_out(&self, due: &Due) -> bool {
        let Profile::Resolution(_) = self.profile else { return false };
        let alert = &due.alert;
        let fired = self.came.get(&(&alert.vm, AlertKind::Firing));
        let episode = self.episode(&alert.vm, alert.since.unwrap_or(alert.at));
        let deadline = episode.and_then(Episode::deadline);
        let came = fired.is_some_and(|instants| instants.iter().any(|at| Some(*at) == deadline));
        !came && (due.last.is_none() || alert.kind == AlertKind::Resolved)
    }

    fn difference(&self, pair: Pair<'a>) -> Option<Difference> {
        let note = match (pair.expected, pair.got) {
            (Some(due), Some((input, alert))) if agree(&due.alert, alert) => {
                if due.may_come_with(input) {
                    return None;
                }
                Some(handed_over(due, input))
            }
            (Some(_), Some(_)) | (None, None) => None,
            (Some(due), None) => Some(format!("it was due with input {}", due.first + 1)),
            (None, Some((input, _))) => Some(format!("it came with input {}", input + 1)),
        };
        Some(Difference {
            at: pair.at,
            rule: self.rule(&pair),
            vm: Some(pair.vm.clone()),
            expected: pair.expected.map(|due| due.alert.clone()),
            got: pair.got.map(|(_, alert)| alert.clone()),
            note,
            episode: self.episode(pair.vm, pair.at).cloned(),
        })
    }

    /// The table of the contract: the first row that matches.
    fn rule(&self, pair: &Pair<'a>) -> Rule {
        let rows = [
            (Rule::NeverEarly, self.is_early(pair)),
            (Rule::ObservationsFirst, self.is_before_observations(pair)),
            (Rule::Once, self.is_repeated(pair)),
            (Rule::OneDwell, has_another_status(pair)),
            (Rule::Resolve, pair.kind == AlertKind::Resolved),
        ];
        rows.into_iter().find_map(|(rule, holds)| holds.then_some(rule)).unwrap_or(Rule::Exact)
    }

    /// A firing with a stamp before the deadline, or one that came before it. A machine that was in no error so far has dwelt for no
    /// time at all, which is before any threshold.
    fn is_early(&self, pair: &Pair<'a>) -> bool {
        let (AlertKind::Firing, Some((input, _))) = (pair.kind, pair.got) else { return false };
        let Some(episode) = self.episode(pair.vm, pair.at) else { return true };
        let before = |at: Time| episode.deadline().is_none_or(|deadline| at < deadline);
        (pair.expected.is_none() && before(pair.at)) || before(self.inputs[input].at)
    }

    /// A firing for an episode that ended at its deadline, or one that came while the instant of the deadline was not over.
    fn is_before_observations(&self, pair: &Pair<'a>) -> bool {
        let (AlertKind::Firing, Some((input, _))) = (pair.kind, pair.got) else { return false };
        let Input { at, event } = &self.inputs[input];
        let open = *at == pair.at && *event != Event::Advance;
        let of_vm = self.episodes.get(pair.vm).into_iter().flatten();
        let mut due_now = of_vm.filter(|episode| episode.deadline() == Some(pair.at));
        due_now.any(|episode| open || (pair.expected.is_none() && episode.end == Some(pair.at)))
    }

    /// Another alert of this kind came for the same episode, at this instant or before.
    fn is_repeated(&self, pair: &Pair<'a>) -> bool {
        let (Some(_), None, Some(episode)) = (pair.got, pair.expected, self.episode(pair.vm, pair.at)) else {
            return false;
        };
        let came = self.came.get(&(pair.vm, pair.kind)).into_iter().flatten();
        came.filter(|at| (episode.since..=pair.at).contains(at)).count() > 1
    }

    /// The episode of a machine that was open at an instant or, failing that, the last one before it.
    fn episode(&self, vm: &Vm, at: Time) -> Option<&'a Episode> {
        let of_vm = self.episodes.get(vm)?;
        of_vm[..of_vm.partition_point(|episode| episode.since <= at)].last().copied()
    }

    /// One answer's alerts come oldest instant first. Only a firing can be out of place: what resolves is of the input's instant.
    fn out_of_order(&self, heard: &Heard) -> Vec<Difference> {
        let behind =
            heard.alerts.windows(2).filter(|pair| pair[0].0 == pair[1].0 && pair[1].1.at < pair[0].1.at);
        let difference = |pair: &[(usize, Alert)]| {
            let (input, alert) = &pair[1];
            Difference {
                at: alert.at,
                rule: if alert.is_firing() { Rule::Exact } else { Rule::Resolve },
                vm: Some(alert.vm.clone()),
                expected: Some(alert.clone()),
                got: Some(alert.clone()),
                note: Some(format!("with input {} it came after an alert of a later instant", input + 1)),
                episode: self.episode(&alert.vm, alert.at).cloned(),
            }
        };
        behind.map(difference).collect()
    }
}

fn agree(expected: &Alert, got: &Alert) -> bool {
    expected.status == got.status && (got.since.is_none() || expected.since == got.since)
}

fn has_another_status(pair: &Pair<'_>) -> bool {
    pair.expected.zip(pair.got).is_some_and(|(due, (_, alert))| due.alert.status != alert.status)
}

fn handed_over(due: &Due, input: usize) -> String {
    let number = due.first + 1;
    match due.last.filter(|last| *last != due.first) {
        None => format!("it came with input {}; it was due with input {number}", input + 1),
        Some(last) => {
            format!("it came with input {}; it was due with inputs {number} to {}", input + 1, last + 1)
        }
    }
}
