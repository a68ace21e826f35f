//! Secret: what few may read.

use super::{ObjectMeta, Rest, is_default, nullable};
use arcstr::ArcStr;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Bytes by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, from = "SecretFields")]
pub struct Secret {
    /// Names.
    pub metadata: ObjectMeta,
    /// What it is for: Opaque (default), `kubernetes.io/dockerconfigjson` and others.
    #[serde(rename = "type")]
    pub kind: ArcStr,
    /// The bytes, in base64.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub data: BTreeMap<ArcStr, ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl Secret {
    /// The bytes of a name; `None` if there are none.
    pub fn bytes(&self, name: &str) -> Option<Vec<u8>> {
        let bytes = STANDARD.decode(self.data.get(name)?.as_bytes()).ok()?;
        Some(bytes).filter(|bytes| !bytes.is_empty())
    }
}

/// A Secret as the API spells it for writers.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SecretFields {
    metadata: ObjectMeta,
    #[serde(rename = "type", deserialize_with = "nullable")]
    kind: ArcStr,
    #[serde(deserialize_with = "nullable")]
    data: BTreeMap<ArcStr, ArcStr>,
    #[serde(deserialize_with = "nullable")]
    string_data: BTreeMap<ArcStr, ArcStr>,
    #[serde(flatten)]
    rest: Rest,
}

impl From<SecretFields> for Secret {
    /// Text becomes bytes, also in place of bytes of the same name (`pkg/apis/core/v1/conversion.go`).
    fn from(fields: SecretFields) -> Self {
        let SecretFields { metadata, kind, mut data, string_data, rest } = fields;
        let texts = string_data.into_iter();
        data.extend(texts.map(|(name, text)| (name, STANDARD.encode(text.as_bytes()).into())));
        let kind = if is_default(&kind) { arcstr::literal!("Opaque") } else { kind };
        Self { metadata, kind, data, rest }
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn text_becomes_bytes() {
        let manifest =
            r#"{"metadata": {"name": "s"}, "data": {"a": "YQ==", "b": "Yg=="}, "stringData": {"b": "B"}}"#;
        let secret: Secret = serde_json::from_str(manifest).expect("a secret");
        assert_eq!(secret.kind, "Opaque");
        assert_eq!(secret.bytes("a").as_deref(), Some(&b"a"[..]));
        assert_eq!(secret.bytes("b").as_deref(), Some(&b"B"[..]));
        let shown = serde_json::to_value(&secret).expect("objects serialize");
        assert_eq!((&shown["data"]["b"], &shown["stringData"]), (&"Qg==".into(), &serde_json::Value::Null));
    }
}
