//! The items of a case as the inputs that a detector gets, and as what it must answer.

use super::format::{Given, Item, Listed};
use super::moment::{Problem, moment};
use crate::oracle::{Expected, ExpectedAlert};
use crate::stream::{Alert, AlertKind, Event, Input, Observed, Vm};
use std::time::Duration;
use stuckvm_detector::Time;

/// What the items of a case come to.
#[derive(Default)]
pub(super) struct Stream {
    pub(super) inputs: Vec<Input>,
    pub(super) restarts: Vec<usize>,
    pub(super) expected: Expected,
}

/// Reads the items of a case.
pub(super) fn build(items: &[Item], start: Time, threshold: Duration) -> Result<Stream, Problem> {
    let mut builder = Builder { start, threshold, stream: Stream::default() };
    for (index, item) in items.iter().enumerate() {
        builder.add(item).map_err(|problem| problem.within(&format!("stream[{index}]")))?;
    }
    Ok(builder.stream)
}

struct Builder {
    start: Time,
    threshold: Duration,
    stream: Stream,
}

impl Builder {
    fn add(&mut self, item: &Item) -> Result<(), Problem> {
        let Some(at) = &item.at else { return self.restart(item) };
        let at = self.instant(at)?;
        let events = events(item)?;
        let Stream { inputs, expected, .. } = &mut self.stream;
        let place = inputs.len();
        let says = !item.gives.is_empty() || item.rejected || !item.unknown.is_empty();
        if events.len() > 1 && says {
            return Err("an item that stands for many inputs must not be answered".into());
        }
        inputs.extend(events.into_iter().map(|event| Input { at, event }));
        expected.rejected.extend(item.rejected.then_some(place));
        expected.unknown.extend(item.unknown.iter().map(|word| (place, word.clone())));
        for given in &item.gives {
            let alerts = self.alerts(given)?;
            let due = alerts.into_iter().map(|alert| ExpectedAlert { input: place, alert });
            self.stream.expected.alerts.extend(due);
        }
        Ok(())
    }

    fn restart(&mut self, item: &Item) -> Result<(), Problem> {
        if !item.restart {
            return Err("`at` is missing".into());
        }
        self.stream.restarts.push(self.stream.inputs.len());
        Ok(())
    }

    fn instant(&self, text: &str) -> Result<Time, Problem> {
        let after = moment(text, self.threshold)?;
        let beyond = || Problem::NoSuchInstant(format!("`{text}` lies beyond the last instant"));
        self.start.checked_add(after).ok_or_else(beyond)
    }

    fn alerts(&self, given: &Given) -> Result<Vec<Alert>, Problem> {
        let (kind, machines) = match (&given.fires, &given.resolves) {
            (Some(vm), None) => (AlertKind::Firing, vms(vm)?),
            (None, Some(vm)) => (AlertKind::Resolved, vms(vm)?),
            _ => return Err("an alert either `fires` or `resolves`".into()),
        };
        let (at, since) = (self.instant(&given.at)?, Some(self.instant(&given.since)?));
        let alert = |vm| Alert { at, kind, vm, status: given.status.clone(), since };
        Ok(machines.into_iter().map(alert).collect())
    }
}

fn events(item: &Item) -> Result<Vec<Event>, String> {
    match item {
        Item { vm: Some(vm), is: Some(is), deleted: None, relist: None, advance: false, .. } => {
            Ok(observed(vm, is)?.into_iter().map(Event::Observed).collect())
        }
        Item { vm: None, is: None, deleted: Some(vm), relist: None, advance: false, .. } => {
            Ok(vms(vm)?.into_iter().map(Event::Deleted).collect())
        }
        Item { vm: None, is: None, deleted: None, relist: Some(list), advance: false, .. } => {
            let list =
                list.iter().map(|Listed { vm, is }| observed(vm, is)).collect::<Result<Vec<_>, _>>()?;
            Ok(vec![Event::Relist(list.into_iter().flatten().collect())])
        }
        Item { vm: None, is: None, deleted: None, relist: None, advance: true, .. } => {
            Ok(vec![Event::Advance])
        }
        _ => Err("expected one of `vm` with `is`, `deleted`, `relist`, `advance`".to_owned()),
    }
}

fn observed(vm: &str, is: &str) -> Result<Vec<Observed>, String> {
    Ok(vms(vm)?.into_iter().map(|vm| Observed { vm, status: is.into() }).collect())
}

/// `a`, `a/a-2`, `other/a/u1`, `fleet*10000`.
fn vms(text: &str) -> Result<Vec<Vm>, String> {
    let named = |name: &str| Vm::new("ns", name, &format!("{name}-1"));
    if let Some((name, count)) = text.split_once('*') {
        let count: usize =
            count.parse().map_err(|_| format!("expected a number after `*`, found `{text}`"))?;
        return Ok((0..count).map(|index| named(&format!("{name}-{index:05}"))).collect());
    }
    match text.split('/').collect::<Vec<_>>()[..] {
        [name] => Ok(vec![named(name)]),
        [name, uid] => Ok(vec![Vm::new("ns", name, uid)]),
        [namespace, name, uid] => Ok(vec![Vm::new(namespace, name, uid)]),
        _ => Err(format!("expected a machine such as a, a/a-2 or other/a/u1, found `{text}`")),
    }
}
