//! Labels, annotations and node selectors.

use super::SharedVec;
use arcstr::ArcStr;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A small map from string to string in key order: labels, annotations, node selectors.
///
/// A sorted list: most such maps have fewer than ten entries, and there are several in each of a million objects.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StrMap(SharedVec<(ArcStr, ArcStr)>);

impl StrMap {
    /// A map without entries; allocates nothing.
    pub const fn new() -> Self {
        Self(SharedVec::new())
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&ArcStr> {
        self.position(key).ok().map(|at| &self.0[at].1)
    }

    /// Whether `key` stands there, with whatever value.
    pub fn contains_key(&self, key: &str) -> bool {
        self.position(key).is_ok()
    }

    /// Whether `key` has exactly this value.
    pub fn has(&self, key: &str, value: &str) -> bool {
        self.get(key).is_some_and(|found| found == value)
    }

    /// Sets `key` to `value` and returns whether that changed anything.
    pub fn insert(&mut self, key: impl Into<ArcStr>, value: impl Into<ArcStr>) -> bool {
        let (key, value) = (key.into(), value.into());
        match self.position(&key) {
            Ok(at) if self.0[at].1 == value => false,
            Ok(at) => {
                self.0[at].1 = value;
                true
            }
            Err(at) => {
                self.0.insert(at, (key, value));
                true
            }
        }
    }

    /// Removes `key` and returns the value that it had.
    pub fn remove(&mut self, key: &str) -> Option<ArcStr> {
        self.position(key).ok().map(|at| self.0.remove(at).1)
    }

    /// The entries in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&ArcStr, &ArcStr)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(found, _)| found.as_str().cmp(key))
    }
}

impl<K: Into<ArcStr>, V: Into<ArcStr>> FromIterator<(K, V)> for StrMap {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::new();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl fmt::Debug for StrMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for StrMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for StrMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = StrMap;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from string to string")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<StrMap, A::Error> {
        let mut map = StrMap::new();
        while let Some((key, value)) = access.next_entry::<ArcStr, ArcStr>()? {
            map.insert(key, value);
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::StrMap;

    #[test]
    fn entries_stand_in_key_order_and_insert_tells_a_change() {
        let mut map: StrMap = [("b", "2"), ("a", "1")].into_iter().collect();
        assert!(!map.insert("a", "1"), "the same value is no change");
        assert!(map.insert("a", "3"));
        assert_eq!(format!("{map:?}"), r#"{"a": "3", "b": "2"}"#);
        assert_eq!(map.remove("b").as_deref(), Some("2"));
        assert!(!map.contains_key("b"));
    }
}
