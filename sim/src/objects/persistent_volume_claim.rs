//! PersistentVolumeClaim.

use super::{LabelSelector, ObjectMeta, ResourceList, Rest, is_default, nullable};
use crate::objects::ContainerResources;
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};

/// A wish for a volume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersistentVolumeClaim {
    /// Names; CDI keeps its state in the annotations.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: PersistentVolumeClaimSpec,
    /// What came of it.
    pub status: PersistentVolumeClaimStatus,
}

/// `spec` of a claim.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersistentVolumeClaimSpec {
    /// ReadWriteOnce, ReadOnlyMany, ReadWriteMany, ReadWriteOncePod.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub access_modes: Vec<ArcStr>,
    /// `requests.storage` is the size.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "is_default")]
    pub resources: ContainerResources,
    /// Volumes by label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<LabelSelector>,
    /// The class; absent and empty differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_class_name: Option<ArcStr>,
    /// The volume, once bound or when the user names one.
    #[serde(skip_serializing_if = "is_default")]
    pub volume_name: ArcStr,
    /// Filesystem (default) or Block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_mode: Option<ArcStr>,
    /// What fills the volume (populators).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_source_ref: Option<TypedLocalObjectReference>,
    /// Other fields, `volumeAttributesClassName` and `dataSource` among them.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A reference by kind and name within the namespace.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TypedLocalObjectReference {
    /// The group, such as `cdi.kubevirt.io`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_group: Option<ArcStr>,
    /// The kind.
    pub kind: ArcStr,
    /// The name.
    pub name: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `status` of a claim.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PersistentVolumeClaimStatus {
    /// Pending, Bound or Lost; empty before anyone looked.
    #[serde(skip_serializing_if = "is_default")]
    pub phase: ArcStr,
    /// Those of the volume.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub access_modes: Vec<ArcStr>,
    /// The size of the volume.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "ResourceList::is_empty")]
    pub capacity: ResourceList,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
