//! Whether the Kubernetes events that `expect.events` names were recorded.

use super::matching::like;
use super::{after, since};
use crate::format::ExpectedEvent;
use crate::verdict::{Part, Unmet};
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::journal::Entry;
use stuckvm_sim::{Kind, split_name};

/// A Kubernetes event that was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// When.
    pub at: Time,
    /// The object's kind.
    pub kind: &'static str,
    /// The object's namespace; empty for kinds without one.
    pub namespace: String,
    /// The object's name.
    pub name: String,
    /// `Normal` or `Warning`.
    pub severity: &'static str,
    /// The reason.
    pub reason: String,
    /// The message.
    pub message: String,
}

impl Recorded {
    /// An entry of the journal, if it is an event.
    pub(crate) fn of(entry: Entry) -> Option<Self> {
        let Entry::Event { at, kind, namespace, name, severity, reason, message, .. } = entry else {
            return None;
        };
        Some(Self { at, kind, namespace, name, severity: severity.as_str(), reason, message })
    }
}

/// The first event that the file names and that was not recorded, or not as often as it says.
pub(super) fn check(pinned: &[ExpectedEvent], start: Time, recorded: &[Recorded]) -> Option<Unmet> {
    let count = |pin: &ExpectedEvent| recorded.iter().filter(|event| is(pin, event, start)).count();
    let unmet = |pin: &ExpectedEvent| pin.times.map_or(count(pin) == 0, |times| count(pin) != times);
    let (index, pin) = pinned.iter().enumerate().find(|(_, pin)| unmet(pin))?;
    let by = pin.by.map_or_else(String::new, |by| format!(" to {}", stuckvm_sim::duration::format(by.0)));
    let at = format!("{}{by}", stuckvm_sim::duration::format(pin.at.0));
    let often = pin.times.map_or_else(String::new, |times| format!(", {times} times"));
    let wanted = format!("{} {} {}", pin.severity, pin.reason, pin.message.as_deref().unwrap_or("*"));
    Some(Unmet {
        part: Part::Events,
        entry: Some(index),
        vm: None,
        at: Some(after(start, pin.at.0)),
        expected: format!("events[{index}], {} {} at {at}{often}: {wanted}", pin.kind, pin.name),
        got: match count(pin) {
            0 => nearest(pin, start, recorded),
            times => format!("{times} times"),
        },
    })
}

fn is(pin: &ExpectedEvent, event: &Recorded, start: Time) -> bool {
    let window = after(start, pin.at.0)..=after(start, pin.by.unwrap_or(pin.at).0);
    let says = pin.message.as_ref().is_none_or(|message| like(message, &event.message));
    window.contains(&event.at)
        && says
        && is_of(pin, event)
        && pin.severity == event.severity
        && pin.reason == event.reason
}

fn is_of(pin: &ExpectedEvent, event: &Recorded) -> bool {
    let kind = Kind::parse(&pin.kind).expect("the loader has checked the kind");
    let (namespace, name) = split_name(kind, &pin.name);
    pin.kind == event.kind && namespace == event.namespace && like(&name, &event.name)
}

/// The event of that object that comes closest: of the same reason if there is one, then by time.
fn nearest(pin: &ExpectedEvent, start: Time, recorded: &[Recorded]) -> String {
    let wanted = after(start, pin.at.0);
    let distance = |event: &&Recorded| -> (bool, Duration) {
        let apart = event.at.saturating_since(wanted).max(wanted.saturating_since(event.at));
        (event.reason != pin.reason, apart)
    };
    let closest = recorded.iter().filter(|event| is_of(pin, event)).min_by_key(distance);
    closest.map_or_else(
        || "no event of that object".to_owned(),
        |Recorded { at, severity, reason, message, .. }| {
            format!("{severity} {reason} {message} at {}", since(start, *at))
        },
    )
}
