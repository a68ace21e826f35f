//! Times, durations and names as scenario files write them.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use std::borrow::Cow;
use std::time::Duration;
use stuckvm_detector::Time;
use stuckvm_sim::Kind;

/// A span of virtual time, such as `5m0.25s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text(deserializer, "a duration such as 5m, 299.999s or 1h30m")?;
        stuckvm_sim::duration::parse(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "a span of virtual time, such as 5m, 299.999s, 1ns or 1h30m",
            "pattern": r"^([0-9]+(\.[0-9]+)?(ns|us|ms|s|m|h))+$"
        })
    }
}

/// An instant, such as `2022-10-03T11:11:07Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start(pub Time);

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text(deserializer, "a time such as 2022-10-03T11:11:07Z")?;
        text.parse().map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Start {
    fn schema_name() -> Cow<'static, str> {
        "Start".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date-time", "description": "an instant in UTC, with Z" })
    }
}

/// A virtual machine or other namespaced object, as `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct VmName {
    /// The namespace.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl std::fmt::Display for VmName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

impl<'de> Deserialize<'de> for VmName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = text(deserializer, "a name such as default/vm1")?;
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
                Ok(Self { namespace: namespace.to_owned(), name: name.to_owned() })
            }
            _ => Err(serde::de::Error::custom(format!(
                "expected namespace/name such as default/vm1, found `{text}`"
            ))),
        }
    }
}

impl JsonSchema for VmName {
    fn schema_name() -> Cow<'static, str> {
        "VmName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[^/]+/[^/]+$", "description": "namespace/name" })
    }
}

/// A kind of object that the cluster knows, such as `VirtualMachine`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindName(pub Kind);

impl<'de> Deserialize<'de> for KindName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = text(deserializer, "a kind such as VirtualMachine")?;
        let unknown = || {
            let known = Kind::ALL.map(Kind::as_str).join(", ");
            serde::de::Error::custom(format!("`{name}`, expected one of {known}"))
        };
        Kind::parse(&name).map(Self).ok_or_else(unknown)
    }
}

impl JsonSchema for KindName {
    fn schema_name() -> Cow<'static, str> {
        "KindName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let known = Kind::ALL.map(Kind::as_str);
        json_schema!({ "type": "string", "enum": known, "description": "a kind that the cluster knows" })
    }
}

/// A manifest: a file beside the scenario, or an object written out.
#[derive(Clone, Debug, PartialEq)]
pub enum Manifest {
    /// Path of a file with one or more documents, from the scenario's folder or from the catalog's.
    File(String),
    /// The object.
    Inline(Value),
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(path) => Ok(Self::File(path)),
            object @ Value::Object(_) => Ok(Self::Inline(object)),
            other => {
                Err(serde::de::Error::custom(format!("expected a file name or an object, found `{other}`")))
            }
        }
    }
}

impl JsonSchema for Manifest {
    fn schema_name() -> Cow<'static, str> {
        "Manifest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "object"], "description": "a file name, or a Kubernetes object" })
    }
}

/// Reads a string, and says what was expected where something else stands.
fn text<'de, D: Deserializer<'de>>(deserializer: D, expected: &str) -> Result<String, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::String(text) => Ok(text),
        other => Err(serde::de::Error::custom(format!("expected {expected}, found `{other}`"))),
    }
}
