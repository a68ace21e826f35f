//! Quantities in JSON and YAML, apimachinery 0.36.2: `MarshalJSON` and `UnmarshalJSON` in
//! `pkg/api/resource/quantity.go`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{Quantity, QuantityError};

impl Quantity {
    /// `UnmarshalJSON`: JSON text of a string, a number or `null`. Escapes inside the string are not decoded.
    ///
    /// # Errors
    /// As [`Quantity::parse`].
    pub fn from_json(text: &str) -> Result<Quantity, QuantityError> {
        if text == "null" {
            return Ok(Quantity::zero());
        }
        let inner = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        Quantity::parse(inner.trim())
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Quantity, D::Error> {
        deserializer.deserialize_any(QuantityVisitor)
    }
}

struct QuantityVisitor;

impl Visitor<'_> for QuantityVisitor {
    type Value = Quantity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quantity such as 500m, 2 or 1Gi")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Quantity, E> {
        // What JSON writes as an escape stays one upstream, and no escape is part of a quantity.
        if text.contains(|c: char| c < ' ' || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(E::custom(QuantityError::FormatWrong));
        }
        Quantity::parse(text.trim()).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Quantity, E> {
        Quantity::parse(&number.to_string()).map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Quantity, E> {
        Quantity::parse(&number.to_string()).map_err(E::custom)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Quantity, E> {
        Quantity::parse(&go_float(number)).map_err(E::custom)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Quantity, E> {
        Ok(Quantity::zero())
    }
}

/// A float as Go's `encoding/json` writes it, which is what upstream's parser gets to see: plain digits, with an
/// exponent only below 1e-6 and from 1e21 on.
fn go_float(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-6..1e21).contains(&size) { format!("{number:e}") } else { format!("{number}") }
}
