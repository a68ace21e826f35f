//! Amounts by resource name.

use crate::quantity::Quantity;
use arcstr::ArcStr;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// Amounts by resource name, in name order: requests, limits, capacity, allocatable.
#[derive(Clone, Default, PartialEq)]
pub struct ResourceList(Vec<(ArcStr, Quantity)>);

impl ResourceList {
    /// The amount of a resource, if it is named.
    pub fn get(&self, resource: &str) -> Option<&Quantity> {
        self.position(resource).ok().map(|at| &self.0[at].1)
    }

    /// Whether the resource is named.
    pub fn contains(&self, resource: &str) -> bool {
        self.position(resource).is_ok()
    }

    /// Sets the amount of a resource.
    pub fn insert(&mut self, resource: impl Into<ArcStr>, amount: Quantity) {
        let resource = resource.into();
        match self.position(&resource) {
            Ok(at) => self.0[at].1 = amount,
            Err(at) => self.0.insert(at, (resource, amount)),
        }
    }

    /// The entries in name order.
    pub fn iter(&self) -> impl Iterator<Item = (&ArcStr, &Quantity)> {
        self.0.iter().map(|(resource, amount)| (resource, amount))
    }

    /// How many resources are named.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn position(&self, resource: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(found, _)| found.as_str().cmp(resource))
    }
}

impl<K: Into<ArcStr>> FromIterator<(K, Quantity)> for ResourceList {
    fn from_iter<I: IntoIterator<Item = (K, Quantity)>>(entries: I) -> Self {
        let mut list = Self::default();
        for (resource, amount) in entries {
            list.insert(resource, amount);
        }
        list
    }
}

impl fmt::Debug for ResourceList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for ResourceList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for ResourceList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = ResourceList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map from resource name to quantity")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<ResourceList, A::Error> {
        let mut list = ResourceList::default();
        while let Some((resource, amount)) = access.next_entry::<ArcStr, Quantity>()? {
            list.insert(resource, amount);
        }
        Ok(list)
    }
}
