//! A second detector that keeps the contract, written from its text alone.
//!
//! It shares nothing with the built-in one but the type of an instant: names are the keys of a map, words stay words, and every
//! open deadline lies in one sorted set, where the built-in detector numbers machines and has queues.

use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::conformance::{Candidate, Capabilities, Detector, InProcess, Rejected, Start};
use stuckvm_scenarios::stream::{Alert, AlertKind, Event, Input, Observed, Vm};

/// The runbook's words for the seven, and the wire's where it has another.
const ERRORS: [(&str, Option<&str>); 7] = [
    ("CrashLoopBackOff", None),
    ("Unknown", None),
    ("Unschedulable", Some("ErrorUnschedulable")),
    ("ErrImagePull", None),
    ("ImagePullBackOff", None),
    ("PvcNotFound", Some("ErrorPvcNotFound")),
    ("DataVolumeError", None),
];

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

/// The detector, as the harness starts it.
pub(crate) fn candidate() -> impl Candidate {
    let capabilities = Capabilities { snapshot: true, thresholds: true };
    InProcess::new("second", capabilities, SecondDetector::start)
}

/// Watches machines by name.
pub(crate) struct SecondDetector {
    default: Duration,
    /// By the runbook's word.
    own: BTreeMap<&'static str, Duration>,
    known: Known,
    /// Of all that have not fired: deadline, beginning, the opening's number, whose.
    deadlines: BTreeSet<(Time, Time, u64, Name)>,
    unknown: Vec<String>,
}

/// Namespace and name.
type Name = (String, String);

/// What a restart must not lose.
#[derive(Default, Serialize, Deserialize)]
struct Known {
    newest: Option<Time>,
    /// Whether an advance has closed `newest`.
    closed: bool,
    /// How many episodes there were.
    openings: u64,
    #[serde(with = "entries")]
    machines: BTreeMap<Name, Machine>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Machine {
    uid: String,
    episode: Option<Episode>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Episode {
    since: Time,
    number: u64,
    /// `None` beyond the last instant.
    deadline: Option<Time>,
    /// In the runbook's word.
    status: String,
    /// With which status it fired, if it has.
    fired: Option<String>,
}

impl SecondDetector {
    fn start(start: &Start<'_>) -> Self {
        let own = start.thresholds.per_status.iter();
        let mut detector = Self {
            default: start.thresholds.default,
            own: own.filter_map(|(word, threshold)| Some((error(word)?, *threshold))).collect(),
            known: Known::default(),
            deadlines: BTreeSet::new(),
            unknown: Vec::new(),
        };
        if let Some(snapshot) = start.restore {
            detector.known = serde_json::from_str(snapshot).expect("a snapshot of its own");
            let machines = detector.known.machines.iter();
            let open = machines.filter_map(|(name, machine)| deadline_of(name, machine.episode.as_ref()?));
            detector.deadlines = open.collect();
        }
        detector
    }

    /// R13.
    fn enter(&mut self, input: &Input) -> Result<(), Rejected> {
        let Known { newest, closed, .. } = &mut self.known;
        let over = newest.is_some_and(|newest| input.at < newest || (*closed && input.at == newest));
        if let Some(newest) = newest.filter(|_| over) {
            return Err(Rejected(format!("{} is over: the newest is {newest}", input.at)));
        }
        (*newest, *closed) = (Some(input.at), input.event == Event::Advance);
        self.unknown.clear();
        Ok(())
    }

    /// Fires what no observation can hold up any more (R1, R3).
    fn fire(&mut self, at: Time) -> Vec<Alert> {
        let mut alerts = Vec::new();
        while let Some((deadline, ..)) = self.deadlines.first()
            && (*deadline < at || (self.known.closed && *deadline == at))
        {
            let (at, _, _, name) = self.deadlines.pop_first().expect("there is a first");
            let machine = self.known.machines.get_mut(&name).expect("a deadline is a machine's");
            let vm = Vm::new(&name.0, &name.1, &machine.uid);
            let episode = machine.episode.as_mut().expect("a deadline is an episode's");
            episode.fired = Some(episode.status.clone());
            alerts.push(Alert {
                at,
                kind: AlertKind::Firing,
                vm,
                status: episode.status.clone(),
                since: Some(episode.since),
            });
        }
        alerts
    }

    fn observe(&mut self, at: Time, observed: &Observed, alerts: &mut Vec<Alert>) {
        let Observed { vm, status } = observed;
        let name = (vm.namespace.to_string(), vm.name.to_string());
        if self.known.machines.get(&name).is_some_and(|machine| machine.uid != vm.uid) {
            self.forget(at, &name, alerts);
        }
        let machine = Machine { uid: vm.uid.to_string(), episode: None };
        let machine = self.known.machines.entry(name.clone()).or_insert(machine);
        match (error(status), &mut machine.episode) {
            (Some(word), Some(episode)) => word.clone_into(&mut episode.status),
            (Some(word), None) => self.open(at, name, word),
            (None, _) => self.close(at, &name, alerts),
        }
        let is_known = error(status).is_some() || HEALTHY.contains(&status.as_str());
        if !is_known && !self.unknown.iter().any(|word| status == word) {
            self.unknown.push(status.to_string());
        }
    }

    fn open(&mut self, since: Time, name: Name, word: &'static str) {
        let threshold = self.own.get(word).unwrap_or(&self.default);
        self.known.openings += 1;
        let episode = Episode {
            since,
            number: self.known.openings,
            deadline: since.checked_add(*threshold),
            status: word.to_owned(),
            fired: None,
        };
        self.deadlines.extend(deadline_of(&name, &episode));
        self.known.machines.get_mut(&name).expect("it was seen").episode = Some(episode);
    }

    /// The episode is over, if there is one (R5, R6).
    fn close(&mut self, at: Time, name: &Name, alerts: &mut Vec<Alert>) {
        let Some(machine) = self.known.machines.get_mut(name) else { return };
        let Some(episode) = machine.episode.take() else { return };
        if let Some(deadline) = deadline_of(name, &episode) {
            self.deadlines.remove(&deadline);
        }
        let vm = Vm::new(&name.0, &name.1, &machine.uid);
        alerts.extend(episode.fired.map(|status| Alert {
            at,
            kind: AlertKind::Resolved,
            vm,
            status,
            since: Some(episode.since),
        }));
    }

    /// The machine is gone (R9).
    fn forget(&mut self, at: Time, name: &Name, alerts: &mut Vec<Alert>) {
        self.close(at, name, alerts);
        self.known.machines.remove(name);
    }

    fn delete(&mut self, at: Time, vm: &Vm, alerts: &mut Vec<Alert>) {
        let name = (vm.namespace.to_string(), vm.name.to_string());
        if self.known.machines.get(&name).is_some_and(|machine| machine.uid == vm.uid) {
            self.forget(at, &name, alerts);
        }
    }

    /// What the list lacks is gone (R8).
    fn relist(&mut self, at: Time, list: &[Observed], alerts: &mut Vec<Alert>) {
        for observed in list {
            self.observe(at, observed, alerts);
        }
        let listed: BTreeSet<(&str, &str)> =
            list.iter().map(|observed| (&*observed.vm.namespace, &*observed.vm.name)).collect();
        let names = self.known.machines.keys();
        let missing: Vec<Name> =
            names.filter(|name| !listed.contains(&(&*name.0, &*name.1))).cloned().collect();
        for name in missing {
            self.forget(at, &name, alerts);
        }
    }
}

impl Detector for SecondDetector {
    fn input(&mut self, input: &Input) -> Result<Vec<Alert>, Rejected> {
        self.enter(input)?;
        let mut alerts = self.fire(input.at);
        match &input.event {
            Event::Observed(observed) => self.observe(input.at, observed, &mut alerts),
            Event::Deleted(vm) => self.delete(input.at, vm, &mut alerts),
            Event::Relist(list) => self.relist(input.at, list, &mut alerts),
            Event::Advance => {}
        }
        Ok(alerts)
    }

    fn unknown(&self) -> Option<Vec<String>> {
        Some(self.unknown.clone())
    }

    fn snapshot(&self) -> Option<String> {
        Some(serde_json::to_string(&self.known).expect("words and numbers serialize"))
    }
}

/// The entry of an episode that has not fired.
fn deadline_of(name: &Name, episode: &Episode) -> Option<(Time, Time, u64, Name)> {
    let Episode { since, number, deadline, fired: None, .. } = episode else { return None };
    Some(((*deadline)?, *since, *number, name.clone()))
}

/// The runbook's word for an error status in either spelling.
fn error(word: &str) -> Option<&'static str> {
    let row = ERRORS.iter().find(|(runbook, wire)| *runbook == word || *wire == Some(word));
    row.map(|(runbook, _)| *runbook)
}

/// A map as a list: keys of JSON are strings.
mod entries {
    use super::{Machine, Name};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use std::collections::BTreeMap;

    pub(super) fn serialize<S: Serializer>(
        machines: &BTreeMap<Name, Machine>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        machines.iter().collect::<Vec<_>>().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<Name, Machine>, D::Error> {
        Ok(Vec::<(Name, Machine)>::deserialize(deserializer)?.into_iter().collect())
    }
}
