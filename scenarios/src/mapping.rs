//! Structs that are read from mappings only.

use serde::de::{Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// A source of one struct. Derived readers take a list for a struct too, its items for the fields in the order of our source.
pub(crate) struct Mapping<D>(pub(crate) D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Mapping<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}
