//! Node.

use super::{Condition, ObjectMeta, ResourceList, Rest, is_default, nullable, time_opt};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use stuckvm_detector::Time;

/// A machine that runs pods.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Node {
    /// Names, labels.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: NodeSpec,
    /// What the kubelet and the node controllers report.
    pub status: NodeStatus,
}

/// `spec` of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeSpec {
    /// Cordoned: takes no new pods.
    #[serde(skip_serializing_if = "is_default")]
    pub unschedulable: bool,
    /// What keeps pods away.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub taints: Vec<Taint>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// What keeps pods away that do not tolerate it: `effect` is NoSchedule, PreferNoSchedule or NoExecute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Taint {
    /// The key.
    pub key: ArcStr,
    /// The value.
    #[serde(skip_serializing_if = "is_default")]
    pub value: ArcStr,
    /// The effect.
    pub effect: ArcStr,
    /// When a controller added it.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub time_added: Option<Time>,
}

/// `status` of a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct NodeStatus {
    /// All that the machine has.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "ResourceList::is_empty")]
    pub capacity: ResourceList,
    /// What pods may use of it.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "ResourceList::is_empty")]
    pub allocatable: ResourceList,
    /// MemoryPressure, DiskPressure, PIDPressure, Ready.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The images that lie there, as the scheduler scores them.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ContainerImage>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// An image on a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ContainerImage {
    /// Its names.
    #[serde(deserialize_with = "nullable")]
    pub names: Vec<ArcStr>,
    /// Its size in bytes.
    pub size_bytes: i64,
}
