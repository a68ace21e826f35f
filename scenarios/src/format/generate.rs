//! `generate`: many objects from one template.

use super::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Many objects from one template. `{i}` in a string of the template is the object's number, from 0, and every key of
/// `choose` stands for the value that was drawn for the object.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Generate {
    /// How many.
    pub count: u32,
    /// The object; its shape is read once, so a million objects cost no million documents.
    pub template: BTreeMap<String, Value>,
    /// Values by share: `{image}` in the template stands for one of the keys of `choose.image`, drawn by these weights.
    #[serde(default)]
    pub choose: BTreeMap<String, BTreeMap<String, u32>>,
    /// When they are created; all before 0s by default.
    #[serde(default)]
    pub arrive: Option<GenerateArrival>,
}

/// When generated objects are created.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GenerateArrival {
    /// The first, from the start; 0s by default.
    #[serde(default)]
    pub from: Span,
    /// They are spread evenly over this span.
    pub over: Span,
}
