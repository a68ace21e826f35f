//! A detector that sleeps until the next deadline, on tokio's timers.
//!
//! It runs anywhere: inputs come from a channel, what it says goes to another one. Nothing in it knows of the harness's clock.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stuckvm_detector::{PrintableStatus, Time};
use stuckvm_scenarios::conformance::Said;
use stuckvm_scenarios::oracle::Thresholds;
use stuckvm_scenarios::stream::{Alert, AlertKind, Event, Input, Observed, Vm};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::time::{Instant, timeout_at};

/// Watches machines until the inputs end. It acts on a deadline as soon as its instant is over, or `slack` later.
pub(crate) async fn detect(
    thresholds: Thresholds,
    slack: Duration,
    mut inputs: UnboundedReceiver<Input>,
    says: UnboundedSender<Said>,
) {
    let Some(first) = inputs.recv().await else { return };
    let origin = (first.at, Instant::now());
    let mut watch = Watch {
        says,
        slack,
        thresholds,
        newest: None,
        machines: BTreeMap::new(),
        deadlines: BTreeSet::new(),
    };
    watch.take(&first);
    loop {
        // An observation of the deadline's own instant counts before it, hence the nanosecond.
        let next = watch.deadlines.first().map(|(deadline, ..)| *deadline - origin.0 + slack);
        let next = next.map(|after| origin.1 + after + Duration::from_nanos(1));
        let input = match next {
            None => inputs.recv().await,
            Some(next) => match timeout_at(next, inputs.recv()).await {
                Ok(input) => input,
                Err(_) => {
                    watch.fire(origin.0 + (Instant::now() - origin.1));
                    continue;
                }
            },
        };
        let Some(input) = input else { return };
        watch.take(&input);
    }
}

/// Namespace and name.
type Name = (String, String);

struct Watch {
    says: UnboundedSender<Said>,
    slack: Duration,
    thresholds: Thresholds,
    /// The newest instant, and whether it is closed.
    newest: Option<(Time, bool)>,
    machines: BTreeMap<Name, Machine>,
    /// Of all that have not fired: deadline, beginning, whose.
    deadlines: BTreeSet<(Time, Time, Name)>,
}

struct Machine {
    uid: String,
    episode: Option<Episode>,
}

struct Episode {
    since: Time,
    deadline: Option<Time>,
    status: PrintableStatus,
    fired: Option<PrintableStatus>,
}

impl Watch {
    fn take(&mut self, input: &Input) {
        let over = self.newest.is_some_and(|newest| input.at < newest.0 || newest == (input.at, true));
        if over {
            return self.say(Said::Rejected(format!("{} is over", input.at)));
        }
        self.newest = Some((input.at, input.event == Event::Advance));
        // What is older than the input is due, though the timer may not have ticked yet.
        self.fire(input.at);
        match &input.event {
            Event::Observed(observed) => self.observe(input.at, observed, &mut BTreeSet::new()),
            Event::Deleted(vm) => self.delete(input.at, vm),
            Event::Relist(list) => self.relist(input.at, list),
            Event::Advance => {}
        }
    }

    fn observe(&mut self, at: Time, observed: &Observed, reported: &mut BTreeSet<String>) {
        let Observed { vm, status: word } = observed;
        let name = (vm.namespace.to_string(), vm.name.to_string());
        if self.machines.get(&name).is_some_and(|machine| machine.uid != vm.uid) {
            self.forget(at, &name);
        }
        let status = PrintableStatus::parse(word);
        if status.is_none() && reported.insert(word.to_string()) {
            self.say(Said::Unknown(word.to_string()));
        }
        let machine = Machine { uid: vm.uid.to_string(), episode: None };
        let machine = self.machines.entry(name.clone()).or_insert(machine);
        match (status.filter(|status| status.is_error()), &mut machine.episode) {
            (Some(status), Some(episode)) => episode.status = status,
            (Some(status), None) => self.open(at, name, status),
            (None, _) => self.end(at, &name),
        }
    }

    fn open(&mut self, since: Time, name: Name, status: PrintableStatus) {
        let mut own = self.thresholds.per_status.iter();
        let own = own.find(|(word, _)| PrintableStatus::parse(word) == Some(status));
        let threshold = own.map_or(self.thresholds.default, |(_, own)| *own);
        let deadline = since.checked_add(threshold);
        self.deadlines.extend(deadline.map(|deadline| (deadline, since, name.clone())));
        let machine = self.machines.get_mut(&name).expect("it was seen");
        machine.episode = Some(Episode { since, deadline, status, fired: None });
    }

    fn fire(&mut self, now: Time) {
        let slack = self.slack;
        let is_due = |deadline: Time| deadline.checked_add(slack).is_some_and(|due| due < now);
        while self.deadlines.first().is_some_and(|(deadline, ..)| is_due(*deadline)) {
            let (at, _, name) = self.deadlines.pop_first().expect("there is a first");
            let machine = self.machines.get_mut(&name).expect("a deadline is a machine's");
            let episode = machine.episode.as_mut().expect("a deadline is an episode's");
            episode.fired = Some(episode.status);
            let alert = alert((at, AlertKind::Firing), &name, (&machine.uid, episode.since), episode.status);
            self.say(Said::Alert(alert));
        }
    }

    fn end(&mut self, at: Time, name: &Name) {
        let Some(machine) = self.machines.get_mut(name) else { return };
        let Some(episode) = machine.episode.take() else { return };
        if let Some(deadline) = episode.deadline {
            self.deadlines.remove(&(deadline, episode.since, name.clone()));
        }
        if let Some(status) = episode.fired {
            let alert = alert((at, AlertKind::Resolved), name, (&machine.uid, episode.since), status);
            self.say(Said::Alert(alert));
        }
    }

    fn forget(&mut self, at: Time, name: &Name) {
        self.end(at, name);
        self.machines.remove(name);
    }

    fn delete(&mut self, at: Time, vm: &Vm) {
        let name = (vm.namespace.to_string(), vm.name.to_string());
        if self.machines.get(&name).is_some_and(|machine| machine.uid == vm.uid) {
            self.forget(at, &name);
        }
    }

    fn relist(&mut self, at: Time, list: &[Observed]) {
        let mut reported = BTreeSet::new();
        for observed in list {
            self.observe(at, observed, &mut reported);
        }
        let listed: BTreeSet<Name> =
            list.iter().map(|one| (one.vm.namespace.to_string(), one.vm.name.to_string())).collect();
        let missing: Vec<Name> =
            self.machines.keys().filter(|name| !listed.contains(*name)).cloned().collect();
        for name in missing {
            self.forget(at, &name);
        }
    }

    fn say(&self, what: Said) {
        // Nobody may listen any more; then there is nothing to say.
        let _ = self.says.send(what);
    }
}

fn alert(
    (at, kind): (Time, AlertKind),
    (namespace, name): &Name,
    (uid, since): (&str, Time),
    status: PrintableStatus,
) -> Alert {
    let vm = Vm::new(namespace, name, uid);
    Alert { at, kind, vm, status: status.runbook_str().to_owned(), since: Some(since) }
}
