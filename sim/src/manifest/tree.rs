//! From parser events to a document and its positions, with a stack of its own: no text makes it recurse.

use std::collections::BTreeMap;

use saphyr_parser::{Marker, ScalarStyle, Tag};
use serde_json::{Map, Value};

use super::position::{Place, Positions, Step, append};
use super::{ManifestError, quote, scalar};

/// The deepest nesting of lists and mappings.
pub const MAX_DEPTH: usize = 128;

/// The most values that all aliases of a text may bring in; a few lines can stand for billions.
pub const MAX_ALIASED: usize = 100_000;

/// What a scalar without quotes stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scalars {
    /// A number, a truth value, or a text: as Kubernetes reads them.
    #[default]
    Resolved,
    /// The text as it is written, for readers that know from their own types what must stand there. Only null is no text.
    AsWritten,
}

/// One document under construction.
#[derive(Default)]
pub(super) struct Builder {
    scalars: Scalars,
    pub(super) positions: Positions,
    /// The document, once its last event is in.
    pub(super) root: Option<Value>,
    open: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    aliased: usize,
}

/// A finished value with what it costs to repeat it.
#[derive(Clone)]
struct Node {
    value: Value,
    nodes: usize,
    height: usize,
}

/// A list or mapping that is still open.
struct Frame {
    entry: usize,
    anchor: usize,
    nodes: usize,
    height: usize,
    items: Items,
}

enum Items {
    Sequence(Vec<Value>),
    Mapping { map: Map<String, Value>, key: Option<Key>, merges: Vec<Value> },
}

/// A key that waits for its value.
struct Key {
    name: String,
    place: Place,
    /// `<<`: the value's keys are taken in where the mapping has none of its own.
    merge: bool,
}

/// A scalar event.
pub(super) struct Scalar<'a> {
    pub(super) text: &'a str,
    pub(super) style: ScalarStyle,
    pub(super) tag: Option<&'a Tag>,
    pub(super) anchor: usize,
}

pub(super) fn place(marker: Marker) -> Place {
    Place { line: marker.line().max(1), column: marker.col() + 1 }
}

impl Builder {
    pub(super) fn new(scalars: Scalars) -> Self {
        Self { scalars, ..Self::default() }
    }

    pub(super) fn sequence_start(&mut self, place: Place, anchor: usize) -> Result<(), ManifestError> {
        self.start(place, anchor, Items::Sequence(Vec::new()))
    }

    pub(super) fn mapping_start(&mut self, place: Place, anchor: usize) -> Result<(), ManifestError> {
        self.start(place, anchor, Items::Mapping { map: Map::new(), key: None, merges: Vec::new() })
    }

    fn start(&mut self, place: Place, anchor: usize, items: Items) -> Result<(), ManifestError> {
        if self.wants_key() {
            return Err(self.error(place, "a key", "a list or mapping", "write the key as a word or a text"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(place));
        }
        let entry = self.enter(place);
        self.open.push(Frame { entry, anchor, nodes: 1, height: 1, items });
        Ok(())
    }

    /// The innermost list or mapping is complete.
    pub(super) fn end(&mut self, place: Place) -> Result<(), ManifestError> {
        let frame = self.open.pop().expect("the parser pairs starts and ends");
        let value = match frame.items {
            Items::Sequence(items) => Value::Array(items),
            Items::Mapping { map, merges, .. } => Value::Object(merge(map, merges).map_err(|found| {
                let advice = "give << an alias of a mapping, or a list of such";
                self.error(place, "a mapping to merge", &found, advice)
                    .of_field(self.positions.path(frame.entry))
            })?),
        };
        self.finish(Node { value, nodes: frame.nodes, height: frame.height }, frame.anchor);
        Ok(())
    }

    pub(super) fn scalar(&mut self, place: Place, scalar: &Scalar<'_>) -> Result<(), ManifestError> {
        let value = self.resolve(place, scalar)?;
        let node = Node { value, nodes: 1, height: 0 };
        if self.wants_key() {
            let merge = scalar.text == "<<" && scalar.style == ScalarStyle::Plain;
            if scalar.anchor != 0 {
                self.anchors.insert(scalar.anchor, node.clone());
            }
            return self.key(place, &node.value, merge);
        }
        self.enter(place);
        self.finish(node, scalar.anchor);
        Ok(())
    }

    pub(super) fn alias(&mut self, place: Place, anchor: usize) -> Result<(), ManifestError> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return Err(self.error(
                place,
                "an alias of a finished value",
                "an alias inside its own value",
                "write it out",
            ));
        };
        self.aliased += node.nodes;
        if self.aliased > MAX_ALIASED {
            let (expected, found) = (format!("aliases for at most {MAX_ALIASED} values"), "more".to_owned());
            return Err(self.error(
                place,
                &expected,
                &found,
                "write the repeated part out, or leave it away",
            ));
        }
        if self.open.len() + node.height > MAX_DEPTH {
            return Err(too_deep(place));
        }
        if self.wants_key() {
            return self.key(place, &node.value, false);
        }
        self.enter(place);
        self.finish(node, 0);
        Ok(())
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Frame { items: Items::Mapping { key: None, .. }, .. }))
    }

    fn resolve(&self, place: Place, scalar: &Scalar<'_>) -> Result<Value, ManifestError> {
        let core = scalar.tag.filter(|tag| tag.is_yaml_core_schema()).map(|tag| tag.suffix.as_str());
        let plain = match (core, scalar.tag) {
            (Some("str"), _) | (None, Some(_)) => false,
            (Some(_), _) => true,
            (None, None) => scalar.style == ScalarStyle::Plain,
        };
        if !plain {
            return Ok(Value::from(scalar.text));
        }
        let value = scalar::resolve(scalar.text);
        if self.scalars == Scalars::AsWritten && value.as_ref().is_none_or(|value| !value.is_null()) {
            return Ok(Value::from(scalar.text));
        }
        let value = value.filter(|value| core.is_none_or(|tag| fits_tag(value, tag)));
        value.ok_or_else(|| {
            let expected =
                core.map_or("a value that JSON has too".to_owned(), |tag| format!("a value of type !!{tag}"));
            self.error(
                place,
                &expected,
                &quote(scalar.text),
                "leave the tag away, or write the value in quotes",
            )
        })
    }

    /// Takes up a key; its value comes next.
    fn key(&mut self, place: Place, value: &Value, merge: bool) -> Result<(), ManifestError> {
        let name = match value {
            Value::String(name) => name.clone(),
            Value::Bool(_) | Value::Number(_) => value.to_string(),
            _ => {
                return Err(self.error(
                    place,
                    "a key",
                    "nothing, a list or a mapping",
                    "write the key as a text",
                ));
            }
        };
        let frame = self.open.last_mut().expect("keys stand in mappings");
        let Items::Mapping { map, key, .. } = &mut frame.items else {
            unreachable!("keys stand in mappings")
        };
        if map.contains_key(&name) {
            let entry = frame.entry;
            return Err(self.duplicate(place, entry, &name));
        }
        *key = Some(Key { name, place, merge });
        Ok(())
    }

    fn duplicate(&self, place: Place, entry: usize, name: &str) -> ManifestError {
        let first = self.positions.child(entry, name).and_then(|position| position.key).unwrap_or(place);
        let found =
            format!("{} again; it stands in line {}, column {} too", quote(name), first.line, first.column);
        let error = ManifestError::at(place, "every key once", &found, "leave one of the two away");
        error.of_field(self.positions.path(entry))
    }

    /// Enters the value that begins here into the positions.
    fn enter(&mut self, place: Place) -> usize {
        let Some(frame) = self.open.last() else { return self.positions.push(0, Step::Root, None, place) };
        let (step, key) = match &frame.items {
            Items::Sequence(items) => (Step::Index(items.len()), None),
            Items::Mapping { key, .. } => {
                let key = key.as_ref().expect("a value follows its key");
                (Step::Key(key.name.as_str().into()), Some(key.place))
            }
        };
        self.positions.push(frame.entry, step, key, place)
    }

    /// Hangs a finished value into the one around it.
    fn finish(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        let Some(frame) = self.open.last_mut() else {
            self.root = Some(node.value);
            return;
        };
        frame.nodes += node.nodes;
        frame.height = frame.height.max(node.height + 1);
        match &mut frame.items {
            Items::Sequence(items) => items.push(node.value),
            Items::Mapping { map, key, merges } => {
                let key = key.take().expect("a value follows its key");
                if key.merge {
                    merges.push(node.value);
                } else {
                    map.insert(key.name, node.value);
                }
            }
        }
    }

    /// An error of the value that comes next.
    fn error(&self, place: Place, expected: &str, found: &str, advice: &str) -> ManifestError {
        let field = self.open.last().map(|frame| {
            let path = self.positions.path(frame.entry);
            match &frame.items {
                Items::Sequence(items) => append(path, &Step::Index(items.len())),
                Items::Mapping { key: Some(key), .. } => append(path, &Step::Key(key.name.as_str().into())),
                Items::Mapping { key: None, .. } => path,
            }
        });
        ManifestError::at(place, expected, found, advice).of_field(field.unwrap_or_default())
    }
}

/// The error for text nested beyond [`MAX_DEPTH`].
pub(super) fn too_deep(place: Place) -> ManifestError {
    let expected = format!("lists and mappings nested at most {MAX_DEPTH} deep");
    ManifestError::at(
        place,
        &expected,
        "deeper nesting",
        "no Kubernetes object needs that: look for stray brackets",
    )
}

fn fits_tag(value: &Value, tag: &str) -> bool {
    match tag {
        "int" => value.is_i64() || value.is_u64(),
        "float" => value.is_number(),
        "bool" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    }
}

/// Takes the keys of `<<` values into a mapping; its own win, then the earlier ones. `Err` says what is no mapping.
fn merge(mut map: Map<String, Value>, merges: Vec<Value>) -> Result<Map<String, Value>, String> {
    let single = |value| match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    for value in merges.into_iter().flat_map(single) {
        let Value::Object(other) = value else { return Err(quote(&value.to_string())) };
        for (key, value) in other {
            map.entry(key).or_insert(value);
        }
    }
    Ok(map)
}
