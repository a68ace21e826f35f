//! `expect`: what must come of it.

use super::{ExpectedEvent, ExpectedObject, Span, VmName};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What must come of a scenario. At least one part must be given.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Expect {
    /// Every printable status of the virtual machines that are named here, but for the empty one.
    #[serde(default)]
    pub status: Option<Vec<ExpectedStatus>>,
    /// Exactly these alerts and no others.
    #[serde(default)]
    pub alerts: Option<Vec<ExpectedAlert>>,
    /// How many alerts in all.
    #[serde(default)]
    pub counts: Option<Counts>,
    /// What other objects show, at an instant or from one on.
    #[serde(default)]
    pub objects: Option<Vec<ExpectedObject>>,
    /// Kubernetes events that are recorded, others may be too.
    #[serde(default)]
    pub events: Option<Vec<ExpectedEvent>>,
    /// For scenarios that must not pass: the verdict that they must get.
    #[serde(default)]
    pub verdict: Option<ExpectedVerdict>,
}

/// One entry into a status.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExpectedStatus {
    /// The virtual machine.
    pub vm: VmName,
    /// When virt-controller writes it, from the start.
    pub at: Span,
    /// For instants that are drawn: at the latest then, and at `at` at the earliest.
    #[serde(default)]
    pub by: Option<Span>,
    /// The status in its wire spelling; `deleted` when the machine is gone.
    pub is: String,
}

/// One alert.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ExpectedAlert {
    /// The virtual machine.
    pub vm: VmName,
    /// When it fires, from the start.
    pub fires: Span,
    /// With which status, in the runbook's spelling.
    #[serde(rename = "as")]
    pub status: String,
    /// When it resolves; absent: still firing at the end.
    #[serde(default)]
    pub resolves: Option<Span>,
}

/// How many alerts in all.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Counts {
    /// Alerts that fire.
    pub firing: u64,
    /// Alerts that resolve.
    pub resolved: u64,
    /// How many of those that fire do so with which status, in the runbook's spelling; others are not looked at.
    #[serde(default, rename = "as")]
    pub by_status: BTreeMap<String, u64>,
}

/// The verdict of a scenario that must not pass.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ExpectedVerdict {
    /// `fail` or `error`.
    pub is: NotPass,
    /// The rule that a `fail` names.
    #[serde(default)]
    pub rule: Option<String>,
    /// The kind that an `error` names.
    #[serde(default)]
    pub kind: Option<String>,
}

/// A verdict that is not `pass`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotPass {
    /// Something came otherwise than it should.
    Fail,
    /// The run did not come to its end.
    Error,
}

impl NotPass {
    /// As reports write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}
