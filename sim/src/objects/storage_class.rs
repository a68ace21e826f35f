//! StorageClass and PriorityClass: cluster settings that pods and claims name.

use super::{ObjectMeta, Rest, is_default};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How volumes of a class are made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StorageClass {
    /// Names, and the annotation that makes it the default.
    pub metadata: ObjectMeta,
    /// The driver.
    pub provisioner: ArcStr,
    /// Immediate (default) or WaitForFirstConsumer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_binding_mode: Option<ArcStr>,
    /// Delete (default) or Retain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reclaim_policy: Option<ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

impl StorageClass {
    /// Whether volumes wait for a pod that uses the claim.
    pub fn waits_for_first_consumer(&self) -> bool {
        self.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
    }

    /// `mountOptions`: how volumes of the class are mounted.
    pub fn mount_options(&self) -> Vec<&str> {
        let options = self.rest.get("mountOptions").and_then(Value::as_array);
        options.into_iter().flatten().filter_map(Value::as_str).collect()
    }
}

/// A named priority of pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PriorityClass {
    /// Names.
    pub metadata: ObjectMeta,
    /// The priority.
    pub value: i32,
    /// Used by pods that name none.
    #[serde(skip_serializing_if = "is_default")]
    pub global_default: bool,
    /// Never or PreemptLowerPriority (default).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preemption_policy: Option<ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
