//! Objects as YAML in block style, such that [`parse`](super::parse) and every reader of YAML 1.1 or 1.2 give them back.

use super::scalar::resolve;
use serde_json::Value;

/// A document without its `---`, ending with a line break.
///
/// ```
/// # use stuckvm_sim::manifest::to_yaml;
/// let value = serde_json::json!({"a": ["yes", {"b": 1, "c": {}}], "d": "two words"});
/// assert_eq!(to_yaml(&value), "a:\n- \"yes\"\n- b: 1\n  c: {}\nd: two words\n");
/// ```
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(fields) if !fields.is_empty() => write_fields(value, 0, &mut out),
        Value::Array(items) if !items.is_empty() => write_items(value, 0, &mut out),
        scalar => out = format!("{}\n", inline(scalar)),
    }
    out
}

/// `key: value`, a line each. The first line has no indentation: it may follow the dash of a list.
fn write_fields(value: &Value, indent: usize, out: &mut String) {
    for (at, (key, value)) in value.as_object().into_iter().flatten().enumerate() {
        if at > 0 {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str(&text(key));
        out.push(':');
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent + 2));
                write_fields(value, indent + 2, out);
            }
            // As `kubectl` does: the dashes stand below the key.
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                out.extend(std::iter::repeat_n(' ', indent));
                write_items(value, indent, out);
            }
            scalar => {
                out.push(' ');
                out.push_str(&inline(scalar));
                out.push('\n');
            }
        }
    }
}

/// `- item`, one after the other. The first dash has no indentation.
fn write_items(value: &Value, indent: usize, out: &mut String) {
    for (at, item) in value.as_array().into_iter().flatten().enumerate() {
        if at > 0 {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str("- ");
        match item {
            Value::Object(fields) if !fields.is_empty() => write_fields(item, indent + 2, out),
            Value::Array(items) if !items.is_empty() => write_items(item, indent + 2, out),
            scalar => {
                out.push_str(&inline(scalar));
                out.push('\n');
            }
        }
    }
}

/// What stands on one line.
fn inline(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        // Numbers, booleans, null, `{}` and `[]` look the same in JSON and YAML.
        other => other.to_string(),
    }
}

/// A text, in quotes unless it is taken for the same text without.
fn text(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { Value::from(text).to_string() }
}

/// Whether every reader takes a text for the same text without quotes: words of harmless characters, the first one a letter,
/// or an amount such as `500m`, which other readers would take for a date or a time if it had more than letters and digits.
fn is_plain(text: &str) -> bool {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "./-_()=+'".contains(c);
    // A colon means something at the end of a word only.
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphanumeric())
            && word.ends_with(harmless)
            && word.chars().all(|c| harmless(c) || c == ':')
    };
    let is_amount = || text.chars().all(|c| c.is_ascii_alphanumeric());
    text.split(' ').all(is_word)
        && (text.starts_with(|c: char| c.is_ascii_alphabetic()) || is_amount())
        && resolve(text) == Some(Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::to_yaml;
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    fn value() -> impl Strategy<Value = Value> {
        let word = prop_oneof![
            "[a-z0-9 .:#/'\"\\\\{}\\[\\]&*!|>%@`,?=~<+-]{0,8}",
            prop::sample::select(vec![
                "yes",
                "off",
                "null",
                "~",
                "1_000",
                "0o17",
                "08",
                "1e3",
                "---",
                "a: b",
                "a #b",
                "é\u{1f600}",
                "x\ny",
                "\t",
                " a",
                "a ",
                ".5",
                "=",
                "<<"
            ])
            .prop_map(str::to_owned),
        ];
        let leaf = prop_oneof![
            word.clone().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<bool>().prop_map(Value::from),
            Just(Value::Null),
            Just(json!({})),
            Just(json!([])),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 1..4).prop_map(Value::Array),
                prop::collection::vec((word.clone(), inner), 1..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in value()) {
            let value = json!({ "object": value });
            let text = to_yaml(&value);
            let read = parse("x.yaml", text.as_bytes()).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
            prop_assert_eq!(&read[0].value, &value, "{}", text);
        }
    }
}
