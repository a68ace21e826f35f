//! What `generate` must keep: weights, a template that reads with every value that can be drawn, and faults of machines.

use super::{Fault, INFERENCE_ADVICE};
use crate::draw::Choice;
use crate::fleet::replace;
use crate::format::Generate;
use serde_json::Value;
use stuckvm_sim::kubevirt::inferred_field;
use stuckvm_sim::{Kind, Object};

/// Checks one template.
pub(super) fn generated(generate: &Generate, index: usize) -> Result<(), Fault> {
    let field = format!("cluster.generate[{index}]");
    let choices = Choice::all(generate);
    if let Some(choice) = choices.iter().find(|choice| choice.weight() == 0) {
        let advice = "give each value a weight, such as `good: 98`";
        return Err(Fault(
            format!("{field}.{}", choice.field),
            "a weight above 0".into(),
            "none".into(),
            advice,
        ));
    }
    // Every value once, with the first of the other choices: a template that reads with each reads with all.
    let most = choices.iter().map(Choice::options).max().unwrap_or(1);
    for option in 0..most {
        let value = filled(generate, &choices, option);
        let kind = reads(&value, &format!("{field}.template"))?;
        if generate.breaks.is_some() && kind != Kind::VirtualMachine {
            let advice = "only machines have instances with phases";
            let expected = "a template of kind VirtualMachine".to_owned();
            return Err(Fault(format!("{field}.break"), expected, kind.to_string(), advice));
        }
    }
    Ok(())
}

/// The first object of a template: number 0, and of each choice the first.
pub(super) fn first_of(generate: &Generate) -> Value {
    filled(generate, &Choice::all(generate), 0)
}

/// The template with number 0 and this option of each choice, or the choice's last.
fn filled(generate: &Generate, choices: &[Choice], option: usize) -> Value {
    let mut value = serde_json::to_value(&generate.template).expect("a map of values is a value");
    replace(&mut value, "{i}", &Value::from("0"));
    for choice in choices {
        choice.fill_in(option.min(choice.options() - 1), &mut value);
    }
    value
}

/// The kind of an object that reads.
fn reads(value: &Value, field: &str) -> Result<Kind, Fault> {
    match Object::from_value(value) {
        Ok(Some(object)) if !object.metadata().name.is_empty() => match inferred_field(&object) {
            None => Ok(object.kind()),
            Some(path) => {
                let expected = format!("a machine without {path}");
                Err(Fault(format!("{field}.{path}"), expected, "one".into(), INFERENCE_ADVICE))
            }
        },
        Ok(Some(_)) => {
            let advice = "put the number into the name, such as `vm-{i}`";
            Err(Fault(format!("{field}.metadata.name"), "a name".into(), "none".into(), advice))
        }
        Ok(None) => {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            let found = value.get("kind").map_or_else(|| "none".to_owned(), ToString::to_string);
            Err(Fault(format!("{field}.kind"), format!("one of {known}"), found, "name the kind"))
        }
        Err(error) => {
            let (expected, found) = stuckvm_sim::manifest::split(&error.inner().to_string());
            Err(Fault(format!("{field}.{}", error.path()), expected, found, "mend the template"))
        }
    }
}
