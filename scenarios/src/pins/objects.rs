//! Looks at objects while a scenario is played: at each instant that `expect.objects` names.

use super::matching::{Difference, difference, like};
use super::{after, since};
use crate::format::{ExpectedObject, Scenario};
use crate::verdict::{Part, Unmet};
use serde_json::Value;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::{Cluster, Kind, Object, split_name};

/// One look at an object.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Time,
    /// The place in `expect.objects`.
    pin: usize,
    /// Whether the object shows by then what the pin states.
    shows: bool,
}

/// The looks that are left, and the first that found something else.
#[derive(Debug, Default)]
pub(crate) struct ObjectPins {
    start: Time,
    pins: Vec<ExpectedObject>,
    /// In order of time, the next one last.
    looks: Vec<Look>,
    unmet: Option<Unmet>,
}

impl ObjectPins {
    /// All looks that a scenario asks for.
    pub(crate) fn new(scenario: &Scenario, start: Time) -> Self {
        let pins = scenario.expect.objects.clone().unwrap_or_default();
        let each = pins.iter().enumerate();
        let mut looks: Vec<Look> = each.flat_map(|(pin, stated)| looks(pin, stated, start)).collect();
        looks.sort_by_key(|look| std::cmp::Reverse((look.at, look.pin)));
        Self { start, pins, looks, unmet: None }
    }

    /// When to look next.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.looks.last().map(|look| look.at)
    }

    /// Looks at what is due at the end of this instant.
    pub(crate) fn look(&mut self, cluster: &Cluster) {
        while let Some(look) = self.looks.pop_if(|look| look.at <= cluster.now()) {
            if self.unmet.is_none() {
                self.unmet = self.missed(look, cluster);
            }
        }
    }

    /// The first look that found something else; after the end of the run also one that was never due.
    pub(crate) fn unmet(&self) -> Option<Unmet> {
        self.unmet.clone()
    }

    fn missed(&self, look: Look, cluster: &Cluster) -> Option<Unmet> {
        let pin = &self.pins[look.pin];
        let found = miss(pin, cluster);
        let (expected, got) = match (look.shows, found) {
            (true, None) | (false, Some(_)) => return None,
            (true, Some(Difference { path, expected, got })) => (format!("{path}: {expected}"), got),
            (false, None) => ("not yet what it shows later".to_owned(), "that already".to_owned()),
        };
        let at = since(self.start, look.at);
        Some(Unmet {
            part: Part::Objects,
            entry: Some(look.pin),
            vm: None,
            at: Some(look.at),
            expected: format!("objects[{}], {} {} at {at}: {expected}", look.pin, pin.kind, pin.name),
            got,
        })
    }
}

fn looks(pin: usize, stated: &ExpectedObject, start: Time) -> Vec<Look> {
    let shown = stated.by.or(stated.from).or(stated.at);
    let shown = shown.map(|at| Look { at: after(start, at.0), pin, shows: true });
    let before = stated.from.map(|from| {
        let at = after(start, from.0.saturating_sub(Duration::from_nanos(1)));
        Look { at, pin, shows: false }
    });
    before.into_iter().chain(shown).collect()
}

/// What keeps every object of that name from showing what is stated; `None` if one shows it.
fn miss(pin: &ExpectedObject, cluster: &Cluster) -> Option<Difference> {
    let kind = Kind::parse(&pin.kind).expect("the loader has checked the kind");
    let named = named(kind, &pin.name, cluster);
    if pin.gone {
        let there = named.first()?;
        return Some(exists(&there.metadata().name));
    }
    let none =
        Difference { path: "metadata.name".into(), expected: pin.name.clone(), got: "no such object".into() };
    let mut first = None;
    for object in named {
        let found = differs(pin, &object.to_value())?;
        first.get_or_insert(found);
    }
    Some(first.unwrap_or(none))
}

fn named(kind: Kind, name: &str, cluster: &Cluster) -> Vec<Object> {
    let (namespace, name) = split_name(kind, name);
    if !name.contains('*') {
        return cluster.find(kind, &namespace, &name).map(|(_, object)| object).into_iter().collect();
    }
    let mut all = cluster.all_of(kind);
    all.retain(|object| object.metadata().namespace == namespace && like(&name, &object.metadata().name));
    all
}

fn differs(pin: &ExpectedObject, object: &Value) -> Option<Difference> {
    let value = |part: &std::collections::BTreeMap<String, Value>| {
        serde_json::to_value(part).expect("a map of values is a value")
    };
    let has = difference(&value(&pin.has), object, "");
    has.or_else(|| {
        let lacks = value(&pin.lacks);
        let there = !pin.lacks.is_empty() && difference(&lacks, object, "").is_none();
        there.then(|| Difference {
            path: "lacks".into(),
            expected: "not that".into(),
            got: lacks.to_string(),
        })
    })
}

fn exists(name: &str) -> Difference {
    Difference { path: "metadata.name".into(), expected: "no such object".into(), got: name.to_owned() }
}
