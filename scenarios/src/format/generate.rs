//! `generate`: many objects from one template.

use super::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// Many objects from one template. `{i}` in a string of the template is the object's number, from 0, and every key of
/// `choose` stands for the value that was drawn for the object. Draws follow from the seed, the template's kind and name,
/// and what is drawn: one more template, or one more key, shifts no other draw.
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
    /// Sizes by share: `{cores}` and `{memory}` in the template stand for those of one of them.
    #[serde(default)]
    pub sizes: Vec<GeneratedSize>,
    /// When they are created; all before 0s by default.
    #[serde(default)]
    pub arrive: Option<GenerateArrival>,
    /// What happens to each of them some time after it was created; for virtual machines only.
    #[serde(default, rename = "break")]
    pub breaks: Option<GeneratedFault>,
}

/// One size of machines, such as `{share: 70, cores: 2, memory: 4Gi}`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GeneratedSize {
    /// Its weight among the sizes.
    pub share: u32,
    /// What `"{cores}"` stands for, a number.
    pub cores: u32,
    /// What `"{memory}"` stands for, a Kubernetes quantity.
    pub memory: String,
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

/// The artificial fault of a step's `break: {phase: …}`, for every machine that is made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct GeneratedFault {
    /// How long after the machine's creation, or after 0s where it is there before; its instance must be there by then.
    pub after: Span,
    /// The phase that is written over that of its instance, such as `Unknown`.
    pub phase: String,
}
