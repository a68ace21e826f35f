//! PersistentVolume.

use super::{NodeSelector, ObjectMeta, ResourceList, Rest, is_default, nullable};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};

/// A piece of storage.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersistentVolume {
    /// Names, zone labels.
    pub metadata: ObjectMeta,
    /// What it is.
    pub spec: PersistentVolumeSpec,
    /// Whether it is taken.
    pub status: PersistentVolumeStatus,
}

/// `spec` of a volume; the source (`csi`, `hostPath`, `local` …) stands in `rest`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersistentVolumeSpec {
    /// `storage` is the size.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "ResourceList::is_empty")]
    pub capacity: ResourceList,
    /// What it can do.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub access_modes: Vec<ArcStr>,
    /// The claim it is bound to or kept for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub claim_ref: Option<ObjectReference>,
    /// Retain (default for static ones), Delete or Recycle.
    #[serde(rename = "persistentVolumeReclaimPolicy", skip_serializing_if = "Option::is_none")]
    pub reclaim_policy: Option<ArcStr>,
    /// The class.
    #[serde(skip_serializing_if = "is_default")]
    pub storage_class_name: ArcStr,
    /// Filesystem (default) or Block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_mode: Option<ArcStr>,
    /// From which nodes it can be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_affinity: Option<VolumeNodeAffinity>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A reference to one object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ObjectReference {
    /// The kind.
    #[serde(skip_serializing_if = "is_default")]
    pub kind: ArcStr,
    /// Group and version.
    #[serde(skip_serializing_if = "is_default")]
    pub api_version: ArcStr,
    /// The namespace.
    #[serde(skip_serializing_if = "is_default")]
    pub namespace: ArcStr,
    /// The name.
    pub name: ArcStr,
    /// The uid; empty keeps the volume for whatever claim of that name comes.
    #[serde(skip_serializing_if = "is_default")]
    pub uid: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `nodeAffinity` of a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeNodeAffinity {
    /// Terms of which one must match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required: Option<NodeSelector>,
}

/// `status` of a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersistentVolumeStatus {
    /// Pending, Available, Bound, Released or Failed.
    #[serde(skip_serializing_if = "is_default")]
    pub phase: ArcStr,
    /// Why it is Failed.
    #[serde(skip_serializing_if = "is_default")]
    pub message: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
