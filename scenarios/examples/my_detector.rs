//! A detector of stuck virtual machines that is not stuckvm's own, and the line that puts it to every case of the contract.
//!
//! `cargo run --example my_detector` says nothing where all is well. In a crate of yours the line stands in a `#[test]`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::{PrintableStatus, Time};
use stuckvm_scenarios::conformance::{Detector, Rejected};
use stuckvm_scenarios::stream::{Alert, AlertKind, ArcStr, Event, Input, Observed, Vm};

const THRESHOLD: Duration = Duration::from_secs(300);

fn main() {
    stuckvm_scenarios::check(MyDetector::default);
}

/// Knows of every machine in error since when it is, when it is due, and, once it has fired, with which status.
#[derive(Default)]
pub(crate) struct MyDetector {
    /// The newest instant, and whether an advance has closed it.
    clock: Option<(Time, bool)>,
    /// The uid last seen, by namespace and name.
    live: BTreeMap<(ArcStr, ArcStr), ArcStr>,
    episodes: BTreeMap<Vm, Episode>,
    /// Deadlines, with a number that keeps the order of the beginnings.
    due: BTreeSet<(Time, u64, Vm)>,
    opened: u64,
}

struct Episode {
    since: Time,
    number: u64,
    status: &'static str,
    fired: bool,
}

impl Detector for MyDetector {
    fn input(&mut self, input: &Input) -> Result<Vec<Alert>, Rejected> {
        let Input { at, event } = input;
        if let Some((newest, closed)) = self.clock
            && (*at < newest || (*at == newest && closed))
        {
            return Err(Rejected(format!("{at} is in the past: the newest input is of {newest}")));
        }
        let advance = *event == Event::Advance;
        self.clock = Some((*at, advance));
        let mut alerts = self.fire(*at, advance);
        match event {
            Event::Observed(observed) => self.observe(*at, observed, &mut alerts),
            Event::Deleted(vm) => self.delete(*at, vm, &mut alerts),
            Event::Relist(list) => {
                list.iter().for_each(|observed| self.observe(*at, observed, &mut alerts));
                let listed: BTreeSet<&Vm> = list.iter().map(|observed| &observed.vm).collect();
                let live = self.live.iter().map(|((namespace, name), uid)| Vm::new(namespace, name, uid));
                let missing: Vec<Vm> = live.filter(|vm| !listed.contains(vm)).collect();
                missing.iter().for_each(|vm| self.delete(*at, vm, &mut alerts));
            }
            Event::Advance => {}
        }
        Ok(alerts)
    }
}

impl MyDetector {
    /// At one instant observations count before deadlines: a deadline is due once its instant is over.
    fn fire(&mut self, at: Time, advance: bool) -> Vec<Alert> {
        let mut alerts = Vec::new();
        while let Some((deadline, ..)) = self.due.first()
            && (*deadline < at || (*deadline == at && advance))
        {
            let (deadline, _, vm) = self.due.pop_first().expect("it was there");
            let episode = self.episodes.get_mut(&vm).expect("who is due is in error");
            episode.fired = true;
            alerts.push(alert(AlertKind::Firing, deadline, vm, episode));
        }
        alerts
    }

    fn observe(&mut self, at: Time, Observed { vm, status }: &Observed, alerts: &mut Vec<Alert>) {
        let name = (vm.namespace.clone(), vm.name.clone());
        if let Some(old) = self.live.insert(name, vm.uid.clone()).filter(|old| *old != vm.uid) {
            self.end(at, &Vm { uid: old, ..vm.clone() }, alerts);
        }
        let Some(status) = error_status(status) else { return self.end(at, vm, alerts) };
        if let Some(episode) = self.episodes.get_mut(vm) {
            episode.status = if episode.fired { episode.status } else { status };
            return;
        }
        self.opened += 1;
        self.episodes.insert(vm.clone(), Episode { since: at, number: self.opened, status, fired: false });
        self.due.extend(at.checked_add(THRESHOLD).map(|deadline| (deadline, self.opened, vm.clone())));
    }

    fn delete(&mut self, at: Time, vm: &Vm, alerts: &mut Vec<Alert>) {
        let name = (vm.namespace.clone(), vm.name.clone());
        if self.live.get(&name) == Some(&vm.uid) {
            self.live.remove(&name);
            self.end(at, vm, alerts);
        }
    }

    fn end(&mut self, at: Time, vm: &Vm, alerts: &mut Vec<Alert>) {
        let Some(episode) = self.episodes.remove(vm) else { return };
        if episode.fired {
            alerts.push(alert(AlertKind::Resolved, at, vm.clone(), &episode));
        } else if let Some(deadline) = episode.since.checked_add(THRESHOLD) {
            self.due.remove(&(deadline, episode.number, vm.clone()));
        }
    }
}

fn alert(kind: AlertKind, at: Time, vm: Vm, episode: &Episode) -> Alert {
    Alert { at, kind, vm, status: episode.status.to_owned(), since: Some(episode.since) }
}

/// The runbook's spelling of an error status, whichever was delivered.
fn error_status(word: &str) -> Option<&'static str> {
    PrintableStatus::parse(word).filter(|status| status.is_error()).map(PrintableStatus::runbook_str)
}
