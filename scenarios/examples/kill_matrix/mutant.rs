//! The detector under the mutants: a map of machines, all looked at whenever time moves. Without a slip it keeps the contract.

use super::known::{Known, Machine};
use super::slip::Slip;
use std::collections::BTreeSet;
use stuckvm_detector::Time;
use stuckvm_scenarios::conformance::{Candidate, Capabilities, Detector, InProcess, Rejected, Start};
use stuckvm_scenarios::oracle::Thresholds;
use stuckvm_scenarios::stream::{Alert, Event, Input, Observed, Vm};

/// A detector with one slip, or with none.
pub(crate) struct Mutant {
    pub(crate) slip: Option<Slip>,
    pub(crate) thresholds: Thresholds,
    pub(crate) known: Known,
    /// The words of this input that are not known.
    pub(crate) unknown: Vec<String>,
    /// Those of all inputs.
    pub(crate) reported: BTreeSet<String>,
    /// What is told with the next input.
    pub(crate) held: Vec<Alert>,
    /// Since the restart there was no input but this.
    pub(crate) is_restored: bool,
}

/// As the harness starts it.
pub(crate) fn candidate(slip: Option<Slip>) -> impl Candidate {
    let name = slip.map_or_else(|| "correct".to_owned(), Slip::name);
    let capabilities = Capabilities { snapshot: true, thresholds: true };
    InProcess::new(&name, capabilities, move |start: &Start<'_>| Mutant::start(slip, start))
}

impl Mutant {
    fn start(slip: Option<Slip>, start: &Start<'_>) -> Self {
        let restored = |text| {
            let known: Known = serde_json::from_str(text).expect("a snapshot of its own");
            known.restored(slip)
        };
        Self {
            slip,
            thresholds: start.thresholds.clone(),
            known: start.restore.map(restored).unwrap_or_default(),
            unknown: Vec::new(),
            reported: BTreeSet::new(),
            held: Vec::new(),
            is_restored: start.restore.is_some(),
        }
    }

    pub(crate) fn has(&self, slip: Slip) -> bool {
        self.slip == Some(slip)
    }

    /// R13.
    fn admit(&mut self, input: &Input) -> Result<(), Rejected> {
        let Some(newest) = self.newest(input) else { return Ok(()) };
        let (late, closed) = (input.at < newest, self.known.closed && input.at == newest);
        let is_taken = match (self.slip, &input.event) {
            (Some(Slip::LateIsTaken), _) => late,
            (Some(Slip::ClosedIsTaken), _) | (Some(Slip::SecondAdvanceIsTaken), Event::Advance) => closed,
            (Some(Slip::AdvancesUnchecked), Event::Advance)
            | (Some(Slip::DeletionsUnchecked), Event::Deleted(_))
            | (Some(Slip::RelistsUnchecked), Event::Relist(_)) => true,
            _ => false,
        };
        if is_taken || !(late || closed) {
            return Ok(());
        }
        match self.slip {
            Some(Slip::RejectedIsTakenIn) => self.take(input, &mut Vec::new()),
            Some(Slip::RejectedMovesTimeBack) => self.known.newest = Some(input.at),
            _ => {}
        }
        Err(Rejected(format!("{} is over, the newest is {newest}", input.at)))
    }

    fn newest(&self, input: &Input) -> Option<Time> {
        match &input.event {
            Event::Observed(Observed { vm, .. }) | Event::Deleted(vm)
                if self.has(Slip::ClockOfEachMachine) =>
            {
                let machine = self.known.machines.get(&self.key(vm));
                machine.map(|machine| machine.newest)
            }
            _ => self.known.newest,
        }
    }

    /// Time moves. Gives back from where.
    fn enter(&mut self, input: &Input) -> Option<Time> {
        let before = self.known.newest;
        self.known.first.get_or_insert(input.at);
        self.known.newest = before.max(Some(input.at));
        if Some(input.at) >= before {
            self.known.closed = input.event == Event::Advance;
        }
        if !self.has(Slip::ReportsPileUp) {
            self.unknown.clear();
        }
        before
    }

    /// What is known of machines changes.
    fn take(&mut self, input: &Input, alerts: &mut Vec<Alert>) {
        match &input.event {
            Event::Observed(observed) => self.observe(input.at, observed, alerts),
            Event::Deleted(vm) => self.delete(input.at, vm, alerts),
            Event::Relist(list) => self.relist(input.at, list, alerts),
            Event::Advance => {}
        }
    }

    /// By what machines are told apart.
    pub(crate) fn key(&self, vm: &Vm) -> String {
        match self.slip {
            Some(Slip::NamespacesIgnored) => vm.name.to_string(),
            Some(Slip::UidAlone) => vm.uid.to_string(),
            Some(Slip::OldUidsLive) => format!("{}/{}/{}", vm.namespace, vm.name, vm.uid),
            _ => format!("{}/{}", vm.namespace, vm.name),
        }
    }

    /// What a slip does before anything is due.
    fn get_ready(&mut self, input: &Input) {
        match (self.slip, &input.event) {
            (Some(Slip::StatusWhenTold), Event::Observed(observed)) => self.move_early(observed),
            (Some(Slip::OverdueDropped), _) if self.is_restored => self.drop_overdue(input),
            _ => {}
        }
    }

    /// A status that is told counts at once.
    fn move_early(&mut self, observed: &Observed) {
        let key = self.key(&observed.vm);
        let machine = self.known.machines.get_mut(&key).filter(|machine| machine.vm == observed.vm);
        if let Some(episode) = machine.and_then(|machine| machine.episode.as_mut())
            && let super::words::Word::Error(status) = super::words::read(None, &observed.status)
        {
            episode.status = status;
        }
    }

    /// Deadlines that have passed are skipped, as if they had fired.
    fn drop_overdue(&mut self, input: &Input) {
        let overdue = self.due(None, input);
        for alert in overdue.into_iter().filter(|alert| alert.at == input.at) {
            // It is not overdue, and is due now.
            self.held.push(alert);
        }
    }
}

impl Detector for Mutant {
    fn input(&mut self, input: &Input) -> Result<Vec<Alert>, Rejected> {
        self.admit(input)?;
        let before = self.enter(input);
        self.get_ready(input);
        let mut alerts = std::mem::take(&mut self.held);
        if self.has(Slip::EventsFirst) {
            self.take(input, &mut alerts);
            alerts.extend(self.due(before, input));
        } else {
            alerts.extend(self.due(before, input));
            self.take(input, &mut alerts);
        }
        if self.has(Slip::ResolvedFirst) {
            alerts.sort_by_key(|alert| alert.kind);
        }
        self.is_restored = false;
        Ok(alerts)
    }

    fn unknown(&self) -> Option<Vec<String>> {
        Some(if self.has(Slip::UnknownNotReported) { Vec::new() } else { self.unknown.clone() })
    }

    fn snapshot(&self) -> Option<String> {
        Some(serde_json::to_string(&self.known).expect("words and numbers serialize"))
    }
}

impl Machine {
    /// It is live, and another uid of its name.
    pub(crate) fn is_replaced_by(&self, vm: &Vm) -> bool {
        self.live && self.vm.uid != vm.uid
    }
}
