//! The judge: what a detector said against what it had to say, and the name of the rule that it broke.

use crate::oracle::{self, Episode, Thresholds};
use crate::stream::{Alert, AlertKind, Input, Vm};
use std::collections::{BTreeMap, BTreeSet};
use stuckvm_detector::Time;

/// A rule of the contract that alerts can break, in the order in which a verdict names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// R2: a firing before the threshold.
    NeverEarly,
    /// R3: a firing for an episode that ended at its deadline.
    ObservationsFirst,
    /// R7: a second firing or resolved.
    Once,
    /// R6: a resolved missing, spurious or off.
    Resolve,
    /// R1: a firing missing, spurious or stamped off.
    Exact,
    /// R4: a wrong status.
    OneDwell,
}

impl Rule {
    /// Every rule that a verdict on alerts can name.
    pub const ALL: [Self; 6] =
        [Self::NeverEarly, Self::ObservationsFirst, Self::Once, Self::Resolve, Self::Exact, Self::OneDwell];

    /// The contract's name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NeverEarly => "R2",
            Self::ObservationsFirst => "R3",
            Self::Once => "R7",
            Self::Resolve => "R6",
            Self::Exact => "R1",
            Self::OneDwell => "R4",
        }
    }

    /// What it asks, in a few words.
    pub const fn about(self) -> &'static str {
        match self {
            Self::NeverEarly => "nothing fires before the threshold",
            Self::ObservationsFirst => "an episode that ends at its deadline never fires",
            Self::Once => "an episode fires once and resolves once",
            Self::Resolve => "a firing episode resolves at the instant at which it ends",
            Self::Exact => "an episode fires at exactly its deadline",
            Self::OneDwell => "the alert carries the status that holds at the deadline",
        }
    }
}

/// How a detector broke the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The rule that the verdict names.
    pub rule: Rule,
    /// Other rules that the same run breaks, in order.
    pub also: Vec<Rule>,
    /// The earliest instant at which expected and got differ.
    pub at: Time,
    /// The virtual machine.
    pub vm: Vm,
    /// The alert that had to come, if one had to.
    pub expected: Option<Alert>,
    /// The alert that came, if one came.
    pub got: Option<Alert>,
    /// The episode that it is about, if there is one.
    pub episode: Option<Episode>,
}

/// Judges the alerts that a detector gave to a stream; `None` if it kept the contract.
pub fn judge(thresholds: &Thresholds, inputs: &[Input], got: &[Alert]) -> Option<Breach> {
    let expected: Vec<Alert> =
        oracle::expected(thresholds, inputs).alerts.into_iter().map(|due| due.alert).collect();
    if same(&expected, got) {
        return None;
    }
    let episodes = oracle::episodes(thresholds, inputs);
    let mut differences = differences(&expected, got);
    for difference in &mut differences {
        difference.classify(&episodes, got);
    }
    let first_at = differences.first()?.at;
    let first =
        differences.iter().filter(|found| found.at == first_at).min_by_key(|found| found.rule)?.clone();
    let rules: BTreeSet<Rule> = differences.iter().map(|found| found.rule).collect();
    Some(Breach {
        rule: first.rule,
        also: rules.into_iter().filter(|rule| *rule != first.rule).collect(),
        at: first.at,
        episode: episode_of(&episodes, &first.vm, first.at).cloned(),
        vm: first.vm,
        expected: first.expected,
        got: first.got,
    })
}

/// Whether each instant has the same alerts; their order within it does not count.
fn same(expected: &[Alert], got: &[Alert]) -> bool {
    expected.len() == got.len() && differences(expected, got).is_empty()
}

#[derive(Clone)]
struct Difference {
    at: Time,
    vm: Vm,
    kind: AlertKind,
    expected: Option<Alert>,
    got: Option<Alert>,
    rule: Rule,
}

/// Alerts of one kind, machine and instant are compared with each other.
type Place<'a> = (Time, &'a Vm, AlertKind);

fn differences(expected: &[Alert], got: &[Alert]) -> Vec<Difference> {
    let mut places: BTreeMap<Place<'_>, (Vec<&Alert>, Vec<&Alert>)> = BTreeMap::new();
    for alert in expected {
        places.entry((alert.at, &alert.vm, alert.kind)).or_default().0.push(alert);
    }
    for alert in got {
        places.entry((alert.at, &alert.vm, alert.kind)).or_default().1.push(alert);
    }
    let mut found = Vec::new();
    for ((at, vm, kind), (expected, got)) in places {
        let agrees = |a: &Alert, b: &Alert| a.status == b.status && (b.since.is_none() || a.since == b.since);
        for index in 0..expected.len().max(got.len()) {
            let (expected, got) = (expected.get(index).copied(), got.get(index).copied());
            if expected.zip(got).is_some_and(|(a, b)| agrees(a, b)) {
                continue;
            }
            let (expected, got) = (expected.cloned(), got.cloned());
            found.push(Difference { at, vm: vm.clone(), kind, expected, got, rule: Rule::Exact });
        }
    }
    found
}

impl Difference {
    /// The table of the contract: the first row that matches.
    fn classify(&mut self, episodes: &[Episode], got: &[Alert]) {
        let episode = episode_of(episodes, &self.vm, self.at);
        let rows = [
            (Rule::NeverEarly, self.is_early(episode)),
            (Rule::ObservationsFirst, self.ended_at_its_deadline(episodes)),
            (Rule::Once, self.is_repeated(episode, got)),
            (Rule::OneDwell, self.expected.is_some() && self.got.is_some() && !self.differs_in_since()),
            (Rule::Resolve, self.kind == AlertKind::Resolved),
        ];
        self.rule = rows.into_iter().find_map(|(rule, holds)| holds.then_some(rule)).unwrap_or(Rule::Exact);
    }

    fn is_early(&self, episode: Option<&Episode>) -> bool {
        let before = |episode: &Episode| episode.deadline().is_none_or(|deadline| self.at < deadline);
        self.kind == AlertKind::Firing && self.expected.is_none() && episode.is_some_and(before)
    }

    fn ended_at_its_deadline(&self, episodes: &[Episode]) -> bool {
        let of_this = |episode: &&Episode| episode.vm == self.vm && episode.deadline() == Some(self.at);
        let ended = |episode: &Episode| episode.end == Some(self.at);
        let firing = self.kind == AlertKind::Firing && self.expected.is_none();
        firing && episodes.iter().find(of_this).is_some_and(ended)
    }

    /// Another alert of this kind came for the same episode, at this instant or before.
    fn is_repeated(&self, episode: Option<&Episode>, got: &[Alert]) -> bool {
        let (Some(_), None, Some(episode)) = (&self.got, &self.expected, episode) else { return false };
        let of_this = |alert: &&Alert| {
            alert.kind == self.kind && alert.vm == self.vm && alert.at >= episode.since && alert.at <= self.at
        };
        got.iter().filter(of_this).count() > 1
    }

    fn differs_in_since(&self) -> bool {
        match (&self.expected, &self.got) {
            (Some(expected), Some(got)) => expected.status == got.status,
            _ => false,
        }
    }
}

/// The episode of a machine that was open at an instant or, failing that, the last one before it.
fn episode_of<'a>(episodes: &'a [Episode], vm: &Vm, at: Time) -> Option<&'a Episode> {
    let mut begun = episodes.iter().filter(|episode| episode.vm == *vm && episode.since <= at);
    begun.next_back()
}

#[cfg(test)]
mod tests {
    use super::{Rule, judge};
    use crate::oracle::{self, Thresholds};
    use crate::stream::{Alert, AlertKind, Event, Input, Observed, Vm};
    use stuckvm_detector::Time;

    fn at(seconds: u64) -> Time {
        Time::from_secs(seconds)
    }

    fn observed(seconds: u64, status: &str) -> Input {
        let vm = Vm::new("ns", "vm1", "u1");
        Input { at: at(seconds), event: Event::Observed(Observed { vm, status: status.into() }) }
    }

    fn advance(seconds: u64) -> Input {
        Input { at: at(seconds), event: Event::Advance }
    }

    /// Stuck from 0, a move between error statuses at 100, mended at 400.
    fn stream() -> Vec<Input> {
        vec![
            observed(0, "ErrImagePull"),
            observed(100, "ImagePullBackOff"),
            observed(400, "Running"),
            advance(1000),
        ]
    }

    fn right() -> Vec<Alert> {
        oracle::expected(&Thresholds::default(), &stream()).alerts.into_iter().map(|due| due.alert).collect()
    }

    fn verdict(got: &[Alert]) -> Option<(&'static str, Vec<&'static str>)> {
        let breach = judge(&Thresholds::default(), &stream(), got)?;
        Some((breach.rule.as_str(), breach.also.into_iter().map(Rule::as_str).collect()))
    }

    #[test]
    fn what_had_to_be_said_keeps_the_contract() {
        let alerts = right();
        assert_eq!(alerts.len(), 2, "one firing, one resolved");
        assert_eq!(verdict(&alerts), None);
    }

    #[test]
    fn each_slip_is_named_by_its_rule() {
        let [firing, resolved] = <[Alert; 2]>::try_from(right()).expect("a firing and a resolved");
        let moved = |alert: &Alert, seconds: u64| Alert { at: at(seconds), ..alert.clone() };
        let wrong_status = Alert { status: "ErrImagePull".into(), ..firing.clone() };
        let other_since = Alert { since: Some(at(1)), ..firing.clone() };
        let table = [
            ("an early firing", vec![moved(&firing, 299), resolved.clone()], "R2"),
            ("a firing twice", vec![firing.clone(), moved(&firing, 350), resolved.clone()], "R7"),
            ("no resolved", vec![firing.clone()], "R6"),
            ("a late resolved", vec![firing.clone(), moved(&resolved, 401)], "R6"),
            ("no alert at all", vec![], "R1"),
            ("a late firing", vec![moved(&firing, 301), resolved.clone()], "R1"),
            ("the status of the beginning", vec![wrong_status, resolved.clone()], "R4"),
            ("another beginning", vec![other_since, resolved], "R1"),
        ];
        for (slip, got, rule) in table {
            assert_eq!(verdict(&got).map(|(rule, _)| rule), Some(rule), "{slip}");
        }
    }

    #[test]
    fn an_episode_that_ends_at_its_deadline_must_not_fire() {
        let inputs = [observed(0, "Unknown"), observed(300, "Running"), advance(1000)];
        let vm = Vm::new("ns", "vm1", "u1");
        let firing =
            Alert { at: at(300), kind: AlertKind::Firing, vm, status: "Unknown".into(), since: None };
        let breach = judge(&Thresholds::default(), &inputs, &[firing]).expect("it is a breach");
        assert_eq!(breach.rule, Rule::ObservationsFirst);
    }
}
