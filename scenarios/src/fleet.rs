//! Makes the objects of `generate`, each at its instant, without a document each.

use crate::format::Generate;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::{Object, Random};

/// What is still to be made, in order of time.
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
    stream: String,
}

/// Values of which one is drawn by weight.
#[derive(Debug)]
struct Choice {
    key: String,
    values: Vec<(String, u32)>,
}

#[derive(Debug)]
enum Prototype {
    /// Only names bear the number.
    Typed(Box<Object>),
    /// The number stands elsewhere too: every object is read anew.
    Untyped(Value),
}

impl Fleet {
    /// The objects of every `generate` of a scenario.
    pub(crate) fn new(generate: &[Generate], start: Time) -> Self {
        let groups =
            generate.iter().enumerate().map(|(index, group)| Group::new(group, start, index)).collect();
        Self { groups }
    }

    /// When the next object is made, if it is not made before the start.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.groups.iter().filter_map(Group::next_at).min()
    }

    /// Takes the objects that are made at or before an instant, in the order of the groups.
    pub(crate) fn take_until(&mut self, at: Time, random: &mut Random) -> Vec<Object> {
        let mut objects = Vec::new();
        for group in &mut self.groups {
            while group.next_at().is_some_and(|due| due <= at) {
                objects.push(group.make(random));
            }
        }
        objects
    }
}

impl Group {
    fn new(generate: &Generate, start: Time, index: usize) -> Self {
        let Generate { count, template, choose, arrive } = generate;
        let template = serde_json::to_value(template).expect("a map of values is a value");
        let choices = choose.iter().map(|(key, values)| Choice {
            key: format!("{{{key}}}"),
            values: values.iter().map(|(value, weight)| (value.clone(), *weight)).collect(),
        });
        Self {
            count: *count,
            made: 0,
            // Without arrival they are part of the cluster before anything happens.
            from: arrive.map_or(Time::ZERO, |arrive| start.checked_add(arrive.from.0).unwrap_or(Time::MAX)),
            over: arrive.map_or(Duration::ZERO, |arrive| arrive.over.0),
            template,
            choices: choices.collect(),
            prototypes: BTreeMap::new(),
            stream: format!("generate/{index}"),
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

    fn make(&mut self, random: &mut Random) -> Object {
        let number = self.made.to_string();
        self.made += 1;
        let drawn: Vec<usize> = self.choices.iter().map(|choice| choice.draw(&self.stream, random)).collect();
        if !self.prototypes.contains_key(&drawn) {
            let prototype = self.prototype(&drawn);
            self.prototypes.insert(drawn.clone(), prototype);
        }
        match &self.prototypes[&drawn] {
            Prototype::Typed(object) => numbered(object, &number),
            Prototype::Untyped(value) => {
                let mut value = value.clone();
                replace(&mut value, "{i}", &number);
                typed(&value)
            }
        }
    }

    fn prototype(&self, drawn: &[usize]) -> Prototype {
        let mut value = self.template.clone();
        for (choice, index) in self.choices.iter().zip(drawn) {
            replace(&mut value, &choice.key, &choice.values[*index].0);
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

impl Choice {
    fn draw(&self, stream: &str, random: &mut Random) -> usize {
        let total: u64 = self.values.iter().map(|(_, weight)| u64::from(*weight)).sum();
        assert!(total > 0, "the loader has checked the weights");
        let mut at = random.uniform(stream, 0..=total - 1);
        for (index, (_, weight)) in self.values.iter().enumerate() {
            match at.checked_sub(u64::from(*weight)) {
                Some(rest) => at = rest,
                None => return index,
            }
        }
        unreachable!("a draw lies below the sum of the weights")
    }
}

/// The loader has read the template with a number in it, so every other number reads too.
fn typed(value: &Value) -> Object {
    let object = Object::from_value(value).expect("the loader has read the template");
    object.expect("the loader has checked the kind")
}

fn numbered(prototype: &Object, number: &str) -> Object {
    let mut object = prototype.clone();
    object.rename(|text| text.replace("{i}", number));
    object
}

/// Replaces a placeholder in every string of a value.
pub(crate) fn replace(value: &mut Value, placeholder: &str, by: &str) {
    match value {
        Value::String(text) if text.contains(placeholder) => *text = text.replace(placeholder, by),
        Value::Array(items) => items.iter_mut().for_each(|item| replace(item, placeholder, by)),
        Value::Object(fields) => fields.values_mut().for_each(|field| replace(field, placeholder, by)),
        _ => {}
    }
}
