//! Whether an object has what a scenario file states: a part of it, with `*` for any text.

use serde_json::Value;

/// Where an object differs from what was stated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// The field's path, such as `status.conditions[type=Ready].reason`.
    pub path: String,
    /// What was stated.
    pub expected: String,
    /// What is there.
    pub got: String,
}

/// Keys by which the elements of Kubernetes' lists are told apart.
const KEYS: [&str; 4] = ["type", "name", "phase", "key"];

/// The first difference; `None` if the object has all that is stated.
pub(super) fn difference(stated: &Value, object: &Value, path: &str) -> Option<Difference> {
    match (stated, object) {
        (Value::Object(stated), Value::Object(fields)) => {
            let each = stated.iter().map(|(key, value)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                difference(value, fields.get(key).unwrap_or(&Value::Null), &path)
            });
            each.flatten().next()
        }
        (Value::Array(stated), Value::Array(elements)) => {
            stated.iter().find_map(|wanted| element(wanted, elements, path))
        }
        (Value::String(pattern), Value::String(text)) if like(pattern, text) => None,
        (stated, object) if stated == object => None,
        (stated, object) => Some(Difference {
            path: path.to_owned(),
            expected: shown(stated, "no such field"),
            got: shown(object, "no such field"),
        }),
    }
}

/// An element must be there. If one of the same key is, the difference lies within that one.
fn element(wanted: &Value, elements: &[Value], path: &str) -> Option<Difference> {
    if elements.iter().any(|element| difference(wanted, element, path).is_none()) {
        return None;
    }
    let twin = KEYS.iter().find_map(|key| {
        let name = wanted.get(key)?;
        let twin = elements.iter().find(|element| element.get(key) == Some(name))?;
        Some((twin, format!("{path}[{key}={}]", shown(name, ""))))
    });
    match twin {
        Some((twin, path)) => difference(wanted, twin, &path),
        None => Some(Difference {
            path: path.to_owned(),
            expected: shown(wanted, ""),
            got: shown(&Value::Array(elements.to_vec()), ""),
        }),
    }
}

/// Whether a text is as a pattern says, in which `*` stands for any text.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().expect("a split gives at least one part");
    for part in parts {
        let Some((_, after)) = text.split_once(part) else { return false };
        text = after;
    }
    text.ends_with(last)
}

fn shown(value: &Value, null: &str) -> String {
    match value {
        Value::Null => null.to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Difference, difference, like};
    use serde_json::{Value, json};

    fn object() -> Value {
        json!({"status": {"phase": "Scheduling", "conditions": [
            {"type": "Ready", "status": "False", "reason": "GuestNotRunning"},
            {"type": "PodScheduled", "status": "False", "message": "0/2 nodes are available: 2 Insufficient cpu."},
        ]}})
    }

    fn found(stated: Value) -> Option<(String, String, String)> {
        let found = difference(&stated, &object(), "");
        found.map(|Difference { path, expected, got }| (path, expected, got))
    }

    #[test]
    fn a_part_in_whatever_order_is_enough() {
        let conditions = json!([
            {"type": "PodScheduled", "message": "0/2 nodes*cpu*"},
            {"type": "Ready", "reason": "GuestNotRunning", "message": null},
        ]);
        assert_eq!(found(json!({"status": {"conditions": conditions}})), None);
    }

    #[test]
    fn a_difference_says_where_it_is() {
        let ready = json!({"status": {"conditions": [{"type": "Ready", "reason": "PodNotExists"}]}});
        let path = "status.conditions[type=Ready].reason";
        assert_eq!(found(ready), Some((path.into(), "PodNotExists".into(), "GuestNotRunning".into())));
        let phase = found(json!({"status": {"phase": null}}));
        assert_eq!(phase, Some(("status.phase".into(), "no such field".into(), "Scheduling".into())));
        let absent = found(json!({"status": {"conditions": [{"type": "Synchronized"}]}}));
        assert_eq!(absent.map(|(path, ..)| path), Some("status.conditions".to_owned()));
    }

    #[test]
    fn a_star_stands_for_any_text_and_for_none() {
        for (pattern, text) in
            [("a*", "a"), ("*a", "ba"), ("a*b*c", "a1b2c"), ("*", ""), ("a**b", "ab"), ("abc", "abc")]
        {
            assert!(like(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("a*", "ba"), ("*a", "ab"), ("a*b*c", "acb"), ("ab*ba", "aba"), ("abc", "abcd")]
        {
            assert!(!like(pattern, text), "{pattern} {text}");
        }
    }
}
