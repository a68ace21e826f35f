//! ConfigMap: texts that pods read as files.

use super::{ObjectMeta, Rest, nullable};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Texts and bytes by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigMap {
    /// Names.
    pub metadata: ObjectMeta,
    /// The texts.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<ArcStr, ArcStr>,
    /// The bytes, in base64; no name stands in both.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "BTreeMap::is_empty")]
    pub binary_data: BTreeMap<ArcStr, ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl ConfigMap {
    /// The names of its texts and bytes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.data.keys().chain(self.binary_data.keys()).map(ArcStr::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::ConfigMap;

    #[test]
    fn texts_and_bytes_have_names() {
        let manifest = r#"{"metadata": {"name": "c"}, "data": {"a": "1"}, "binaryData": {"b": "Yg=="}, "immutable": true}"#;
        let map: ConfigMap = serde_json::from_str(manifest).expect("a ConfigMap");
        assert_eq!(map.names().collect::<Vec<_>>(), ["a", "b"]);
        let shown = serde_json::to_value(&map).expect("objects serialize");
        assert_eq!((&shown["binaryData"]["b"], &shown["immutable"]), (&"Yg==".into(), &true.into()));
    }
}
