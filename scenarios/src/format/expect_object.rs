//! `expect.objects` and `expect.events`: what else the API shows, beside the printable status.

use super::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an object shows, at an instant or from one on: `at`, or `from` and perhaps `by`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExpectedObject {
    /// The kind.
    pub kind: String,
    /// `namespace/name`, or a name for kinds without namespace. `*` stands for any text, such as the letters that the API
    /// server draws; one object that shows it all is enough then.
    pub name: String,
    /// It shows all this at the end of this instant.
    #[serde(default)]
    pub at: Option<Span>,
    /// It shows all this at the end of this instant, and a nanosecond before it did not.
    #[serde(default)]
    pub from: Option<Span>,
    /// For instants that are drawn: not yet before `from`, but at the end of this instant.
    #[serde(default)]
    pub by: Option<Span>,
    /// A part of the object. Of a list each element that stands here must be there, in whatever place; null: no such
    /// field; `*` in a text stands for any text.
    #[serde(default)]
    pub has: BTreeMap<String, Value>,
    /// A part that the object must not have, as a whole.
    #[serde(default)]
    pub lacks: BTreeMap<String, Value>,
    /// There is no object of that name.
    #[serde(default)]
    pub gone: bool,
}

/// A Kubernetes event that is recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExpectedEvent {
    /// The kind of the object that it is about.
    pub kind: String,
    /// The object's name, with `*` for any text.
    pub name: String,
    /// When.
    pub at: Span,
    /// For instants that are drawn: at the latest then, and at `at` at the earliest.
    #[serde(default)]
    pub by: Option<Span>,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub severity: String,
    /// The reason.
    pub reason: String,
    /// The message, with `*` for any text; left out: any.
    #[serde(default)]
    pub message: Option<String>,
    /// How often it is recorded within these instants, 0 for not at all; left out: at least once.
    #[serde(default)]
    pub times: Option<usize>,
}
