//! How single fields are read and written.

use serde::{Deserialize, Deserializer, Serializer};
use stuckvm_detector::Time;

/// Reads `null` as the default, as the API does for lists, maps and structs.
pub(crate) fn nullable<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Whether a field may be left out of the written object.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// An optional `metav1.Time`: whole seconds at the border, nanoseconds inside.
pub(crate) mod time_opt {
    use super::{Deserialize, Deserializer, Serializer, Time};

    pub(crate) fn serialize<S: Serializer>(time: &Option<Time>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => serializer.collect_str(&time.truncate_to_secs()),
            None => serializer.serialize_none(),
        }
    }

    /// Times before 1970, Go's zero time among them, are read as no time: nothing that is modelled tells them apart.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Time>, D::Error> {
        let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
        if text.get(..4).is_some_and(|year| year < "1970") {
            return Ok(None);
        }
        text.parse().map(Some).map_err(serde::de::Error::custom)
    }
}
