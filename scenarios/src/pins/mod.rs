//! Checks what a scenario file pins: statuses, alerts, counts, objects, events.

mod events;
mod matching;
mod objects;

pub(crate) use events::Recorded;
pub(crate) use objects::ObjectPins;

use crate::format::{Counts, Expect, ExpectedAlert, ExpectedStatus, Scenario, Span, VmName};
use crate::play::Played;
use crate::stream::{Alert, AlertKind, Vm};
use crate::verdict::{Part, StatusEntry, Unmet};
use std::collections::BTreeSet;
use std::time::Duration;
use stuckvm_detector::{PrintableStatus, Time};

/// The word for a machine that is gone, beside the statuses.
pub(crate) const DELETED: &str = "deleted";

/// The first thing that the file pins and that did not come so.
pub(crate) fn check(scenario: &Scenario, played: &Played) -> Option<Unmet> {
    let Played { start, statuses, alerts, .. } = played;
    let start = *start;
    let Expect { status, alerts: pinned, counts, events, .. } = &scenario.expect;
    let status = status.as_ref().and_then(|pinned| check_statuses(pinned, start, statuses));
    let alert = || pinned.as_ref().and_then(|pinned| check_alerts(pinned, start, alerts));
    let count = || counts.as_ref().and_then(|counts| check_counts(counts, alerts));
    let event = || events.as_ref().and_then(|pinned| events::check(pinned, start, &played.events));
    status.or_else(alert).or_else(count).or_else(|| played.unmet_object.clone()).or_else(event)
}

/// The machines that `expect` names.
pub(crate) fn named(expect: &Expect) -> BTreeSet<VmName> {
    let statuses = expect.status.iter().flatten().map(|pinned| &pinned.vm);
    statuses.chain(expect.alerts.iter().flatten().map(|pinned| &pinned.vm)).cloned().collect()
}

/// How many alerts in all, and how many fire with which status.
fn check_counts(pinned: &Counts, alerts: &[Alert]) -> Option<Unmet> {
    let count = |wanted: &dyn Fn(&Alert) -> bool| alerts.iter().filter(|alert| wanted(alert)).count() as u64;
    let unmet = |expected, got| Unmet { part: Part::Counts, entry: None, vm: None, at: None, expected, got };
    let say = |firing: u64, resolved: u64| format!("{firing} firing, {resolved} resolved");
    let [firing, resolved] =
        [AlertKind::Firing, AlertKind::Resolved].map(|kind| count(&|alert| alert.kind == kind));
    if (pinned.firing, pinned.resolved) != (firing, resolved) {
        return Some(unmet(say(pinned.firing, pinned.resolved), say(firing, resolved)));
    }
    pinned.by_status.iter().find_map(|(status, expected)| {
        let status = runbook(status);
        let got = count(&|alert| alert.kind == AlertKind::Firing && alert.status == status);
        let say = |count: u64| format!("{count} firing as {status}");
        (got != *expected).then(|| unmet(say(*expected), say(got)))
    })
}

/// A pinned machine's list is complete, the empty status apart.
fn check_statuses(pinned: &[ExpectedStatus], start: Time, statuses: &[StatusEntry]) -> Option<Unmet> {
    let machines: BTreeSet<&VmName> = pinned.iter().map(|pin| &pin.vm).collect();
    for vm in machines {
        let of_machine = pinned.iter().enumerate().filter(|(_, pin)| pin.vm == *vm);
        let (entries, wanted): (Vec<usize>, Vec<&ExpectedStatus>) = of_machine.unzip();
        let came: Vec<&StatusEntry> =
            statuses.iter().filter(|entry| is(&entry.vm, vm) && !entry.status.is_empty()).collect();
        for index in 0..wanted.len().max(came.len()) {
            let (wanted, came) = (wanted.get(index), came.get(index));
            if wanted.zip(came).is_some_and(|(pin, entry)| agrees(pin, start, entry)) {
                continue;
            }
            let say = |at: Time, status: &str| format!("{status} at {}", since(start, at));
            let nothing = || "nothing more".to_owned();
            return Some(Unmet {
                part: Part::Status,
                // What came beyond the list is shown at its end.
                entry: entries.get(index).or(entries.last()).copied(),
                vm: came.map(|entry| entry.vm.clone()).or_else(|| Some(Vm::new(&vm.namespace, &vm.name, ""))),
                at: wanted
                    .map(|pin| after(start, pin.at.0))
                    .into_iter()
                    .chain(came.map(|entry| entry.at))
                    .min(),
                expected: wanted.map_or_else(nothing, |pin| wish(pin)),
                got: came.map_or_else(nothing, |entry| say(entry.at, &entry.status)),
            });
        }
    }
    None
}

fn agrees(pin: &ExpectedStatus, start: Time, entry: &StatusEntry) -> bool {
    let window = after(start, pin.at.0)..=after(start, pin.by.unwrap_or(pin.at).0);
    window.contains(&entry.at) && pin.is == entry.status
}

fn wish(pin: &ExpectedStatus) -> String {
    let span = |span: Span| stuckvm_sim::duration::format(span.0);
    let by = pin.by.map_or_else(String::new, |by| format!(" to {}", span(by)));
    format!("{} at {}{by}", pin.is, span(pin.at))
}

/// Exactly the pinned alerts and no others, in whatever order they are listed.
fn check_alerts(pinned: &[ExpectedAlert], start: Time, alerts: &[Alert]) -> Option<Unmet> {
    let mut wanted: Vec<(Time, AlertKind, VmName, String)> = Vec::new();
    for pin in pinned {
        let status = runbook(&pin.status);
        wanted.push((after(start, pin.fires.0), AlertKind::Firing, pin.vm.clone(), status.clone()));
        let resolves =
            pin.resolves.map(|at| (after(start, at.0), AlertKind::Resolved, pin.vm.clone(), status));
        wanted.extend(resolves);
    }
    let mut came: Vec<(Time, AlertKind, VmName, String)> = alerts
        .iter()
        .map(|Alert { at, kind, vm, status, .. }| {
            let name = VmName { namespace: vm.namespace.to_string(), name: vm.name.to_string() };
            (*at, *kind, name, status.clone())
        })
        .collect();
    wanted.sort();
    came.sort();
    let index = (0..wanted.len().max(came.len())).find(|index| wanted.get(*index) != came.get(*index))?;
    let say = |alert: Option<&(Time, AlertKind, VmName, String)>| match alert {
        None => "no further alert".to_owned(),
        Some((at, kind, vm, status)) => {
            let verb = if *kind == AlertKind::Firing { "fires" } else { "resolves" };
            format!("{vm} {verb} at {} as {status}", since(start, *at))
        }
    };
    let (wanted, came) = (wanted.get(index), came.get(index));
    let first = [wanted, came].into_iter().flatten().min()?;
    let of_machine = |pin: &ExpectedAlert| pin.vm == first.2;
    let at_instant = |pin: &ExpectedAlert| {
        [Some(pin.fires), pin.resolves].into_iter().flatten().any(|at| after(start, at.0) == first.0)
    };
    let exactly = pinned.iter().position(|pin| of_machine(pin) && at_instant(pin));
    Some(Unmet {
        part: Part::Alerts,
        entry: exactly.or_else(|| pinned.iter().position(of_machine)),
        vm: Some(Vm::new(&first.2.namespace, &first.2.name, "")),
        at: Some(first.0),
        expected: say(wanted),
        got: say(came),
    })
}

fn is(vm: &Vm, name: &VmName) -> bool {
    vm.namespace == name.namespace && vm.name == name.name
}

/// Files may use either spelling; alerts give the runbook's.
fn runbook(status: &str) -> String {
    let known = PrintableStatus::ALL.into_iter().find(|known| known.as_str() == status);
    known.map_or_else(|| status.to_owned(), |known| known.runbook_str().to_owned())
}

fn after(start: Time, span: Duration) -> Time {
    start.checked_add(span).unwrap_or(Time::MAX)
}

/// An instant as a scenario file writes it.
pub(crate) fn since(start: Time, at: Time) -> String {
    stuckvm_sim::duration::format(at.saturating_since(start))
}
