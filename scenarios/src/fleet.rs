//! Makes the objects of `generate`, each at its instant, without a document each.

use crate::draw::Choice;
use crate::format::{Generate, PhaseTarget, VmName};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::{Object, Random};

/// What is still to be made and to be broken, in order of time.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    groups: Vec<Group>,
}

/// The objects of one template.
#[derive(Debug)]
struct Group {
    count: u32,
    made: u32,
    from: Time,
    over: Duration,
    template: Value,
    choices: Vec<Choice>,
    /// Typed objects by the values that were drawn; those whose spec does not bear the number share one spec.
    prototypes: BTreeMap<Vec<usize>, Prototype>,
    fault: Option<Fault>,
}

#[derive(Debug)]
enum Prototype {
    /// Only names bear the number.
    Typed(Box<Object>),
    /// The number stands elsewhere too: every object is read anew.
    Untyped(Value),
}

/// What breaks on every machine of a group.
#[derive(Debug)]
struct Fault {
    /// The instant 0s: machines that are made before break as long after it.
    start: Time,
    after: Duration,
    phase: String,
    /// Whose turn is still to come, and when.
    coming: VecDeque<(Time, VmName)>,
}

impl Fleet {
    /// The objects of every `generate` of a scenario.
    pub(crate) fn new(generate: &[Generate], start: Time) -> Self {
        Self { groups: generate.iter().map(|group| Group::new(group, start)).collect() }
    }

    /// When something is made or broken next, if it is not before the start.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.groups.iter().flat_map(|group| [group.next_at(), group.next_fault_at()]).flatten().min()
    }

    /// Takes the objects that are made at or before an instant, in the order of the groups.
    pub(crate) fn take_until(&mut self, at: Time, random: &mut Random) -> Vec<Object> {
        let mut objects = Vec::new();
        for group in &mut self.groups {
            while let Some(due) = group.next_at().filter(|due| *due <= at) {
                objects.push(group.make(due, random));
            }
        }
        objects
    }

    /// Takes the faults that are due at or before an instant, in the order of the groups.
    pub(crate) fn take_faults_until(&mut self, at: Time) -> Vec<PhaseTarget> {
        let mut faults = Vec::new();
        for Fault { phase, coming, .. } in self.groups.iter_mut().filter_map(|group| group.fault.as_mut()) {
            while coming.front().is_some_and(|(due, _)| *due <= at) {
                let (_, vmi) = coming.pop_front().expect("there is a front");
                faults.push(PhaseTarget { vmi, is: Some(phase.clone()) });
            }
        }
        faults
    }
}

impl Group {
    fn new(generate: &Generate, start: Time) -> Self {
        let Generate { count, template, arrive, breaks, .. } = generate;
        let fault = breaks.as_ref().map(|fault| Fault {
            start,
            after: fault.after.0,
            phase: fault.phase.clone(),
            coming: VecDeque::new(),
        });
        Self {
            count: *count,
            made: 0,
            // Without arrival they are part of the cluster before anything happens.
            from: arrive.map_or(Time::ZERO, |arrive| start.checked_add(arrive.from.0).unwrap_or(Time::MAX)),
            over: arrive.map_or(Duration::ZERO, |arrive| arrive.over.0),
            template: serde_json::to_value(template).expect("a map of values is a value"),
            choices: Choice::all(generate),
            prototypes: BTreeMap::new(),
            fault,
        }
    }

    /// They are spread evenly, the first at the beginning.
    fn next_at(&self) -> Option<Time> {
        if self.made == self.count {
            return None;
        }
        let nanos = self.over.as_nanos() * u128::from(self.made) / u128::from(self.count);
        self.from.checked_add(Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    fn next_fault_at(&self) -> Option<Time> {
        self.fault.as_ref()?.coming.front().map(|(due, _)| *due)
    }

    fn make(&mut self, at: Time, random: &mut Random) -> Object {
        let number = self.made.to_string();
        self.made += 1;
        let drawn: Vec<usize> = self.choices.iter().map(|choice| choice.draw(random)).collect();
        if !self.prototypes.contains_key(&drawn) {
            let prototype = self.prototype(&drawn);
            self.prototypes.insert(drawn.clone(), prototype);
        }
        let object = match &self.prototypes[&drawn] {
            Prototype::Typed(object) => numbered(object, &number),
            Prototype::Untyped(value) => {
                let mut value = value.clone();
                replace(&mut value, "{i}", &Value::from(number));
                typed(&value)
            }
        };
        self.fault.iter_mut().for_each(|fault| fault.await_turn(&object, at));
        object
    }

    fn prototype(&self, drawn: &[usize]) -> Prototype {
        let mut value = self.template.clone();
        for (choice, option) in self.choices.iter().zip(drawn) {
            choice.fill_in(*option, &mut value);
        }
        let elsewhere = value.as_object().into_iter().flatten().any(|(key, part)| match key.as_str() {
            "metadata" => part.as_object().into_iter().flatten().any(|(key, part)| {
                !matches!(key.as_str(), "name" | "namespace") && part.to_string().contains("{i}")
            }),
            _ => part.to_string().contains("{i}"),
        });
        if elsewhere { Prototype::Untyped(value) } else { Prototype::Typed(Box::new(typed(&value))) }
    }
}

impl Fault {
    /// The machine will break some time after it was made.
    fn await_turn(&mut self, machine: &Object, made: Time) {
        let meta = machine.metadata();
        let vm = VmName { namespace: meta.namespace.to_string(), name: meta.name.to_string() };
        let due = made.max(self.start).checked_add(self.after).unwrap_or(Time::MAX);
        self.coming.push_back((due, vm));
    }
}

/// The loader has read the template with every value and a number in it, so every other number reads too.
fn typed(value: &Value) -> Object {
    let object = Object::from_value(value).expect("the loader has read the template");
    object.expect("the loader has checked the kind")
}

fn numbered(prototype: &Object, number: &str) -> Object {
    let mut object = prototype.clone();
    object.rename(|text| text.replace("{i}", number));
    object
}

/// Replaces a placeholder in every string of a value; a string that is nothing else becomes the value that was drawn, which
/// may be a number.
pub(crate) fn replace(value: &mut Value, placeholder: &str, by: &Value) {
    match value {
        Value::String(text) if text == placeholder => *value = by.clone(),
        Value::String(text) if text.contains(placeholder) => {
            let words = by.as_str().map_or_else(|| by.to_string(), str::to_owned);
            *text = text.replace(placeholder, &words);
        }
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, placeholder, by)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, placeholder, by)),
        _ => {}
    }
}
