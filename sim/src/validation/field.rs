//! A field of an object: its value, and the path to it as the API server writes paths.

use crate::quantity::Quantity;
use serde_json::Value;

static NULL: Value = Value::Null;

/// A value and where it stands. A field that is not there has the value null.
#[derive(Clone, Copy)]
pub(super) struct Field<'a> {
    parent: Option<&'a Field<'a>>,
    step: Step<'a>,
    value: &'a Value,
}

/// How a value hangs in its parent.
#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    /// A field of a struct: `.name`.
    Name(&'a str),
    /// A key of a map: `[key]`.
    Key(&'a str),
    /// An item of a list: `[0]`.
    Index(usize),
}

impl<'a> Field<'a> {
    /// The object itself.
    pub(super) fn root(value: &'a Value) -> Self {
        Self { parent: None, step: Step::Root, value }
    }

    /// The object that it is a field of.
    pub(super) fn object(&self) -> Field<'a> {
        self.parent.map_or(*self, Field::object)
    }

    /// What stands there.
    pub(super) fn value(&self) -> &'a Value {
        self.value
    }

    /// A field of a struct.
    pub(super) fn child<'s>(&'s self, name: &'s str) -> Field<'s> {
        Field { parent: Some(self), step: Step::Name(name), value: self.value.get(name).unwrap_or(&NULL) }
    }

    /// An entry of a map.
    pub(super) fn key<'s>(&'s self, key: &'s str) -> Field<'s> {
        Field { parent: Some(self), step: Step::Key(key), value: self.value.get(key).unwrap_or(&NULL) }
    }

    /// The items of a list.
    pub(super) fn items(&self) -> impl Iterator<Item = Field<'_>> {
        let items = self.value.as_array().map_or(&[][..], Vec::as_slice).iter().enumerate();
        items.map(|(index, value)| Field { parent: Some(self), step: Step::Index(index), value })
    }

    /// The entries of a map, by key.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, Field<'_>)> {
        let mut keys: Vec<&str> =
            self.value.as_object().into_iter().flat_map(|map| map.keys()).map(String::as_str).collect();
        keys.sort_unstable();
        keys.into_iter().map(|key| (key, self.key(key)))
    }

    /// Whether anything stands there.
    pub(super) fn is_set(&self) -> bool {
        !self.value.is_null()
    }

    /// Whether nothing stands there, or something of no length, which Go does not tell apart.
    pub(super) fn is_empty(&self) -> bool {
        match self.value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            Value::Bool(_) | Value::Number(_) => false,
        }
    }

    /// A text; empty where there is none.
    pub(super) fn text(&self) -> &'a str {
        self.value.as_str().unwrap_or_default()
    }

    /// A whole number.
    pub(super) fn number(&self) -> Option<i64> {
        self.value.as_i64()
    }

    /// Whether it is `true`.
    pub(super) fn is_true(&self) -> bool {
        self.value.as_bool() == Some(true)
    }

    /// A quantity, written as a text or as a number.
    pub(super) fn quantity(&self) -> Option<Quantity> {
        match self.value {
            Value::String(text) => Quantity::parse(text).ok(),
            Value::Number(number) => Quantity::from_json(&number.to_string()).ok(),
            _ => None,
        }
    }

    /// The path, as `spec.containers[0].resources.requests[cpu]`.
    pub(super) fn path(&self) -> String {
        let parent = self.parent.map(Field::path).unwrap_or_default();
        match self.step {
            Step::Root => parent,
            Step::Name(name) if parent.is_empty() => name.to_owned(),
            Step::Name(name) => format!("{parent}.{name}"),
            Step::Key(key) => format!("{parent}[{key}]"),
            Step::Index(index) => format!("{parent}[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Field;
    use serde_json::json;

    #[test]
    fn a_path_names_fields_keys_and_items() {
        let value = json!({"a": [{"b": {"x.y/z": 1}}]});
        let root = Field::root(&value);
        let list = root.child("a");
        let item = list.items().next().unwrap();
        let map = item.child("b");
        let (key, entry) = map.entries().next().unwrap();
        assert_eq!((key, entry.path().as_str(), entry.number()), ("x.y/z", "a[0].b[x.y/z]", Some(1)));
        assert!(!root.child("none").child("deeper").is_set());
    }
}
