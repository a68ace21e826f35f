//! Rule files as they are written: every scalar is a text.

use crate::prometheus::duration;
use crate::prometheus::samples::Millis;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny};
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileText {
    pub(super) groups: Vec<GroupText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupText {
    pub(super) name: String,
    pub(super) interval: Option<Span>,
    pub(super) query_offset: Option<Span>,
    #[serde(default)]
    pub(super) limit: Limit,
    /// Of every rule, where it has none of that name (since 3.0).
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) rules: Vec<RuleText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleText {
    pub(super) alert: Option<String>,
    pub(super) record: Option<String>,
    pub(super) expr: String,
    #[serde(rename = "for")]
    pub(super) hold: Option<Span>,
    #[serde(rename = "keep_firing_for")]
    pub(super) keep: Option<Span>,
    #[serde(default)]
    pub(super) labels: BTreeMap<String, String>,
    /// They are for people: nothing depends on them here.
    #[serde(default, rename = "annotations")]
    _annotations: BTreeMap<String, IgnoredAny>,
}

/// A duration of Prometheus.
#[derive(Clone, Copy)]
pub(super) struct Span(pub(super) Millis);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wrong = || D::Error::custom(format!("`{text}`, expected {}", duration::EXPECTED));
        duration::parse(&text).map(Self).ok_or_else(wrong)
    }
}

/// How many alerts a rule may have.
#[derive(Clone, Copy, Default)]
pub(super) struct Limit(pub(super) usize);

impl<'de> Deserialize<'de> for Limit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|_| D::Error::custom(format!("`{text}`, expected a whole number")))
    }
}
