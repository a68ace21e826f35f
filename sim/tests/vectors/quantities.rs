//! `quantities`: what apimachinery 0.36.2 makes of a string, and of two.

use serde_json::{Value, json};
use stuckvm_sim::quantity::{Quantity, QuantityError};

/// Plays one line.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let answer = match text(case, "op") {
        "parse" => parsed(Quantity::parse(text(case, "in"))),
        "json" => parsed(Quantity::from_json(text(case, "in"))),
        "cmp" => json!({ "cmp": operand(case, "a").cmp(&operand(case, "b")) as i32 }),
        "add" => computed(&(operand(case, "a") + &operand(case, "b"))),
        "sub" => computed(&(operand(case, "a") - &operand(case, "b"))),
        op => return Err(format!("an operation that is not known: {op}")),
    };
    let answer = answer.as_object().expect("built as one");
    for (key, got) in answer {
        let expected = &case[key];
        let same = if key == "approx" { got.as_f64() == expected.as_f64() } else { got == expected };
        if !same {
            return Err(format!("{case}\n{key} is {expected}, got {got}"));
        }
    }
    Ok(())
}

fn parsed(result: Result<Quantity, QuantityError>) -> Value {
    match result {
        Err(error) => json!({ "error": error.to_string() }),
        Ok(quantity) => json!({
            "error": null,
            "string": quantity.to_string(),
            "canonical": quantity.canonical(),
            "format": quantity.format().as_str(),
            "sign": quantity.sign(),
            "value": quantity.value(),
            "milli": quantity.milli_value(),
            "int64": quantity.as_i64(),
            "approx": quantity.approx(),
        }),
    }
}

fn computed(quantity: &Quantity) -> Value {
    json!({
        "canonical": quantity.canonical(),
        "format": quantity.format().as_str(),
        "value": quantity.value(),
        "milli": quantity.milli_value(),
    })
}

fn operand(case: &Value, key: &str) -> Quantity {
    Quantity::parse(text(case, key)).unwrap_or_else(|error| panic!("{key}: {error}"))
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("{key} is a text in {case}"))
}
