//! A list that versions of an object share until one of them changes it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// A vector that is copied when it is written to while others still hold it.
///
/// Every write of an object makes a new version of it, and most change one list of many: the others are shared. An empty
/// list is one null pointer.
///
/// ```
/// use stuckvm_sim::objects::SharedVec;
///
/// let old = SharedVec::from(vec![1, 2]);
/// let mut new = old.clone();
/// new.push(3);
/// assert_eq!((old.len(), new.len()), (2, 3));
/// ```
pub struct SharedVec<T>(Option<Arc<Vec<T>>>);

impl<T: 'static> SharedVec<T> {
    const EMPTY: &'static Vec<T> = &Vec::new();
}

impl<T> SharedVec<T> {
    /// A list without entries; allocates nothing.
    pub const fn new() -> Self {
        Self(None)
    }
}

impl<T> Clone for SharedVec<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Default for SharedVec<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: 'static> Deref for SharedVec<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        self.0.as_deref().unwrap_or(Self::EMPTY)
    }
}

impl<T: Clone + 'static> DerefMut for SharedVec<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        Arc::make_mut(self.0.get_or_insert_default())
    }
}

impl<T: PartialEq + 'static> PartialEq for SharedVec<T> {
    /// What is shared is equal.
    fn eq(&self, other: &Self) -> bool {
        let shared = matches!((&self.0, &other.0), (Some(a), Some(b)) if Arc::ptr_eq(a, b));
        shared || **self == **other
    }
}

impl<T: Eq + 'static> Eq for SharedVec<T> {}

impl<T: PartialEq<U> + 'static, U, const N: usize> PartialEq<[U; N]> for SharedVec<T> {
    fn eq(&self, other: &[U; N]) -> bool {
        **self == *other
    }
}

impl<T> From<Vec<T>> for SharedVec<T> {
    fn from(list: Vec<T>) -> Self {
        Self(if list.is_empty() { None } else { Some(Arc::new(list)) })
    }
}

impl<T, const N: usize> From<[T; N]> for SharedVec<T> {
    fn from(list: [T; N]) -> Self {
        Vec::from(list).into()
    }
}

impl<T> FromIterator<T> for SharedVec<T> {
    fn from_iter<I: IntoIterator<Item = T>>(entries: I) -> Self {
        Vec::from_iter(entries).into()
    }
}

impl<T: Clone> IntoIterator for SharedVec<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.map(Arc::unwrap_or_clone).unwrap_or_default().into_iter()
    }
}

impl<'a, T: 'static> IntoIterator for &'a SharedVec<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, T: Clone + 'static> IntoIterator for &'a mut SharedVec<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for SharedVec<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}

impl<T: Serialize + 'static> Serialize for SharedVec<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for SharedVec<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::SharedVec;
    use std::sync::Arc;

    #[test]
    fn versions_share_a_list_until_one_writes_to_it() {
        let old = SharedVec::from(["a"]);
        let mut new = old.clone();
        let shared = |a: &SharedVec<_>, b: &SharedVec<_>| {
            Arc::ptr_eq(a.0.as_ref().expect("entries"), b.0.as_ref().expect("entries"))
        };
        assert!(shared(&old, &new));
        new.iter_mut().for_each(|entry| *entry = "b");
        assert!(!shared(&old, &new));
        assert_eq!((old, new), (SharedVec::from(["a"]), SharedVec::from(["b"])));
    }

    #[test]
    fn an_emptied_list_equals_one_that_never_had_an_entry() {
        let mut list = SharedVec::from([1]);
        list.clear();
        assert_eq!(list, SharedVec::new());
    }
}
