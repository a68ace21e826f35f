//! `cdi.kubevirt.io/v1beta1` DataVolume.

use super::{Condition, ObjectMeta, PersistentVolumeClaimSpec, Rest, is_default, nullable};
use arcstr::ArcStr;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// A claim together with what fills it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataVolume {
    /// Names.
    pub metadata: ObjectMeta,
    /// What is wanted. Changed by replacing the whole.
    pub spec: Arc<DataVolumeSpec>,
    /// What CDI reports.
    pub status: DataVolumeStatus,
}

/// `spec` of a DataVolume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataVolumeSpec {
    /// One key names the kind of source: http, registry, blank, upload, pvc, snapshot …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Value>,
    /// A DataSource by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<Value>,
    /// The claim, as it is to be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pvc: Option<PersistentVolumeClaimSpec>,
    /// The claim, with what is missing taken from the storage profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage: Option<PersistentVolumeClaimSpec>,
    /// kubevirt (default) or archive.
    #[serde(skip_serializing_if = "is_default")]
    pub content_type: ArcStr,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `status` of a DataVolume.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataVolumeStatus {
    /// Pending, ImportScheduled, ImportInProgress, Succeeded, Failed and others; empty before anyone looked.
    #[serde(skip_serializing_if = "is_default")]
    pub phase: ArcStr,
    /// `N/A`, or a percentage such as `12.50%`.
    #[serde(skip_serializing_if = "is_default")]
    pub progress: ArcStr,
    /// How often the worker was started again.
    #[serde(skip_serializing_if = "is_default")]
    pub restart_count: i32,
    /// The claim.
    #[serde(skip_serializing_if = "is_default")]
    pub claim_name: ArcStr,
    /// Bound, Running, Ready.
    #[serde(deserialize_with = "nullable", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
