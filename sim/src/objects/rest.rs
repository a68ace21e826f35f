//! The fields that no controller looks at.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use std::sync::Arc;

/// The fields of a manifest that are not modelled, kept as they came and given back unchanged.
///
/// It stands flattened at the end of a struct. Nothing there costs one null pointer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rest(Option<Arc<Map<String, Value>>>);

impl Rest {
    /// The value of a field that is not modelled.
    pub fn get(&self, field: &str) -> Option<&Value> {
        self.0.as_ref()?.get(field)
    }

    /// Whether every field of the object is modelled.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Removes a field that is not modelled, and gives what it had.
    pub fn remove(&mut self, field: &str) -> Option<Value> {
        let map = self.0.as_mut().filter(|map| map.contains_key(field))?;
        let removed = Arc::make_mut(map).remove(field);
        if map.is_empty() {
            self.0 = None;
        }
        removed
    }

    /// Sets a field that is not modelled.
    pub fn insert(&mut self, field: impl Into<String>, value: Value) {
        let map = self.0.get_or_insert_default();
        Arc::make_mut(map).insert(field.into(), value);
    }
}

impl Serialize for Rest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().flat_map(|map| map.iter()))
    }
}

impl<'de> Deserialize<'de> for Rest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = Map::deserialize(deserializer)?;
        Ok(Self((!map.is_empty()).then(|| Arc::new(map))))
    }
}
