//! `snapshot.storage.k8s.io/v1` VolumeSnapshot, VolumeSnapshotContent and VolumeSnapshotClass.

use super::{ObjectMeta, Rest, is_default, time_opt};
use crate::quantity::Quantity;
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use stuckvm_detector::Time;

/// A claim's volume as it was at an instant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshot {
    /// Names.
    pub metadata: ObjectMeta,
    /// What is wanted.
    pub spec: VolumeSnapshotSpec,
    /// What came of it; absent before anyone looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<VolumeSnapshotStatus>,
}

impl VolumeSnapshot {
    /// Whether volumes can be made from it (CDI: `IsSnapshotReady`).
    pub fn is_ready(&self) -> bool {
        self.status.as_ref().is_some_and(|status| status.ready_to_use)
    }
}

/// `spec` of a VolumeSnapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotSpec {
    /// The claim or the content that it is taken from.
    pub source: VolumeSnapshotSource,
    /// The class.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume_snapshot_class_name: Option<ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `spec.source` of a VolumeSnapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotSource {
    /// The claim.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub persistent_volume_claim_name: Option<ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `status` of a VolumeSnapshot.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotStatus {
    /// The VolumeSnapshotContent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound_volume_snapshot_content_name: Option<ArcStr>,
    /// When it was taken.
    #[serde(with = "time_opt", skip_serializing_if = "Option::is_none")]
    pub creation_time: Option<Time>,
    /// Whether volumes can be made from it.
    #[serde(skip_serializing_if = "is_default")]
    pub ready_to_use: bool,
    /// The least size of a volume made from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore_size: Option<Quantity>,
    /// What went wrong, with `message` and `time`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Value>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// A snapshot as its driver has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotContent {
    /// Names.
    pub metadata: ObjectMeta,
    /// What the driver has.
    pub spec: VolumeSnapshotContentSpec,
}

/// `spec` of a VolumeSnapshotContent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotContentSpec {
    /// The CSI driver.
    pub driver: ArcStr,
    /// Filesystem or Block.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_volume_mode: Option<ArcStr>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// How snapshots of a class are made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct VolumeSnapshotClass {
    /// Names, and the annotation that makes it the default of its driver.
    pub metadata: ObjectMeta,
    /// The CSI driver.
    pub driver: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
