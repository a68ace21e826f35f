//! Conditions, as every kind has them.

use super::{Rest, is_default, time_opt};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use stuckvm_detector::Time;

/// The status of a condition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// Nobody knows.
    #[default]
    Unknown,
}

impl Truth {
    /// `True`, `False` or `Unknown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::True } else { Self::False }
    }
}

/// One condition of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Condition {
    /// Its type, such as `Ready`.
    #[serde(rename = "type")]
    pub kind: ArcStr,
    /// Whether it holds.
    pub status: Truth,
    /// Why, in one CamelCase word (CDI's are free text).
    #[serde(skip_serializing_if = "is_default")]
    pub reason: ArcStr,
    /// Why, for people.
    #[serde(skip_serializing_if = "is_default")]
    pub message: ArcStr,
    /// When `status` last changed.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub last_transition_time: Option<Time>,
    /// When it was last looked at (`lastProbeTime`, pods and virtual machines).
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub last_probe_time: Option<Time>,
    /// When it was last confirmed (`lastHeartbeatTime`, nodes and DataVolumes).
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub last_heartbeat_time: Option<Time>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl Condition {
    /// A condition that changed at `at`.
    pub fn new(kind: impl Into<ArcStr>, status: Truth, reason: impl Into<ArcStr>, at: Time) -> Self {
        Self {
            kind: kind.into(),
            status,
            reason: reason.into(),
            last_transition_time: Some(at),
            ..Self::default()
        }
    }

    /// The same with a message for people.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<ArcStr>) -> Self {
        self.message = message.into();
        self
    }

    /// Adds itself to a pod's conditions, or replaces the one of its type (`UpdatePodCondition`, `pkg/api/v1/pod/util.go`):
    /// the time of the last transition stays while the status stays.
    ///
    /// # Examples
    ///
    /// ```
    /// use stuckvm_detector::Time;
    /// use stuckvm_sim::objects::{Condition, Truth};
    ///
    /// let mut conditions = vec![Condition::new("Ready", Truth::True, "", Time::from_secs(1))];
    /// Condition::new("Ready", Truth::True, "Again", Time::from_secs(2)).put_into(&mut conditions);
    /// assert_eq!(conditions[0].reason, "Again");
    /// assert_eq!(conditions[0].last_transition_time, Some(Time::from_secs(1)));
    /// ```
    pub fn put_into(mut self, conditions: &mut Vec<Self>) {
        match conditions.iter_mut().find(|found| found.kind == self.kind) {
            Some(found) => {
                if found.status == self.status {
                    self.last_transition_time = found.last_transition_time;
                }
                *found = self;
            }
            None => conditions.push(self),
        }
    }

    /// Whether it is False for exactly this reason.
    pub fn is_false_because(&self, reason: &str) -> bool {
        self.status == Truth::False && self.reason == reason
    }
}

/// Look-up in a list of conditions, one of each type.
pub trait Conditions {
    /// The condition of a type.
    fn condition(&self, kind: &str) -> Option<&Condition>;

    /// Whether the condition of a type is there and True.
    fn is_true(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|found| found.status == Truth::True)
    }
}

impl Conditions for [Condition] {
    fn condition(&self, kind: &str) -> Option<&Condition> {
        self.iter().find(|found| found.kind == kind)
    }
}
