//! A value for serde's types, as `serde_json` reads it but for one thing: a list is no mapping. Derived readers take the items of
//! a list for the fields of a struct, in the order in which the fields happen to stand in our source.

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Map, Value};

/// A value that is read strictly.
///
/// ```
/// use stuckvm_sim::manifest::StrictValue;
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Name {
///     first: String,
/// }
/// let read = |value: serde_json::Value| <Name as serde::Deserialize>::deserialize(StrictValue(&value));
/// assert_eq!(read(serde_json::json!({"first": "a"})).unwrap().first, "a");
/// assert_eq!(read(serde_json::json!(["a"])).unwrap_err().to_string(), "invalid type: sequence, expected struct Name");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StrictValue<'de>(pub &'de Value);

impl<'de> IntoDeserializer<'de, Error> for StrictValue<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for StrictValue<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => {
                let mut items = SeqDeserializer::new(items.iter().map(StrictValue));
                let read = visitor.visit_seq(&mut items)?;
                items.end().map(|()| read)
            }
            Value::Object(fields) => {
                let mut fields = entries(fields);
                let read = visitor.visit_map(&mut fields)?;
                fields.end().map(|()| read)
            }
            scalar => scalar.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Object(fields) if fields.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(entries(fields)))
            }
            other => other.deserialize_enum(name, variants, visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier
    }
}

type Entries<'de, I> = MapDeserializer<'de, I, Error>;

fn entries(fields: &Map<String, Value>) -> Entries<'_, impl Iterator<Item = (&str, StrictValue<'_>)>> {
    MapDeserializer::new(fields.iter().map(|(name, value)| (name.as_str(), StrictValue(value))))
}
