//! `cdi.kubevirt.io/v1beta1` DataSource.

use super::{ObjectMeta, Rest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A name for what DataVolumes are cloned from, so that it can change behind their backs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataSource {
    /// Names.
    pub metadata: ObjectMeta,
    /// What the name stands for.
    pub spec: DataSourceSpec,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}

/// `spec` of a DataSource.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DataSourceSpec {
    /// `pvc` or `snapshot`, with namespace and name.
    pub source: Value,
    /// Other fields.
    #[serde(flatten)]
    pub rest: Rest,
}
