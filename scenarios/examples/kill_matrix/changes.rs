//! What inputs change of what the mutants know.

use super::known::{Episode, Machine};
use super::mutant::Mutant;
use super::slip::Slip;
use super::words::{Word, read};
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_scenarios::stream::{Alert, AlertKind, Observed, Vm};

/// A gap that a slip forgives.
const SHORT: Duration = Duration::from_secs(1);

/// Why an episode ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Recovered,
    Deleted,
    Missing,
    Replaced,
}

impl Mutant {
    pub(crate) fn observe(&mut self, at: Time, observed: &Observed, alerts: &mut Vec<Alert>) {
        let Observed { vm, status: text } = observed;
        let key = self.key(vm);
        if self.is_left_out(&key, vm) {
            return;
        }
        self.find(at, &key, vm, alerts);
        match read(self.slip, text) {
            Word::Error(status) => self.error(at, &key, (&status, text), alerts),
            Word::Healthy => self.end(at, &key, End::Recovered, alerts),
            Word::Skipped => {}
            Word::Unknown => {
                self.report(text);
                if !self.has(Slip::UnknownGoesOn) {
                    self.end(at, &key, End::Recovered, alerts);
                }
            }
        }
    }

    fn is_left_out(&self, key: &str, vm: &Vm) -> bool {
        let machine = self.known.machines.get(key);
        match self.slip {
            Some(Slip::ThousandMachines) => machine.is_none() && self.known.machines.len() >= 1000,
            Some(Slip::OldUidsAreStale) => {
                machine.is_some_and(|machine| machine.old_uids.iter().any(|old| *old == vm.uid))
            }
            _ => false,
        }
    }

    /// The machine is there, with the uid that is live from now on (R9).
    fn find(&mut self, at: Time, key: &str, vm: &Vm, alerts: &mut Vec<Alert>) {
        if self.known.machines.get(key).is_some_and(|machine| machine.is_replaced_by(vm)) {
            self.replace(at, key, vm, alerts);
        }
        let goes_on = self.has(Slip::SameUidGoesOn);
        let machine = self.known.machines.entry(key.to_owned()).or_insert_with(|| Machine::new(vm, at));
        if !machine.live {
            let ended = machine.ended.take().filter(|(_, episode)| goes_on && episode.fired.is_none());
            let is_same = machine.vm.uid == vm.uid;
            *machine = Machine::new(vm, at);
            machine.episode = ended.filter(|_| is_same).map(|(_, episode)| episode);
        }
        machine.newest = at;
    }

    fn replace(&mut self, at: Time, key: &str, vm: &Vm, alerts: &mut Vec<Alert>) {
        let is_forgotten = self.machine(key).vm.uid.is_empty();
        match self.slip {
            Some(Slip::UidIgnored) => {}
            Some(Slip::SuccessorsInherit) => self.machine(key).vm = vm.clone(),
            Some(Slip::SnapshotForgetsUids) if is_forgotten => self.machine(key).vm = vm.clone(),
            _ => {
                self.end(at, key, End::Replaced, alerts);
                let machine = self.machine(key);
                let mut old_uids = std::mem::take(&mut machine.old_uids);
                old_uids.push(machine.vm.uid.to_string());
                *machine = Machine { old_uids, ..Machine::new(vm, at) };
            }
        }
    }

    /// It has an error status: as it is, and as it was delivered.
    fn error(&mut self, at: Time, key: &str, (status, word): (&str, &str), alerts: &mut Vec<Alert>) {
        let slip = self.slip;
        let Some(episode) = &mut self.machine(key).episode else { return self.open(at, key, (status, word)) };
        let is_pending = episode.fired.is_none();
        let is_move = episode.status != status;
        let is_respelled = episode.word != word;
        let resets = match slip {
            Some(Slip::MovesReset) => is_move,
            Some(Slip::RepeatsReset) => !is_move,
            Some(Slip::SpellingsDiffer) => !is_move && is_respelled,
            _ => false,
        };
        if resets && is_pending {
            episode.since = at;
        }
        episode.move_to(at, status);
        word.clone_into(&mut episode.word);
        match slip {
            Some(Slip::ThresholdOfTheLaterStatus) => status.clone_into(&mut episode.opened_by),
            Some(Slip::MovesResolve) if is_move && !is_pending => {
                self.end(at, key, End::Recovered, alerts);
                self.open(at, key, (status, word));
            }
            Some(Slip::MovesFireAgain) if is_move && !is_pending => self.fire_again(at, key, alerts),
            Some(Slip::RepeatsFireAgain) if !is_move && !is_pending => self.fire_again(at, key, alerts),
            _ => {}
        }
    }

    fn fire_again(&mut self, at: Time, key: &str, alerts: &mut Vec<Alert>) {
        let machine = self.machine(key);
        let episode = machine.episode.clone().expect("it fires");
        let (vm, since) = (machine.vm.clone(), Some(episode.since));
        alerts.push(self.spoken(Alert { at, kind: AlertKind::Firing, vm, status: episode.status, since }));
    }

    fn open(&mut self, at: Time, key: &str, (status, word): (&str, &str)) {
        self.known.openings += 1;
        let number = self.known.openings;
        let slip = self.slip;
        let machine = self.machine(key);
        let merged = machine.ended.take().filter(|(end, episode)| match slip {
            Some(Slip::ZeroGapsMerge) => *end == at,
            Some(Slip::ShortGapsMerge) => at.saturating_since(*end) < SHORT && episode.fired.is_none(),
            _ => false,
        });
        let mut episode = match merged {
            Some((_, episode)) => episode,
            None => Episode::new(at, number, status, word),
        };
        episode.move_to(at, status);
        machine.episode = Some(episode);
    }

    fn end(&mut self, at: Time, key: &str, why: End, alerts: &mut Vec<Alert>) {
        if why == End::Recovered {
            self.end_others(at, key, alerts);
        }
        let slip = self.slip;
        let machine = self.machine(key);
        let again = slip == Some(Slip::ResolvesAgain) && machine.episode.is_none();
        let episode = if again {
            machine.ended.take().map(|(_, episode)| episode).filter(|episode| episode.fired.is_some())
        } else {
            machine.episode.take()
        };
        let Some(episode) = episode else { return };
        if slip == Some(Slip::DeletedPendingGoesOn) && why == End::Deleted && episode.fired.is_none() {
            machine.episode = Some(episode);
            return;
        }
        machine.dwelt += at.saturating_since(episode.since);
        machine.ended = Some((at, episode.clone()));
        let vm = machine.vm.clone();
        self.resolve(at, vm, (episode, why), alerts);
    }

    /// What a slip ends besides.
    fn end_others(&mut self, at: Time, key: &str, alerts: &mut Vec<Alert>) {
        let is_open = self.known.machines[key].episode.is_some();
        match self.slip {
            Some(Slip::RecoveryClearsAll) if is_open => {
                let machines = self.known.machines.values_mut();
                let of = |machine: &Machine| machine.episode.as_ref().is_some_and(|one| one.fired.is_none());
                machines.filter(|machine| of(machine)).for_each(|machine| machine.episode = None);
            }
            Some(Slip::PrefixRecovers) => {
                let longer =
                    self.known.machines.keys().filter(|other| other.starts_with(key) && *other != key);
                for other in longer.cloned().collect::<Vec<_>>() {
                    self.end(at, &other, End::Replaced, alerts);
                }
            }
            _ => {}
        }
    }

    fn resolve(&mut self, at: Time, vm: Vm, (episode, why): (Episode, End), alerts: &mut Vec<Alert>) {
        let lost = match self.slip {
            Some(Slip::NeverResolves) => true,
            Some(Slip::DeletionsLoseResolved) => why == End::Deleted,
            Some(Slip::MissingLoseResolved) => why == End::Missing,
            Some(Slip::ReplacedLoseResolved) => why == End::Replaced,
            _ => false,
        };
        let status = match (self.slip, &episode.fired) {
            (Some(Slip::ResolvesWithTheCurrentStatus), Some(_)) => Some(&episode.status),
            (Some(Slip::PendingResolves), None) => Some(&episode.status),
            (_, fired) => fired.as_ref(),
        };
        let Some(status) = status.filter(|_| !lost).cloned() else { return };
        let at =
            if self.has(Slip::ResolvedStampOfTheFiring) { self.fired_at(&episode).unwrap_or(at) } else { at };
        let since = Some(episode.since);
        let alert = self.spoken(Alert { at, kind: AlertKind::Resolved, vm, status, since });
        if self.has(Slip::ResolvedWithTheNextInput) { self.held.push(alert) } else { alerts.push(alert) }
    }

    /// R12.
    fn report(&mut self, word: &str) {
        let noted = self.unknown.iter().any(|noted| noted == word)
            || (self.has(Slip::ReportedOnce) && self.reported.contains(word))
            || (self.has(Slip::OneReportAnInput) && !self.unknown.is_empty());
        if !noted {
            let word = if self.has(Slip::ReportsInLowerCase) { word.to_lowercase() } else { word.to_owned() };
            self.reported.insert(word.clone());
            self.unknown.push(word);
        }
    }

    pub(crate) fn delete(&mut self, at: Time, vm: &Vm, alerts: &mut Vec<Alert>) {
        let key = self.key(vm);
        let by_name = self.has(Slip::DeletedByName);
        let machine = self.known.machines.get(&key).filter(|machine| machine.live);
        if machine.is_some_and(|machine| by_name || machine.vm.uid == vm.uid) {
            self.forget(at, &key, End::Deleted, alerts);
        }
    }

    fn forget(&mut self, at: Time, key: &str, why: End, alerts: &mut Vec<Alert>) {
        self.end(at, key, why, alerts);
        let machine = self.machine(key);
        machine.newest = at;
        // What a slip keeps is kept.
        machine.live = machine.episode.is_some();
    }

    /// R8.
    pub(crate) fn relist(&mut self, at: Time, list: &[Observed], alerts: &mut Vec<Alert>) {
        for observed in self.taken(list) {
            self.observe(at, observed, alerts);
            self.see_listed(at, &observed.vm, alerts);
        }
        let ignored =
            self.has(Slip::MissingIgnored) || (self.has(Slip::EmptyRelistIgnored) && list.is_empty());
        if ignored {
            return;
        }
        let listed: std::collections::BTreeSet<String> = list.iter().map(|one| self.key(&one.vm)).collect();
        let machines = self.known.machines.iter().filter(|(key, one)| one.live && !listed.contains(*key));
        for key in machines.map(|(key, _)| key.clone()).collect::<Vec<_>>() {
            self.forget(at, &key, End::Missing, alerts);
        }
    }

    /// The entries of a list that count: all of them, but for slips that keep one a machine.
    fn taken<'l>(&self, list: &'l [Observed]) -> Vec<&'l Observed> {
        let is_named = |others: &[Observed], one: &Observed| others.iter().any(|other| other.vm == one.vm);
        let counts = |(place, one): &(usize, &Observed)| match self.slip {
            Some(Slip::ListedOnceFirst) => !is_named(&list[..*place], one),
            Some(Slip::ListedOnceLast) => !is_named(&list[*place + 1..], one),
            _ => true,
        };
        list.iter().enumerate().filter(counts).map(|(_, one)| one).collect()
    }

    /// What slips do to a machine that is in a list.
    fn see_listed(&mut self, at: Time, vm: &Vm, alerts: &mut Vec<Alert>) {
        let key = self.key(vm);
        let slip = self.slip;
        let Some(machine) = self.known.machines.get_mut(&key) else { return };
        let Some(episode) = &mut machine.episode else { return };
        match (slip, &episode.fired) {
            (Some(Slip::RelistsReset), None) => episode.since = at,
            (Some(Slip::RelistsFireAgain), Some(_)) => self.fire_again(at, &key, alerts),
            _ => {}
        }
    }

    fn machine(&mut self, key: &str) -> &mut Machine {
        self.known.machines.get_mut(key).expect("it was found before")
    }
}
